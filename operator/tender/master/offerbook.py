"""The account of all offers: what each holds in the ledger, and what is due to happen to it.

An open offer holds its slices. A claimed one holds what was claimed less the pods already seen from it, until all are
seen or its launch deadline has passed. A declined one is the filter itself, so filters survive a restart of the master;
an offer that expired without an answer refuses for a while in the same way. A refusal of an offer that was made for
another demand than the framework has now is over, whether the master saw the demand change or not.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tender.allocation import Charge, Ledger, Refusal, Settings, take_back
from tender.allocation.ledger import Key
from tender.api import core
from tender.api.framework import Framework
from tender.api.names import LABEL_TASK
from tender.api.offer import Claim, OfferPhase, ResourceOffer
from tender.api.requests import pod_requests
from tender.master.registry import key_of
from tender.master.sightings import Sightings, names_offer, offer_of

LAUNCH_DEADLINE_SECONDS = 60.0
"""How long a claim may wait for its pods before it returns."""
UNANSWERED_REFUSAL_SECONDS = 30.0
"""For how long an offer that nobody answered is not made again."""
KEEP_SECONDS = 30.0
"""How long an offer that was taken back stays for people to see."""


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Write this phase (Rescinded or Expired) into an open offer, unless it is answered first."""

    key: str
    phase: OfferPhase
    message: str


@dataclass(frozen=True, slots=True)
class Remove:
    """Delete an offer that has come to its end; `missed` counts claimed tasks that were never launched."""

    key: str
    why: str
    missed: int = 0


Due = Withdraw | Remove


@dataclass(slots=True)
class _Entry:
    """What is known of one offer besides the object itself; `outstanding` are the slices that hold something."""

    offer: ResourceOffer
    since: float
    outstanding: set[int] = field(default_factory=set)
    refuses: bool = False


class OfferBook:
    """Keeps the charges and filters of all offers in the ledger. `interval` is the length of a cycle in seconds."""

    def __init__(self, ledger: Ledger, settings: Settings | None = None, interval: float = 1.0) -> None:
        self._ledger = ledger
        self._settings = settings or Settings()
        self._interval = interval
        self._entries: dict[str, _Entry] = {}
        self._open_on: dict[str, set[str]] = {}
        self._sightings = Sightings()

    def offer_changed(self, old: ResourceOffer | None, new: ResourceOffer | None, now: float) -> None:
        """An offer came, changed or went. `now` is in epoch seconds."""
        if old is not None:
            self._close(key_of(old), keep=new is not None)
        if new is not None:
            key = key_of(new)
            before = self._entries.get(key)
            since = before.since if before and before.offer.status.phase == new.status.phase else now
            entry = self._entries[key] = _Entry(new, since)
            self._post(key, entry)

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
        elif self._sightings.add(framework, new) and entry is not None and entry.offer.framework_key == framework:
            self._charge_claims(key, entry, on_node=new.spec.node_name)

    def seen_of(self, offer: ResourceOffer) -> Iterator[core.Pod]:
        """The pods that were seen of an offer, also before it came; those that are gone included."""
        return self._sightings.of(key_of(offer), offer.framework_key)

    def due(self, now: float, frameworks: Mapping[str, Framework]) -> list[Due]:
        """What has to be done about offers at this time. `frameworks` are those that exist, by key."""
        roomless = self._roomless()
        return [
            due
            for key, entry in self._entries.items()
            if entry.offer.metadata.uid is not None
            and (due := self._due(key, entry, now, frameworks, roomless.get(key))) is not None
        ]

    @staticmethod
    def holder_of(charge: Key) -> str:
        """The key of the offer that a charge in the ledger belongs to, going by the charge's key."""
        if isinstance(charge, tuple):
            return str(charge[0])
        raise ValueError(f"{charge!r} is no key of an offer's charge")

    def phases(self) -> dict[str, int]:
        """How many offers there are in each phase."""
        counts = {phase.value: 0 for phase in OfferPhase}
        for entry in self._entries.values():
            counts[entry.offer.status.phase] += 1
        return counts

    def _due(
        self, key: str, entry: _Entry, now: float, frameworks: Mapping[str, Framework], roomless: str | None
    ) -> Due | None:
        offer = entry.offer
        framework = frameworks.get(offer.framework_key)
        if framework is None:
            return Remove(key, "the framework is gone")
        if entry.refuses and offer.spec.demand_revision not in {None, framework.status.demand_revision}:
            return Remove(key, "the demand changed")
        match offer.status.phase:
            case OfferPhase.OFFERED:
                if offer.spec.role not in framework.spec.all_roles:
                    return Withdraw(key, OfferPhase.RESCINDED, f"the framework has left role {offer.spec.role}")
                if roomless is not None:
                    return Withdraw(key, OfferPhase.RESCINDED, roomless)
                if now > offer.spec.expires_at.timestamp():
                    return Withdraw(key, OfferPhase.EXPIRED, "nobody answered the offer in time")
            case OfferPhase.CLAIMED:
                if not entry.outstanding:
                    return Remove(key, "all that was claimed runs")
                if now > entry.since + LAUNCH_DEADLINE_SECONDS:
                    return Remove(key, "the launch deadline has passed", self._missed(key, entry))
            case OfferPhase.DECLINED:
                if now >= self._refused_until(entry):
                    return Remove(key, "the refusal has ended")
            case OfferPhase.RESCINDED | OfferPhase.EXPIRED:
                if now > entry.since + KEEP_SECONDS and now >= self._refused_until(entry):
                    return Remove(key, "the offer was taken back")
        return None

    def _roomless(self) -> dict[str, str]:
        """Open offers that must be taken back because a node has not the room for them any more, and why."""
        roomless: dict[str, str] = {}
        for name, keys in self._open_on.items():
            node = self._ledger.nodes.get(name)
            if node is None:
                roomless.update(dict.fromkeys(keys, f"node {name} is gone"))
                continue
            why = f"node {name}: {node.unavailable}" if node.unavailable else f"node {name} has less to give"
            for charge in take_back.on_node(self._ledger, self._settings, name):
                key = self.holder_of(charge)
                roomless.setdefault(key, why)
        return {key: why for key, why in roomless.items() if not self._is_claimed(key)}

    def _is_claimed(self, key: str) -> bool:
        """Whether pods of an open offer run already: it has been claimed, and the news of it is still on the way."""
        return self._sightings.any(key, self._entries[key].offer.framework_key)

    def _post(self, key: str, entry: _Entry) -> None:
        """Write what the offer holds into the ledger."""
        offer = entry.offer
        framework = offer.framework_key
        entry.outstanding.clear()
        entry.refuses = False
        if offer.status.phase == OfferPhase.OFFERED:
            for index, one in enumerate(offer.spec.slices):
                charge = Charge(one.node, one.amounts, framework, one.tasks, offered=True, role=offer.spec.role)
                self._ledger.put_charge((key, index), charge)
                self._open_on.setdefault(one.node, set()).add(key)
                entry.outstanding.add(index)
        elif offer.status.phase == OfferPhase.CLAIMED:
            self._charge_claims(key, entry)
        elif offer.status.phase in {OfferPhase.DECLINED, OfferPhase.EXPIRED}:
            until = self._refused_until(entry)
            refusal = Refusal(framework, until, {one.node: one.amounts for one in offer.spec.slices})
            self._ledger.put_refusal(key, refusal)
            entry.refuses = True

    def _charge_claims(self, key: str, entry: _Entry, on_node: str | None = None) -> None:
        """Charge what of the claims has not been seen as pods yet, of those on one node or of all."""
        for claim in entry.offer.status.claims:
            if on_node is not None and entry.offer.spec.slices[claim.slice].node != on_node:
                continue
            remaining = self._remaining(key, entry, claim)
            if remaining is None:
                entry.outstanding.discard(claim.slice)
                self._ledger.remove_charge((key, claim.slice))
            else:
                entry.outstanding.add(claim.slice)
                self._ledger.put_charge((key, claim.slice), remaining)

    def _close(self, key: str, *, keep: bool) -> None:
        entry = self._entries[key] if keep else self._entries.pop(key)
        self._ledger.remove_refusal(key)
        for index, one in enumerate(entry.offer.spec.slices):
            self._ledger.remove_charge((key, index))
            holders = self._open_on.get(one.node)
            if holders is not None:
                holders.discard(key)
                if not holders:
                    del self._open_on[one.node]
        if not keep:
            self._sightings.end(key)

    def _remaining(self, key: str, entry: _Entry, claim: Claim) -> Charge | None:
        """What of a claim has not been seen as pods yet; None when all of it has."""
        node = entry.offer.spec.slices[claim.slice].node
        framework = entry.offer.framework_key
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
        if (claim.tasks and not tasks) or not resources:
            return None
        return Charge(node, resources, framework, tasks, role=entry.offer.spec.role)

    def _missed(self, key: str, entry: _Entry) -> int:
        charges = (self._remaining(key, entry, claim) for claim in entry.offer.status.claims)
        return sum(sum(charge.tasks.values()) for charge in charges if charge is not None)

    def _refused_until(self, entry: _Entry) -> float:
        offer = entry.offer
        answered = offer.status.answered_at
        since = answered.timestamp() if answered is not None else entry.since
        if offer.status.phase == OfferPhase.EXPIRED:
            return since + UNANSWERED_REFUSAL_SECONDS
        seconds = offer.status.refuse_seconds or 0
        return since + max(float(seconds), self._interval) if seconds else since
