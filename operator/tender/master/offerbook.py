"""The account of all offers: what each holds in the ledger, and what is due to happen to it.

An open offer holds its slices. A claimed one holds what was claimed less the pods already seen from it, until all are
seen or its launch deadline has passed. An answer that refuses is the filter itself: the offer stays until the refusal
ends, so filters survive a restart of the master. A refusal of an offer that was made for another demand than the
framework has now is over, whether the master saw the demand change or not.
"""

import math
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field

from tender.allocation import Charge, Ledger, Settings
from tender.api import core
from tender.api.framework import Framework
from tender.api.names import LABEL_TASK
from tender.api.offer import Claim, OfferPhase, ResourceOffer
from tender.api.requests import pod_requests
from tender.master.dues import (
    LAUNCH_DEADLINE_SECONDS,
    Cause,
    Due,
    Remove,
    Withdraw,
    answered_since,
    ends_at,
    refusal_of,
)
from tender.master.registry import key_of
from tender.master.room import Room
from tender.master.sightings import Sightings, names_offer, offer_of
from tender.master.throttle import Throttle


@dataclass(slots=True)
class _Entry:
    """What is known of one offer besides the object itself.

    `since` is when it came to be in its phase, and `ends_at` when it ends by time alone. `outstanding` are the slices
    that hold something; for those of a claim, `launch_by` is their deadline. `least` is for how long a decline counts
    at least. `looked_with` is its framework as it was when nothing was due last. A `late` one is from a leader before
    this one, and came after it had begun.
    """

    offer: ResourceOffer
    framework: str
    since: float
    ends_at: float
    least: float = 0.0
    outstanding: set[int] = field(default_factory=set)
    launch_by: float = math.inf
    refuses: bool = False
    looked_with: Framework | None = None
    late: bool = False


class OfferBook:
    """Keeps the charges and filters of all offers in the ledger. `interval` is the length of a cycle in seconds.

    `room` wants to be told of whatever else takes the room of open offers. `throttle` is told how frameworks answer.
    """

    def __init__(self, ledger: Ledger, settings: Settings | None = None, interval: float = 1.0) -> None:
        self._ledger = ledger
        self._interval = interval
        self._entries: dict[str, _Entry] = {}
        self._sightings = Sightings()
        self._term: int | None = None
        self.room = Room(ledger, settings or Settings())
        self.throttle = Throttle()

    def begin_term(self, term: int | None) -> None:
        """All offers that were there when this leader began are known: one of an earlier term that is seen from now on
        was made too late.
        """
        self._term = term

    def clock_jumped(self, seconds: float) -> None:
        """The time of day was set: what claims have left of their time stays as it is."""
        for entry in self._entries.values():
            if entry.offer.status.phase == OfferPhase.CLAIMED:
                entry.since += seconds
                entry.launch_by += seconds

    def offer_changed(self, old: ResourceOffer | None, new: ResourceOffer | None, now: float) -> None:
        """An offer came, changed or went. `now` is in epoch seconds."""
        if old is not None:
            self._close(key_of(old), keep=new is not None)
        if new is not None:
            key = key_of(new)
            before = self._entries.get(key)
            if before is None:
                since = answered_since(new, now)
            else:
                since = before.since if before.offer.status.phase == new.status.phase else now
            least = self._take_answer(before, new, now)
            ends = ends_at(new, since, self._interval, least)
            entry = self._entries[key] = _Entry(new, new.framework_key, since, ends, least)
            entry.late = self._is_late(new) if before is None else before.late
            self._post(key, entry, now)

    def pod_changed(self, framework: str, old: core.Pod | None, new: core.Pod | None) -> None:
        """A pod of a framework came or changed: it takes the place of the part of the claim it was made from.

        A pod that went is remembered while its offer is there, since the claim was used all the same.
        """
        pod = new or old
        if pod is None or not names_offer(pod):
            return
        key = offer_of(pod)
        entry = self._entries.get(key)
        if new is None:
            if entry is None:
                self._sightings.remove(framework, pod)
        elif self._sightings.add(framework, new) and entry is not None and entry.framework == framework:
            self.throttle.launched(framework)
            self._charge_claims(key, entry, on_node=new.spec.node_name)

    def seen_of(self, offer: ResourceOffer) -> Iterator[core.Pod]:
        """The pods that were seen of an offer, also before it came; those that are gone included."""
        return self._sightings.of(key_of(offer), offer.framework_key)

    def lapse(self, now: float) -> dict[str, int]:
        """Take off the account what was claimed and not launched in time, and say how many tasks, by offer.

        Each claim is told of once, also if its offer stays on as a filter or cannot be removed at once.
        """
        missed = {}
        for key, entry in self._entries.items():
            if now > entry.launch_by and entry.outstanding:
                charges = [self._ledger.charge((key, index)) for index in entry.outstanding]
                missed[key] = sum(sum(charge.tasks.values()) for charge in charges if charge is not None)
                for index in entry.outstanding:
                    self._ledger.remove_charge((key, index))
                entry.outstanding.clear()
                if not self._sightings.any(key, entry.framework):
                    self.throttle.lapsed(entry.framework, entry.since, now)
        return missed

    def due(self, now: float, frameworks: Mapping[str, Framework], busy: Container[str] = frozenset()) -> list[Due]:
        """What has to be written about offers at this time. `frameworks` are those that exist, by key; of offers that
        are `busy`, something is being written already.
        """
        lacking = self.room.lacking()
        dues = []
        for key, entry in self._entries.items():
            if key in busy:
                continue
            framework = frameworks.get(entry.framework)
            if now < entry.ends_at and framework is entry.looked_with is not None and key not in lacking:
                continue
            if entry.offer.metadata.uid is None:
                continue
            due = self._due(key, entry, now, framework, lacking.get(key))
            if due is not None:
                dues.append(due)
            else:
                entry.looked_with = framework
        return dues

    def phases(self) -> dict[str, int]:
        """How many offers there are in each phase."""
        counts = {phase.value: 0 for phase in OfferPhase}
        for entry in self._entries.values():
            counts[entry.offer.status.phase] += 1
        return counts

    def _is_late(self, offer: ResourceOffer) -> bool:
        made_in = offer.spec.term
        return self._term is not None and made_in is not None and made_in < self._term

    def _due(self, key: str, entry: _Entry, now: float, framework: Framework | None, lacking: str | None) -> Due | None:
        offer = entry.offer
        if framework is None:
            return Remove(key, "the framework is gone")
        if entry.refuses and offer.spec.demand_revision not in {None, framework.status.demand_revision}:
            if offer.status.phase != OfferPhase.CLAIMED:
                return Remove(key, "the demand changed")
            entry.refuses, entry.ends_at = False, 0.0
            self._ledger.remove_refusal(key)
        match offer.status.phase:
            case OfferPhase.OFFERED:
                if offer.spec.role not in framework.spec.all_roles:
                    why = f"the framework has left role {offer.spec.role}"
                    return Withdraw(key, OfferPhase.RESCINDED, why, Cause.LEFT)
                if entry.late:
                    why = "it was made by a master that leads no more"
                    return Withdraw(key, OfferPhase.RESCINDED, why, Cause.SUCCEEDED)
                if lacking is not None and not self._is_launched(key, entry):
                    return Withdraw(key, OfferPhase.RESCINDED, lacking, Cause.ROOM)
                if now > entry.ends_at:
                    return Withdraw(key, OfferPhase.EXPIRED, "nobody answered the offer in time")
            case OfferPhase.CLAIMED:
                if not entry.outstanding and now >= entry.ends_at:
                    return Remove(key, "all that was claimed runs or has returned")
            case OfferPhase.DECLINED:
                if now >= entry.ends_at:
                    return Remove(key, "the refusal has ended")
            case OfferPhase.RESCINDED | OfferPhase.EXPIRED:
                if now > entry.ends_at:
                    return Remove(key, "the offer was taken back")
        return None

    def _take_answer(self, before: _Entry | None, new: ResourceOffer, now: float) -> float:
        """Take note of how an offer was answered that was seen open; for how long a decline counts at least."""
        if before is None or before.offer.status.phase == new.status.phase:
            return 0.0 if before is None else before.least
        if before.offer.status.phase == OfferPhase.OFFERED:
            if new.status.phase == OfferPhase.CLAIMED:
                self.throttle.claimed(before.framework)
            elif new.status.phase == OfferPhase.DECLINED:
                seconds = new.status.refuse_seconds or 0
                return self.throttle.declined(before.framework, before.since, seconds, now)
        return 0.0

    def _is_launched(self, key: str, entry: _Entry) -> bool:
        """Whether pods of an open offer run already: it has been claimed, and the news of it is still on the way."""
        return self._sightings.any(key, entry.framework)

    def _post(self, key: str, entry: _Entry, now: float) -> None:
        """Write what the offer holds and refuses into the ledger."""
        offer, framework = entry.offer, entry.framework
        if offer.status.phase == OfferPhase.OFFERED:
            for index, one in enumerate(offer.spec.slices):
                charge = Charge(one.node, one.amounts, framework, one.tasks, offered=True, role=offer.spec.role)
                self._ledger.put_charge((key, index), charge)
                self.room.offered(key, framework, one.node)
                entry.outstanding.add(index)
        elif offer.status.phase == OfferPhase.CLAIMED and now <= entry.since + LAUNCH_DEADLINE_SECONDS:
            entry.launch_by = entry.since + LAUNCH_DEADLINE_SECONDS
            entry.outstanding.update(claim.slice for claim in offer.status.claims)
            self._charge_claims(key, entry)
        refusal = refusal_of(offer, entry.since, self._interval, entry.least)
        if refusal is not None:
            entry.refuses = True
            self._ledger.put_refusal(key, refusal)

    def _charge_claims(self, key: str, entry: _Entry, on_node: str | None = None) -> None:
        """Charge what of the claims has not been seen as pods yet, of those on one node or of all."""
        for claim in entry.offer.status.claims:
            node = entry.offer.spec.slices[claim.slice].node
            if claim.slice not in entry.outstanding or on_node not in {None, node}:
                continue
            remaining = self._remaining(key, entry, claim)
            if remaining is None:
                entry.outstanding.discard(claim.slice)
                self._ledger.remove_charge((key, claim.slice))
            else:
                self._ledger.put_charge((key, claim.slice), remaining)
            self.room.node_changed(node)

    def _close(self, key: str, *, keep: bool) -> None:
        entry = self._entries[key] if keep else self._entries.pop(key)
        self._ledger.remove_refusal(key)
        for index, one in enumerate(entry.offer.spec.slices):
            self._ledger.remove_charge((key, index))
            self.room.ended(key, one.node)
        if not keep:
            self._sightings.end(key)

    def _remaining(self, key: str, entry: _Entry, claim: Claim) -> Charge | None:
        """What of a claim has not been seen as pods yet; None when all of it has."""
        node = entry.offer.spec.slices[claim.slice].node
        framework = entry.framework
        resources = dict(claim.amounts)
        tasks = dict(claim.tasks)
        for pod in self._sightings.on(key, framework, node):
            for resource, amount in pod_requests(pod.spec).items():
                if resource in resources:
                    resources[resource] -= amount
            task = pod.metadata.labels.get(LABEL_TASK, "")
            if task in tasks:
                tasks[task] -= 1
        resources = {resource: amount for resource, amount in resources.items() if amount > 0}
        tasks = {task: count for task, count in tasks.items() if count > 0}
        if (any(claim.tasks.values()) and not tasks) or not resources:
            return None
        return Charge(node, resources, framework, tasks, role=entry.offer.spec.role)
