"""A turn: finish the launches of claims that were won, answer the open offers, stop what the plan wants gone."""

from collections.abc import Mapping
from typing import Any

from tests.builders import (
    NOON,
    claim_of,
    framework,
    node,
    offer,
    owner_of,
    pod,
    reservation,
    shape,
    slice_on,
    timestamp,
)

from tender.api import core
from tender.api.framework import Framework
from tender.api.offer import ResourceOffer
from tender.api.placement import Constraint
from tender.api.reservation import Reservation
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
    nodes: Mapping[str, core.Node] | None = None,
    reservations: tuple[Reservation, ...] = (),
    **plan: Any,
) -> Turn:
    seen = Seen(of or framework(), pods, offers, launched, now, refused, nodes or {}, reservations=reservations)
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

    def test_an_offer_of_an_earlier_term_that_came_late_is_left_to_the_master(self):
        late, new = offer(name="late", term=3, version=8), offer(name="new", term=4, version=7)
        assert [answer.offer for answer in turn(shape("a", 9), offers=(late, new)).answers] == ["new"]

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


class TestPlacesThatAreKept:
    """Shapes with `reserved_as`: what is claimed becomes a Reservation, and no pod."""

    INSTANCE = "node-0"

    def one(self, **fields: Any) -> Shape:
        return shape("node-0-r1", 1, reserved_as=self.INSTANCE, labels={"tender.dev/set": "node"}, **fields)

    def won(self) -> ResourceOffer:
        return offer(slice_on("node-2"), claims=[self.claim()], name="web-x7k2", role="shops")

    def claim(self) -> dict[str, Any]:
        return {**claim_of(), "tasks": {"node-0-r1": 1}}

    def test_a_claim_becomes_a_reservation_of_what_was_claimed(self):
        done = turn(self.one(), offers=(self.won(),))
        (kept,) = done.keep
        assert done.launches == ()
        assert kept["metadata"].pop("name").startswith("web-node-0-")
        assert kept == {
            "apiVersion": "tender.dev/v1alpha1",
            "kind": "Reservation",
            "metadata": {
                "namespace": "shop",
                "labels": {
                    "tender.dev/framework": "web",
                    "tender.dev/instance": "node-0",
                    "tender.dev/offer": "web-x7k2",
                    "tender.dev/set": "node",
                },
                "ownerReferences": [owner_of("web")],
            },
            "spec": {
                "role": "shops",
                "framework": "web",
                "node": "node-2",
                "resources": {"cpu": "500m", "memory": "128Mi", "pods": "1"},
            },
        }
        assert Reservation.read(kept)

    def test_the_same_claim_seen_again_makes_the_same_name_and_another_one_another(self):
        names = [turn(self.one(), offers=(self.won(),)).keep[0]["metadata"]["name"] for _ in range(2)]
        other = offer(claims=[self.claim()], name="web-y7k2")
        assert len({*names, turn(self.one(), offers=(other,)).keep[0]["metadata"]["name"]}) == 2

    def test_names_are_short_enough_for_a_label(self):
        long = framework("f" * 63)
        won = offer(of="f" * 63, claims=[self.claim()], name="f" * 50 + "-x")
        assert len(turn(self.one(), offers=(won,), of=long).keep[0]["metadata"]["name"]) <= 63

    def test_a_place_that_is_there_uses_the_claim(self):
        done = turn(self.one(), offers=(self.won(), offer(name="web-open")), reservations=(self.kept(),))
        assert (done.keep, done.launches) == ((), ())
        assert isinstance(done.answers[0], Decline)
        assert "waiting" not in done.status

    def test_one_that_is_being_given_up_does_not(self):
        done = turn(self.one(), offers=(self.won(),), reservations=(self.kept(deleted=NOON),))
        assert len(done.keep) == 1

    def test_a_second_claim_for_the_same_instance_makes_nothing(self):
        twice = offer(slice_on(), slice_on("node-2"), claims=[claim_of(0, a=2), claim_of(1, b=1)])
        shapes = (shape("a", 1, reserved_as="node-0"), shape("b", 1, reserved_as="node-0"))
        assert len(turn(*shapes, offers=(twice,)).keep) == 1

    def test_nothing_is_kept_after_the_time_to_launch(self):
        assert turn(self.one(), offers=(self.won(),), now=NOON + 46).keep == ()

    def test_a_place_is_kept_also_while_launches_are_put_off(self):
        assert len(turn(self.one(), offers=(self.won(),), hold_until=NOON + 9).keep) == 1

    def test_what_the_planner_keeps_comes_first(self):
        config = {"kind": "ConfigMap"}
        assert [one["kind"] for one in turn(self.one(), offers=(self.won(),), keep=(config,)).keep] == [
            "ConfigMap",
            "Reservation",
        ]

    def test_what_other_places_keep_unused_is_not_claimed_for_a_new_one(self):
        free = offer(slice_on("node-1", cpu="1"), name="web-open")
        other = self.kept("node-1", instance="node-7", cpu="1")
        (answer,) = turn(self.one(), offers=(free,), reservations=(other,)).answers
        assert answer == Decline("web-open", 5, "no waiting task fits now: what is free there is kept for node-7")

    def test_it_is_when_a_pod_uses_that_place_or_its_claim_stands(self):
        free = offer(slice_on("node-1", cpu="1"), name="web-open")
        other = self.kept("node-1", instance="node-7", cpu="500m", offer_="web-won")
        runs = pod("web-node-7", labels={"tender.dev/instance": "node-7"})
        pending = pod("web-node-7", labels={"tender.dev/instance": "node-7"}, node="")
        won = offer(claims=[claim_of(0, gone=1)], name="web-won")
        for pods, offers in (((runs,), (free,)), ((pending,), (free,)), ((), (free, won))):
            done = turn(self.one(), pods=pods, offers=offers, reservations=(other,))
            assert isinstance(done.answers[0], Claim)
        failed = pod("web-node-7", labels={"tender.dev/instance": "node-7"}, phase="Failed")
        done = turn(self.one(cpu=600), offers=(free,), pods=(failed,), reservations=(other,))
        assert isinstance(done.answers[0], Decline)

    def kept(
        self,
        on: str = "node-2",
        *,
        instance: str = INSTANCE,
        cpu: str = "500m",
        deleted: float | None = None,
        offer_: str = "",
    ) -> Reservation:
        one = reservation(on=on, resources={"cpu": cpu}, deleted=deleted)
        labels = {"tender.dev/instance": instance, "tender.dev/offer": offer_}
        return one.model_copy(update={"metadata": one.metadata.model_copy(update={"labels": labels})})


class TestConstraints:
    UNIQUE = (Constraint(key="metadata.name", operator="Unique"),)

    def test_count_what_claims_made_room_for_and_is_launched_now(self):
        one = shape("a", 3, constraints=self.UNIQUE, group="web")
        won = offer(slice_on("node-2"), claims=[claim_of(a=1)], name="web-won")
        other = shape("b", 1, constraints=self.UNIQUE, group="web")
        free = offer(slice_on("node-1"), slice_on("node-2"), name="web-open")
        (answer,) = turn(one, other, offers=(free, won)).answers
        assert isinstance(answer, Claim)
        assert [(claim["slice"], claim["tasks"]) for claim in answer.claims] == [(0, {"a": 1})]

    def test_go_by_the_labels_of_the_cluster_s_nodes(self):
        nodes = {name: node(name, labels={"zone": name[-1]}) for name in ("node-1", "node-2")}
        one = shape("a", 9, constraints=(Constraint(key="zone", operator="Is", value="2"),))
        free = offer(slice_on("node-1"), slice_on("node-2"))
        (answer,) = turn(one, offers=(free,), nodes=nodes).answers
        assert isinstance(answer, Claim)
        assert [claim["slice"] for claim in answer.claims] == [1]

    def test_offers_of_a_role_that_the_framework_has_left_are_refused(self):
        (answer,) = turn(shape("a", 1), offers=(offer(role="left"),)).answers
        assert isinstance(answer, Decline)

    def test_ports_of_running_pods_are_taken(self):
        web = {"containers": [{"name": "app", "ports": [{"containerPort": 80, "hostPort": 80}]}]}
        runs = pod("web-1", task="old", spec=web)
        done = turn(shape("a", 1, service={"spec": web}), pods=(runs,), offers=(offer(),))
        assert isinstance(done.answers[0], Decline)
        (told,) = done.status["waiting"]["reasons"]
        assert told["reason"] == "Ports"


class TestWaiting:
    def waiting(self, done: Turn) -> Any:
        return done.status.get("waiting")

    def test_is_told_while_tasks_are_missing(self):
        assert self.waiting(turn(shape("a", 3), pods=(pod(task="a"),))) == {"since": timestamp(NOON), "tasks": 2}
        assert self.waiting(turn(shape("a", 1), pods=(pod(task="a"),))) is None

    def test_goes_on_until_claimed_tasks_are_launched(self):
        assert self.waiting(turn(shape("a", 3), offers=(offer(),)))["tasks"] == 3
        assert self.waiting(turn(shape("a", 3), offers=(WON,))) is None

    def test_begins_anew_when_some_are(self):
        since = {"waiting": {"since": timestamp(NOON - 600), "tasks": 4}}
        assert self.waiting(turn(shape("a", 4), of=framework(status=since)))["since"] == timestamp(NOON - 600)
        done = turn(shape("a", 4), of=framework(status=since), offers=(WON,))
        assert self.waiting(done) == {"since": timestamp(NOON), "tasks": 1}

    def test_says_why_offers_were_refused_now_and_before(self):
        small = offer(slice_on("node-1", cpu="100m"), name="web-open")
        before = offer(slice_on("node-2", cpu="200m"), name="web-before", refused=120, answered=NOON - 9)
        waiting = self.waiting(turn(shape("a", 1), offers=(small, before)))
        assert [(one["node"], one["at"]) for one in waiting["nodes"]] == [
            ("node-1", timestamp(NOON)),
            ("node-2", timestamp(NOON - 9)),
        ]
        assert [(one["reason"], one["nodes"]) for one in waiting["reasons"]] == [("CPU", 2)]

    def test_changes_by_time_alone_in_nothing(self):
        small = offer(slice_on(cpu="100m"), refused=120, answered=NOON)
        first = turn(shape("a", 1), offers=(small,)).status
        again = turn(shape("a", 1), offers=(small,), of=framework(status=dict(first)), now=NOON + 77).status
        assert again == first
