"""Where the facts come in: registries of the custom resources and the nodes' and pods' changes, told onward.

Each change goes to the ledger (`intake`, `offerbook`) and wakes the loop. What people must know at once (a role that
exists only by name, an object that cannot be read, an offer that nobody answered) becomes an event here.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

import structlog

from tender.allocation import Ledger
from tender.api import core
from tender.api.framework import Framework
from tender.api.meta import CustomResource
from tender.api.names import DEFAULT_ROLE
from tender.api.offer import OfferPhase, ResourceOffer
from tender.api.reservation import Reservation
from tender.api.role import FrameworkRole
from tender.cluster.events import EventRecorder, Regarding
from tender.cluster.resources import FRAMEWORK_ROLES, FRAMEWORKS, RESERVATIONS, RESOURCE_OFFERS, Resource
from tender.master.intake import Intake
from tender.master.loop import AllocationLoop
from tender.master.metrics import MasterMetrics
from tender.master.offerbook import OfferBook
from tender.master.registry import Registry, key_of
from tender.master.throttle import Throttle

log = structlog.get_logger(__name__)

NEWS_SECONDS = 300.0
"""How long after its creation a framework counts as new."""


class Facts:
    """The registries of the four kinds, and the callbacks of the caches of nodes and pods.

    `changes` counts the changes after which people may have to be told something else.
    """

    def __init__(
        self,
        ledger: Ledger,
        book: OfferBook,
        intake: Intake,
        recorder: EventRecorder,
        metrics: MasterMetrics,
        clock: Callable[[], float],
    ) -> None:
        self._ledger = ledger
        self._book = book
        self._intake = intake
        self._recorder = recorder
        self._metrics = metrics
        self._clock = clock
        self._loop: AllocationLoop | None = None
        self._complete = False
        self._offered_at: dict[str, float] = {}
        self.changes = 0
        self.frameworks = Registry(Framework, self._framework_changed, self._unreadable(FRAMEWORKS), self._is_to_wait)
        self.roles = Registry(FrameworkRole, self._role_changed, self._unreadable(FRAMEWORK_ROLES))
        self.reservations = Registry(Reservation, self._reservation_changed, self._unreadable(RESERVATIONS))
        self.offers = Registry(ResourceOffer, self._offer_changed, self._unreadable(RESOURCE_OFFERS))

    @property
    def throttle(self) -> Throttle:
        """What is known of frameworks that ask too much of the master."""
        return self._book.throttle

    def follow(self, loop: AllocationLoop) -> None:
        """Wake this loop from now on."""
        self._loop = loop

    def start_complete(self, term: int | None = None) -> None:
        """All that was there at the start is known: what is not known from now on is not there. `term` is the one in
        which this master leads.
        """
        self._complete = True
        self._book.begin_term(term)
        for framework in self.frameworks.objects.values():
            if self._is_new(framework):
                self._tell_of_implicit_roles(framework)
        if self._loop is not None:
            self._loop.enforce_limits()

    def node_changed(self, old: core.Node | None, new: core.Node | None) -> None:
        """A node came, changed or went."""
        if self._intake.node_changed(old, new):
            self._wake({node.metadata.name for node in (old, new) if node is not None})

    def pod_changed(self, old: core.Pod | None, new: core.Pod | None) -> None:
        """A pod came, changed or went."""
        if self._intake.pod_changed(old, new):
            self._wake({pod.spec.node_name for pod in (old, new) if pod is not None and pod.spec.node_name})

    def corrected(self, resource: str, count: int) -> None:
        """A census has found objects that were gone unnoticed."""
        self._metrics.census_corrections.labels(resource).inc(count)

    def _is_to_wait(self, known: Framework, manifest: Mapping[str, Any]) -> bool:
        """Whether a change of a framework is held back: one of its status alone may be."""
        metadata, before = manifest["metadata"], known.metadata
        if metadata["uid"] != before.uid or metadata.get("generation") != before.generation:
            return False
        if (metadata.get("deletionTimestamp") is None) != (before.deletion_timestamp is None):
            return False
        return self.throttle.holds_back(key_of(known), manifest, self._clock())

    def _framework_changed(self, old: Framework | None, new: Framework | None) -> None:
        if old is not None and new is None:
            self.throttle.forget(key_of(old))
        elif old is not None and new is not None and old.status.demand != new.status.demand:
            self.throttle.demand_changed(key_of(new), self._clock())
        if self._intake.framework_changed(old, new):
            self._wake()
        self._count_rewritten(old, new)
        if new is None and old is not None:
            self._metrics.offers.forget(key_of(old))
        if new is not None and (old is not None or self._is_new(new)):
            self._tell_of_implicit_roles(new, known=old.spec.all_roles if old is not None else ())

    def _role_changed(self, old: FrameworkRole | None, new: FrameworkRole | None) -> None:
        name = next(role.metadata.name for role in (new, old) if role is not None)
        before = self._ledger.roles.get(name)
        self._count_rewritten(old, new)
        if not self._intake.role_changed(old, new):
            return
        if self._complete and self._loop is not None:
            self._loop.role_changed(before, self._ledger.roles.get(name))
        self._wake()

    def _reservation_changed(self, old: Reservation | None, new: Reservation | None) -> None:
        self._count_rewritten(old, new)
        if self._intake.reservation_changed(old, new):
            self._wake()

    def _offer_changed(self, old: ResourceOffer | None, new: ResourceOffer | None) -> None:
        self._intake.offer_changed(old, new, self._book.seen_of)
        self._book.offer_changed(old, new, self._clock())
        result = _outcome(old, new)
        self._count(result, old, new)
        if result == "expired" and new is not None:
            self._tell_of_expiry(new)
        self._wake({one.node for offer in (old, new) if offer is not None for one in offer.spec.slices})

    def _count(self, result: str | None, old: ResourceOffer | None, new: ResourceOffer | None) -> None:
        """Count what became of an offer, and how long its answer took if it was made here. Offers of a framework that
        is gone are not counted: its series have ended.
        """
        key = next(key_of(offer) for offer in (new, old) if offer is not None)
        if result == "made":
            self._offered_at[key] = self._clock()
        elif new is None or result is not None:
            offered_at = self._offered_at.pop(key, None)
            if offered_at is not None and result in ("claimed", "declined"):
                self._metrics.answer_seconds.labels(result).observe(max(0.0, self._clock() - offered_at))
        if new is not None and result is not None and new.framework_key in self.frameworks.objects:
            self._metrics.offers.inc(new.framework_key, result)

    def _is_new(self, framework: Framework) -> bool:
        """Whether it was made lately: after a restart of the master nobody has to be told again."""
        created = framework.metadata.creation_timestamp
        return created is not None and self._clock() - created.timestamp() < NEWS_SECONDS

    def _tell_of_implicit_roles(self, framework: Framework, known: Collection[str] = ()) -> None:
        """Tell of the roles that only this framework's name stands for, except of those named before."""
        new = [role for role in framework.spec.all_roles if role not in known] if self._complete else []
        for role in new:
            if role not in self.roles.objects and role != DEFAULT_ROLE:
                field = "role" if role == framework.spec.role else "roles"
                self._recorder.record(
                    Regarding.to(FRAMEWORKS, framework),
                    "ImplicitRole",
                    f"spec.{field}: there is no FrameworkRole {role}; it takes part with weight 1, no quota and no "
                    f"parent. Create FrameworkRole {role} to change that",
                )

    def _tell_of_expiry(self, offer: ResourceOffer) -> None:
        framework = self.frameworks.objects.get(offer.framework_key)
        if framework is not None:
            self._recorder.record(
                Regarding.to(FRAMEWORKS, framework),
                "OfferExpired",
                "an offer was not answered in time; is the framework's controller running?",
                warning=True,
            )

    def _unreadable(self, resource: Resource) -> Callable[[str, str], None]:
        def tell(key: str, message: str) -> None:
            namespace, _, name = key.rpartition("/")
            log.warning("object ignored", resource=resource.plural, object=key, error=message)
            self._recorder.record(
                Regarding(resource, name, namespace),
                "Unreadable",
                f"ignored until it is mended: {message}",
                warning=True,
            )

        return tell

    def _count_rewritten(self, old: CustomResource | None, new: CustomResource | None) -> None:
        """A status says which generation it is about, also when the spec says the same in other words."""
        if old is None or new is None or old.metadata.generation != new.metadata.generation:
            self.changes += 1

    def _wake(self, nodes: Iterable[str] | None = None) -> None:
        self.changes += 1
        if self._loop is not None:
            self._loop.wake(nodes)


def _outcome(old: ResourceOffer | None, new: ResourceOffer | None) -> str | None:
    """The outcome that a change of an offer tells of, for counting; None when it tells of none."""
    if new is None or (old is not None and old.status.phase == new.status.phase):
        return None
    if new.status.phase == OfferPhase.OFFERED:
        return "made" if new.metadata.uid is None else None
    return new.status.phase.value.lower() if old is not None else None
