"""In which of its framework's roles a pod is charged: that of its offer while it is there, or else its label's."""

from typing import Any

import pytest
from tests.builders import NOON, claim_of, framework, offer, pod

from tender.allocation import Ledger
from tender.api import core
from tender.api.framework import Framework
from tender.api.offer import ResourceOffer
from tender.master.intake import PODS, Intake
from tender.master.offerbook import OfferBook

SEVERAL = framework(role="batch", roles=["adhoc", "gold"])


def labelled(role: str, **fields: Any) -> core.Pod:
    """A pod whose label says in which role it is to be charged."""
    return pod(labels={"tender.dev/role": role}, **fields)


class Master:
    """A framework, and the role in which its only pod is charged."""

    def __init__(self, framework: Framework) -> None:
        self.ledger = Ledger()
        self.book = OfferBook(self.ledger)
        self.intake = Intake(self.ledger, self.book.pod_changed, self.book.room)
        self.intake.framework_changed(None, framework)

    def pod(self, new: core.Pod, old: core.Pod | None = None) -> "Master":
        self.intake.pod_changed(old, new)
        return self

    def offer(self, new: ResourceOffer | None, old: ResourceOffer | None = None) -> None:
        self.intake.offer_changed(old, new, self.book.seen_of)
        self.book.offer_changed(old, new, NOON)

    @property
    def charged(self) -> str | None:
        charge = self.ledger.charge((PODS, "shop/web-1"))
        assert charge is not None
        return charge.role


class TestTheLabel:
    @pytest.mark.parametrize("role", ["batch", "adhoc", "gold"])
    def test_names_one_of_the_framework_s_roles(self, role):
        assert Master(SEVERAL).pod(labelled(role)).charged == role

    @pytest.mark.parametrize("role", ["somebody-else-s", ""])
    def test_can_name_no_other(self, role):
        assert Master(SEVERAL).pod(labelled(role)).charged is None

    def test_that_is_not_there_stands_for_the_first(self):
        assert Master(SEVERAL).pod(pod()).charged is None

    def test_says_nothing_where_there_is_no_choice(self):
        assert Master(framework(role="batch")).pod(labelled("gold")).charged is None

    def test_says_nothing_about_pods_of_nobody_s(self):
        assert Master(SEVERAL).pod(labelled("gold", owners=[])).charged is None

    def test_may_change(self):
        master = Master(SEVERAL).pod(labelled("batch"))
        assert master.intake.pod_changed(labelled("batch"), labelled("adhoc", version=2))
        assert master.charged == "adhoc"


class TestTheOffer:
    def test_goes_before_the_label_while_it_is_there(self):
        master = Master(SEVERAL).pod(labelled("batch", offer="web-1"))
        made = offer(name="web-1", role="adhoc", claims=[claim_of(a=1)])
        assert master.charged == "batch"
        master.offer(made)
        assert master.charged == "adhoc"
        master.offer(None, old=made)
        assert master.charged == "batch"

    def test_that_goes_does_not_bring_back_a_pod_that_is_gone(self):
        one = labelled("batch", offer="web-1")
        made = offer(name="web-1", role="adhoc", claims=[claim_of(a=1)])
        master = Master(SEVERAL).pod(one)
        master.offer(made)
        master.intake.pod_changed(one, None)
        master.offer(None, old=made)
        assert master.ledger.held("shop/web") == {}

    def test_may_be_there_before_the_pod(self):
        master = Master(SEVERAL)
        master.offer(offer(name="web-1", role="adhoc"))
        assert master.pod(pod(offer="web-1")).charged == "adhoc"

    def test_may_be_in_a_role_that_the_framework_has_left(self):
        master = Master(SEVERAL)
        master.offer(offer(name="web-1", role="left", claims=[claim_of(a=1)]))
        assert master.pod(labelled("left", offer="web-1")).charged == "left"

    def test_of_another_framework_does_not_matter(self):
        master = Master(SEVERAL)
        master.offer(offer(name="other-1", of="other", role="gold"))
        assert master.pod(labelled("adhoc", offer="other-1")).charged == "adhoc"


class TestTheFramework:
    def test_may_take_part_in_a_further_role_later_and_leave_it_again(self):
        alone = framework(role="batch", version=1)
        several = framework(role="batch", roles=["adhoc"], version=2)
        master = Master(alone).pod(labelled("adhoc"))
        assert master.charged is None
        master.intake.framework_changed(alone, several)
        assert master.charged == "adhoc"
        master.intake.framework_changed(several, framework(role="batch", version=3))
        assert master.charged is None

    def test_may_come_after_its_pods(self):
        master = Master(framework("other")).pod(labelled("gold"))
        assert master.charged is None
        master.intake.framework_changed(None, SEVERAL)
        assert master.charged == "gold"
