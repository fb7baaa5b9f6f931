"""A turn: finish the launches of claims that were won, answer the open offers, stop what the plan wants gone."""

from typing import Any

from tests.builders import NOON, claim_of, framework, offer, pod, shape, slice_on

from tender.api import core
from tender.api.framework import Framework
from tender.api.offer import ResourceOffer
from tender.frameworks.sdk import Claim, Decline, Plan, Refused, Seen, Shape, Stop, Turn, take_turn


def planned(*shapes: Shape, stops: tuple[Stop, ...] = (), **fields: Any) -> Plan:
    state = fields.pop("state", ("Ready", "AsSpecified", "all is well"))
    return Plan(shapes, stops, fields.pop("status", {}), state, **fields)


def turn(
    *shapes: Shape,
    pods: tuple[core.Pod, ...] = (),
    offers: tuple[ResourceOffer, ...] = (),
    launched: frozenset[str] = frozenset(),
    now: float = NOON,
    of: Framework | None = None,
    refused: Refused | None = None,
    **plan: Any,
) -> Turn:
    seen = Seen(of or framework(), pods, offers, launched, now, refused)
    return take_turn(lambda *_: planned(*shapes, **plan), seen)


def launched(one: Turn) -> list[str]:
    return [launch.pod["metadata"]["name"] for launch in one.launches]


def stop(one: core.Pod) -> Stop:
    return Stop(one.metadata.name, one.metadata.uid, "it has ended")


WON = offer(slice_on(), slice_on("node-2"), claims=[claim_of(0, a=2), claim_of(1, a=1)], name="web-x7k2")
NAMES = ["web-x7k2-0-0", "web-x7k2-0-1", "web-x7k2-1-0"]


class TestLaunching:
    def test_every_task_of_a_claim_becomes_a_pod_on_the_node_of_its_slice(self):
        done = turn(shape("a", 3), offers=(WON,))
        assert launched(done) == NAMES
        assert [launch.pod["spec"]["nodeName"] for launch in done.launches] == ["node-1", "node-1", "node-2"]

    def test_the_same_claim_seen_again_makes_the_same_names(self):
        assert launched(turn(shape("a", 3), offers=(WON,))) == launched(turn(shape("a", 3), offers=(WON,)))

    def test_a_pod_that_exists_is_not_launched_again(self):
        done = turn(shape("a", 3), offers=(WON,), pods=(pod(NAMES[1], task="a"),))
        assert launched(done) == [NAMES[0], NAMES[2]]

    def test_nor_one_that_has_failed(self):
        done = turn(shape("a", 3), offers=(WON,), pods=(pod(NAMES[1], task="a", phase="Failed"),))
        assert launched(done) == [NAMES[0], NAMES[2]]

    def test_nor_one_that_is_being_deleted(self):
        done = turn(shape("a", 3), offers=(WON,), pods=(pod(NAMES[1], task="a", deleted=NOON),))
        assert launched(done) == [NAMES[0], NAMES[2]]

    def test_nor_one_that_was_launched_and_is_gone_again(self):
        done = turn(shape("a", 3), offers=(WON,), launched=frozenset({NAMES[1]}))
        assert launched(done) == [NAMES[0], NAMES[2]]

    def test_stops_at_the_plan_s_count_when_less_is_wanted_than_was_claimed(self):
        assert launched(turn(shape("a", 2), offers=(WON,))) == NAMES[:2]
        assert launched(turn(shape("a", 0), offers=(WON,))) == []

    def test_counts_the_pods_that_run_already(self):
        done = turn(shape("a", 3), offers=(WON,), pods=(pod("web-older", task="a"), pod("web-oldest", task="a")))
        assert launched(done) == NAMES[:1]

    def test_tasks_that_the_plan_does_not_know_are_left_alone(self):
        won = offer(claims=[claim_of(a=1, of_an_older_revision=2)], name="web-x7k2")
        assert launched(turn(shape("a", 9), offers=(won,))) == ["web-x7k2-0-0"]

    def test_ends_well_before_the_master_takes_the_claim_back(self):
        assert launched(turn(shape("a", 3), offers=(WON,), now=NOON + 45)) == NAMES
        assert launched(turn(shape("a", 3), offers=(WON,), now=NOON + 46)) == []

    def test_waits_while_launches_are_put_off(self):
        assert launched(turn(shape("a", 3), offers=(WON,), hold_until=NOON + 1)) == []
        assert launched(turn(shape("a", 3), offers=(WON,), hold_until=NOON)) == NAMES

    def test_offers_that_were_not_won_launch_nothing(self):
        others = tuple(offer(name=f"web-{phase.lower()}", phase=phase) for phase in ("Rescinded", "Expired"))
        assert launched(turn(shape("a", 3), offers=(*others, offer(refused=5)))) == []


class TestAnswers:
    def test_what_is_missing_is_claimed(self):
        (answer,) = turn(shape("a", 3), offers=(offer(),), pods=(pod(task="a"),)).answers
        assert isinstance(answer, Claim)
        assert answer.claims[0]["tasks"] == {"a": 2}

    def test_pods_about_to_be_launched_are_not_claimed_for_again(self):
        done = turn(shape("a", 4), offers=(WON, offer(name="web-open")))
        (answer,) = done.answers
        assert isinstance(answer, Claim)
        assert answer.claims[0]["tasks"] == {"a": 1}

    def test_failed_and_deleted_pods_are_missing(self):
        gone = (pod("web-1", task="a", phase="Failed"), pod("web-2", task="a", deleted=NOON))
        (answer,) = turn(shape("a", 2), offers=(offer(),), pods=gone).answers
        assert isinstance(answer, Claim)
        assert answer.claims[0]["tasks"] == {"a": 2}

    def test_an_offer_that_has_expired_is_left_to_the_master(self):
        assert turn(shape("a", 3), offers=(offer(expires=NOON),)).answers == ()

    def test_an_offer_that_has_been_answered_is_not_answered_again(self):
        assert turn(shape("a", 3), offers=(WON, offer(refused=5), offer(phase="Rescinded"))).answers == ()

    def test_offers_are_refused_for_as_long_as_launches_are_put_off(self):
        (answer,) = turn(shape("a", 3), offers=(offer(),), hold_until=NOON + 3.2).answers
        assert isinstance(answer, Decline)
        assert answer.refuse_seconds == 4

    def test_most_per_node_counts_running_pods_and_those_about_to_be_launched(self):
        open_now = offer(slice_on("node-1"), slice_on("node-2"), slice_on("node-3"), name="web-open")
        runs = pod("web-1", task="a", node="node-3")
        won = offer(slice_on("node-2"), claims=[claim_of(a=1)], name="web-won")
        (answer,) = turn(shape("a", 9, max_per_node=1), offers=(open_now, won), pods=(runs,)).answers
        assert isinstance(answer, Claim)
        assert [claim["slice"] for claim in answer.claims] == [0]


class TestStops:
    def test_what_the_plan_wants_gone_is_stopped(self):
        ended = pod(task="a", phase="Failed")
        assert turn(stops=(stop(ended),), pods=(ended,)).stops == (stop(ended),)

    def test_a_failed_pod_stays_while_its_claim_stands_since_its_name_says_that_it_was_launched(self):
        ended = pod(NAMES[0], task="a", phase="Failed", offer="web-x7k2")
        assert turn(stops=(stop(ended),), pods=(ended,), offers=(WON,)).stops == ()

    def test_it_goes_when_nothing_more_is_launched_from_the_claim(self):
        ended = pod(NAMES[0], task="a", phase="Failed", offer="web-x7k2")
        assert turn(stops=(stop(ended),), pods=(ended,), offers=(WON,), now=NOON + 46).stops == (stop(ended),)

    def test_a_running_pod_goes_although_its_claim_stands(self):
        surplus = pod(NAMES[0], task="a", offer="web-x7k2")
        assert turn(stops=(stop(surplus),), pods=(surplus,), offers=(WON,)).stops == (stop(surplus),)


class TestStatus:
    def test_demand_counts_all_tasks_those_that_run_included(self):
        done = turn(shape("a", 3), pods=(pod(task="a"),))
        assert done.status["demand"] == [{"name": "a", "count": 3, "requests": {"cpu": "500m", "memory": "128Mi"}}]

    def test_demand_says_which_nodes_suit(self):
        choosy = shape("a", 1, node_selector={"disk": "ssd"}, tolerations=({"key": "x"},), max_per_node=2)
        (entry,) = turn(choosy).status["demand"]
        assert entry["nodeSelector"] == {"disk": "ssd"}
        assert entry["tolerations"] == [{"key": "x"}]
        assert entry["maxPerNode"] == 2

    def test_nothing_wanted_is_an_empty_demand_and_not_an_absent_one(self):
        assert turn(shape("a", 0)).status["demand"] == []

    def test_the_planner_s_part_and_the_generation_acted_on_are_told(self):
        status = turn(of=framework(generation=7), status={"replicas": 3}).status
        assert (status["replicas"], status["observedGeneration"]) == (3, 7)

    def test_a_condition_keeps_its_time_while_its_status_stays(self):
        first = turn()
        again = turn(of=framework(status=dict(first.status)), now=NOON + 60)
        assert again.status["conditions"] == first.status["conditions"]
        assert {condition["type"]: condition["status"] for condition in again.status["conditions"]} == {
            "Ready": "True",
            "Reconciling": "False",
            "Stalled": "False",
        }


def test_when_everything_is_as_planned_there_is_nothing_to_do():
    done = turn(shape("a", 1), pods=(pod(task="a"),), offers=(WON,))
    assert (done.answers, done.launches, done.stops, done.notes, done.wake_at) == ((), (), (), (), None)


class TestPodsThatTheApiServerRefuses:
    REFUSED = Refused("spec.containers[0].volumeMounts[0].name: Not found", NOON + 10)

    def test_are_not_tried_again_before_their_time(self):
        done = turn(shape("a", 3), offers=(WON, offer(slice_on(), name="web-open")), refused=self.REFUSED)
        assert launched(done) == []
        assert done.answers == (Decline("web-open", 10, "launches are put off after failures"),)
        assert done.wake_at == NOON + 10

    def test_are_tried_again_afterwards(self):
        done = turn(shape("a", 3), offers=(WON,), refused=self.REFUSED, now=NOON + 10)
        assert launched(done) == NAMES
        assert done.wake_at is None

    def test_stall_the_framework_and_say_why_until_they_are_taken(self):
        state = ("Reconciling", "Launching", "launching 3 pods")
        for now in (NOON, NOON + 100):
            done = turn(shape("a", 3), refused=self.REFUSED, state=state, now=now)
            told = {one["type"]: (one["status"], one["message"]) for one in done.status["conditions"]}
            assert told["Stalled"] == ("True", f"the API server refuses the pods: {self.REFUSED.why}")
