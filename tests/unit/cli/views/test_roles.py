"""The role tree, its fair shares, and the judgement of a quota before it is written."""

from typing import Any

import pytest
from tests.builders import framework

from tender.allocation import Node
from tender.api.role import FrameworkRole
from tender.cli.views.cluster import Known
from tender.cli.views.nodes import Nodes
from tender.cli.views.quota import changed, new_flaws
from tender.cli.views.roles import tree


def role(name: str, **spec: Any) -> FrameworkRole:
    return FrameworkRole.read({"metadata": {"name": name}, "spec": spec})


def known(*roles: FrameworkRole, members: str = "", cpu: int = 8) -> Known:
    """These roles, a framework in each of the `members`, and one node."""
    frameworks = [framework(f"of-{name}", role=name, external={}) for name in members.split()]
    return Known(roles, frameworks, Nodes([Node("n1", {"cpu": cpu * 1000})]))


def fair(of: Known) -> dict[str, float | None]:
    return {one.name: one.fair for one in tree(of)}


class TestTheFairShare:
    def test_is_divided_by_weight_among_roles_that_have_frameworks(self):
        of = known(role("a", weight=3), role("b"), role("idle", weight=5), members="a b")
        assert fair(of) == {"a": 0.75, "b": 0.25, "idle": None}

    def test_of_a_role_with_frameworks_of_its_own_is_shared_with_them(self):
        of = known(role("a"), role("a-1", parent="a", weight=2), role("a-2", parent="a"), members="a a-1 a-2 b")
        assert fair(of) == {"a": 0.5, "a-1": 0.25, "a-2": 0.125, "b": 0.5}

    def test_goes_to_a_role_whose_frameworks_are_all_below_it(self):
        assert fair(known(role("a"), role("a-1", parent="a"), members="a-1")) == {"a": 1.0, "a-1": 1.0}

    def test_is_not_known_without_the_frameworks_of_all(self):
        of = Known([role("a")], None, None)
        assert fair(of) == {"a": None}


def test_the_tree_is_drawn_with_each_role_below_its_parent():
    of = known(role("b"), role("a"), role("c", parent="a"), role("d", parent="c"), role("e", parent="a"))
    assert [one.drawn for one in tree(of)] == ["a", "├─ c", "│  └─ d", "└─ e", "b"]


def test_roles_on_a_circle_of_parents_are_shown_at_the_top():
    of = known(role("a", parent="b"), role("b", parent="a"), role("c", parent="gone"))
    assert [one.drawn for one in tree(of)] == ["a", "b", "c"]


class TestAQuotaIsJudgedBeforeItIsWritten:
    def test_by_what_all_top_level_roles_are_promised(self):
        of = known(role("a", quota={"guarantee": {"cpu": "5"}}), role("b"))
        sound, _ = new_flaws(of, changed(role("b"), {"cpu": "3"}, {}))
        assert sound == []
        promises, _ = new_flaws(of, changed(role("b"), {"cpu": "4"}, {}))
        assert len(promises) == 2
        assert "cpu: 4 guaranteed here, 9 in all top-level roles, and the cluster has 8" in promises[1]

    def test_and_only_what_it_would_add_is_told(self):
        of = known(role("a", quota={"guarantee": {"cpu": "50"}}), role("b"))
        assert new_flaws(of, changed(role("b"), {}, {"cpu": "3"})) == ([], [])

    def test_without_the_nodes_by_the_roles_alone(self):
        of = Known([role("a", quota={"limit": {"cpu": "2"}})], None, None)
        assert new_flaws(of, changed(role("b"), {"cpu": "999"}, {})) == ([], [])
        promises, _ = new_flaws(of, changed(role("c", parent="a"), {"cpu": "3"}, {}))
        assert any("the limit of role a above it is 2" in promise for promise in promises)

    def test_a_limit_below_what_is_consumed_is_told_apart(self):
        status = {"quota": [{"resource": "cpu", "consumed": "4"}]}
        used = FrameworkRole.read({"metadata": {"name": "a"}, "status": status})
        promises, limits = new_flaws(known(used), changed(used, {}, {"cpu": "3"}))
        assert promises == []
        assert limits == [
            "role a: spec.quota.limit: cpu: 3, but 4 is consumed; nothing new is offered until it falls below"
        ]


def test_a_change_of_quota_leaves_other_resources_alone():
    before = role("a", quota={"guarantee": {"cpu": "1", "memory": "1Gi"}, "limit": {"cpu": "2"}})
    after = changed(before, {"memory": None, "pods": "5"}, {"cpu": "3"}).spec.quota
    assert after.guarantee == {"cpu": "1", "pods": "5"}
    assert after.limit == {"cpu": "3"}
    with pytest.raises(ValueError, match="no quantity"):
        changed(before, {"cpu": "many"}, {})
