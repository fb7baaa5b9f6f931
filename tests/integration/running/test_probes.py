"""What the probes and the metrics of master and controller say, when all is well and when it is not."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from tests.integration.conftest import ApiServer
from tests.integration.running.kubelet import Kubelet
from tests.integration.running.parts import Part, controller, master
from tests.integration.running.proxy import Asked, Proxy
from tests.integration.running.waiting import until
from tests.integration.running.world import World, demand

import tender
from tender.cluster.resources import (
    CONFIG_MAPS,
    CONTROLLER_REVISIONS,
    FRAMEWORKS,
    NODES,
    PODS,
    RESERVATIONS,
    RESOURCE_OFFERS,
    SERVICES,
    VOLUME_CLAIMS,
    Resource,
)
from tender.cluster.vitals import VitalsSettings

Start = Callable[..., AbstractAsyncContextManager[Part]]
OF_FRAMEWORKS: dict[Resource, Callable[[str], dict[str, Any]]] = {
    RESOURCE_OFFERS: lambda node: {
        "spec": {
            "framework": "stirred",
            "role": "default",
            "expiresAt": "2099-01-01T00:00:00Z",
            "slices": [{"node": node, "resources": {"cpu": "1"}}],
        }
    },
    RESERVATIONS: lambda node: {"spec": {"role": "default", "node": node, "resources": {"cpu": "1"}}},
    VOLUME_CLAIMS: lambda _: {
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    },
    CONFIG_MAPS: lambda _: {},
    CONTROLLER_REVISIONS: lambda _: {"revision": 1, "data": {}},
    SERVICES: lambda _: {"spec": {"ports": [{"port": 80}]}},
}
"""What else a controller follows, on a node."""
BOTH = pytest.mark.parametrize("start", [master, controller])


async def answers(part: Part, path: str, code: int, text: str = "") -> str:
    """Wait until a probe answers with this code and this text in it."""

    async def does() -> str:
        found, body = await part.get(path)
        return body if found == code and text in body else ""

    found: str = await until(does, f"{path}: {code} {text}")
    return found


@asynccontextmanager
async def stirring(world: World) -> AsyncIterator[None]:
    """Change one object of every kind over and over, so that every watch has something to tell."""
    [node] = await world.add_nodes(1)
    await world.add_framework("stirred")
    await world.declare("stirred")
    await world.add_pod("stirred", node, {"cpu": "1"}, labels={"tender.dev/framework": "stirred"})
    for resource, fields in OF_FRAMEWORKS.items():
        metadata = {
            "name": "stirred",
            "namespace": world.namespace,
            "labels": {"tender.dev/framework": "stirred"},
        }
        kind = {"apiVersion": resource.api_version, "kind": resource.kind}
        await world.client.create(resource, {**kind, "metadata": metadata, **fields(node)})
    stirred: list[tuple[Resource, str, str | None]] = [
        (NODES, node, None),
        *((resource, "stirred", world.namespace) for resource in (FRAMEWORKS, PODS, *OF_FRAMEWORKS)),
    ]

    async def stir() -> None:
        turn = 0
        while True:
            turn += 1
            await asyncio.gather(*(touch(*one, turn) for one in stirred))
            await asyncio.sleep(0.1)

    async def touch(resource: Resource, name: str, namespace: str | None, turn: int) -> None:
        change = {"metadata": {"annotations": {"tender.test/turn": str(turn)}}}
        await world.client.patch(resource, name, change, namespace=namespace)

    task = asyncio.create_task(stir())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def followed(start: Start, plural: str, world: World) -> str:
    """What a part says that it follows: the controller does so in the test's namespace alone, but for nodes."""
    return f"{plural} in {world.namespace}" if start is controller and plural != "nodes" else plural


class TestReadiness:
    @BOTH
    async def test_ends_when_the_api_server_is_silent_and_comes_back_with_it(
        self, world: World, proxy: Proxy, start: Start
    ):
        async with start(world, proxy.kubeconfig, vitals=VitalsSettings(pulse=0.1, ready=2.0)) as part:
            await answers(part, "/readyz", 200, "ok")
            with proxy.holding(lambda _: True):
                reason = await answers(part, "/readyz", 503)
                assert reason.startswith("api-server: no answer from the API server for ")
                assert await part.get("/healthz") == (200, "ok\n")
            await answers(part, "/readyz", 200, "ok")

    @BOTH
    async def test_waits_for_the_first_lists(self, world: World, proxy: Proxy, start: Start):
        title = followed(start, "pods", world)
        with contextlib.ExitStack() as held:
            held.enter_context(proxy.holding(lambda asked: asked.path.endswith("/pods")))
            async with start(world, proxy.kubeconfig) as part:
                await answers(part, "/readyz", 503, f"caches: first list not complete: {title}\n")
                held.close()
                await answers(part, "/readyz", 200, "ok")


class TestLiveness:
    @BOTH
    async def test_ends_when_the_api_server_is_silent_for_long(self, world: World, proxy: Proxy, start: Start):
        async with start(world, proxy.kubeconfig, vitals=VitalsSettings(pulse=0.1, alive=2.0)) as part:
            await answers(part, "/readyz", 200)
            with proxy.holding(lambda _: True):
                await answers(part, "/healthz", 503, "api-server: no answer from the API server for ")

    @pytest.mark.parametrize(
        ("start", "plural"),
        [
            (master, "nodes"),
            (master, "pods"),
            *((controller, resource.plural) for resource in (NODES, PODS, FRAMEWORKS, *OF_FRAMEWORKS)),
        ],
    )
    async def test_ends_when_a_watch_hangs(self, world: World, proxy: Proxy, start: Start, plural: str):
        def is_a_watch_of_it(asked: Asked) -> bool:
            return asked.watch and asked.path.endswith(f"/{plural}")

        title = followed(start, plural, world)
        async with stirring(world), start(world, proxy.kubeconfig, vitals=VitalsSettings(pulse=0.1, alive=2.0)) as part:
            await answers(part, "/readyz", 200)
            await answers(part, "/healthz", 200)
            with proxy.holding(is_a_watch_of_it):
                await answers(part, "/healthz", 503, f"watches: no word from the watch of {title} for ")
            await answers(part, "/healthz", 200, "ok")


class TestMetrics:
    async def test_of_the_master_tell_of_offers_cycles_shares_caches_and_writes(
        self, world: World, api_server: ApiServer
    ):
        [node] = await world.add_nodes(1, cpu="8")
        role = world.named("shops")
        await world.add_role(role, weight=2)
        await world.add_framework("web", role=role)
        await world.declare("web", demand("a", 2, requests={"cpu": "1"}))
        await world.add_framework("refusing", role=role)
        await world.declare("refusing", demand("b", 1, requests={"cpu": "1"}))
        async with master(world, api_server.kubeconfig) as part:
            await world.claim(await world.an_offer("web"))
            await world.decline(await world.an_offer("refusing"), 60)
            await world.declare("web", demand("a", 3, requests={"cpu": "1"}))
            await world.an_offer("web")
            expected: dict[str, float] = {
                "tender_offers_total{outcome=made}": 3,
                "tender_offers_total{outcome=claimed}": 1,
                "tender_offers_total{outcome=declined}": 1,
                f"tender_role_weight{{role={role}}}": 2,
                f"tender_role_dominant_share{{role={role}}}": 3 / 8,
                f"tender_role_allocated{{resource=cpu,role={role}}}": 2,
                f"tender_role_quota{{kind=offered,resource=cpu,role={role}}}": 1,
                "tender_cluster_allocatable{resource=cpu}": 8,
                "tender_nodes{available=true}": 1,
                "tender_nodes{available=false}": 0,
                "tender_frameworks": 2,
                "tender_offers_standing{phase=Claimed}": 1,
                "tender_offers_standing{phase=Declined}": 1,
                "tender_offers_standing{phase=Offered}": 1,
                "tender_cache_relists_total{reason=initial,resource=nodes}": 1,
                "tender_cache_relists_total{reason=initial,resource=pods}": 1,
                "tender_api_writes_total{resource=resourceoffers,verb=create}": 3,
            }
            await part.shows(expected)
            await world.cordon(node)

            async def have_counted_an_event() -> bool:
                return (await part.figures()).get("tender_cache_events_total{event=MODIFIED,resource=nodes}", 0) >= 1

            await until(have_counted_an_event, "an event of a node")
            figures = await part.figures()
        assert figures["tender_cycle_duration_seconds_count"] > 0
        assert figures[f"tender_build_info{{component=master,version={tender.__version__}}}"] == 1

    async def test_of_the_controller_tell_of_answers_launches_and_writes(
        self, world: World, api_server: ApiServer, kubelet: Kubelet
    ):
        await world.add_nodes(1)
        await world.add_service("web", 2)
        async with master(world, api_server.kubeconfig), controller(world, api_server.kubeconfig) as part:
            expected: dict[str, float] = {
                "tender_answers_total{answer=claimed}": 1,
                "tender_launches_total{outcome=created}": 2,
                "tender_stops_total": 0,
                "tender_turns_failed_total": 0,
                "tender_api_writes_total{resource=pods,verb=create}": 2,
                "tender_api_writes_total{resource=resourceoffers,verb=patch}": 1,
                "tender_cache_relists_total{reason=initial,resource=frameworks}": 1,
                f"tender_build_info{{component=controller,version={tender.__version__}}}": 1,
            }
            await part.shows(expected)
            figures = await part.figures()
        assert figures["tender_turn_duration_seconds_count"] > 0
