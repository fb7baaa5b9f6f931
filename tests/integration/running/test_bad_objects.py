"""One object that cannot be used disturbs nobody else, and people are told of it."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from tests.integration.conftest import ApiServer
from tests.integration.running.around_schema import rewrite
from tests.integration.running.kubelet import Kubelet
from tests.integration.running.parts import controller, master
from tests.integration.running.waiting import until
from tests.integration.running.world import World, demand, template

from cluster.layout import REPOSITORY
from tender.api.conditions import STALLED, find_condition
from tender.api.meta import MOST_DEMANDS
from tender.api.names import API_VERSION, LABEL_FRAMEWORK
from tender.cluster.errors import Invalid
from tender.cluster.resources import FRAMEWORKS, NAMESPACES

BEFORE_TIME = "0000-01-01T00:00:00Z"
"""A moment that Python does not know. The API server takes it where the schema has no pattern for times."""


CRD = REPOSITORY / "crds" / "frameworks.tender.dev.yaml"
PATTERN = "/spec/versions/0/schema/openAPIV3Schema/properties/status/properties/backoff/properties/until/pattern"


@pytest_asyncio.fixture
async def lax_definition(world: World, api_server: ApiServer) -> AsyncIterator[None]:
    """Frameworks as another version of Tender might define them: with any time in one field."""

    async def takes_any_time() -> bool:
        taken = True
        for until_ in (BEFORE_TIME, None):
            status = {"backoff": {"failures": 1, "until": until_}}
            try:
                await world.client.patch_status(FRAMEWORKS, "probe", status, namespace=world.namespace)
            except Invalid:
                taken = False
        return taken

    async def takes_no_such_time() -> bool:
        return not await takes_any_time()

    await world.add_framework("probe")
    await world.declare("probe")
    removal = json.dumps([{"op": "remove", "path": PATTERN}])
    api_server.kubectl("patch", f"--filename={CRD}", "--type=json", f"--patch={removal}")
    await until(takes_any_time, "the API server takes any time")
    yield
    api_server.kubectl("apply", "--server-side", "--force-conflicts", f"--filename={CRD}")
    await until(takes_no_such_time, "the API server judges times again")


@pytest.mark.usefixtures("lax_definition")
class TestAnObjectThatCannotBeRead:
    async def test_is_told_of_and_the_others_are_served(self, world: World, api_server: ApiServer):
        await world.add_nodes(1)
        for name in ("strange", "web"):
            await world.add_framework(name)
            await world.declare(name, demand())
        status = {"backoff": {"failures": 1, "until": BEFORE_TIME}}
        await world.client.patch_status(FRAMEWORKS, "strange", status, namespace=world.namespace)
        async with master(world, api_server.kubeconfig) as part:
            await world.an_offer("web")
            await part.cycles()
            assert await world.offers(of="strange") == []

            async def was_told() -> list[str]:
                return await world.told("Unreadable", "strange")

            [note] = await until(was_told, "an event")
            assert note.startswith("ignored until it is mended: status.backoff.until: ")
            await world.client.patch_status(FRAMEWORKS, "strange", {"backoff": None}, namespace=world.namespace)
            await world.an_offer("strange")

    async def test_leaves_the_controller_to_the_others(self, world: World, api_server: ApiServer, kubelet: Kubelet):
        await world.add_nodes(1)
        await world.add_service("strange", 1)
        status = {"backoff": {"failures": 1, "until": BEFORE_TIME}}
        await world.client.patch_status(FRAMEWORKS, "strange", status, namespace=world.namespace)
        await world.add_service("web", 2)
        async with master(world, api_server.kubeconfig), controller(world, api_server.kubeconfig):

            async def is_ready() -> bool:
                return (await world.framework("web")).status.ready_replicas == 2

            await until(is_ready, "the other service's pods")
        assert await world.pods("strange") == []


class TestTenBadFrameworksAmongManyGoodOnes:
    """What passes the API server's schema and is bad all the same, what others have written into a status, and what was
    written around the schema.
    """

    GOOD = 190

    async def test_keep_none_of_the_others_waiting(self, world: World, api_server: ApiServer):
        await world.add_nodes(20, cpu="8")
        await self.add_bad(world, api_server)
        names = [f"good-{number:03d}" for number in range(self.GOOD)]
        await asyncio.gather(*(world.add_service(name, 1, cpu="100m") for name in names))
        async with master(world, api_server.kubeconfig) as part, controller(world, api_server.kubeconfig):

            async def are_placed() -> bool:
                placed = {pod.metadata.labels[LABEL_FRAMEWORK] for pod in await world.pods() if pod.spec.node_name}
                return set(names) <= placed

            await until(are_placed, f"a pod of each of {self.GOOD} services", patience=90, pause=0.5)
            await world.add_service("late", 1, cpu="100m")

            async def is_placed() -> bool:
                return bool(await world.pods("late"))

            await until(is_placed, "a pod of a service that came later")
            await part.cycles()
            for name in ("no-time", "odd-role", "no-spec"):
                assert await world.told("Unreadable", name), name
            for name in ("bad-expression", "refused-pod"):
                framework = await world.framework(name)
                stalled = find_condition(framework.status.conditions, STALLED)
                assert stalled is not None, name
                assert stalled.status == "True", name
                assert stalled.message, name

    async def add_bad(self, world: World, api_server: ApiServer) -> None:
        def service(**fields: Any) -> dict[str, Any]:
            return {"replicas": 1, "template": template("100m"), **fields}

        def pods(**spec: Any) -> dict[str, Any]:
            return service(template=template("100m", **spec))

        expression = {"key": "metadata.name", "operator": "Like", "value": "["}
        specs: dict[str, dict[str, Any]] = {
            "ages": {"external": {}, "offers": {"timeout": "99999999999999d"}},
            "bad-expression": {"service": service(constraints=[expression])},
            "refused-pod": {"service": pods(restartPolicy="Sometimes")},
            "text-for-volumes": {"service": pods(volumes="text", tolerations="text", nodeSelector=["list"])},
            "vast": {"service": service(template=template("9E", "9E"))},
            "many-shapes": {"external": {}},
            "no-time": {"service": service()},
            "strange-status": {"stateful": {"pods": [{"name": "data", "count": 1, "template": template("100m")}]}},
            "odd-role": {"service": service()},
            "no-spec": {"service": service()},
        }
        assert len(specs) == 10
        for name, spec in specs.items():
            await world.add_framework(name, **spec)
        entries = [demand(f"shape-{number}", requests={"cpu": "10m"}) for number in range(MOST_DEMANDS)]
        await world.declare("many-shapes", *entries)
        await world.declare("ages", demand())
        strange = {"stateful": {"targetRevision": "gone"}, "replicas": 7, "settledGeneration": 99}
        await world.client.patch_status(FRAMEWORKS, "strange-status", strange, namespace=world.namespace)

        def no_time(stored: dict[str, Any]) -> None:
            stored.setdefault("status", {})["backoff"] = {"failures": 1, "until": BEFORE_TIME}

        def odd_role(stored: dict[str, Any]) -> None:
            stored["spec"]["role"] = {"not": "a name"}

        def no_spec(stored: dict[str, Any]) -> None:
            del stored["spec"]

        await rewrite(api_server, FRAMEWORKS, world.namespace, "no-time", no_time)
        await rewrite(api_server, FRAMEWORKS, world.namespace, "odd-role", odd_role)
        await rewrite(api_server, FRAMEWORKS, world.namespace, "no-spec", no_spec)


class TestANamespaceThatIsEnding:
    async def test_stops_nobody_else(self, world: World, api_server: ApiServer):
        await world.add_nodes(2)
        ending = f"{world.namespace}-ending"
        await world.client.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ending}})
        body = {
            "apiVersion": API_VERSION,
            "kind": "Framework",
            "metadata": {"name": "doomed", "namespace": ending},
            "spec": {"external": {}},
        }
        await world.client.create(FRAMEWORKS, body)
        await world.client.delete(NAMESPACES, ending)  # it stays: there is no controller that would empty it
        await world.add_framework("web")
        await world.declare("web", demand(count=8, requests={"cpu": "1"}))
        async with master(world, api_server.kubeconfig) as part:

            async def are_all_offered() -> bool:
                return sum(len(offer.spec.slices) for offer in await world.open_offers("web")) == 2

            await until(are_all_offered, "offers of both nodes")
            figures = await part.figures()
        assert figures["tender_api_requests_total{code=403,resource=resourceoffers,verb=create}"] >= 1
