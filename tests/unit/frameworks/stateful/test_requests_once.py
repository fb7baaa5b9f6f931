"""Requests are carried out exactly once, whatever crashes between any two writes, and however often it is looked at."""

from dataclasses import dataclass, field

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.unit.frameworks.stateful.courses import AT_LEISURE, BACKUP, course, phase, plan_request, pod_request

from tender.api.stateful import PlanRequest, PodRequest, StatefulStatus
from tender.frameworks.stateful.course import Course, recorded_runs
from tender.frameworks.stateful.following import follow
from tender.frameworks.stateful.orders import Order, answer_pods
from tender.frameworks.stateful.overrides import Overrides
from tender.frameworks.stateful.requests import answer_plans

NOW = 1000.0
PODS = ("node-0", "node-1", "data-0")


class CrashError(Exception):
    """The controller was killed before a write."""


@dataclass
class World:
    """What is durable, a status and the records of pods, and a controller that is killed before some writes."""

    status: StatefulStatus = field(default_factory=StatefulStatus)
    records: dict[str, list[str]] = field(default_factory=lambda: {pod: [] for pod in PODS})
    carried_out: list[Order] = field(default_factory=list)
    crashes: list[bool] = field(default_factory=list)

    def write(self) -> None:
        if self.crashes and self.crashes.pop():
            raise CrashError

    def turn(self, plans: list[PlanRequest], pods: list[PodRequest]) -> bool:
        """One turn of the controller; whether there was anything to write."""
        runs = recorded_runs(self.status)
        asked = Overrides.read(self.status)
        of_plans = answer_plans(
            plans, self.status.plan_requests, asked, runs, self.courses(), BACKUP, self.records, NOW
        )
        of_pods = answer_pods(pods, self.status.pod_requests, of_plans.overrides, PODS, self.records)
        orders = (*of_plans.orders, *of_pods.orders)
        for order in orders:
            self.write()
            self.records[order.instance] = remembering(self.records[order.instance], order)
            self.carried_out.append(order)
        status = StatefulStatus(
            plans=tuple(follow(one, of_pods.overrides).status for one in self.courses(of_plans.runs)),
            plan_requests=of_plans.results,
            pod_requests=of_pods.results,
            **of_pods.overrides.fields(),
        )
        if status == self.status:
            return bool(orders)
        self.write()
        self.status = StatefulStatus.model_validate(status.manifest())
        return True

    def settle(self, plans: list[PlanRequest], pods: list[PodRequest]) -> None:
        for _ in range(100):
            try:
                if not self.turn(plans, pods):
                    return
            except CrashError:
                continue
        raise AssertionError("the controller writes for ever")

    def courses(self, runs=None) -> list[Course]:
        run = (recorded_runs(self.status) if runs is None else runs).get("backup")
        return [
            course(phase("c.", strategy="SerialCanary"), phase(".", name="data", pods="data")),
            course(
                phase("..", name="copy", task="backup"),
                phase(".", name="check", strategy="SerialCanary", task="check"),
                name="backup",
                token=run.id if run is not None else None,
                run=run,
            ),
        ]


def remembering(known: list[str], order: Order) -> list[str]:
    """What a record has to remember at least: the last request about a plan and the last about the pod."""
    source, _, _ = order.request.partition("/")
    others = [one for one in known if one.startswith(order.request) or not one.startswith(f"{source}/")]
    return [*others, order.id]


ids = [f"r{number}" for number in range(6)]


@st.composite
def plan_requests(draw):
    """Requests about plans, sensible ones and others; Stop is Start's undoing, and so on, in any order."""
    return [
        plan_request(
            id_,
            draw(st.sampled_from(["Start", "Stop", "Pause", "Resume", "Restart", "ForceComplete"])),
            draw(st.sampled_from(["deploy", "backup"])),
            phase=draw(st.sampled_from([None, None, "nodes", "copy"])),
        )
        for id_ in draw(st.lists(st.sampled_from(ids), unique=True))
    ]


@st.composite
def pod_requests(draw):
    return [
        pod_request(
            id_,
            draw(st.sampled_from(["Restart", "Replace", "Pause", "Resume"])),
            draw(st.sampled_from([*PODS, "node-9"])),
        )
        for id_ in draw(st.lists(st.sampled_from(ids), unique=True))
    ]


crashes = st.lists(st.booleans(), max_size=20)


DENSE_PLANS = [
    plan_request("a", "Start", "backup"),
    plan_request("b", "Restart"),
    plan_request("c", "Restart", phase="nodes"),
    plan_request("d", "Restart", "backup", phase="copy"),
    plan_request("e", "Resume"),
    plan_request("f", "Restart"),
]
DENSE_PODS = [
    pod_request("a", "Restart"),
    pod_request("b", "Replace"),
    pod_request("c", "Restart", "node-1"),
    pod_request("d", "Pause"),
    pod_request("e", "Restart"),
]


class TestExactlyOnce:
    @pytest.mark.parametrize("write", range(40))
    def test_t46_a_crash_before_any_write_neither_loses_nor_doubles_an_order(self, write):
        undisturbed, world = World(), World(crashes=[True] + [False] * write)
        undisturbed.settle(DENSE_PLANS, DENSE_PODS)
        world.settle(DENSE_PLANS, DENSE_PODS)
        assert len(world.carried_out) == 3 + 2 + 2 + 3 + 4
        assert sorted(map(repr, world.carried_out)) == sorted(map(repr, undisturbed.carried_out))
        assert world.status == undisturbed.status

    @AT_LEISURE
    @given(plan_requests(), pod_requests(), crashes)
    def test_a_crash_between_any_two_writes_changes_nothing_of_the_outcome(self, plans, pods, crashes):
        undisturbed, world = World(), World(crashes=crashes)
        undisturbed.settle(plans, pods)
        world.settle(plans, pods)
        assert world.status == undisturbed.status
        for pod in PODS:
            of_pod = [[one for one in each.carried_out if one.instance == pod] for each in (undisturbed, world)]
            assert of_pod[0] == of_pod[1]

    @AT_LEISURE
    @given(plan_requests(), pod_requests(), crashes)
    def test_every_request_has_a_result_and_no_order_is_given_twice(self, plans, pods, crashes):
        world = World(crashes=crashes)
        world.settle(plans, pods)
        assert [result.id for result in world.status.plan_requests] == [request.id for request in plans]
        assert {result.id for result in world.status.pod_requests} == {request.id for request in pods}
        assert len(set(world.carried_out)) == len(world.carried_out)
        done = {result.id for result in world.status.pod_requests if result.result == "Done"}
        assert {order.request for order in world.carried_out if order.request.startswith("pod/")} == {
            f"pod/{request.id}" for request in pods if request.id in done and request.action in {"Restart", "Replace"}
        }

    @AT_LEISURE
    @given(plan_requests(), pod_requests(), crashes)
    @example(
        [
            plan_request("a", "Start", "backup"),
            plan_request("b", "ForceComplete", "backup"),
            plan_request("c", "Start", "backup"),
        ],
        [],
        [],
    )
    def test_requests_that_come_one_by_one_lead_where_they_lead_together(self, plans, pods, crashes):
        together, world = World(), World(crashes=crashes)
        together.settle(plans, pods)
        for count in range(len(plans) + 1):
            world.settle(plans[:count], [])
        for count in range(len(pods) + 1):
            world.settle(plans, pods[:count])
        assert world.status.paused == together.status.paused
        assert world.status.resumed == together.status.resumed
        assert world.status.forced == together.status.forced
        assert recorded_runs(world.status) == recorded_runs(together.status)
        assert {result.id: result.result for result in world.status.plan_requests} == {
            result.id: result.result for result in together.status.plan_requests
        }

    @AT_LEISURE
    @given(plan_requests(), pod_requests())
    def test_what_was_carried_out_is_not_carried_out_again(self, plans, pods):
        world = World()
        world.settle(plans, pods)
        status, orders = world.status, list(world.carried_out)
        assert not world.turn(plans, pods)
        assert (world.status, world.carried_out) == (status, orders)

    def test_a_start_whose_result_is_forgotten_is_no_second_run(self):
        """An id that is taken out of the spec and put back still names the run that it started."""
        world, start = World(), plan_request("monday", "Start", "backup")
        world.settle([start], [])
        started = recorded_runs(world.status)
        world.settle([], [])
        world.settle([start], [])
        assert [result.result for result in world.status.plan_requests] == ["Done"]
        assert recorded_runs(world.status) == started
