"""The stage: one framework, the turns that it takes on what happens, its clock and its controller's lives."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tender.api.framework import Framework
from tender.frameworks.sdk import Planner, Seen, take_turn
from tender.frameworks.testkit.claims import Claims
from tender.frameworks.testkit.executor import Ended, Executor, Memory
from tender.frameworks.testkit.expectations import Expectations, Paragraph
from tender.frameworks.testkit.happenings import Happenings
from tender.frameworks.testkit.manifests import NAMESPACE, NOON
from tender.frameworks.testkit.objects import Objects
from tender.frameworks.testkit.surroundings import Surroundings
from tender.frameworks.testkit.verdicts import Unrest
from tender.frameworks.testkit.writes import listed

_MOST_TURNS = 100
_MOST_WAKES = 10_000


@dataclass
class Crash:
    """A controller that is to end after some writes; `happened` says whether it got that far."""

    happened: bool = False


class Stage(Happenings, Expectations):
    """One framework and its surroundings, on a clock that only the script moves.

    The framework takes its first turns at once. The master on the stage makes no offers but those that the script
    sends; it ends them as the real one does. `now` is where the clock begins, in epoch seconds; with `linger` pods that
    were stopped stay, leaving, until `pod_vanishes`.

    >>> stage = Stage(plan, framework("workers", external={}))
    """

    def __init__(
        self, planner: Planner, framework: Framework | Mapping[str, Any], *, now: float = NOON, linger: bool = False
    ) -> None:
        manifest = framework.manifest() if isinstance(framework, Framework) else dict(framework)
        self.now = now
        self._planner = planner
        self._objects = Objects()
        self._claims = Claims(self._objects)
        self._executor = Executor(self._objects, self._claims)
        self._surroundings = Surroundings(self._objects, self._claims, linger=linger)
        self._paragraph = Paragraph()
        self._executor.writes = self._paragraph.writes
        self._gathering = self._ended = False
        self._wake_at: float | None = None
        metadata = {"namespace": NAMESPACE, **manifest["metadata"]}
        self._name = self._objects.create({**manifest, "metadata": metadata}, now)["metadata"]["name"]
        self._settle()

    def after(self, seconds: float) -> None:
        """Time passes; the framework takes its turns when it has asked to be woken, and when offers end.

        >>> stage.after(60)
        """
        with self._happening():
            target = self.now + seconds
            for _ in range(_MOST_WAKES):
                ends = (self._wake_at, self._surroundings.next_end(self.now))
                due = min((at for at in ends if at is not None and at > self.now), default=target)
                if due >= target:
                    break
                self.now = due
                self._settle()
            self.now = target

    def restart(self) -> None:
        """The controller ends and starts again, and knows nothing but what the API server holds.

        >>> stage.restart()
        """
        with self._happening():
            self._executor.memory = Memory()
            self._wake_at = None

    @contextlib.contextmanager
    def crash_after(self, writes: int) -> Iterator[Crash]:
        """Within it, the controller ends after so many writes more; at its end it starts again.

        >>> with stage.crash_after(writes=1):
        ...     stage.offer("node-1")
        """
        crash = Crash()
        self._executor.writes_left = writes
        try:
            yield crash
        finally:
            crash.happened = self._ended
            self._executor.writes_left = None
            self._ended = False
        self.restart()

    @contextlib.contextmanager
    def at_once(self) -> Iterator[None]:
        """What is sent within it happens before the framework looks again.

        >>> with stage.at_once():
        ...     stage.offer("node-1")
        ...     stage.apply({"service": {"replicas": 0}})
        """
        self._begin()
        self._gathering = True
        try:
            yield
        finally:
            self._gathering = False
        self._settle()

    @contextlib.contextmanager
    def losing_answers(self) -> Iterator[None]:
        """Within it, every answer comes too late: the master has rescinded the offer a moment before.

        >>> with stage.losing_answers():
        ...     stage.offer("node-1")
        """
        self._executor.loses_answers = True
        try:
            yield
        finally:
            self._executor.loses_answers = False

    @contextlib.contextmanager
    def refusing_pods(self, why: str) -> Iterator[None]:
        """Within it, the API server refuses every new pod, as admission and quotas do.

        >>> with stage.refusing_pods("exceeded quota"):
        ...     stage.offer("node-1")
        """
        self._executor.refusal = why
        try:
            yield
        finally:
            self._executor.refusal = None

    # Within

    @contextlib.contextmanager
    def _happening(self) -> Iterator[None]:
        """Something happens, and then the framework takes its turns."""
        self._begin()
        yield
        self._settle()

    def _begin(self) -> None:
        """A new paragraph, if the last one was looked at."""
        if self._paragraph.looked_at:
            self._paragraph = Paragraph()
            self._executor.writes = self._paragraph.writes

    def _settle(self) -> None:
        """Take turns until nothing changes any more."""
        if self._gathering:
            return
        for _ in range(_MOST_TURNS):
            self._surroundings.act(self.now)
            if self._ended or self._objects.find("Framework", self._name) is None or not self._turn():
                return
        raise Unrest(
            f"framework {self._name} has taken {_MOST_TURNS} turns and still finds something to do; its last writes:\n"
            f"{listed(self._paragraph.writes[-10:])}"
        )

    def _turn(self) -> bool:
        turn = take_turn(self._planner, self._seen())
        self._wake_at = turn.wake_at
        self._paragraph.notes += [note for note in turn.notes if note not in self._paragraph.notes]
        try:
            return self._executor.carry_out(self.framework, turn, self.now)
        except Ended:
            self._ended = True
            return False

    def _seen(self) -> Seen:
        memory = self._executor.memory
        offers = self._objects.read("ResourceOffer")
        standing = {offer.metadata.name for offer in offers}
        return Seen(
            framework=self.framework,
            pods=self._own("Pod"),
            offers=tuple(offer for offer in offers if offer.spec.framework == self._name),
            launched=frozenset(name for offer, names in memory.launched.items() if offer in standing for name in names),
            now=self.now,
            refused=memory.refused,
            nodes={node.metadata.name: node for node in self._objects.read("Node")},
            frameworks={one.metadata.name: one for one in self._objects.read("Framework")},
            reservations=self._own("Reservation"),
            volume_claims=self._own("PersistentVolumeClaim"),
            config_maps=self._own("ConfigMap"),
            revisions=self._own("ControllerRevision"),
            services=self._own("Service"),
        )

    def _own(self, kind: str) -> tuple[Any, ...]:
        """The objects of a kind whose controller the framework is."""
        uid = self.framework.metadata.uid
        return tuple(
            one
            for one in self._objects.read(kind)
            if any(owner.controller and owner.uid == uid for owner in one.metadata.owner_references)
        )
