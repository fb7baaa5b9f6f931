"""The account of all offers: what each holds in the ledger, what it refuses, and when it comes to its end."""

from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import NOON, claim_of, demand, external, node, offer, pod, pod_spec, slice_on

from tender.allocation import Ledger, Reservation
from tender.api import core
from tender.api.framework import Framework
from tender.api.offer import OfferPhase, ResourceOffer
from tender.master.dues import Cause, Due, Remove, Withdraw
from tender.master.intake import Intake
from tender.master.offerbook import OfferBook
from tender.master.registry import key_of

KEY = "shop/spark-1"
NODES = ("node-1", "node-2")
CLAIMED = {"cpu": 500, "memory": 128 * 1024**2, "pods": 1}


def made(*slices: dict[str, Any], name: str = "spark-1", **fields: Any) -> ResourceOffer:
    """An offer to spark, by default for two tasks "a" on each of two nodes, of 500m each."""
    slices = slices or tuple(slice_on(one, cpu="1", memory="256Mi", pods="2", a=2) for one in NODES)
    return offer(*slices, of="spark", name=name, **fields)


def sighted(name: str = "spark-1-0-0", on: str = "node-1", of: str = "spark", **fields: Any) -> core.Pod:
    """A pod that was made from the offer."""
    fields = {"offer": "spark-1", "task": "a", **fields}
    return pod(name, of=of, node=on, **fields)


def roles_charged(ledger: Ledger) -> set[str | None]:
    return {charge.role for name in NODES for _, charge in ledger.charges_on(name)}


class Master:
    """Two nodes of 4 CPU, the framework spark, and the account of its offers."""

    def __init__(self, *frameworks: Framework) -> None:
        self.now = NOON
        self.ledger = Ledger()
        self.book = OfferBook(self.ledger)
        self.intake = Intake(self.ledger, self.book.pod_changed, self.book.room)
        self.known: dict[str, ResourceOffer] = {}
        for name in NODES:
            self.intake.node_changed(None, node(name))
        for one in frameworks or (external(),):
            self.intake.framework_changed(None, one)

    def offer(self, one: ResourceOffer) -> None:
        key = f"{one.metadata.namespace}/{one.metadata.name}"
        self.book.offer_changed(self.known.get(key), one, self.now)
        self.known[key] = one

    def end(self, key: str = KEY) -> None:
        self.book.offer_changed(self.known.pop(key), None, self.now)

    def pod(self, one: core.Pod, old: core.Pod | None = None) -> None:
        self.intake.pod_changed(old, one)

    def due(self, *frameworks: Framework) -> list[Due]:
        """What is due, by default with spark as it was at the start."""
        return self.book.due(self.now, {key_of(one): one for one in frameworks or (external(),)})

    def lapse(self) -> dict[str, int]:
        return self.book.lapse(self.now)

    def held(self) -> dict[str, int]:
        return dict(self.ledger.held("shop/spark"))

    def offered(self) -> dict[str, int]:
        return dict(self.ledger.offered("shop/spark"))

    def tasks(self) -> dict[str, int]:
        return dict(self.ledger.tasks("shop/spark", "a"))

    def refused(self) -> dict[str, Any]:
        return self.ledger.refusals("shop/spark", self.now)


@pytest.fixture
def master() -> Master:
    return Master()


class TestAnOpenOffer:
    def test_holds_its_slices_and_counts_their_tasks(self, master):
        master.offer(made())
        assert master.held() == master.offered() == {"cpu": 2000, "memory": 512 * 1024**2, "pods": 4}
        assert master.tasks() == {"node-1": 2, "node-2": 2}
        assert master.due() == []

    def test_that_is_gone_holds_nothing(self, master):
        master.offer(made())
        master.end()
        assert (master.held(), master.offered(), master.tasks()) == ({}, {}, {})

    def test_expires_when_nobody_answers_it_in_time(self, master):
        master.offer(made(expires=NOON + 60))
        master.now = NOON + 60
        assert master.due() == []
        master.now += 1
        assert master.due() == [Withdraw(KEY, OfferPhase.EXPIRED, "nobody answered the offer in time")]

    def test_is_rescinded_when_its_framework_changes_its_role(self, master):
        master.offer(made())
        (due,) = master.due(external(role="batch"))
        assert due == Withdraw(KEY, OfferPhase.RESCINDED, "the framework has left role default", Cause.LEFT)

    def test_is_rescinded_when_its_framework_leaves_one_of_its_roles(self, master):
        master.offer(made(role="batch"))
        assert master.due(external(role="adhoc", roles=["batch"])) == []
        (due,) = master.due(external(role="adhoc", roles=["nightly"]))
        assert due == Withdraw(KEY, OfferPhase.RESCINDED, "the framework has left role batch", Cause.LEFT)

    def test_is_charged_to_its_role(self, master):
        master.offer(made(role="batch"))
        assert roles_charged(master.ledger) == {"batch"}

    def test_is_removed_when_its_framework_is_gone(self, master):
        master.offer(made())
        assert master.due(external("flink")) == [Remove(KEY, "the framework is gone")]

    def test_is_left_alone_while_something_is_being_written_about_it(self, master):
        master.offer(made())
        assert master.book.due(master.now, {}, busy={KEY}) == []
        assert master.book.due(master.now, {}) == [Remove(KEY, "the framework is gone")]

    def test_is_rescinded_when_one_of_its_nodes_is_gone(self, master):
        master.offer(made())
        master.intake.node_changed(node("node-2"), None)
        assert master.due() == [Withdraw(KEY, OfferPhase.RESCINDED, "node node-2 is gone", Cause.ROOM)]

    def test_is_rescinded_when_one_of_its_nodes_takes_no_pods_any_more(self, master):
        master.offer(made())
        master.intake.node_changed(node("node-2"), node("node-2", cordoned=True))
        assert master.due() == [Withdraw(KEY, OfferPhase.RESCINDED, "node node-2: the node is cordoned", Cause.ROOM)]

    def test_is_left_alone_while_it_is_being_created(self, master):
        one = made(expires=NOON)
        on_its_way = one.model_copy(
            update={"metadata": one.metadata.model_copy(update={"uid": None, "resource_version": None})}
        )
        master.offer(on_its_way)
        master.now += 3600
        assert master.due() == []
        assert master.offered()["cpu"] == 2000


class TestOvercommitment:
    """Somebody else's pod was bound to a node whose rest was on offer."""

    def crowd(self, master: Master, cpu: str) -> None:
        master.pod(pod("stranger", of=None, spec=pod_spec(cpu=cpu)))

    def test_nothing_is_rescinded_while_all_of_it_fits(self, master):
        master.offer(made())
        self.crowd(master, "3")
        assert master.due() == []

    def test_an_offer_that_does_not_fit_any_more_is_rescinded(self, master):
        master.offer(made())
        self.crowd(master, "3100m")
        (due,) = master.due()
        assert due == Withdraw(KEY, OfferPhase.RESCINDED, "node node-1 has less to give", Cause.ROOM)

    def test_just_enough_is_rescinded(self, master):
        for number in (1, 2, 3):
            master.offer(made(slice_on(cpu="1", memory="1Gi", pods="1", a=1), name=f"spark-{number}"))
        self.crowd(master, "2")
        (due,) = master.due()
        master.end(due.key)
        assert master.due() == []

    def test_the_smallest_goes_first(self, master):
        for number, cpu in enumerate(("1", "500m", "1500m")):
            master.offer(made(slice_on(cpu=cpu, memory="1Gi", pods="1", a=1), name=f"spark-{number}"))
        self.crowd(master, "1500m")
        assert [due.key for due in master.due()] == ["shop/spark-1"]

    def test_what_is_reserved_for_others_is_not_given_away_by_an_older_offer(self, master):
        master.offer(made())
        master.ledger.put_reservation("kept", Reservation("node-1", {"cpu": 3500}, "other"))
        (due,) = master.due()
        assert due.key == KEY

    def test_a_resource_that_is_not_in_the_offer_does_not_matter(self, master):
        master.offer(made(slice_on(cpu="1", memory="1Gi", pods=None)))
        master.intake.node_changed(node("node-1"), node("node-1", pods="0"))
        self.crowd(master, "1")
        assert master.due() == []

    def test_an_offer_of_which_pods_run_already_is_left_alone_since_it_was_claimed(self, master):
        master.offer(made())
        self.crowd(master, "3")
        master.pod(sighted())
        assert master.due() == []


class TestAClaimedOffer:
    def claimed(self, **fields: Any) -> ResourceOffer:
        claims = [claim_of(0, cpu="1", memory="256Mi", pods="2", a=2), claim_of(1, a=1)]
        return made(claims=claims, version=2, **fields)

    def test_holds_what_was_claimed_and_gives_the_rest_back(self, master):
        master.offer(made())
        master.offer(self.claimed())
        assert master.held() == {"cpu": 1500, "memory": 384 * 1024**2, "pods": 3}
        assert master.offered() == {}
        assert master.tasks() == {"node-1": 2, "node-2": 1}

    def test_is_charged_to_the_role_of_the_offer(self, master):
        master.offer(self.claimed(role="batch"))
        assert roles_charged(master.ledger) == {"batch"}

    def test_a_pod_takes_the_place_of_its_part_of_the_claim(self, master):
        master.offer(self.claimed())
        before = master.held()
        master.pod(sighted("spark-1-0-0"))
        assert (master.held(), master.tasks()) == (before, {"node-1": 2, "node-2": 1})
        master.pod(sighted("spark-1-0-1"))
        assert (master.held(), master.tasks()) == (before, {"node-1": 2, "node-2": 1})
        assert master.due() == []

    def test_ends_when_all_of_it_runs(self, master):
        master.offer(self.claimed())
        for one in (sighted("spark-1-0-0"), sighted("spark-1-0-1"), sighted("spark-1-1-0", on="node-2")):
            assert master.due() == []
            master.pod(one)
        assert master.due() == [Remove(KEY, "all that was claimed runs or has returned")]
        held = master.held()
        master.end()
        assert master.held() == held

    def test_a_pod_may_be_seen_before_the_claim(self, master):
        master.offer(made())
        master.pod(sighted())
        master.offer(self.claimed())
        assert master.held() == {"cpu": 1500, "memory": 384 * 1024**2, "pods": 3}

    def test_and_even_before_the_offer(self, master):
        master.pod(sighted())
        master.offer(self.claimed())
        assert master.held() == {"cpu": 1500, "memory": 384 * 1024**2, "pods": 3}

    def test_a_pod_that_has_run_and_ended_has_used_its_part_of_the_claim(self, master):
        master.offer(self.claimed())
        one = sighted()
        master.pod(one)
        master.intake.pod_changed(one, None)
        assert master.held() == {"cpu": 1000, "memory": 256 * 1024**2, "pods": 2}

    def test_pods_of_others_that_name_the_offer_use_nothing_of_it(self):
        master = Master(external(), external("flink"))
        master.pod(sighted("early", of="flink"))
        master.offer(self.claimed())
        master.pod(sighted("late", of="flink"))
        master.pod(sighted("labelled", owners=[]))
        assert master.held() == {"cpu": 1500, "memory": 384 * 1024**2, "pods": 3}

    def test_without_tasks_is_used_up_by_resources(self, master):
        whole = {"slice": 0, "resources": {"cpu": "1", "memory": "256Mi"}}
        master.offer(made(claims=[whole]))
        master.pod(sighted("spark-1-0-0", task=None))
        assert master.held() == {"cpu": 1000, "memory": 256 * 1024**2, "pods": 1}
        master.pod(sighted("spark-1-0-1", task=None))
        assert master.due() == [Remove(KEY, "all that was claimed runs or has returned")]

    def test_of_no_tasks_is_charged_like_one_that_names_none(self, master):
        none = {"slice": 0, "resources": {"cpu": "1", "memory": "256Mi"}, "tasks": {"a": 0}}
        master.offer(made(claims=[none]))
        assert master.held() == {"cpu": 1000, "memory": 256 * 1024**2}
        assert master.due() == []

    def test_what_was_not_launched_returns_after_the_launch_deadline(self, master):
        master.offer(self.claimed())
        master.pod(sighted())
        master.now += 60
        assert (master.lapse(), master.due()) == ({}, [])
        master.now += 1
        assert master.lapse() == {KEY: 2}
        assert master.held() == CLAIMED
        assert master.due() == [Remove(KEY, "all that was claimed runs or has returned")]

    def test_is_told_of_once_when_it_was_not_launched(self, master):
        master.offer(self.claimed())
        master.now += 61
        assert master.lapse() == {KEY: 3}
        assert master.lapse() == {}

    def test_a_pod_that_comes_after_the_deadline_is_charged_besides(self, master):
        master.offer(self.claimed())
        master.now += 61
        master.lapse()
        master.pod(sighted())
        assert master.held() == CLAIMED

    @pytest.mark.parametrize("ahead", [40, 3600, -3600])
    def test_the_deadline_runs_anew_for_a_master_that_starts_later_since_clocks_differ(self, master, ahead):
        master.now += ahead
        master.offer(self.claimed(answered=NOON))
        master.now += 60
        assert (master.lapse(), master.due()) == ({}, [])
        master.now += 1
        assert master.lapse() == {KEY: 3}

    @pytest.mark.parametrize("jump", [3600, -3600])
    def test_keeps_its_time_when_the_clock_is_set(self, master, jump):
        master.offer(self.claimed())
        master.now += 40
        master.book.clock_jumped(jump)
        master.now += jump + 20
        assert (master.lapse(), master.due()) == ({}, [])
        master.now += 1
        assert master.lapse() == {KEY: 3}

    def test_the_deadline_runs_from_the_claim_and_not_from_the_offer(self, master):
        master.offer(made(expires=NOON + 600))
        master.now += 300
        master.offer(self.claimed())
        master.now += 60
        assert master.due() == []

    def test_a_new_version_of_the_claim_does_not_extend_the_deadline(self, master):
        master.offer(self.claimed())
        master.now += 61
        master.offer(made(claims=[claim_of(0, a=1)], version=3))
        assert isinstance(master.due()[0], Remove)


class TestAnOfferOfAnEarlierTerm:
    def test_is_adopted_when_it_was_there_as_the_leader_began(self, master):
        master.offer(made(term=3))
        master.book.begin_term(4)
        assert master.due() == []
        master.offer(made(term=3, version=2))
        assert master.due() == []

    def test_is_taken_back_when_it_comes_after_the_leader_began(self, master):
        master.book.begin_term(4)
        master.offer(made(term=3))
        why = "it was made by a master that leads no more"
        assert master.due() == [Withdraw(KEY, OfferPhase.RESCINDED, why, Cause.SUCCEEDED)]
        assert master.held() != {}

    def test_that_was_claimed_is_charged_all_the_same(self, master):
        master.book.begin_term(4)
        master.offer(made(term=3, claims=[claim_of(0, a=1)], answered=NOON))
        assert (master.held(), master.due()) == (CLAIMED, [])

    @pytest.mark.parametrize("term", [4, 5, None])
    def test_is_none_of_the_present_term_or_without_one(self, master, term):
        master.book.begin_term(4)
        master.offer(made(term=term))
        assert master.due() == []

    def test_there_is_none_without_an_election(self, master):
        master.book.begin_term(None)
        master.offer(made(term=3))
        assert master.due() == []


class TestAClaimThatRefusesTheRest:
    """Of two slices of 1 CPU, 256Mi and 2 pods each, a half of the first is claimed."""

    REST: ClassVar = {"node-1": [CLAIMED], "node-2": [{"cpu": 1000, "memory": 256 * 1024**2, "pods": 2}]}

    def claimed(self, refused: int = 3600, **fields: Any) -> ResourceOffer:
        return made(**{"claims": [claim_of(0, a=1)], "refused": refused, "answered": NOON, "version": 2, **fields})

    def launched(self, master: Master) -> core.Pod:
        one = sighted()
        master.pod(one)
        return one

    def test_holds_what_was_claimed_and_refuses_what_was_not(self, master):
        master.offer(made())
        master.offer(self.claimed())
        assert (master.held(), master.refused()) == (CLAIMED, self.REST)

    def test_refuses_nothing_on_a_node_of_which_all_was_claimed(self, master):
        whole = claim_of(0, cpu="1", memory="256Mi", pods="2", a=2)
        master.offer(self.claimed(claims=[whole]))
        assert master.refused().keys() == {"node-2"}

    def test_refuses_only_those_resources_of_which_something_is_left(self, master):
        master.offer(self.claimed(claims=[claim_of(0, cpu="1", memory="128Mi", pods="2", a=1)]))
        assert master.refused()["node-1"] == [{"memory": 128 * 1024**2}]

    def test_of_everything_refuses_nothing_and_ends_when_it_runs(self, master):
        only = slice_on("node-1", cpu="500m", memory="128Mi", pods="1", a=1)
        master.offer(made(only, claims=[claim_of(0, a=1)], refused=3600, answered=NOON))
        assert master.refused() == {}
        self.launched(master)
        assert len(master.due()) == 1

    def test_without_refusal_refuses_nothing(self, master):
        for name, refused in (("spark-1", None), ("spark-2", 0)):
            master.offer(made(name=name, claims=[claim_of(0, a=1)], refused=refused, answered=NOON))
        assert master.refused() == {}

    def test_stays_as_a_filter_that_holds_nothing_when_all_that_was_claimed_runs(self, master):
        master.offer(self.claimed())
        self.launched(master)
        assert (master.due(), master.refused(), master.held()) == ([], self.REST, CLAIMED)
        assert [key for key, _ in master.ledger.charges_on("node-1")] == [("pods", "shop/spark-1-0-0")]
        master.now += 3599
        assert (master.lapse(), master.due(), master.refused()) == ({}, [], self.REST)
        master.now += 1
        assert master.refused() == {}
        assert master.due() == [Remove(KEY, "all that was claimed runs or has returned")]

    def test_stays_as_a_filter_that_holds_nothing_when_what_was_claimed_was_not_launched(self, master):
        master.offer(self.claimed())
        master.now += 61
        assert master.lapse() == {KEY: 1}
        assert (master.held(), master.due(), master.refused()) == ({}, [], self.REST)
        assert master.lapse() == {}

    def test_holds_nothing_again_when_a_pod_of_it_has_gone(self, master):
        master.offer(self.claimed())
        one = self.launched(master)
        master.intake.pod_changed(one, None)
        assert (master.held(), master.due()) == ({}, [])
        master.offer(self.claimed(version=3))
        assert master.held() == {}
        master.now += 61
        assert master.lapse() == {}

    def test_is_soon_a_filter_alone_for_a_master_that_starts_after_its_pods_have_gone(self, master):
        master.now += 600
        master.offer(self.claimed())
        assert (master.held(), master.due(), master.refused()) == (CLAIMED, [], self.REST)
        master.now += 61
        master.lapse()
        assert (master.held(), master.due(), master.refused()) == ({}, [], self.REST)

    def test_that_refuses_for_less_than_its_launch_takes_ends_when_it_is_launched(self, master):
        master.offer(self.claimed(refused=5))
        master.now += 10
        assert (master.due(), master.refused(), master.held()) == ([], {}, CLAIMED)
        self.launched(master)
        assert len(master.due()) == 1

    def test_refuses_for_a_cycle_at_least(self, master):
        master.book = OfferBook(master.ledger, interval=10.0)
        master.offer(self.claimed(refused=1))
        master.now += 9
        assert master.refused() == self.REST

    def test_is_no_filter_any_more_when_the_demand_changes_but_holds_what_was_claimed(self, master):
        before, after = external(demand=[demand("a", 2)]), external(demand=[demand("a", 3)])
        master.offer(self.claimed(demand_revision=before.status.demand_revision))
        assert (master.due(before), master.refused()) == ([], self.REST)
        assert (master.due(after), master.refused(), master.held()) == ([], {}, CLAIMED)
        self.launched(master)
        assert len(master.due(after)) == 1

    def test_that_lingers_ends_when_the_demand_changes(self, master):
        before, after = external(demand=[demand("a", 2)]), external(demand=[demand("a", 3)])
        master.offer(self.claimed(demand_revision=before.status.demand_revision))
        self.launched(master)
        assert master.due(before) == []
        assert len(master.due(after)) == 1


class TestADeclinedOffer:
    def declined(self, refused: int, answered: float = NOON) -> ResourceOffer:
        return made(refused=refused, answered=answered, version=2)

    def test_holds_nothing_and_is_the_filter(self, master):
        master.offer(made())
        master.offer(self.declined(120))
        assert (master.held(), master.tasks()) == ({}, {})
        slice_amounts = {"cpu": 1000, "memory": 256 * 1024**2, "pods": 2}
        assert master.refused() == {"node-1": [slice_amounts], "node-2": [slice_amounts]}

    def test_stays_until_the_refusal_ends(self, master):
        master.offer(self.declined(120))
        master.now += 119
        assert (master.due(), bool(master.refused())) == ([], True)
        master.now += 1
        assert master.due() == [Remove(KEY, "the refusal has ended")]
        assert master.refused() == {}

    def test_refuses_for_a_cycle_at_least(self, master):
        master.book = OfferBook(master.ledger, interval=10.0)
        master.offer(self.declined(1))
        master.now += 9
        assert master.refused()

    def test_refuses_nothing_when_it_says_zero_seconds(self, master):
        master.offer(self.declined(0))
        assert master.refused() == {}
        assert master.due() == [Remove(KEY, "the refusal has ended")]

    def test_that_is_gone_refuses_nothing(self, master):
        master.offer(self.declined(120))
        master.end()
        assert master.refused() == {}

    @pytest.mark.parametrize("phase", ["Declined", "Expired"])
    def test_ends_when_the_demand_is_another_one_than_it_was_made_for(self, master, phase):
        before, after = external(demand=[demand("a", 2)]), external(demand=[demand("a", 3)])
        fields = {"refused": 120} if phase == "Declined" else {"phase": phase, "answered": NOON}
        master.offer(made(demand_revision=before.status.demand_revision, **fields))
        assert master.due(before) == []
        assert master.due(after) == [Remove(KEY, "the demand changed")]

    def test_stays_to_its_end_when_it_does_not_say_for_which_demand_it_was_made(self, master):
        master.offer(self.declined(120))
        assert master.due(external(demand=[demand("a", 3)])) == []

    def test_an_answer_that_refuses_nothing_is_left_alone_when_the_demand_changes(self, master):
        before, after = external(demand=[demand("a", 2)]), external(demand=[demand("a", 3)])
        statuses: list[dict[str, Any]] = [{}, {"claims": [claim_of(0, a=1)]}, {"phase": "Rescinded"}]
        for number, status in enumerate(statuses):
            master.offer(made(name=f"spark-{number}", demand_revision=before.status.demand_revision, **status))
        assert master.due(after) == []


class TestAnOfferTakenBack:
    def test_expired_refuses_for_a_while_since_nobody_seems_to_listen(self, master):
        master.offer(made(phase="Expired", answered=NOON))
        assert set(master.refused()) == set(NODES)
        master.now += 30
        assert master.refused() == {}

    def test_rescinded_refuses_nothing(self, master):
        master.offer(made(phase="Rescinded", answered=NOON))
        assert (master.held(), master.refused()) == ({}, {})

    @pytest.mark.parametrize("phase", ["Rescinded", "Expired"])
    def test_stays_for_people_to_see_and_then_goes(self, master, phase):
        master.offer(made(phase=phase, answered=NOON))
        master.now += 30
        assert master.due() == []
        master.now += 1
        assert master.due() == [Remove(KEY, "the offer was taken back")]


class TestBookkeeping:
    def test_offers_are_counted_by_phase(self, master):
        master.offer(made())
        master.offer(made(name="spark-2", refused=5))
        master.offer(made(name="spark-3", refused=5))
        phases = master.book.phases()
        assert phases == {"Offered": 1, "Claimed": 0, "Declined": 2, "Rescinded": 0, "Expired": 0}

    def test_pods_of_offers_long_gone_are_not_remembered(self, master):
        master.offer(made(claims=[claim_of(0, a=1)]))
        one, again = sighted(version=1), sighted(version=2)
        master.pod(one)
        master.end()
        master.pod(again, old=one)
        master.intake.pod_changed(again, None)
        master.offer(made(claims=[claim_of(0, a=1)]))
        assert master.held() == CLAIMED


Event = tuple[str, Any, Any]


def histories() -> list[list[Event]]:
    """What became of each object, in its own order: offers, pods, the framework and the nodes."""
    first, second = made(claims=[claim_of(0, a=1), claim_of(1, a=1)], version=2), made(name="spark-2", version=3)
    third = made(name="spark-3", refused=120, version=4)
    seen, beside = sighted("spark-1-0-0"), pod("stranger", of=None, node="node-2")
    unbound = sighted("spark-1-1-0", on="")
    bound = sighted("spark-1-1-0", on="node-2", version=2)
    in_roles = external(version=2, role="batch", roles=["adhoc"])
    ended = made(name="spark-4", role="adhoc", claims=[claim_of(0, a=1)], version=5)
    left = sighted("spark-4-0-0", offer="spark-4", labels={"tender.dev/role": "adhoc"})
    return [
        [("offer", None, made()), ("offer", made(), first)],
        [("offer", None, ended), ("offer", ended, None)],
        [("pod", None, left)],
        [("offer", None, second)],
        [("offer", None, made(name="spark-3")), ("offer", made(name="spark-3"), third)],
        [("pod", None, seen)],
        [("pod", None, beside)],
        [("pod", None, unbound), ("pod", unbound, bound)],
        [("framework", None, external()), ("framework", external(), in_roles)],
        [("node", None, node("node-1"))],
        [("node", None, node("node-2", cordoned=True)), ("node", node("node-2", cordoned=True), node("node-2"))],
    ]


def replay(events: list[Event]) -> Ledger:
    ledger = Ledger()
    book = OfferBook(ledger)
    intake = Intake(ledger, book.pod_changed, book.room)
    tell: dict[str, Any] = {
        "pod": intake.pod_changed,
        "framework": intake.framework_changed,
        "node": intake.node_changed,
    }
    for kind, old, new in events:
        if kind == "offer":
            intake.offer_changed(old, new, book.seen_of)
            book.offer_changed(old, new, NOON)
        else:
            tell[kind](old, new)
    return ledger


def account(ledger: Ledger) -> dict[str, Any]:
    """All that a cycle reads of who holds what."""
    return {
        "free": {name: ledger.free(name) for name in ledger.nodes},
        "held": dict(ledger.held("shop/spark")),
        "offered": dict(ledger.offered("shop/spark")),
        "tasks": dict(ledger.tasks("shop/spark", "a")),
        "refusals": ledger.refusals("shop/spark", NOON),
        "charges": {name: dict(ledger.charges_on(name)) for name in NODES},
    }


@settings(deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_account_does_not_depend_on_the_order_in_which_facts_come(random):
    """It equals the one of a master that has just started and sees only what is there now."""
    started_now = replay([(kind, None, new) for *_, (kind, _, new) in histories() if new is not None])
    pending, events = histories(), []
    while pending:
        history = random.choice(pending)
        events.append(history.pop(0))
        pending = [one for one in pending if one]
    assert account(replay(events)) == account(started_now)
    assert account(started_now)["held"]["cpu"] == 2000 + 3 * 500
