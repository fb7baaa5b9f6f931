"""One object that cannot be used disturbs nobody else, and people are told of it."""

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from tests.integration.conftest import ApiServer
from tests.integration.running.kubelet import Kubelet
from tests.integration.running.parts import controller, master
from tests.integration.running.waiting import until
from tests.integration.running.world import World, demand

from cluster.layout import REPOSITORY
from tender.api.names import API_VERSION
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
