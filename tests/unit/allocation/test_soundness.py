"""Whether quotas are sound: each flaw is found where it is, and told with its numbers and what to do."""

from tests.unit.allocation.builders import amounts, framework, ledger, node, role, wanting

from tender.allocation import Charge, Ledger
from tender.allocation.soundness import Flaw, findings, unmet_guarantees


def flaws(on: Ledger, **consumed: dict[str, int]) -> dict[str, list[tuple[str, str]]]:
    """The findings by role, as (flaw, message)."""
    return {name: [(one.flaw.value, one.message) for one in found] for name, found in findings(on, consumed).items()}


class TestGuaranteesBeyondTheCluster:
    def facts(self, *more) -> Ledger:
        return ledger(
            node("n1", cpu=60_000),
            node("n2", cpu=40_000),
            role("a", guarantee=amounts(cpu=40_000)),
            role("b", guarantee=amounts(cpu=60_000)),
            *more,
        )

    def test_are_none_while_the_nodes_have_just_enough(self):
        assert flaws(self.facts()) == {}

    def test_are_told_to_every_top_level_role_that_is_guaranteed_some(self):
        one = self.facts(role("c", guarantee=amounts(cpu=20_000)), role("d", limit=amounts(cpu=1000)))
        for name, amount in (("a", 40), ("b", 60), ("c", 20)):
            assert flaws(one)[name] == [
                (
                    "GuaranteeExceedsCluster",
                    f"spec.quota.guarantee: cpu: {amount} guaranteed here, 120 in all top-level roles, and the cluster "
                    "has 100 on available nodes; lower one of them or add nodes",
                )
            ]
        assert flaws(one).keys() == {"a", "b", "c"}

    def test_are_found_when_a_node_goes_away(self):
        one = self.facts()
        one.put_node(node("n2", cpu=40_000, unavailable="cordoned"))
        assert flaws(one).keys() == {"a", "b"}
        one.put_node(node("n2", cpu=40_000))
        assert flaws(one) == {}

    def test_count_what_children_are_guaranteed_inside_their_parent_s(self):
        one = self.facts(role("child", "a", guarantee=amounts(cpu=30_000)))
        assert flaws(one) == {}

    def test_count_what_children_are_guaranteed_for_a_parent_without_a_guarantee(self):
        one = self.facts(role("top"), role("middle", "top"), role("leaf", "middle", guarantee=amounts(cpu=1000)))
        ((flaw, message),) = flaws(one)["top"]
        assert flaw == Flaw.GUARANTEE_EXCEEDS_CLUSTER
        assert message.startswith("spec.quota.guarantee: cpu: 1 guaranteed in the roles below it, 101 in all")
        assert flaws(one).keys() == {"a", "b", "top"}

    def test_are_found_of_a_resource_that_no_node_has(self):
        one = ledger(node(), role("ml", guarantee=amounts(gpu=1)))
        ((_, message),) = flaws(one)["ml"]
        assert "and the cluster has 0 on available nodes" in message


class TestAGuaranteeBeyondTheParent:
    def test_is_told_to_the_child_and_the_parent(self):
        one = ledger(
            node(cpu=99_000), role("p", guarantee=amounts(cpu=4000)), role("c", "p", guarantee=amounts(cpu=8000))
        )
        assert flaws(one) == {
            "c": [
                (
                    "GuaranteeExceedsParent",
                    "spec.quota.guarantee: cpu: 8 guaranteed here, but only 4 to role p above it; "
                    "lower this guarantee or raise that one",
                )
            ],
            "p": [
                (
                    "GuaranteeExceedsParent",
                    "spec.quota.guarantee: cpu: 4 guaranteed here, but 8 guaranteed in the roles below it; "
                    "raise this guarantee or lower theirs",
                )
            ],
        }

    def test_is_told_to_the_parent_alone_if_only_the_children_s_sum_is_too_large(self):
        one = ledger(
            node(cpu=99_000),
            role("p", guarantee=amounts(cpu=4000)),
            role("c", "p", guarantee=amounts(cpu=3000)),
            role("d", "p", guarantee=amounts(cpu=3000)),
        )
        ((flaw, message),) = flaws(one)["p"]
        assert flaw == Flaw.GUARANTEE_EXCEEDS_PARENT
        assert "but 6 guaranteed in the roles below it" in message
        assert flaws(one).keys() == {"p"}

    def test_is_found_through_a_role_between_that_guarantees_nothing(self):
        one = ledger(
            node(cpu=99_000),
            role("p", guarantee=amounts(cpu=4000)),
            role("m", "p"),
            role("c", "m", guarantee=amounts(cpu=8000)),
        )
        assert flaws(one).keys() == {"p", "c"}

    def test_is_none_where_the_parent_guarantees_nothing_of_the_resource(self):
        one = ledger(
            node(cpu=99_000), role("p", guarantee=amounts(memory=1)), role("c", "p", guarantee=amounts(cpu=8000))
        )
        assert flaws(one) == {}


class TestAGuaranteeBeyondALimitAbove:
    def test_is_told_to_the_child_and_to_the_role_with_the_limit(self):
        one = ledger(
            node(cpu=99_000),
            role("g", limit=amounts(cpu=4000)),
            role("p", "g", limit=amounts(cpu=9000)),
            role("c", "p", guarantee=amounts(cpu=8000)),
        )
        assert flaws(one) == {
            "c": [
                (
                    "GuaranteeExceedsLimit",
                    "spec.quota.guarantee: cpu: 8 guaranteed here, but the limit of role g above it is 4; "
                    "lower this guarantee or raise that limit",
                )
            ],
            "g": [
                (
                    "GuaranteeExceedsLimit",
                    "spec.quota.limit: cpu: 4, but 8 guaranteed in the roles below it; "
                    "raise the limit or lower their guarantees",
                )
            ],
        }

    def test_comes_before_everything_else_that_is_wrong(self):
        one = ledger(node(cpu=1000), role("p", limit=amounts(cpu=4000)), role("c", "p", guarantee=amounts(cpu=8000)))
        found = findings(one, {"p": amounts(cpu=5000)})
        assert [finding.flaw for finding in found["p"]] == [
            Flaw.GUARANTEE_EXCEEDS_LIMIT,
            Flaw.GUARANTEE_EXCEEDS_CLUSTER,
            Flaw.LIMIT_EXCEEDED,
        ]


class TestALimitBelowConsumption:
    def test_is_told_with_both(self):
        assert flaws(ledger(role("a", limit=amounts(cpu=10_000))), a=amounts(cpu=14_000)) == {
            "a": [
                (
                    "LimitExceeded",
                    "spec.quota.limit: cpu: 10, but 14 is consumed; nothing new is offered until it falls below",
                )
            ]
        }

    def test_is_none_where_exactly_the_limit_is_consumed(self):
        one = ledger(role("a", limit=amounts(cpu=10_000)))
        assert flaws(one, a=amounts(cpu=10_000)) == {}

    def test_can_be_a_limit_of_zero(self):
        ((flaw, _),) = flaws(ledger(role("a", limit={"cpu": 0})), a=amounts(cpu=1))["a"]
        assert flaw == Flaw.LIMIT_EXCEEDED


class TestOtherRoles:
    def test_without_a_quota_have_nothing_that_could_be_wrong(self):
        assert flaws(ledger(node(), role("a"), role("b", "a")), a=amounts(cpu=9000)) == {}

    def test_in_a_circle_are_looked_at_as_roles_at_the_top(self):
        one = ledger(node(), role("a", "b", limit=amounts(cpu=1000)), role("b", "a", guarantee=amounts(cpu=9000)))
        assert [finding.flaw for finding in findings(one, {})["b"]] == [Flaw.GUARANTEE_EXCEEDS_CLUSTER]


class TestAnUnmetGuarantee:
    def unmet(self, *facts, **held: dict[str, int]) -> dict[str, dict[str, int]]:
        one = ledger(role("p", guarantee=amounts(cpu=4000)), role("c", "p"), *facts)
        return unmet_guarantees(one, held)

    def test_is_one_that_a_framework_below_wants(self):
        assert self.unmet(wanting("f1", role="c"), p=amounts(cpu=1000)) == {"p": amounts(cpu=3000)}

    def test_is_one_that_a_framework_which_takes_what_it_can_get_would_use(self):
        assert self.unmet(framework("f1", "p")) == {"p": amounts(cpu=4000)}

    def test_is_one_that_a_framework_wants_in_its_further_role(self):
        assert self.unmet(wanting("f1", role="elsewhere", further_roles=("c",))) == {"p": amounts(cpu=4000)}

    def test_is_none_that_is_held(self):
        assert self.unmet(wanting("f1", role="c"), p=amounts(cpu=4000)) == {}

    def test_is_none_that_nobody_wants(self):
        idle = framework("f1", "c", demand=())
        asleep = framework("f2", "c", inactive="it is being deleted")
        of_another_kind = wanting("f3", role="c", cpu=0)
        elsewhere = wanting("f4", role="elsewhere")
        assert self.unmet(idle, asleep, of_another_kind, elsewhere) == {}

    def test_is_none_when_all_tasks_that_are_wanted_are_there(self):
        running = Charge("n1", amounts(cpu=1000), "f1", {"task": 1})
        assert self.unmet(node(), wanting("f1", role="c"), running, p=amounts(cpu=1000)) == {}
