"""Two masters and two controllers, and what can befall them: somebody always goes on, and at no moment two do.

The `observer` checks every state that there was, of every test: nothing is given away twice, and no offer of an earlier
term is made after one of a later.
"""

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from random import Random

import pytest
from tests.chart.conftest import helm
from tests.chart.helm import CHART, Helm
from tests.integration.availability.cable import Cable
from tests.integration.availability.observer import Observer
from tests.integration.availability.replicas import LEASE_SECONDS, Replicas, replicas, seconds_since, term_of
from tests.integration.conftest import ApiServer
from tests.integration.running.kubelet import Kubelet
from tests.integration.running.test_services import ready
from tests.integration.running.waiting import until
from tests.integration.running.world import World, demand

from cluster import Options
from tender.api.offer import OfferPhase, ResourceOffer
from tender.cluster.errors import ApiError, Conflict, Invalid
from tender.cluster.resources import RESERVATIONS

__all__ = ["helm"]

REPLICAS = 6
HOUR = 3600.0


@asynccontextmanager
async def two(world: World, kubeconfig: Path, folder: Path, program: str = "master") -> AsyncIterator[Replicas]:
    """Two replicas of a program for the nodes or the frameworks of this test."""
    scope = f"--node-selector={world.node_selector}" if program == "master" else f"--namespace={world.namespace}"
    async with replicas(program, [kubeconfig] * 2, folder, world.namespace, scope) as started:
        yield started


async def somebody_waits(world: World, name: str, count: int = 1) -> None:
    """A framework that wants offers and answers none."""
    await world.add_framework(name)
    await world.declare(name, demand("a", count, requests={"cpu": "500m"}))


async def an_offer(world: World, of: str) -> ResourceOffer:
    """The next offer for the demand of a framework. One that was made before it was declared is of all there is, and is
    given back.
    """

    async def found() -> ResourceOffer | None:
        for offer in await world.open_offers(of):
            if offer.spec.slices[0].tasks:
                return offer
            with contextlib.suppress(Conflict, Invalid):
                await world.decline(offer, 0)
        return None

    offer: ResourceOffer = await until(found, f"an offer to {of}")
    return offer


async def a_reservation(world: World, node: str) -> None:
    """Half a CPU that is kept for a role of which there is nobody."""
    await world.client.create(
        RESERVATIONS,
        {
            "apiVersion": "tender.dev/v1alpha1",
            "kind": "Reservation",
            "metadata": {"name": "kept", "namespace": world.namespace},
            "spec": {"role": world.named("kept"), "node": node, "resources": {"cpu": "500m"}},
        },
    )


async def are_as_wanted(world: World, kubelet: Kubelet, replicas: int) -> None:
    """The service has its pods, and there have never been others: none was lost and none doubled."""
    await ready(world, "web", replicas)
    alive = [pod.metadata.name for pod in kubelet.alive]
    assert len(of_web(kubelet.born.values())) == len(of_web(alive)) == replicas


def of_web(pods: Iterable[str]) -> list[str]:
    return [name for name in pods if name.startswith("web-")]


@asynccontextmanager
async def a_service_that_changes_all_the_time(world: World) -> AsyncIterator[None]:
    """Something to offer, to claim, to launch and to stop at every moment, and little of it: what is claimed and not
    wanted any more is held for a minute.
    """

    async def change() -> None:
        rng = Random(1)
        while True:
            with contextlib.suppress(ApiError):
                await world.change("busy", {"service": {"replicas": rng.randrange(8)}})
            await asyncio.sleep(rng.uniform(0.2, 0.6))

    await world.add_service("busy", 1, cpu="10m")
    changing = asyncio.create_task(change())
    try:
        yield
    finally:
        changing.cancel()
        await asyncio.gather(changing, return_exceptions=True)


async def cpu_on_offer(world: World) -> int:
    """How many milli-CPU are on offer."""
    return sum(one.amounts.get("cpu", 0) for offer in await world.open_offers() for one in offer.spec.slices)


class TestKilledLeaders:
    @pytest.mark.timeout(150)
    async def test_are_succeeded_within_the_lease_and_five_seconds(
        self, world: World, api_server: ApiServer, kubelet: Kubelet, observer: Observer, tmp_path: Path
    ):
        nodes = await world.add_nodes(3)
        await a_reservation(world, nodes[0])
        await world.add_service("web", REPLICAS)
        async with (
            two(world, api_server.kubeconfig, tmp_path) as masters,
            two(world, api_server.kubeconfig, tmp_path, "controller") as controllers,
            a_service_that_changes_all_the_time(world),
        ):
            await are_as_wanted(world, kubelet, REPLICAS)
            await somebody_waits(world, "patient")
            adopted = await an_offer(world, "patient")
            master, controller = await masters.leader(), await controllers.leader()
            await world.change("web", {"service": {"replicas": 2 * REPLICAS}})
            await asyncio.sleep(0.1)
            master.kill()
            controller.kill()
            killed = time.monotonic()
            await somebody_waits(world, "waiting")
            offer = await an_offer(world, "waiting")
            print(f"SIGKILL to next offer: {seconds_since(killed):.1f} s (lease {LEASE_SECONDS} s)")
            assert offer.spec.term == (adopted.spec.term or 0) + 1 == await term_of(world.client, world.namespace)
            await are_as_wanted(world, kubelet, 2 * REPLICAS)
            present = {one.metadata.uid for one in await world.offers()}
            assert adopted.metadata.uid in present


class TestALeaderThatEndsInOrder:
    @pytest.mark.timeout(120)
    async def test_is_succeeded_at_once(self, world: World, api_server: ApiServer, observer: Observer, tmp_path: Path):
        await world.add_nodes(1)
        times = ("--lease-duration=600", "--lease-renew-deadline=300", "--lease-retry-period=0.5")
        scope = f"--node-selector={world.node_selector}"
        async with replicas(
            "master", [api_server.kubeconfig] * 2, tmp_path, world.namespace, scope, times=times
        ) as masters:
            await somebody_waits(world, "first")
            await an_offer(world, "first")
            await masters.standby()
            leader = await masters.leader()
            leader.send(signal.SIGTERM)
            await somebody_waits(world, "second")
            await an_offer(world, "second")
            await until(lambda: _is(leader.codes == [0]), "the end of the former leader")


class TestAStoppedLeader:
    @pytest.mark.timeout(150)
    async def test_does_nothing_when_it_goes_on_and_begins_afresh(
        self, world: World, api_server: ApiServer, kubelet: Kubelet, observer: Observer, tmp_path: Path
    ):
        await world.add_nodes(2)
        await world.add_service("web", REPLICAS)
        async with (
            two(world, api_server.kubeconfig, tmp_path) as masters,
            two(world, api_server.kubeconfig, tmp_path, "controller") as controllers,
            a_service_that_changes_all_the_time(world),
        ):
            await are_as_wanted(world, kubelet, REPLICAS)
            stopped = [await masters.leader(), await controllers.leader()]
            await world.change("web", {"service": {"replicas": REPLICAS + 3}})
            for one in stopped:
                one.send(signal.SIGSTOP)
            # What they would decide on, were they not to notice that they lead no more.
            await somebody_waits(world, "waiting", 4)
            await an_offer(world, "waiting")
            await are_as_wanted(world, kubelet, REPLICAS + 3)
            for one in stopped:
                one.send(signal.SIGCONT)
            await until(lambda: _is(all(one.codes for one in stopped)), "the end of the former leaders")
            assert [one.codes for one in stopped] == [[1], [1]]
            await until(lambda: _is(all(one.lives == 2 for one in stopped)), "new lives")
            for one in stopped:
                await one.part.ready()
            assert (await masters.leader(), await controllers.leader()) != tuple(stopped)
            await world.change("web", {"service": {"replicas": REPLICAS + 5}})
            await are_as_wanted(world, kubelet, REPLICAS + 5)

    @pytest.mark.timeout(120)
    async def test_goes_on_in_its_term_when_nobody_has_taken_over(
        self, world: World, api_server: ApiServer, observer: Observer, tmp_path: Path
    ):
        await world.add_nodes(1)
        scope = f"--node-selector={world.node_selector}"
        async with replicas("master", [api_server.kubeconfig], tmp_path, world.namespace, scope) as alone:
            leader = await alone.leader()
            term = await term_of(world.client, world.namespace)
            leader.send(signal.SIGSTOP)
            await asyncio.sleep(LEASE_SECONDS + 1)
            await somebody_waits(world, "waiting")
            leader.send(signal.SIGCONT)
            offer = await an_offer(world, "waiting")
            assert (offer.spec.term, leader.lives) == (term, 1)


class TestALeaderThatIsCutOff:
    @pytest.mark.timeout(150)
    @pytest.mark.parametrize("one_way", [True, False])
    async def test_gives_nothing_away_that_its_successor_does_and_what_arrives_late_is_refused(
        self, world: World, api_server: ApiServer, observer: Observer, helm: Helm, tmp_path: Path, one_way: bool
    ):
        await world.add_nodes(1, cpu="4")
        account = _account_of_the_chart(api_server, world.namespace, helm, tmp_path)
        scope = f"--node-selector={world.node_selector}"
        async with AsyncExitStack() as cables:
            laid = [await cables.enter_async_context(Cable(account, tmp_path, str(n)).laid()) for n in range(2)]
            paths = [cable.kubeconfig for cable in laid]
            async with replicas("master", paths, tmp_path, world.namespace, scope) as masters:
                await somebody_waits(world, "first")
                first = await an_offer(world, "first")
                leader = await masters.leader()
                with laid[masters.members.index(leader)].pulled(one_way=one_way):
                    # It hears of this, if it hears anything, and sends an offer of all that is left.
                    await somebody_waits(world, "second", 7)
                    second = await an_offer(world, "second")
                    assert second.spec.term == (first.spec.term or 0) + 1
                await until(lambda: _is(leader.codes == [1]), "the end of the former leader")
                await leader.part.ready()
                assert await masters.leader(but=leader)
        refused = _refused_late(api_server, world.namespace)
        print(f"offers that arrived late and were refused: {refused}")
        assert (refused > 0) == one_way

    @pytest.mark.timeout(120)
    async def test_if_it_is_a_controller_launches_nothing_that_its_successor_does(
        self, world: World, api_server: ApiServer, kubelet: Kubelet, observer: Observer, tmp_path: Path
    ):
        await world.add_nodes(2)
        await world.add_service("web", REPLICAS)
        scope = f"--namespace={world.namespace}"
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(two(world, api_server.kubeconfig, tmp_path))
            kubeconfig = api_server.kubeconfig
            laid = [await stack.enter_async_context(Cable(kubeconfig, tmp_path, str(n)).laid()) for n in range(2)]
            paths = [cable.kubeconfig for cable in laid]
            async with replicas("controller", paths, tmp_path, world.namespace, scope) as controllers:
                await are_as_wanted(world, kubelet, REPLICAS)
                leader = await controllers.leader()
                with laid[controllers.members.index(leader)].pulled(one_way=True):
                    await world.change("web", {"service": {"replicas": REPLICAS + 4}})
                    await are_as_wanted(world, kubelet, REPLICAS + 4)
                await until(lambda: _is(leader.codes == [1]), "the end of the former leader")
                await leader.part.ready()
                await are_as_wanted(world, kubelet, REPLICAS + 4)


class TestAnApiServer:
    @pytest.mark.timeout(200)
    @pytest.mark.parametrize("program", ["kube-apiserver", "etcd"])
    async def test_that_is_away_for_longer_than_the_lease_ends_no_leader_and_loses_no_pod(
        self,
        world: World,
        api_server: ApiServer,
        kubelet: Kubelet,
        observer: Observer,
        tmp_path: Path,
        program: str,
    ):
        await world.add_nodes(3)
        await world.add_service("web", REPLICAS)
        async with (
            two(world, api_server.kubeconfig, tmp_path) as masters,
            two(world, api_server.kubeconfig, tmp_path, "controller"),
            a_service_that_changes_all_the_time(world),
        ):
            await are_as_wanted(world, kubelet, REPLICAS)
            await masters.leader()
            await world.change("web", {"service": {"replicas": 2 * REPLICAS}})
            await asyncio.to_thread(api_server.cluster.processes.stop, program)
            await asyncio.sleep(LEASE_SECONDS)
            options = Options(flavour="local", control_plane_only=True)
            await asyncio.to_thread(api_server.cluster.up, options)
            await are_as_wanted(world, kubelet, 2 * REPLICAS)
            await somebody_waits(world, "waiting")
            await an_offer(world, "waiting")


class TestAClockThatIsSet:
    @pytest.mark.timeout(150)
    @pytest.mark.parametrize("jump", [HOUR, -HOUR])
    async def test_gives_nothing_away_twice_nor_changes_who_leads(
        self, world: World, api_server: ApiServer, observer: Observer, tmp_path: Path, jump: float
    ):
        """A claim is taken back a minute after it was made, whatever the clocks say, also by the next leader."""
        await world.add_nodes(1, cpu="2")
        owner = await world.add_framework("slow")
        await world.declare("slow", demand("a", 4, requests={"cpu": "500m"}))
        async with two(world, api_server.kubeconfig, tmp_path) as masters:
            claimed = await world.claim(await an_offer(world, "slow"))
            await world.declare("slow")
            leader = await masters.leader()
            term = await term_of(world.client, world.namespace)
            leader.set_clock(jump)
            await somebody_waits(world, "waiting", 4)
            await leader.part.cycles()
            assert not await cpu_on_offer(world)
            assert await term_of(world.client, world.namespace) == term
            other = await masters.standby()
            other.set_clock(jump)
            leader.kill()
            await masters.leader(but=leader)
            await other.part.ready()
            await other.part.cycles()
            assert not await cpu_on_offer(world)
            await world.launch(claimed, owner)
            await other.part.cycles()
            assert await world.offers(OfferPhase.CLAIMED, of="slow") == []


async def _is(value: bool) -> bool:
    return value


def _account_of_the_chart(api_server: ApiServer, namespace: str, helm: Helm, folder: Path) -> Path:
    """A kubeconfig of the master's service account, whose offers the chart's policy looks at."""
    where = f"--namespace={namespace}"
    policy = helm.run("template", "tender", str(CHART), where, "--show-only=templates/offer-terms.yaml").stdout
    api_server.kubectl("apply", "--filename=-", input=policy)
    api_server.kubectl("create", "serviceaccount", "tender-master", where)
    account = f"{namespace}:tender-master"
    binding = ("create", "clusterrolebinding", f"{namespace}-master", "--clusterrole=cluster-admin")
    api_server.kubectl(*binding, f"--serviceaccount={account}")
    path = folder / "master.kubeconfig"
    path.write_text(api_server.kubeconfig.read_text())
    token = api_server.kubectl("create", "token", "tender-master", where).stdout.strip()
    config = ("config", f"--kubeconfig={path}")
    api_server.cluster.kubectl(*config, "set-credentials", "master", f"--token={token}")
    api_server.cluster.kubectl(*config, "set-context", "--current", "--user=master")
    return path


def _refused_late(api_server: ApiServer, namespace: str) -> int:
    """How many offers the policy has refused."""
    text = api_server.kubectl("get", "--raw=/metrics").stdout
    name = "apiserver_validating_admission_policy_check_total"
    lines = [line for line in text.splitlines() if line.startswith(name) and namespace in line and "deny" in line]
    return sum(int(float(line.rpartition(" ")[2])) for line in lines)
