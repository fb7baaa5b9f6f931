"""Changes of nodes and of other frameworks: they make those frameworks due whom they concern, and nobody else."""

from typing import Any

import pytest
from tests.builders import NOON, framework, node, owner_of, pod, reservation, template

from tender.api import core
from tender.api.framework import Framework
from tender.api.reservation import Reservation
from tender.cluster.resources import PODS, RESERVATIONS
from tender.controller.view import View

WAITING = {"waiting": {"since": "2026-05-01T12:00:00Z", "tasks": 1}}
SINCE = "2026-05-01T12:00:00Z"


class Watched:
    """A view, the frameworks that it said are due for a turn, and how often it said that nodes have changed."""

    def __init__(self, *frameworks: Framework) -> None:
        self.dirty: list[str] = []
        self.nodes_changed = 0
        self.view = View(self.dirty.append, self._note)
        for one in frameworks:
            self.view.framework_changed(None, one)
        self.dirty.clear()

    def _note(self) -> None:
        self.nodes_changed += 1

    def due_after(self, old: core.Node | None, new: core.Node | None) -> set[str]:
        self.dirty.clear()
        self.view.node_changed(old, new)
        return set(self.dirty)


def kept(name: str = "kept", *, of: str = "web", on: str = "node-1") -> Reservation:
    manifest = reservation(name, on=on).manifest()
    return Reservation.read({**manifest, "metadata": {**manifest["metadata"], "ownerReferences": [owner_of(of)]}})


NEWS = [
    node(ready="False", since=NOON),
    node(cordoned=True),
    node(deleted=NOON),
    node(labels={"zone": "a"}),
    node(taints=[{"key": "gpu", "effect": "NoSchedule"}]),
    None,
]


class TestAChangedNode:
    @pytest.mark.parametrize("new", NEWS, ids=["silent", "cordoned", "leaving", "labelled", "tainted", "gone"])
    def test_makes_those_due_that_have_something_there(self, new: core.Node | None):
        watched = Watched(framework("web"), framework("db"), framework("idle"))
        watched.view.child_changed(PODS, None, pod("web-1", node="node-1"))
        watched.view.child_changed(RESERVATIONS, None, kept(of="db", on="node-1"))
        watched.view.node_changed(None, node())
        assert watched.due_after(node(), new) == {"shop/web", "shop/db"}

    def test_concerns_nobody_who_has_left_it(self):
        watched = Watched(framework("web"), framework("db"))
        here, elsewhere = pod("web-1", node="node-1"), pod("web-1", node="node-2", version=2)
        watched.view.child_changed(PODS, None, here)
        watched.view.child_changed(PODS, here, elsewhere)
        watched.view.child_changed(RESERVATIONS, None, kept(of="db"))
        watched.view.child_changed(RESERVATIONS, kept(of="db"), None)
        watched.view.node_changed(None, node())
        assert watched.due_after(node(), node(cordoned=True)) == set()

    def test_concerns_those_who_have_more_there_still(self):
        watched = Watched(framework("web"))
        for name in ("web-1", "web-2"):
            watched.view.child_changed(PODS, None, pod(name, node="node-1"))
        watched.view.child_changed(PODS, pod("web-1", node="node-1"), None)
        assert watched.due_after(None, node()) == {"shop/web"}

    def test_is_seen_by_the_next_turn(self):
        watched = Watched(framework("web"))
        watched.view.node_changed(None, node())
        watched.view.node_changed(node(), node(cordoned=True))
        assert watched.view.seen(framework("web"), NOON).nodes == {"node-1": node(cordoned=True)}
        watched.view.node_changed(node(cordoned=True), None)
        assert watched.view.seen(framework("web"), NOON).nodes == {}

    def test_concerns_those_who_wait_when_the_next_round_is_made(self):
        watched = Watched(framework("web", status=WAITING), framework("idle"))
        assert watched.due_after(None, node()) == set()
        assert watched.nodes_changed == 1
        watched.view.mark_waiting()
        assert watched.dirty == ["shop/web"]


class TestReportsOfKubelets:
    def test_that_say_nothing_new_make_nobody_due_among_a_thousand_frameworks(self):
        watched = Watched(*(framework(f"web-{number}", status=WAITING) for number in range(1000)))
        for number in range(1000):
            watched.view.child_changed(PODS, None, pod(f"pod-{number}", of=f"web-{number}", node="node-1"))
        watched.view.node_changed(None, node())
        watched.nodes_changed = 0
        due: set[str] = set()
        for cpu in ("4", "5", "6"):
            due |= watched.due_after(node(), node(cpu=cpu))
        assert (due, watched.nodes_changed) == (set(), 0)

    def test_of_a_node_that_stays_silent_are_no_news_either(self):
        watched = Watched(framework("web"))
        watched.view.child_changed(PODS, None, pod("web-1", node="node-1"))
        silent = node(ready="Unknown", since=NOON)
        watched.view.node_changed(None, silent)
        assert watched.due_after(silent, node(ready="Unknown", since=NOON, memory="7Gi")) == set()


def ready(status: str = "True", **fields: Any) -> dict[str, Any]:
    return {
        "conditions": [{"type": "Ready", "status": status, "reason": "AsSpecified", "lastTransitionTime": SINCE}],
        **fields,
    }


class TestAChangedFramework:
    def shop(self) -> Watched:
        return Watched(
            framework("db"),
            framework("web", dependsOn=[{"name": "db"}]),
            framework("other"),
            framework("web", namespace="elsewhere", uid="elsewhere", dependsOn=[{"name": "db"}]),
        )

    @pytest.mark.parametrize(
        "new",
        [
            framework("db", version=2, status=ready()),
            framework("db", version=2, status={"settledGeneration": 1}),
            framework("db", version=2, generation=2),
            framework("db", version=2, uid="another"),
            None,
        ],
        ids=["ready", "settled", "changed", "replaced", "gone"],
    )
    def test_makes_those_due_that_depend_on_it(self, new: Framework | None):
        watched = self.shop()
        watched.view.framework_changed(framework("db"), new)
        assert set(watched.dirty) == {"shop/db", "shop/web"}

    def test_that_comes_does_too(self):
        watched = Watched(framework("web", dependsOn=[{"name": "db"}]))
        watched.view.framework_changed(None, framework("db"))
        assert set(watched.dirty) == {"shop/db", "shop/web"}

    def test_concerns_no_other_by_its_figures(self):
        watched = self.shop()
        old, new = framework("db", status=ready()), framework("db", version=2, status=ready(replicas=4))
        watched.view.framework_changed(old, new)
        assert watched.dirty == ["shop/db"]

    def test_concerns_nobody_who_does_not_depend_on_it_any_more(self):
        watched = self.shop()
        watched.view.framework_changed(framework("web", dependsOn=[{"name": "db"}]), framework("web", version=2))
        watched.dirty.clear()
        watched.view.framework_changed(framework("db"), None)
        assert watched.dirty == ["shop/db"]

    def test_is_seen_by_others_of_its_namespace(self):
        watched = self.shop()
        assert set(watched.view.seen(framework("web"), NOON).frameworks) == {"db", "web", "other"}

    def test_that_begins_or_ends_to_look_for_places_concerns_those_of_its_namespace_that_may_follow(self):
        def stateful(name: str, version: int = 1, **status: Any) -> Framework:
            manifest = framework(name, version=version, status={"stateful": status}).manifest()
            manifest["spec"] = {"stateful": {"pods": [{"name": "node", "template": template()}]}}
            return Framework.read(manifest)

        watched = Watched(stateful("db"), stateful("queue"), framework("web"))
        watched.view.framework_changed(stateful("db"), stateful("db", 2, reservingSince=SINCE))
        assert set(watched.dirty) == {"shop/db", "shop/queue"}


class TestTheAnswerToAWrite:
    def test_of_a_framework_that_has_gone_meanwhile_does_not_bring_it_back(self):
        watched = Watched(framework("web"))
        watched.view.framework_changed(framework("web"), None)
        watched.view.framework_written(framework("web", version=5))
        assert watched.view.framework("shop/web") is None
