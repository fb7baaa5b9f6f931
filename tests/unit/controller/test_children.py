"""What is a framework's own, whatever its kind: a cache that lags, and answers to writes that come before its news."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import NOON, framework, owner_of, pod_spec

from tender.cluster.resources import PODS, RESERVATIONS, Resource
from tender.controller.children import Children
from tender.controller.kinds import KEPT, KINDS
from tender.controller.view import View

WEB = framework("web")
SPECS: dict[Resource, dict[str, Any]] = {
    PODS: {"spec": pod_spec()},
    RESERVATIONS: {"spec": {"role": "shops", "node": "node-1", "resources": {"cpu": "1"}}},
}

EVERY_KIND = pytest.mark.parametrize("kind", list(KINDS), ids=lambda kind: kind.plural)


def child(
    kind: Resource, version: int = 1, *, name: str = "one", uid: str = "first", owner: str | None = "uid-of-web"
) -> Any:
    owners = [owner_of("web", owner)] if owner else []
    metadata = {
        "name": name,
        "namespace": "shop",
        "uid": uid,
        "resourceVersion": str(version),
        "ownerReferences": owners,
    }
    return KINDS[kind].read(
        {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata, **SPECS.get(kind, {})}
    )


class Watched:
    """A view of one framework, and who it said is due for a turn."""

    def __init__(self, kind: Resource) -> None:
        self.kind = kind
        self.dirty: list[str] = []
        self.view = View(self.dirty.append)
        self.view.framework_changed(None, WEB)
        self.dirty.clear()

    def told(self, old: Any, new: Any) -> None:
        self.view.child_changed(self.kind, old, new)

    def written(self, one: Any) -> None:
        self.view.child_written(WEB, self.kind, one)

    def gone(self, uid: str) -> None:
        self.view.child_gone(WEB, self.kind, uid)

    @property
    def versions(self) -> list[str]:
        """The versions of what a turn sees."""
        seen = getattr(self.view.seen(WEB, NOON), KINDS[self.kind].seen_as)
        return [one.metadata.resource_version for one in seen]


@EVERY_KIND
class TestEveryKind:
    def test_belongs_to_the_framework_that_its_owner_reference_names_by_uid(self, kind: Resource):
        watched = Watched(kind)
        watched.told(None, child(kind))
        watched.told(None, child(kind, name="nobodys", uid="second", owner=None))
        watched.told(None, child(kind, name="of-a-former-web", uid="third", owner="another"))
        assert watched.versions == ["1"]

    def test_makes_its_framework_due_when_it_comes_changes_and_goes(self, kind: Resource):
        watched = Watched(kind)
        for old, new in ((None, child(kind)), (child(kind), child(kind, 2)), (child(kind, 2), None)):
            watched.told(old, new)
            assert watched.dirty == ["shop/web"]
            watched.dirty.clear()
        assert watched.versions == []

    def test_that_was_written_is_seen_before_the_cache_tells_of_it_and_not_undone_by_older_news(self, kind: Resource):
        watched = Watched(kind)
        watched.told(None, child(kind, 1))
        watched.written(child(kind, 5))
        assert watched.versions == ["5"]
        watched.told(child(kind, 1), child(kind, 4))
        assert watched.versions == ["5"]
        watched.told(child(kind, 4), child(kind, 6))
        assert watched.versions == ["6"]

    def test_an_answer_that_comes_after_newer_news_changes_nothing(self, kind: Resource):
        watched = Watched(kind)
        watched.told(None, child(kind, 5))
        watched.written(child(kind, 4))
        assert watched.versions == ["5"]

    def test_that_is_gone_is_not_seen_although_the_cache_still_tells_of_it(self, kind: Resource):
        watched = Watched(kind)
        watched.told(None, child(kind, 1))
        watched.gone("first")
        assert watched.versions == []
        watched.told(child(kind, 1), child(kind, 2))
        assert watched.versions == []
        watched.told(child(kind, 2), None)
        watched.told(None, child(kind, 3, uid="second"))
        assert watched.versions == ["3"]

    def test_that_came_and_went_before_the_answer_is_gone(self, kind: Resource):
        watched = Watched(kind)
        watched.told(None, child(kind, 1))
        watched.told(child(kind, 1), None)
        watched.written(child(kind, 1))
        assert watched.versions == []

    def test_that_was_made_and_deleted_before_the_cache_knew_is_gone(self, kind: Resource):
        watched = Watched(kind)
        watched.written(child(kind, 1))
        watched.gone("first")
        assert watched.versions == []
        watched.told(None, child(kind, 1))
        assert watched.versions == []

    def test_of_a_framework_that_was_replaced_is_not_its_successors(self, kind: Resource):
        watched = Watched(kind)
        watched.told(None, child(kind))
        watched.written(child(kind, 2, name="two", uid="second"))
        successor = framework("web", uid="another", version=9)
        watched.view.framework_changed(WEB, successor)
        assert getattr(watched.view.seen(successor, NOON), KINDS[kind].seen_as) == ()

    def test_that_changes_its_owner_changes_hands(self, kind: Resource):
        watched = Watched(kind)
        watched.told(None, child(kind, 1))
        watched.told(child(kind, 1), child(kind, 2, owner=None))
        assert watched.versions == []
        watched.told(child(kind, 2, owner=None), child(kind, 3))
        assert watched.versions == ["3"]


def test_pods_are_launched_and_stopped_and_all_other_kinds_kept_and_removed():
    assert set(KEPT) == {resource.kind for resource in KINDS} - {"Pod"}


steps = st.lists(
    st.tuples(st.sampled_from(["create", "apply", "delete", "tell", "answer"]), st.integers(0, 2)), max_size=60
)


@settings(max_examples=300, deadline=None)
@given(steps)
def test_whatever_lags_all_is_seen_as_it_is_when_the_news_and_the_answers_have_come(story):
    """A server with three names; its news come in order and late, the answers to writes in order of their writes."""
    kind = KINDS[RESERVATIONS].resource
    children: Children[Any] = Children(lambda _: None)
    server: dict[str, Any] = {}
    news: list[tuple[Any, Any]] = []
    answers: list[tuple[str, Any]] = []
    floor: dict[str, int] = {}
    buried: set[str] = set()
    version = 0

    def tell() -> None:
        old, new = news.pop(0)
        if old is not None and (new is None or new.metadata.uid != old.metadata.uid):
            buried.add(old.metadata.uid)
        children.changed(old, new)

    def answer() -> None:
        verb, one = answers.pop(0)
        if verb == "delete":
            buried.add(one.metadata.uid)
            children.gone("uid-of-web", one.metadata.uid)
        else:
            floor[one.metadata.name] = int(one.metadata.resource_version)
            children.written("uid-of-web", one)

    for verb, number in story:
        name, version = f"name-{number}", version + 1
        present = server.get(name)
        if verb == "create" and present is None:
            server[name] = child(kind, version, name=name, uid=f"uid-{version}")
        elif verb == "apply" and present is not None:
            server[name] = child(kind, version, name=name, uid=present.metadata.uid)
        elif verb == "delete" and present is not None:
            del server[name]
            answers.append((verb, present))
        elif verb == "tell" and news:
            tell()
        elif verb == "answer" and answers:
            answer()
        if server.get(name) is not present:
            news.append((present, server.get(name)))
            if name in server:
                answers.append((verb, server[name]))
        for seen in children.of("uid-of-web", "shop"):
            assert seen.metadata.uid not in buried, "what is gone is seen again"
            assert int(seen.metadata.resource_version) >= floor.get(seen.metadata.name, 0) or any(
                one.metadata.name == seen.metadata.name for _, one in answers
            ), "an older version is seen than what was answered"
    while news:
        tell()
    while answers:
        answer()
    assert {one.metadata.name: one for one in children.of("uid-of-web", "shop")} == server
