"""Pods that nobody can end any more: their framework is gone and their node does not answer (T24, T47)."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from prometheus_client import CollectorRegistry
from tests.builders import NOON, framework, node, pod
from tests.unit.memory import MemoryApi, MemoryClient

from tender.api import core
from tender.cluster.client import Client
from tender.cluster.errors import Forbidden
from tender.cluster.resources import PODS
from tender.controller.executor import Executor
from tender.controller.metrics import ControllerMetrics
from tender.controller.orphans import orphans
from tender.controller.rounds import make_rounds
from tender.controller.view import View

LEAVING = pod("db-node-0", of="db", deleted=NOON - 300)
SILENT = node(ready="Unknown", since=NOON - 61)


def given_up(one: core.Pod, *nodes: core.Node, frameworks: set[str] | None = None, unreadable: str = "") -> bool:
    known = {each.metadata.name: each for each in nodes}
    return orphans([one], frameworks or set(), {unreadable}, known, NOON) == [one]


class TestAPodOfAFrameworkThatIsGone:
    def test_t24_is_given_up_when_it_leaves_a_node_that_has_been_silent_for_a_minute(self):
        assert given_up(LEAVING, SILENT)

    def test_t24_is_given_up_when_it_leaves_a_node_that_is_gone(self):
        assert given_up(LEAVING)

    def test_is_let_be_while_its_node_may_still_answer(self):
        assert not given_up(LEAVING, node())
        assert not given_up(LEAVING, node(ready="Unknown", since=NOON - 60))

    def test_is_let_be_on_a_node_that_never_said_anything(self):
        assert not given_up(LEAVING, node(ready="False"))

    def test_is_let_be_until_it_is_being_deleted_which_is_for_the_garbage_collector_to_say(self):
        assert not given_up(pod("db-node-0", of="db"))


class TestAPod:
    def test_of_a_framework_that_is_there_is_for_its_planner_to_decide(self):
        assert not given_up(LEAVING, frameworks={"uid-of-db"})

    def test_of_a_framework_that_cannot_be_read_is_not_taken_for_one_of_none(self):
        assert not given_up(LEAVING, unreadable="shop/db")

    def test_t47_that_no_framework_owns_is_never_touched_whatever_its_labels_say(self):
        assert not given_up(pod("spoofed", owners=[], labels={"tender.dev/framework": "db"}, deleted=NOON - 300))

    def test_t47_of_another_kind_of_owner_is_not_ours(self):
        owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "db", "uid": "of-a-set", "controller": True}
        assert not given_up(pod("theirs", owners=[owner], deleted=NOON - 300))


class Bench:
    """Rounds over what the test says is lost."""

    def __init__(self) -> None:
        self.api = MemoryApi()
        self.client = MemoryClient(self.api)
        self.dirty: list[str] = []
        self.view = View(self.dirty.append)
        self.lost: list[core.Pod] = []
        self.looked = 0
        self.nodes_changed = asyncio.Event()

    def find(self) -> list[core.Pod]:
        self.looked += 1
        lost, self.lost = self.lost, []
        return lost

    @contextmanager
    def running(self, interval: float = 3600.0) -> Iterator[None]:
        metrics = ControllerMetrics(CollectorRegistry())
        executor = Executor(
            cast("Client", self.client), self.view, metrics, manager="test", status_interval=5.0, clock=lambda: NOON
        )
        task = asyncio.create_task(
            make_rounds(self.view, executor, self.find, self.nodes_changed, interval=interval, rest=0.0)
        )
        yield
        task.cancel()

    async def rounds(self, count: int) -> None:
        """Let so many rounds begin, or fail after as many turns of the loop as they could possibly need."""
        for _ in range(2000):
            if self.looked >= count:
                return
            await asyncio.sleep(0)
        raise AssertionError(f"{self.looked} rounds, not {count}")


class TestRounds:
    async def test_delete_what_is_lost_for_good_and_that_very_pod_alone(self):
        bench = Bench()
        for name in ("lost", "other"):
            bench.api.put(PODS, {"metadata": {"name": name, "namespace": "shop", "uid": f"uid-of-{name}"}, "spec": {}})
        bench.lost = [pod("lost", of="db"), pod("other", of="db", uid="an-earlier-one"), pod("gone", of="db")]
        with bench.running(interval=0.0):
            await bench.rounds(2)
        assert list(bench.api.objects[PODS]) == ["other"]

    async def test_go_on_when_a_deletion_is_refused(self):
        bench = Bench()
        for name in ("first", "second"):
            bench.api.put(PODS, {"metadata": {"name": name, "namespace": "shop", "uid": f"uid-of-{name}"}, "spec": {}})
        bench.client.refuse = lambda verb, kind, name: Forbidden(403, "", "no") if name == "first" else None
        bench.lost = [pod("first", of="db"), pod("second", of="db")]
        with bench.running(interval=0.0):
            await bench.rounds(2)
        assert list(bench.api.objects[PODS]) == ["first"]

    async def test_are_made_when_nodes_change_and_make_those_due_that_wait(self):
        bench = Bench()
        waiting = {"waiting": {"since": "2026-05-01T12:00:00Z", "tasks": 1}}
        bench.view.framework_changed(None, framework("web", status=waiting))
        bench.dirty.clear()
        with bench.running():
            await bench.rounds(1)
            assert bench.dirty == []
            bench.nodes_changed.set()
            await bench.rounds(2)
        assert bench.dirty == ["shop/web"]
        assert not bench.nodes_changed.is_set()

    async def test_are_made_when_nothing_happens_too_and_then_concern_nobody(self):
        bench = Bench()
        with bench.running(interval=0.0):
            await bench.rounds(3)
        assert bench.dirty == []
