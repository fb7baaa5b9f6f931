"""Turns carried out: what is written, what is not, and what becomes of a write that fails."""

from collections.abc import Mapping
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry
from tests.builders import NOON, claim_of, demand, framework, offer, owner_of, pod_spec
from tests.unit.memory import MemoryApi, MemoryClient, cache_of

from tender.api.names import MANAGER_SERVICE
from tender.cluster.client import Client
from tender.cluster.errors import AlreadyExists, ApiError, Conflict, Forbidden, Invalid, NotFound
from tender.cluster.resources import (
    CONFIG_MAPS,
    CONTROLLER_REVISIONS,
    FRAMEWORKS,
    PODS,
    RESERVATIONS,
    RESOURCE_OFFERS,
    SERVICES,
    VOLUME_CLAIMS,
    Resource,
)
from tender.controller.executor import Executor
from tender.controller.metrics import ControllerMetrics
from tender.controller.view import View
from tender.frameworks.sdk import Answer, Claim, Decline, Launch, Refused, Remove, Seen, Stop, Turn

NAME = "web-bcdfghjk"
CLAIM = Claim(NAME, (claim_of(a=1),))
STATUS = {"observedGeneration": 1, "replicas": 3, "conditions": []}


def turn(
    *,
    answers: tuple[Answer, ...] = (),
    launches: tuple[Launch, ...] = (),
    stops: tuple[Stop, ...] = (),
    status: Mapping[str, Any] | None = None,
    keep: tuple[Mapping[str, Any], ...] = (),
    remove: tuple[Remove, ...] = (),
) -> Turn:
    return Turn(answers, launches, stops, status or {}, (), None, keep, remove)


def launch(name: str = "web-x-0-0", *, offer: str = NAME) -> Launch:
    metadata = {"name": name, "namespace": "shop", "ownerReferences": [owner_of("web")]}
    return Launch(offer, {"metadata": metadata, "spec": pod_spec(nodeName="node-1")})


def kept(kind: Resource, name: str = "web-kept", **fields: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "shop", "ownerReferences": [owner_of("web")]}
    return {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata, **fields}


PLACE = kept(RESERVATIONS, spec={"role": "shops", "node": "node-1", "resources": {"cpu": "1"}})
SETTINGS = kept(CONFIG_MAPS, data={"a": "1"})
VERSION = kept(CONTROLLER_REVISIONS, revision=1, data={"spec": {}})
KEPT_AS = {"ConfigMap": (CONFIG_MAPS, "config_maps"), "ControllerRevision": (CONTROLLER_REVISIONS, "revisions")}


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

    @property
    def seen(self) -> Seen:
        return self.view.seen(framework("web"), self.now)

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


class TestLaunchesIntoAReservation:
    """The pod has a name of its own, and no claim stands for it."""

    async def test_are_created_and_seen_at_once_and_nothing_is_noted_of_a_claim(self, bench):
        await bench.carry_out(turn(launches=(launch("db-node-0", offer=""),)))
        assert [one.metadata.name for one in bench.seen.pods] == ["db-node-0"]
        assert bench.seen.launched == frozenset()

    async def test_find_what_an_earlier_try_has_made(self, bench):
        bench.api.put(PODS, launch("db-node-0", offer="").pod)
        await bench.carry_out(turn(launches=(launch("db-node-0", offer=""),)))
        assert [one.metadata.name for one in bench.seen.pods] == ["db-node-0"]

    async def test_are_tried_again_while_somebody_else_has_a_pod_of_that_name(self, bench):
        bench.api.put(PODS, {"metadata": {"name": "db-node-0", "namespace": "shop"}, "spec": pod_spec()})
        with pytest.raises(AlreadyExists):
            await bench.carry_out(turn(launches=(launch("db-node-0", offer=""),)))
        assert bench.seen.pods == ()

    async def test_are_tried_again_when_it_has_gone_at_that_moment(self, bench):
        bench.api.put(PODS, launch("db-node-0", offer="").pod)
        bench.refuse("get", NotFound(404, "NotFound", "gone"))
        with pytest.raises(AlreadyExists):
            await bench.carry_out(turn(launches=(launch("db-node-0", offer=""),)))


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

    async def test_that_forgets_a_pod_whose_node_does_not_answer_leaves_nothing(self, bench):
        leaving = {**launch().pod["metadata"], "deletionTimestamp": "2026-05-01T11:00:00Z"}
        running = bench.api.put(PODS, {**launch().pod, "metadata": leaving})
        bench.cache.catch_up()
        await bench.carry_out(turn(stops=(Stop("web-x-0-0", running["metadata"]["uid"], "lost", grace_seconds=0),)))
        assert bench.api.objects[PODS] == {}
        assert bench.seen.pods == ()


class TestWhatIsKept:
    @pytest.mark.parametrize(
        ("manifest", "field"),
        [
            (PLACE, "reservations"),
            (kept(VOLUME_CLAIMS, spec={"volumeName": "disk"}), "volume_claims"),
            (SETTINGS, "config_maps"),
            (VERSION, "revisions"),
            (kept(SERVICES, spec={"type": "ClusterIP"}), "services"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    async def test_is_applied_and_seen_at_once(self, bench, manifest, field):
        await bench.carry_out(turn(keep=(manifest,)))
        assert [write[1:] for write in bench.api.writes] == [(manifest["kind"], "web-kept")]
        (seen,) = getattr(bench.seen, field)
        assert (seen.metadata.name, seen.metadata.resource_version) == ("web-kept", "3")
        bench.cache.catch_up()
        assert getattr(bench.seen, field) == (seen,)

    async def test_is_changed_when_it_is_there_already(self, bench):
        bench.api.put(CONFIG_MAPS, kept(CONFIG_MAPS, data={"a": "0"}))
        bench.cache.catch_up()
        await bench.carry_out(turn(keep=(SETTINGS,)))
        (seen,) = bench.seen.config_maps
        assert seen.data == {"a": "1"}

    async def test_is_created_without_looking_first_if_nothing_is_ever_taken_from_it(self, bench):
        bench.refuse("get", Forbidden(403, "Forbidden", "nobody has to look"))
        await bench.carry_out(turn(keep=(VERSION,)))
        assert bench.api.writes == [("create", "ControllerRevision", "web-kept")]

    async def test_may_get_another_number_if_it_is_a_version(self, bench):
        bench.api.put(CONTROLLER_REVISIONS, VERSION)
        bench.cache.catch_up()
        await bench.carry_out(turn(keep=({**VERSION, "revision": 3},)))
        (seen,) = bench.seen.revisions
        assert seen.revision == 3

    @pytest.mark.parametrize("manifest", [SETTINGS, VERSION], ids=lambda manifest: manifest["kind"])
    async def test_that_an_earlier_try_has_written_is_found_as_ours(self, bench, manifest):
        resource, field = KEPT_AS[manifest["kind"]]
        bench.api.put(resource, manifest)
        await bench.carry_out(turn(keep=(manifest,)))
        assert len(getattr(bench.seen, field)) == 1

    @pytest.mark.parametrize("manifest", [SETTINGS, VERSION], ids=lambda manifest: manifest["kind"])
    async def test_never_takes_over_what_belongs_to_somebody_else(self, bench, manifest):
        resource, _ = KEPT_AS[manifest["kind"]]
        metadata = {"name": "web-kept", "namespace": "shop"}
        theirs = bench.api.put(resource, {"metadata": metadata, "data": {"by": "hand"}})
        with pytest.raises(AlreadyExists, match="does not belong to framework web"):
            await bench.carry_out(turn(keep=(manifest,), launches=(launch(),)))
        assert bench.api.objects[resource]["web-kept"] == theirs
        assert bench.api.created_names == []

    async def test_the_answers_and_the_status_are_written_before_anything_else(self, bench):
        running = bench.api.put(PODS, launch("web-old").pod)
        place = bench.api.put(RESERVATIONS, {**PLACE, "metadata": {**PLACE["metadata"], "name": "web-former"}})
        await bench.carry_out(
            turn(
                answers=(CLAIM,),
                keep=(PLACE, SETTINGS),
                launches=(launch(),),
                stops=(Stop("web-old", running["metadata"]["uid"], "scaled down"),),
                remove=(Remove("Reservation", "web-former", place["metadata"]["uid"], "given up"),),
                status=STATUS,
            )
        )
        kinds = [(verb, kind) for verb, kind, _ in bench.api.writes]
        assert set(kinds[:4]) == {
            ("patch", "ResourceOffer"),
            ("apply", "Framework"),
            ("apply", "Reservation"),
            ("apply", "ConfigMap"),
        }
        assert set(kinds[4:]) == {("create", "Pod"), ("delete", "Pod"), ("delete", "Reservation")}

    async def test_that_cannot_be_written_holds_back_launches_stops_and_removals_and_nothing_else(self, bench):
        running = bench.api.put(PODS, launch("web-old").pod)
        place = bench.api.put(RESERVATIONS, {**PLACE, "metadata": {**PLACE["metadata"], "name": "web-former"}})
        refusal = Forbidden(403, "Forbidden", "exceeded quota: configmaps")
        bench.client.refuse = lambda _, kind, name: refusal if kind is CONFIG_MAPS else None
        with pytest.raises(Forbidden, match="configmaps"):
            await bench.carry_out(
                turn(
                    answers=(CLAIM,),
                    keep=(PLACE, SETTINGS),
                    launches=(launch(),),
                    stops=(Stop("web-old", running["metadata"]["uid"], "scaled down"),),
                    remove=(Remove("Reservation", "web-former", place["metadata"]["uid"], "given up"),),
                    status=STATUS,
                )
            )
        assert {(verb, kind) for verb, kind, _ in bench.api.writes} == {
            ("patch", "ResourceOffer"),
            ("apply", "Reservation"),
            ("apply", "Framework"),
        }

    async def test_does_not_wait_for_an_answer_that_fails(self, bench):
        bench.refuse("patch", Invalid(422, "Invalid", "no"))
        with pytest.raises(Invalid):
            await bench.carry_out(turn(answers=(CLAIM,), keep=(PLACE,), launches=(launch(),)))
        assert [verb for verb, *_ in bench.api.writes] == ["apply", "create"]

    async def test_is_of_a_kind_that_frameworks_may_have(self, bench):
        with pytest.raises(ValueError, match="framework web: its plan keeps or removes a Secret"):
            await bench.carry_out(turn(keep=({"kind": "Secret", "metadata": {"name": "web"}},), status=STATUS))
        assert [kind for _, kind, _ in bench.api.writes] == ["Framework"]

    async def test_is_of_a_kind_that_the_controller_follows(self, bench):
        view = View(lambda _: None, follows=(CONFIG_MAPS,))
        executor = Executor(
            cast("Client", bench.client), view, bench.metrics, manager="mine", status_interval=5.0, clock=lambda: NOON
        )
        with pytest.raises(ValueError, match="a Reservation, which this controller does not follow"):
            await executor.carry_out(framework("web"), turn(keep=(PLACE,)))
        assert bench.api.writes == []


class TestRemovals:
    async def remove(self, bench: Bench, manifest: Mapping[str, Any], uid: str | None = None) -> None:
        resource = {RESERVATIONS.kind: RESERVATIONS, VOLUME_CLAIMS.kind: VOLUME_CLAIMS}[manifest["kind"]]
        known = bench.api.put(resource, manifest)
        bench.cache.catch_up()
        remove = Remove(manifest["kind"], "web-kept", uid or known["metadata"]["uid"], "given up")
        await bench.carry_out(turn(remove=(remove,)))

    async def test_take_an_object_away_and_out_of_view_at_once(self, bench):
        await self.remove(bench, PLACE)
        assert bench.api.objects[RESERVATIONS] == {}
        assert bench.seen.reservations == ()

    async def test_leave_a_later_object_of_the_name_alone(self, bench):
        await self.remove(bench, PLACE, uid="an-earlier-one")
        assert bench.api.writes == []
        assert len(bench.seen.reservations) == 1

    async def test_of_what_is_gone_already_are_done(self, bench):
        bench.refuse("delete", NotFound(404, "NotFound", "gone"))
        await self.remove(bench, PLACE)
        assert bench.seen.reservations == ()

    async def test_of_a_volume_claim_that_is_in_use_are_seen_to_be_under_way(self, bench):
        volume = {"name": "data", "persistentVolumeClaim": {"claimName": "web-kept"}}
        bench.api.put(PODS, {**launch().pod, "spec": pod_spec(volumes=[volume])})
        await self.remove(bench, kept(VOLUME_CLAIMS, spec={}))
        (seen,) = bench.seen.volume_claims
        assert seen.metadata.deletion_timestamp is not None
        bench.api.remove(PODS, "web-x-0-0")
        bench.cache.catch_up()
        assert bench.seen.volume_claims == ()


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
        assert {verb for verb, *_ in bench.api.writes} == {"patch", "delete", "apply"}

    async def test_of_one_launch_does_not_stop_the_others(self, bench):
        bench.client.refuse = lambda verb, kind, name: Conflict(409, "", "no") if name == "web-x-0-1" else None
        with pytest.raises(Conflict):
            await bench.carry_out(turn(launches=tuple(launch(f"web-x-0-{number}") for number in range(3))))
        assert bench.api.created_names == ["web-x-0-0", "web-x-0-2"]


class TestStatus:
    """News are written at once; mere figures with them, or when they have differed for five seconds."""

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

    async def test_a_figure_waits_for_the_interval_and_says_until_when(self, bench):
        await bench.carry_out(turn(status=STATUS))
        bench.now += 60
        due = await bench.carry_out(turn(status={**STATUS, "replicas": 4}))
        assert (due, self.written(bench)) == (NOON + 65, 1)
        bench.now = due
        assert await bench.carry_out(turn(status={**STATUS, "replicas": 4})) is None
        assert self.written(bench) == 2

    async def test_figures_that_go_on_changing_wait_no_longer_than_the_first(self, bench):
        await bench.carry_out(turn(status=STATUS))
        for replicas in (4, 5, 6):
            assert await bench.carry_out(turn(status={**STATUS, "replicas": replicas})) == NOON + 5
            bench.now += 1

    async def test_a_figure_that_is_again_what_it_was_is_not_written(self, bench):
        await bench.carry_out(turn(status=STATUS))
        await bench.carry_out(turn(status={**STATUS, "replicas": 4}))
        assert await bench.carry_out(turn(status=STATUS)) is None
        bench.now += 60
        assert await bench.carry_out(turn(status={**STATUS, "replicas": 2})) == NOON + 65
        assert self.written(bench) == 1

    async def test_figures_go_with_the_next_news(self, bench):
        await bench.carry_out(turn(status=STATUS))
        await bench.carry_out(turn(status={**STATUS, "replicas": 4}))
        assert await bench.carry_out(turn(status={**STATUS, "replicas": 4, "revision": "r2"})) is None
        assert (self.written(bench), bench.api.read(FRAMEWORKS)["web"].status.replicas) == (2, 4)

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

    async def test_why_it_is_still_reconciling_waits_like_a_figure(self, bench):
        def reconciling(reason: str) -> dict[str, Any]:
            states = {"Ready": "False", "Reconciling": "True", "Stalled": "False"}
            since = "2026-05-01T12:00:00Z"
            conditions = [
                {"type": name, "status": status, "reason": reason, "message": "soon", "lastTransitionTime": since}
                for name, status in states.items()
            ]
            return {**STATUS, "conditions": conditions}

        await bench.carry_out(turn(status=reconciling("Launching")))
        assert await bench.carry_out(turn(status=reconciling("Starting"))) == NOON + 5
        assert self.written(bench) == 1

    async def test_of_a_framework_that_was_forgotten_does_not_go_by_what_differed_before(self, bench):
        await bench.carry_out(turn(status=STATUS))
        await bench.carry_out(turn(status={**STATUS, "replicas": 4}))
        bench.executor.forget("shop/web")
        bench.now += 5
        assert await bench.carry_out(turn(status={**STATUS, "replicas": 4})) == NOON + 10

    async def test_of_a_framework_that_is_gone_is_nobody_s_loss(self, bench):
        bench.api.remove(FRAMEWORKS, "web")
        assert await bench.carry_out(turn(status=STATUS)) is None


class TestAChangedDemand:
    """It has the master look at everything anew, and ends all refusals: 20 at once, then one a second."""

    def status(self, count: int) -> dict[str, Any]:
        return {**STATUS, "demand": [demand(count=count)]}

    def declared(self, bench: Bench) -> int | None:
        (one,) = bench.api.read(FRAMEWORKS)["web"].status.demand
        return int(one.count)

    async def spend(self, bench: Bench, changes: int = 20) -> None:
        for count in range(changes + 1):
            assert await bench.carry_out(turn(status=self.status(count))) is None

    async def test_is_written_at_once_up_to_twenty_times(self, bench):
        await self.spend(bench)
        assert self.declared(bench) == 20

    async def test_waits_then_and_says_until_when(self, bench):
        await self.spend(bench)
        due = await bench.carry_out(turn(status=self.status(99)))
        assert (due, self.declared(bench)) == (NOON + 1, 20)
        bench.now = due
        assert await bench.carry_out(turn(status=self.status(99))) is None
        assert self.declared(bench) == 99

    async def test_waits_no_longer_than_a_second_for_each(self, bench):
        await self.spend(bench)
        for count in range(100, 110):
            due = await bench.carry_out(turn(status=self.status(count)))
            assert due == bench.now + 1
            bench.now = due
            assert await bench.carry_out(turn(status=self.status(count))) is None

    async def test_is_free_again_after_a_rest(self, bench):
        await self.spend(bench)
        bench.now += 20
        await self.spend(bench, changes=19)

    async def test_does_not_keep_other_news_waiting_that_change_nothing_of_it(self, bench):
        await self.spend(bench)
        assert await bench.carry_out(turn(status={**self.status(20), "revision": "r2"})) is None
        assert bench.api.read(FRAMEWORKS)["web"].status.revision == "r2"

    async def test_of_another_framework_is_not_held_back(self, bench):
        await self.spend(bench)
        bench.api.put(FRAMEWORKS, framework("db", status={"demand": []}).manifest())
        bench.cache.catch_up()
        other = bench.view.framework("shop/db")
        assert await bench.executor.carry_out(other, turn(status=self.status(1))) is None

    async def test_that_is_the_same_in_other_words_is_none(self, bench):
        await self.spend(bench)
        same = demand(count=20, requests={"cpu": "0.5", "memory": "131072Ki"})
        bench.now += 5
        assert await bench.carry_out(turn(status={**STATUS, "demand": [same], "replicas": 4})) is None
