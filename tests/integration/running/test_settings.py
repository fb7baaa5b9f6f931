"""What an installation chooses for all: the options of `tender master` reach its cycles."""

from pathlib import Path

import pytest
from tests.integration.conftest import ApiServer
from tests.integration.running.parts import program
from tests.integration.running.waiting import until
from tests.integration.running.world import World, demand

from tender.cluster.resources import FRAMEWORKS, NODES

FPGA = "example.com/fpga"


async def reasons(world: World, framework: str) -> set[str]:
    """Why nodes are not offered to a framework, as its status says."""
    allocation = (await world.framework(framework)).status.allocation
    return {one.reason for one in allocation.not_offered} if allocation is not None else set()


class TestScarceResources:
    @pytest.mark.parametrize("scarce", [FPGA, ""], ids=["named", "none"])
    async def test_keep_their_nodes_for_those_who_ask(
        self, world: World, api_server: ApiServer, tmp_path: Path, scarce: str
    ):
        [node] = await world.add_nodes(1)
        size = {"capacity": {FPGA: "1"}, "allocatable": {FPGA: "1"}}
        await world.client.patch_status(NODES, node, size)
        await world.add_framework("plain")
        await world.add_framework("able", capabilities=[FPGA])
        await world.add_framework("asking")
        for name in ("plain", "able"):
            await world.declare(name, demand("a", 1, requests={"cpu": "1"}))
        await world.declare("asking", demand("a", 1, requests={FPGA: "1"}))
        arguments = ["master", f"--node-selector={world.node_selector}", f"--scarce-resources={scarce}"]
        async with program(*arguments, kubeconfig=api_server.kubeconfig, log=tmp_path / "log"):
            await world.an_offer("able")
            await world.an_offer("asking")
            if scarce:

                async def is_told() -> bool:
                    return await reasons(world, "plain") == {"Unsuitable"}

                await until(is_told, "the reason in the status")
                assert await world.open_offers("plain") == []
            else:
                await world.an_offer("plain")


class TestTheMinimumOffer:
    async def test_holds_for_those_who_name_none(self, world: World, api_server: ApiServer, tmp_path: Path):
        await world.add_nodes(1, cpu="2")
        await world.add_framework("plain")
        await world.add_framework("modest", offers={"minimum": [{"cpu": "1"}]})
        await world.declare("modest")
        arguments = ["master", f"--node-selector={world.node_selector}", "--minimum-offer=cpu=3,memory=1Gi"]
        async with program(*arguments, kubeconfig=api_server.kubeconfig, log=tmp_path / "log"):

            async def is_told() -> bool:
                return await reasons(world, "plain") == {"TooSmall"}

            await until(is_told, "the reason in the status")
            await world.client.patch_status(FRAMEWORKS, "modest", {"demand": None}, namespace=world.namespace)
            await world.an_offer("modest")
            assert await world.open_offers("plain") == []
