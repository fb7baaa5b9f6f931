"""The real master and the real controller of a service over one API server, with either ending at any moment."""

import asyncio
from collections import Counter
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import template
from tests.unit.master.bench import Master
from tests.unit.world import World, service

from tender.api import core
from tender.api.framework import Framework
from tender.api.requests import pod_requests
from tender.cluster.resources import FRAMEWORKS, PODS, RESOURCE_OFFERS

REPLICAS = 5
OLD, NEW = template(image="app:1"), template(image="app:2", cpu="700m")


class Cluster(World):
    """A world whose master is the real one, on three nodes of 4 CPU."""

    def __init__(self, one: Framework, tasks: asyncio.TaskGroup, rng: Random | None = None) -> None:
        super().__init__(one, rng=rng)
        self._tasks = tasks
        self._masters = 0
        self.restart_master()

    def restart_master(self) -> None:
        """Another master starts, which knows nothing."""
        self._masters += 1
        self.real = Master(self.api, self._tasks, lambda: self.now, seed=self._masters)

    async def master(self) -> None:
        await self.real.tick()

    def used(self) -> dict[str, int]:
        """Milli-CPU of the pods on each node."""
        used: Counter[str] = Counter()
        for manifest in self.api.objects[PODS].values():
            pod = msgspec.convert(manifest, core.Pod)
            used[pod.spec.node_name] += 0 if pod.terminated else pod_requests(pod.spec)["cpu"]
        return used


def watch(cluster: Cluster, most: int, least_ready: int = 0) -> None:
    """From now on there are never more pods than one above `most`, and no node has more than it can hold."""

    def check() -> None:
        assert len(cluster.live) <= most + 1
        assert cluster.ready >= least_ready
        assert all(used <= 4000 for used in cluster.used().values())

    cluster.api.on_change = check


async def test_a_service_starts_rolls_scales_and_ends_without_a_node_being_crowded():
    async with asyncio.TaskGroup() as tasks:
        cluster = Cluster(service(REPLICAS, OLD), tasks)
        watch(cluster, REPLICAS)
        await cluster.settle()
        watch(cluster, REPLICAS, least_ready=REPLICAS)
        cluster.change(template=NEW)
        await cluster.settle()
        watch(cluster, 9)
        cluster.change(replicas=9)
        await cluster.settle()
        cluster.change(replicas=0)
        await cluster.settle()
        assert cluster.errors == []
        for _ in range(3):
            await cluster.second()
        assert cluster.api.objects[RESOURCE_OFFERS] == {}
        assert cluster.real.ledger.held("shop/web") == {}


async def test_no_claim_is_left_once_its_pods_are_there_so_that_nothing_is_launched_from_it_again():
    async with asyncio.TaskGroup() as tasks:
        cluster = Cluster(service(REPLICAS, OLD), tasks)
        for _ in range(3):
            await cluster.second()
        assert len(cluster.live) == REPLICAS
        assert cluster.api.objects[RESOURCE_OFFERS] == {}


@pytest.mark.parametrize("lifetime", [1, 2, 5])
async def test_a_roll_survives_that_both_end_again_and_again(lifetime):
    async with asyncio.TaskGroup() as tasks:
        cluster = Cluster(service(REPLICAS, OLD), tasks)
        await cluster.settle()
        watch(cluster, REPLICAS, least_ready=REPLICAS)
        cluster.change(template=NEW)
        cluster.lifetime, cluster.process = lifetime, None
        for second in range(150):
            if second % 3 == 0:
                cluster.restart_master()
            await cluster.second()
        assert cluster.as_specified
        assert len(cluster.api.created_names) == len(set(cluster.api.created_names))


happenings = st.lists(
    st.one_of(
        st.tuples(st.just("replicas"), st.integers(0, 6)),
        st.tuples(st.just("template"), st.sampled_from([OLD, NEW])),
        st.tuples(st.just("fail"), st.integers(0, 20)),
        st.tuples(st.just("controller ends"), st.none() | st.integers(1, 6)),
        st.tuples(st.just("master ends"), st.none()),
        st.tuples(st.just("second"), st.sets(st.sampled_from([FRAMEWORKS, PODS, RESOURCE_OFFERS]))),
    ),
    max_size=25,
)


@settings(max_examples=40, deadline=None)
@given(happenings, st.integers(0, 1000))
async def test_whatever_happens_on_the_way_the_service_ends_as_specified(story: list[Any], seed: int):
    async with asyncio.TaskGroup() as tasks:
        cluster = Cluster(service(3, OLD), tasks, Random(seed))
        most = 3
        watch(cluster, most)
        for what, value in story:
            match what:
                case "replicas":
                    most = max(most, value)
                    watch(cluster, most)
                    cluster.change(replicas=value)
                case "template":
                    cluster.change(template=value)
                case "fail" if cluster.live:
                    cluster.fail(cluster.live[value % len(cluster.live)].metadata.name)
                case "controller ends":
                    cluster.lifetime, cluster.process = value, None
                case "master ends":
                    cluster.restart_master()
                case "second":
                    await cluster.second(*value)
        cluster.lifetime = None
        await cluster.settle(600)
        assert cluster.errors == []
