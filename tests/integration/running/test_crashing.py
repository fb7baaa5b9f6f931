"""The controller killed, or run twice by mistake: no pod is lost and none doubled."""

import asyncio
from pathlib import Path
from random import Random

import pytest
from tests.integration.conftest import ApiServer
from tests.integration.running.accounts import check_that_no_node_is_overcommitted
from tests.integration.running.kubelet import Kubelet
from tests.integration.running.parts import controller, master, program
from tests.integration.running.test_services import ready
from tests.integration.running.world import World, template

from tender.api.names import LABEL_REVISION

KILLS = 10
REPLICAS = 4


class TestTwoControllers:
    async def test_launch_and_roll_as_one(self, world: World, api_server: ApiServer, kubelet: Kubelet):
        await world.add_nodes(3)
        await world.add_service("web", 8)
        async with (
            master(world, api_server.kubeconfig),
            controller(world, api_server.kubeconfig),
            controller(world, api_server.kubeconfig),
        ):
            await ready(world, "web", 8)
            assert len(kubelet.born) == 8
            await world.change("web", {"service": {"replicas": 12}})
            await ready(world, "web", 12)
            assert len(kubelet.born) == 12
            await world.change("web", {"service": {"replicas": REPLICAS}})
            await ready(world, "web", REPLICAS)
            await world.change("web", {"service": {"template": template(image="app:2")}})
            await ready(world, "web", REPLICAS)
            await check_that_no_node_is_overcommitted(world)
        assert len(kubelet.born) == 12 + REPLICAS
        assert len(kubelet.alive) == REPLICAS


class TestAControllerKilledInTheMiddleOfARoll:
    @pytest.mark.timeout(150)
    async def test_ends_with_the_pods_that_are_wanted(
        self, world: World, api_server: ApiServer, kubelet: Kubelet, tmp_path: Path
    ):
        await world.add_nodes(3)
        await world.add_service("web", REPLICAS)
        rng = Random(1)
        arguments = ["controller", f"--namespace={world.namespace}"]
        log = tmp_path / "controller.log"
        async with master(world, api_server.kubeconfig):
            for turn in range(KILLS):
                async with program(*arguments, kubeconfig=api_server.kubeconfig, log=log) as (part, _):
                    await part.ready()
                    await ready(world, "web", REPLICAS)
                    kubelet.most = len(kubelet.alive)
                    await world.change("web", {"service": {"template": template(image=f"app:{turn + 2}")}})
                    await asyncio.sleep(rng.uniform(0.0, 0.8))
                await check_that_no_node_is_overcommitted(world)
            async with controller(world, api_server.kubeconfig):
                framework = await ready(world, "web", REPLICAS)
            assert kubelet.most <= REPLICAS + 1
            pods = await world.pods("web")
        assert len(pods) == REPLICAS
        assert {pod.metadata.labels[LABEL_REVISION] for pod in pods} == {framework.status.revision}
