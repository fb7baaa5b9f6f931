"""The master as a whole: demand is offered, answers are heard, and what the API server refuses is not insisted on."""

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import pytest
from tests.builders import NOON, demand, external, node, offer, owner_of, pod_spec, role, slice_on
from tests.unit.figures import series
from tests.unit.master.bench import Master
from tests.unit.memory import MemoryApi

from tender.allocation import Grant, Reason, run_cycle
from tender.api.meta import MOST_DEMANDS
from tender.api.offer import ResourceOffer
from tender.cluster.errors import ApiError, Forbidden, NotFound, Unreachable
from tender.cluster.resources import FRAMEWORK_ROLES, FRAMEWORKS, PODS, RESOURCE_OFFERS, Resource
from tender.master import loop, offering
from tender.master.conduct import DEMAND_BURST
from tender.master.executor import REMOVALS_AT_ONCE

DECLINED = {"phase": "Declined", "refuseSeconds": 120, "answeredAt": "2026-05-01T12:00:00Z"}


class Bench:
    """An API server with the framework spark, which wants three tasks of 500m, and a master."""

    def __init__(self, tasks: asyncio.TaskGroup, nodes: int) -> None:
        self.now = NOON
        self.nodes = nodes
        self.tasks = tasks
        self.refusals: dict[str, ApiError] = {}
        self.api = MemoryApi()
        self.put_framework()
        self.master = self.start()

    def start(self) -> Master:
        """A master that has just started."""
        return Master(self.api, self.tasks, lambda: self.now, nodes=self.nodes, refuse=self.refuse)

    def refuse(self, verb: str, kind: Resource, name: str) -> ApiError | None:
        return self.refusals.get(verb)

    def put_framework(self, count: int = 3, **fields: Any) -> None:
        self.api.put(FRAMEWORKS, external(demand=[demand("a", count)], **fields).manifest())

    async def tick(self, seconds: float = 0) -> None:
        self.now += seconds
        await self.master.tick()

    @property
    def offers(self) -> list[ResourceOffer]:
        return list(self.api.read(RESOURCE_OFFERS).values())

    def answer(self, **status: Any) -> None:
        """The framework answers its only offer."""
        (present,) = self.api.objects[RESOURCE_OFFERS].values()
        self.api.put(RESOURCE_OFFERS, {**present, "status": status})

    def claim_all(self) -> list[dict[str, Any]]:
        """The framework claims all of its only offer; the manifests of the pods that it may create."""
        (one,) = self.offers
        parts = list(enumerate(one.spec.slices))
        self.answer(
            phase="Claimed",
            claims=[{"slice": index, "resources": dict(part.resources), "tasks": part.tasks} for index, part in parts],
        )
        labels = {"tender.dev/offer": one.metadata.name, "tender.dev/task": "a"}
        return [
            {
                "metadata": {
                    "name": f"spark-{index}-{number}",
                    "namespace": "shop",
                    "labels": labels,
                    "ownerReferences": [owner_of("spark")],
                },
                "spec": pod_spec(nodeName=part.node),
            }
            for index, part in parts
            for number in range(part.tasks["a"])
        ]

    def count(self, name: str, **labels: str) -> float:
        return self.master.count(name, **labels)


@asynccontextmanager
async def bench(nodes: int = 3) -> AsyncIterator[Bench]:
    async with asyncio.TaskGroup() as tasks:
        yield Bench(tasks, nodes)


def tasks_in(offers: list[ResourceOffer]) -> int:
    return sum(part.tasks.get("a", 0) for one in offers for part in one.spec.slices)


class TestOffers:
    async def test_demand_is_offered_once(self):
        async with bench() as it:
            await it.tick()
            await it.tick(1)
            assert (len(it.offers), tasks_in(it.offers)) == (1, 3)
            assert it.count("tender_offers_total", outcome="made") == 1

    async def test_a_claim_is_followed_by_no_further_offer_and_goes_when_its_pods_run(self):
        async with bench() as it:
            await it.tick()
            pods = it.claim_all()
            await it.tick(1)
            assert [one.status.phase for one in it.offers] == ["Claimed"]
            for manifest in pods:
                it.api.put(PODS, manifest)
            await it.tick(1)
            assert it.offers == []
            await it.tick(1)
            assert it.offers == []

    async def test_a_pod_that_is_lost_is_offered_for_again_without_a_word_from_the_framework(self):
        async with bench() as it:
            await it.tick()
            for manifest in it.claim_all():
                it.api.put(PODS, manifest)
            await it.tick(1)
            it.api.remove(PODS, "spark-0-0")
            await it.tick(1)
            assert tasks_in(it.offers) == 1

    async def test_what_was_claimed_and_never_launched_is_offered_again_and_counted(self):
        async with bench() as it:
            await it.tick()
            it.claim_all()
            await it.tick(1)
            await it.tick(61)
            assert it.count("tender_launches_missed_total") == 3
            await it.tick(1)
            assert [one.status.phase for one in it.offers] == ["Offered"]

    async def test_a_refusal_holds_until_it_ends(self):
        async with bench(nodes=1) as it:
            await it.tick()
            it.answer(**DECLINED)
            await it.tick(60)
            assert [one.status.phase for one in it.offers] == ["Declined"]
            await it.tick(61)
            await it.tick(1)
            assert [one.status.phase for one in it.offers] == ["Offered"]

    async def test_a_refusal_ends_when_the_demand_changes(self):
        async with bench(nodes=1) as it:
            await it.tick()
            it.answer(**DECLINED)
            await it.tick(1)
            it.put_framework(count=4)
            await it.tick(1)
            await it.tick(1)
            assert [(one.status.phase, tasks_in([one])) for one in it.offers] == [("Offered", 4)]

    async def test_an_offer_that_nobody_answers_expires_and_people_are_told(self):
        async with bench() as it:
            await it.tick()
            await it.tick(61)
            assert [one.status.phase for one in it.offers] == ["Expired"]
            assert [reason for _, reason, _ in it.master.recorder.events] == ["OfferExpired"]
            assert it.count("tender_offers_total", outcome="expired") == 1

    async def test_offers_of_a_framework_that_is_gone_are_removed(self):
        async with bench() as it:
            await it.tick()
            it.api.remove(FRAMEWORKS, "spark")
            assert it.count("tender_offers_total", framework="spark", outcome="made") == 1
            await it.tick(1)
            assert it.offers == []
            assert series(it.master.metrics.registry, "tender_offers_total") == {}

    async def test_offers_on_a_node_that_goes_are_rescinded(self):
        async with bench() as it:
            await it.tick()
            for part in it.offers[0].spec.slices:
                it.master.facts.node_changed(node(part.node), node(part.node, cordoned=True))
            await it.tick(1)
            assert "Rescinded" in [one.status.phase for one in it.offers]
            assert series(it.master.metrics.registry, "tender_offers_rescinded_total") == {
                ("room",): 1,
                ("role",): 0,
                ("left",): 0,
                ("succeeded",): 0,
            }

    async def test_the_time_until_an_answer_is_told(self):
        async with bench() as it:
            await it.tick()
            it.now += 7
            it.claim_all()
            await it.tick(1)
            assert it.count("tender_offer_answer_seconds_sum", answer="claimed") == 8
            assert it.count("tender_offer_answer_seconds_count") == 1

    async def test_a_claim_that_was_faster_than_the_master_stands(self):
        async with bench() as it:
            await it.tick()
            (part, *_) = it.offers[0].spec.slices
            it.master.facts.node_changed(node(part.node), node(part.node, cordoned=True))
            it.claim_all()
            it.master.loop.tick()
            await it.master.settle()
            assert [one.status.phase for one in it.offers] == ["Claimed"]
            known = it.master.facts.offers.objects[f"shop/{it.offers[0].metadata.name}"]
            assert known.status.phase == "Claimed"


class TestAFrameworkNoOfferCanBeMadeTo:
    async def test_holds_up_nobody_else(self, monkeypatch: pytest.MonkeyPatch):
        def make_offers(grants: Iterable[Grant], *rest: Any) -> list[ResourceOffer]:
            granted = list(grants)
            if granted[0].framework == "shop/spark":
                raise ValueError("too much for one offer")
            return offering.make_offers(granted, *rest)

        monkeypatch.setattr(loop, "make_offers", make_offers)
        async with bench() as it:
            it.api.put(FRAMEWORKS, external("other", demand=[demand("a", 1)]).manifest())
            await it.tick()
            assert [one.spec.framework for one in it.offers] == ["other"]
            await it.tick(1)
            [why] = it.master.loop.latest.not_offered["shop/spark"]
            assert "trying again soon" in why.message

    async def test_is_not_one_that_demands_as_many_shapes_as_it_may(self):
        async with bench(nodes=1) as it:
            entries = [demand(f"task-{number}", 1, requests={"cpu": "10m"}) for number in range(MOST_DEMANDS)]
            it.api.put(FRAMEWORKS, external(demand=entries).manifest())
            await it.tick()
            assert sum(len(part.tasks) for one in it.offers for part in one.spec.slices) > 64


class TestAFrameworkThatAsksTooMuch:
    """It is slowed down, the longer the more, until it behaves."""

    async def test_is_offered_nothing_for_a_while_when_it_claims_again_and_again_what_it_does_not_launch(self):
        async with bench() as it:
            await it.tick()
            for _ in range(2):
                it.claim_all()
                await it.tick(1)
                await it.tick(61)
                await it.tick(1)
            assert it.offers == []
            [why] = it.master.loop.latest.not_offered["shop/spark"]
            assert why.reason == Reason.THROTTLED
            assert "launched nothing of them within 60 s" in why.message
            await it.tick(10)
            assert [one.status.phase for one in it.offers] == ["Offered"]

    async def test_is_served_as_before_once_it_has_launched(self):
        async with bench() as it:
            for _ in range(2):
                await it.tick()
                pods = it.claim_all()
                await it.tick(1)
                await it.tick(61)
                await it.tick(1)
            await it.tick(10)
            pods = it.claim_all()
            await it.tick(1)
            it.api.put(PODS, pods[0])
            await it.tick(1)
            it.api.remove(PODS, pods[0]["metadata"]["name"])
            await it.tick(61)
            await it.tick(1)
            assert tasks_in(it.offers) == 3

    async def test_finds_what_it_declines_for_no_time_refused_for_longer_and_longer(self):
        async with bench(nodes=1) as it:
            await it.tick()
            offered = 0
            for _ in range(200):
                if it.offers and it.offers[0].status.phase == "Offered":
                    offered += 1
                    it.answer(phase="Declined", refuseSeconds=0)
                await it.tick(0.1)
            assert 10 < offered < 20
            assert {reason for reason, count in it.master.book.throttle.counts().items() if count} == {
                "OffersDeclinedAtOnce"
            }

    async def test_cannot_shorten_that_by_answering_as_if_long_ago(self):
        async with bench(nodes=1) as it:
            await it.tick()
            offered = 0
            for _ in range(200):
                if it.offers and it.offers[0].status.phase == "Offered":
                    offered += 1
                    it.answer(phase="Declined", refuseSeconds=1, answeredAt="1999-01-01T00:00:00Z")
                await it.tick(0.1)
            assert offered < 20

    async def test_has_its_demand_taken_up_once_a_second_when_it_changes_a_hundred_times(self):
        async with bench(nodes=1) as it:
            await it.tick()
            taken = set()
            for number in range(500):
                it.put_framework(1 + number)
                await it.tick(0.01)
                demand = it.master.ledger.frameworks["shop/spark"].demand
                assert demand is not None
                taken.add(demand[0].count)
            assert len(taken) in range(DEMAND_BURST, DEMAND_BURST + 8)
            await it.tick(1)
            demand = it.master.ledger.frameworks["shop/spark"].demand
            assert demand is not None
            assert demand[0].count == 500

    async def test_is_deleted_or_changed_in_its_spec_at_once_all_the_same(self):
        async with bench(nodes=1) as it:
            for number in range(100):
                it.put_framework(1 + number)
                await it.tick(0.01)
            it.put_framework(1000, generation=2, role="shops")
            await it.tick(0.01)
            assert it.master.ledger.frameworks["shop/spark"].role == "shops"
            it.api.remove(FRAMEWORKS, "spark")
            await it.tick(0.01)
            assert "shop/spark" not in it.master.ledger.frameworks


class TestRemovals:
    """Nobody waits for them, so few are made at once."""

    @pytest.fixture
    def deletions(self) -> list[str]:
        return []

    @asynccontextmanager
    async def four_due(self, deletions: list[str], monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
        """A master that has begun to remove four offers; no deletion is answered inside."""
        answered = asyncio.Event()

        async def delete(kind: Resource, name: str, **_: object) -> None:
            deletions.append(name)
            await answered.wait()

        async with bench() as it:
            monkeypatch.setattr(it.master.client, "delete", delete)
            for number in range(4):
                it.api.put(RESOURCE_OFFERS, offer(name=f"gone-{number}", of="gone").manifest())
            await it.tick()
            yield it
            answered.set()
            await it.master.settle()

    async def test_are_made_by_turns_and_hold_up_no_offer(self, deletions, monkeypatch):
        async with self.four_due(deletions, monkeypatch) as it:
            assert len(deletions) == REMOVALS_AT_ONCE
            assert tasks_in(it.offers) == 3
        assert len(deletions) == 4

    async def test_hold_up_the_end_of_the_master_no_longer_than_those_under_way(self, deletions, monkeypatch):
        async with self.four_due(deletions, monkeypatch) as it:
            it.master.executor.end()
        assert len(deletions) == REMOVALS_AT_ONCE


class TestRestart:
    async def test_a_new_master_offers_nothing_that_is_on_offer_claimed_or_refused_already(self):
        for status in ({}, DECLINED):
            async with bench() as it:
                await it.tick()
                if status:
                    it.answer(**status)
                it.master = it.start()
                await it.tick(1)
                assert len(it.offers) == 1

    @pytest.mark.parametrize("status", [DECLINED, {"phase": "Expired", "answeredAt": "2026-05-01T12:00:00Z"}])
    async def test_a_new_master_notices_that_the_demand_has_changed_since_an_offer_was_refused(self, status):
        async with bench(nodes=1) as it:
            await it.tick()
            it.answer(**status)
            await it.tick(1)
            it.put_framework(count=4)
            it.master = it.start()
            await it.tick(1)
            await it.tick(0.02)
            assert [(one.status.phase, tasks_in([one])) for one in it.offers] == [("Offered", 4)]

    async def test_a_new_master_does_not_take_figures_for_a_change_of_the_demand(self):
        async with bench(nodes=1) as it:
            await it.tick()
            it.answer(**DECLINED)
            (present,) = it.api.objects[FRAMEWORKS].values()
            it.api.put(FRAMEWORKS, {**present, "status": {**present["status"], "replicas": 7}})
            it.master = it.start()
            await it.tick(1)
            await it.tick(1)
            assert [one.status.phase for one in it.offers] == ["Declined"]

    async def test_a_new_master_finds_claims_and_pods_where_the_old_one_left_them(self):
        async with bench() as it:
            await it.tick()
            pods = it.claim_all()
            it.api.put(PODS, pods[0])
            it.master = it.start()
            await it.tick(1)
            assert [one.status.phase for one in it.offers] == ["Claimed"]
            assert it.master.ledger.held("shop/spark")["cpu"] == 1500


class TestRefusedWrites:
    async def test_a_framework_whose_offers_are_refused_rests_although_it_is_written_to_meanwhile(self):
        async with bench() as it:
            it.refusals["create"] = Forbidden(403, "Forbidden", "exceeded quota: resourceoffers")
            await it.tick()
            assert it.master.executor.failed == {"shop/spark"}
            await it.tick(1)
            assert "refused an offer" in it.master.ledger.frameworks["shop/spark"].inactive
            del it.refusals["create"]
            it.put_framework()
            await it.tick(5)
            assert it.offers == []
            await it.tick(6)
            assert len(it.offers) == 1

    async def test_an_offer_whose_creation_nobody_knows_of_is_charged_until_the_census(self):
        async with bench() as it:
            it.refusals["create"] = Unreachable("connection cut")
            await it.tick()
            assert it.master.ledger.offered("shop/spark")["cpu"] == 1500
            it.master.facts.offers.replace([], "999")
            assert it.master.ledger.offered("shop/spark") == {}

    async def test_an_offer_that_was_created_by_a_try_that_seemed_to_fail_is_found(self):
        async with bench() as it:
            await it.tick()
            (made,) = it.offers
            it.master = it.start()
            again = made.model_copy(
                update={"metadata": made.metadata.model_copy(update={"uid": None, "resource_version": None})}
            )
            it.master.facts.offers.drop(f"shop/{made.metadata.name}", None)
            it.master.executor.create([again])
            await it.master.settle()
            assert it.master.facts.offers.objects[f"shop/{made.metadata.name}"] == made

    async def test_one_that_exists_and_cannot_be_read_is_decided_by_the_census(self):
        async with bench() as it:
            one = offer(slice_on(a=1), of="spark", name="spark-1")
            it.api.put(RESOURCE_OFFERS, one.manifest())
            expected = one.model_copy(
                update={"metadata": one.metadata.model_copy(update={"uid": None, "resource_version": None})}
            )
            it.refusals["get"] = NotFound(404, "NotFound", "gone again")
            it.master.executor.create([expected])
            await it.master.settle()
            it.master.facts.offers.replace([], "999")
            assert it.master.ledger.offered("shop/spark") == {}

    async def test_an_offer_that_goes_while_it_is_withdrawn_is_forgotten(self):
        async with bench() as it:
            await it.tick()
            it.answer(phase="Declined", refuseSeconds=5)
            it.refusals["get"] = NotFound(404, "NotFound", "gone")
            it.now += 61
            it.master.loop.tick()
            await it.master.settle()
            assert "Offered" not in [
                one.status.phase for one in it.master.facts.offers.objects.values() if one.metadata.uid
            ]

    async def test_a_write_that_fails_is_due_again_in_the_next_cycle(self):
        async with bench() as it:
            await it.tick()
            it.refusals["patch"] = Unreachable("connection cut")
            await it.tick(61)
            assert [one.status.phase for one in it.offers] == ["Offered"]
            del it.refusals["patch"]
            await it.tick(1)
            assert [one.status.phase for one in it.offers] == ["Expired"]


class TestEvents:
    async def test_a_role_that_only_a_new_framework_names_is_told_of(self):
        async with bench() as it:
            it.put_framework(role="batch")
            await it.tick()
            ((name, reason, note),) = it.master.recorder.events
            assert (name, reason) == ("spark", "ImplicitRole")
            assert "Create FrameworkRole batch" in note

    async def test_not_of_one_that_exists_nor_of_the_default_one(self):
        async with bench() as it:
            it.api.put(FRAMEWORK_ROLES, role("batch").manifest())
            await it.tick()
            it.put_framework(role="batch")
            await it.tick()
            assert it.master.recorder.events == []

    async def test_each_role_that_only_a_name_stands_for_is_told_of_once(self):
        async with bench() as it:
            it.api.put(FRAMEWORK_ROLES, role("gold").manifest())
            it.put_framework(role="batch", roles=["gold", "adhoc"])
            await it.tick()
            notes = [note.partition(";")[0] for *_, note in it.master.recorder.events]
            assert notes == [
                "spec.role: there is no FrameworkRole batch",
                "spec.roles: there is no FrameworkRole adhoc",
            ]
            it.put_framework(role="adhoc", roles=["gold", "batch", "nightly"])
            await it.tick()
            (*_, note) = it.master.recorder.events[2:][0]
            assert note.startswith("spec.roles: there is no FrameworkRole nightly")
            assert len(it.master.recorder.events) == 3

    async def test_not_again_when_the_master_restarts(self):
        async with bench() as it:
            it.put_framework(role="batch", created=NOON - 3600)
            it.master = it.start()
            await it.tick()
            assert it.master.recorder.events == []

    async def test_an_object_that_cannot_be_read_is_told_of(self):
        async with bench() as it:
            manifest = external("odd").manifest()
            manifest["spec"]["role"] = 7
            it.master.facts.frameworks.put(manifest)
            ((name, reason, note),) = it.master.recorder.events
            assert (name, reason) == ("odd", "Unreadable")
            assert note.startswith("ignored until it is mended: spec.role: ")


class TestACostlyCycle:
    @pytest.fixture
    def scopes(self, monkeypatch):
        """Over which nodes cycles ran, and whether they explained themselves, where every cycle counts as costly."""
        scopes = []

        def noting(*args, explain, **rest):
            scopes.append((args[4] and sorted(args[4]), explain))
            return run_cycle(*args, explain=explain, **rest)

        monkeypatch.setattr(loop, "run_cycle", noting)
        monkeypatch.setattr(loop, "_COSTLY_SECONDS", 0.0)
        return scopes

    async def woken(self, it: Bench, *changes: Collection[str] | None) -> None:
        running = asyncio.create_task(it.master.loop.run())
        for nodes in changes:
            it.master.loop.wake(nodes)
        await asyncio.sleep(0.1)
        running.cancel()

    async def test_is_about_the_nodes_that_changed_alone(self, scopes):
        async with bench() as it:
            await it.tick()
            await it.tick()
            scopes.clear()
            await self.woken(it, {"node-1"}, {"node-3"})
            assert scopes[0] == (["node-1", "node-3"], False)

    async def test_is_about_all_nodes_when_anything_else_changed(self, scopes):
        async with bench() as it:
            await it.tick()
            scopes.clear()
            await self.woken(it, {"node-1"}, None)
            assert scopes[0][0] is None

    async def test_tells_who_waits_why_once_a_second(self, scopes):
        async with bench(nodes=0) as it:
            for _ in range(4):
                await it.tick(0.5)
            assert [explained for _, explained in scopes] == [True, False, True, False]
            assert it.master.loop.latest.not_offered


class TestTheRestBetweenTwoCycles:
    @pytest.mark.parametrize(("tick", "rest"), [(0.001, 0.02), (0.05, 0.15), (2.0, 1.0)])
    async def test_is_longer_when_they_are_costly_but_never_longer_than_a_second(self, monkeypatch, tick, rest):
        async with bench() as it:
            times = count(step=tick / 3)  # a tick and the cycle in it are timed: four times are read
            monkeypatch.setattr(time, "perf_counter", lambda: next(times))
            it.master.loop.tick()
            monkeypatch.undo()
            assert it.master.loop.rest_seconds == pytest.approx(rest)
