"""Turns carried out: what is written, what is not, and what becomes of a write that fails."""

from collections.abc import Mapping
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry
from tests.builders import NOON, claim_of, framework, offer, owner_of, pod_spec
from tests.unit.memory import MemoryApi, MemoryClient, cache_of

from tender.api.names import MANAGER_SERVICE
from tender.cluster.client import Client
from tender.cluster.errors import ApiError, Conflict, Forbidden, Invalid, NotFound
from tender.cluster.resources import FRAMEWORKS, PODS, RESOURCE_OFFERS
from tender.controller.executor import Executor
from tender.controller.metrics import ControllerMetrics
from tender.controller.view import View
from tender.frameworks.sdk import Answer, Claim, Decline, Launch, Refused, Stop, Turn

NAME = "web-bcdfghjk"
CLAIM = Claim(NAME, (claim_of(a=1),))
STATUS = {"observedGeneration": 1, "replicas": 3, "conditions": []}


def turn(
    *,
    answers: tuple[Answer, ...] = (),
    launches: tuple[Launch, ...] = (),
    stops: tuple[Stop, ...] = (),
    status: Mapping[str, Any] | None = None,
) -> Turn:
    return Turn(answers, launches, stops, status or {}, (), None)


def launch(name: str = "web-x-0-0") -> Launch:
    metadata = {"name": name, "namespace": "shop", "ownerReferences": [owner_of("web")]}
    return Launch(NAME, {"metadata": metadata, "spec": pod_spec(nodeName="node-1")})


class Bench:
    """One framework and an open offer in an API server, and an executor that has seen both."""

    def __init__(self) -> None:
        self.now = NOON
        self.api = MemoryApi()
        self.api.put(FRAMEWORKS, framework("web").manifest())
        self.api.put(RESOURCE_OFFERS, offer().manifest())
        self.client = MemoryClient(self.api)
        self.metrics = ControllerMetrics(CollectorRegistry())
        self.view = View(lambda _: None)
        self.cache = cache_of(self.view, self.api)
        self.cache.catch_up()
        self.executor = Executor(
            cast("Client", self.client),
            self.view,
            self.metrics,
            manager=MANAGER_SERVICE,
            status_interval=5.0,
            clock=lambda: self.now,
        )

    async def carry_out(self, one: Turn) -> float | None:
        known = self.view.framework("shop/web")
        assert known is not None
        return await self.executor.carry_out(known, one)

    def refuse(self, verb: str, error: ApiError) -> None:
        self.client.refuse = lambda asked, *_: error if asked == verb else None

    def phase(self) -> str:
        return str(self.api.read(RESOURCE_OFFERS)[NAME].status.phase)

    def known_phase(self) -> str | None:
        known = self.view.offer("shop/web", NAME)
        return None if known is None else str(known.status.phase)

    def count(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(name, labels) or 0.0


@pytest.fixture
def bench() -> Bench:
    return Bench()


class TestAnswers:
    async def test_a_claim_is_one_write_and_known_at_once(self, bench):
        await bench.carry_out(turn(answers=(CLAIM,)))
        (written,) = bench.api.read(RESOURCE_OFFERS).values()
        assert written.status.phase == "Claimed"
        assert written.status.claims[0].tasks == {"a": 1}
        assert written.status.answered_at.timestamp() == NOON
        assert bench.known_phase() == "Claimed"
        assert bench.count("tender_answers_total", answer="claimed") == 1

    async def test_a_claim_refuses_nothing_so_that_its_offer_ends_with_its_launches(self, bench):
        await bench.carry_out(turn(answers=(CLAIM,)))
        (written,) = bench.api.read(RESOURCE_OFFERS).values()
        assert written.status.refuse_seconds is None

    async def test_a_refusal_says_for_how_long_and_why(self, bench):
        await bench.carry_out(turn(answers=(Decline(NAME, 120, "no waiting task fits"),)))
        (written,) = bench.api.read(RESOURCE_OFFERS).values()
        assert (written.status.phase, written.status.refuse_seconds) == ("Declined", 120)
        assert written.status.message == "no waiting task fits"
        assert bench.count("tender_answers_total", answer="declined") == 1

    async def test_who_was_not_the_first_reads_what_the_first_has_written(self, bench):
        bench.api.put(RESOURCE_OFFERS, offer(phase="Rescinded").manifest())
        await bench.carry_out(turn(answers=(CLAIM,)))
        assert bench.phase() == bench.known_phase() == "Rescinded"
        assert bench.count("tender_answers_total", answer="lost") == 1

    async def test_a_claim_that_an_earlier_try_has_written_is_found_as_ours(self, bench):
        bench.api.put(RESOURCE_OFFERS, offer(claims=[claim_of(a=1)]).manifest())
        await bench.carry_out(turn(answers=(CLAIM,)))
        assert bench.known_phase() == "Claimed"

    async def test_an_offer_that_changed_without_an_answer_is_answered_the_next_time(self, bench):
        bench.api.put(RESOURCE_OFFERS, offer().manifest())
        await bench.carry_out(turn(answers=(CLAIM,)))
        assert bench.known_phase() == "Offered"
        await bench.carry_out(turn(answers=(CLAIM,)))
        assert bench.phase() == "Claimed"

    async def test_an_offer_that_is_gone_is_forgotten(self, bench):
        bench.api.remove(RESOURCE_OFFERS, NAME)
        await bench.carry_out(turn(answers=(CLAIM,)))
        assert bench.known_phase() is None

    async def test_so_is_one_that_goes_while_it_is_looked_at_again(self, bench):
        bench.api.put(RESOURCE_OFFERS, offer(phase="Rescinded").manifest())
        bench.refuse("get", NotFound(404, "NotFound", "gone"))
        await bench.carry_out(turn(answers=(CLAIM,)))
        assert bench.known_phase() is None

    async def test_an_answer_that_the_rules_do_not_allow_is_an_error_and_not_a_lost_race(self, bench):
        with pytest.raises(Invalid, match="larger than its slice"):
            await bench.carry_out(turn(answers=(Claim(NAME, (claim_of(cpu="64", a=1),)),)))
        assert bench.phase() == "Offered"

    async def test_an_offer_that_is_not_known_any_more_is_left_alone(self, bench):
        await bench.carry_out(turn(answers=(Decline("web-other", 5, ""),)))
        assert bench.api.writes == []


class TestLaunches:
    async def test_a_pod_is_created_and_seen_at_once(self, bench):
        await bench.carry_out(turn(launches=(launch(),)))
        seen = bench.view.seen(framework("web"), NOON)
        assert [(one.metadata.name, one.spec.node_name) for one in seen.pods] == [("web-x-0-0", "node-1")]
        assert seen.launched == {"web-x-0-0"}
        assert bench.count("tender_launches_total", outcome="created") == 1

    async def test_a_pod_that_exists_already_was_launched_by_an_earlier_try(self, bench):
        bench.api.put(PODS, launch().pod)
        await bench.carry_out(turn(launches=(launch(),)))
        seen = bench.view.seen(framework("web"), NOON)
        assert [one.metadata.name for one in seen.pods] == ["web-x-0-0"]
        assert seen.launched == {"web-x-0-0"}
        assert bench.api.writes == []

    async def test_one_of_that_name_that_belongs_to_somebody_else_is_not_taken_for_ours(self, bench):
        foreign = {"metadata": {"name": "web-x-0-0", "namespace": "shop"}, "spec": pod_spec()}
        bench.api.put(PODS, foreign)
        await bench.carry_out(turn(launches=(launch(),)))
        seen = bench.view.seen(framework("web"), NOON)
        assert (seen.pods, seen.launched) == ((), {"web-x-0-0"})

    async def test_one_that_exists_and_goes_at_that_moment_was_launched(self, bench):
        bench.api.put(PODS, launch().pod)
        bench.refuse("get", NotFound(404, "NotFound", "gone"))
        await bench.carry_out(turn(launches=(launch(),)))
        assert bench.view.seen(framework("web"), NOON).launched == {"web-x-0-0"}

    async def test_a_refused_pod_is_an_error_that_is_counted(self, bench):
        bench.refuse("create", Forbidden(403, "Forbidden", "exceeded quota: pods"))
        with pytest.raises(Forbidden, match="exceeded quota"):
            await bench.carry_out(turn(launches=(launch(),)))
        assert bench.count("tender_launches_total", outcome="failed") == 1
        assert bench.view.seen(framework("web"), NOON).launched == frozenset()


class TestLaunchesThatAreRefused:
    INVALID = Invalid(422, "Invalid", "spec.containers[0].image: Required value")

    def refused(self, bench: Bench, generation: int = 1) -> Refused | None:
        return bench.view.refusals.of(framework("web", generation=generation))

    async def fail(self, bench: Bench) -> None:
        bench.refuse("create", self.INVALID)
        with pytest.raises(Invalid):
            await bench.carry_out(turn(launches=(launch("web-x-0-0"), launch("web-x-0-1"))))

    async def test_are_remembered_for_the_next_turn(self, bench):
        await self.fail(bench)
        assert self.refused(bench) == Refused(self.INVALID.message, NOON + 10)

    async def test_are_waited_for_twice_as_long_each_time(self, bench):
        for wait in (10, 20, 40, 80, 160, 300, 300):
            await self.fail(bench)
            assert self.refused(bench) == Refused(self.INVALID.message, bench.now + wait)
            bench.now += wait

    async def test_are_forgotten_when_a_pod_is_taken(self, bench):
        await self.fail(bench)
        bench.refuse("nothing", self.INVALID)
        await bench.carry_out(turn(launches=(launch(),)))
        assert self.refused(bench) is None

    async def test_are_forgotten_when_the_spec_changes(self, bench):
        await self.fail(bench)
        assert self.refused(bench, generation=2) is None


class TestStops:
    async def test_a_pod_is_deleted_and_seen_to_leave_at_once(self, bench):
        running = bench.api.put(PODS, launch().pod)
        bench.cache.catch_up()
        await bench.carry_out(turn(stops=(Stop("web-x-0-0", running["metadata"]["uid"], "scaled down"),)))
        (seen,) = bench.view.seen(framework("web"), NOON).pods
        assert seen.leaving
        assert bench.count("tender_stops_total") == 1

    async def test_a_later_pod_of_the_name_is_left_alone(self, bench):
        bench.api.put(PODS, launch().pod)
        await bench.carry_out(turn(stops=(Stop("web-x-0-0", "an-earlier-one", "scaled down"),)))
        assert bench.api.writes == []

    async def test_one_that_is_gone_is_as_good_as_stopped(self, bench):
        await bench.carry_out(turn(stops=(Stop("web-x-0-0", "uid", "scaled down"),)))
        assert bench.count("tender_stops_total") == 0


class TestOneFailure:
    async def test_does_not_keep_the_rest_of_the_turn_from_being_done(self, bench):
        running = bench.api.put(PODS, launch("web-old").pod)
        bench.refuse("create", Forbidden(403, "Forbidden", "no"))
        with pytest.raises(Forbidden):
            await bench.carry_out(
                turn(
                    answers=(CLAIM,),
                    launches=(launch(),),
                    stops=(Stop("web-old", running["metadata"]["uid"], "scaled down"),),
                    status=STATUS,
                )
            )
        assert [verb for verb, *_ in bench.api.writes] == ["patch", "delete", "apply"]

    async def test_of_one_launch_does_not_stop_the_others(self, bench):
        bench.client.refuse = lambda verb, kind, name: Conflict(409, "", "no") if name == "web-x-0-1" else None
        with pytest.raises(Conflict):
            await bench.carry_out(turn(launches=tuple(launch(f"web-x-0-{number}") for number in range(3))))
        assert bench.api.created_names == ["web-x-0-0", "web-x-0-2"]


class TestStatus:
    """News are written at once; mere figures at most every five seconds."""

    def written(self, bench: Bench) -> int:
        return sum(verb == "apply" for verb, *_ in bench.api.writes)

    async def test_is_written_and_known_at_once(self, bench):
        assert await bench.carry_out(turn(status=STATUS)) is None
        known = bench.view.framework("shop/web")
        assert known is not None
        assert known.status.replicas == 3

    async def test_is_not_written_again_when_nothing_is_new(self, bench):
        await bench.carry_out(turn(status=STATUS))
        bench.now += 3600
        assert await bench.carry_out(turn(status=STATUS)) is None
        assert self.written(bench) == 1

    async def test_what_the_master_writes_is_neither_compared_nor_touched(self, bench):
        await bench.carry_out(turn(status=STATUS))
        manifest = bench.api.objects[FRAMEWORKS]["web"]
        allocation = {"dominantShare": "0.5"}
        bench.api.put(FRAMEWORKS, {**manifest, "status": {**manifest["status"], "allocation": allocation}})
        bench.cache.catch_up()
        await bench.carry_out(turn(status=STATUS))
        assert self.written(bench) == 1

    async def test_a_figure_waits_until_the_interval_is_over_and_says_when_that_is(self, bench):
        await bench.carry_out(turn(status=STATUS))
        bench.now += 2
        due = await bench.carry_out(turn(status={**STATUS, "replicas": 4}))
        assert (due, self.written(bench)) == (NOON + 5, 1)
        bench.now = due
        assert await bench.carry_out(turn(status={**STATUS, "replicas": 4})) is None
        assert self.written(bench) == 2

    @pytest.mark.parametrize(
        "news",
        [
            {"demand": []},
            {"revision": "r2"},
            {"observedGeneration": 2},
            {"backoff": {"failures": 1, "until": "2026-05-01T12:00:01.5Z"}},
            {
                "conditions": [
                    {
                        "type": "Ready",
                        "status": "True",
                        "reason": "AsSpecified",
                        "message": "all is well",
                        "lastTransitionTime": "2026-05-01T12:00:00Z",
                    }
                ]
            },
        ],
    )
    async def test_news_do_not_wait(self, bench, news):
        await bench.carry_out(turn(status=STATUS))
        assert await bench.carry_out(turn(status={**STATUS, **news})) is None
        assert self.written(bench) == 2

    async def test_of_a_framework_that_was_forgotten_does_not_wait_for_what_was_written_before(self, bench):
        await bench.carry_out(turn(status=STATUS))
        bench.executor.forget("shop/web")
        await bench.carry_out(turn(status={**STATUS, "replicas": 4}))
        assert self.written(bench) == 2

    async def test_of_a_framework_that_is_gone_is_nobody_s_loss(self, bench):
        bench.api.remove(FRAMEWORKS, "web")
        assert await bench.carry_out(turn(status=STATUS)) is None
