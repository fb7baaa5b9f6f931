"""What a script of the test kit can expect: of what was written since the last paragraph, and of how things stand."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tender.api.conditions import State
from tender.api.core import Pod
from tender.api.framework import Framework
from tender.api.names import LABEL_TASK
from tender.frameworks.sdk import Note
from tender.frameworks.testkit.objects import Manifest, Objects
from tender.frameworks.testkit.verdicts import Unmet
from tender.frameworks.testkit.writes import Verb, Write, listed


@dataclass
class Paragraph:
    """What has happened since the last expectation before something new was sent."""

    writes: list[Write] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    looked_at: bool = False

    def of(self, verb: Verb) -> list[Write]:
        """The writes of this kind."""
        return [write for write in self.writes if write.verb == verb]


class Expectations:
    """The expectations of a stage. Each raises Unmet when it is not met."""

    _objects: Objects
    _paragraph: Paragraph
    _name: str

    @property
    def framework(self) -> Framework:
        """The framework as it is now."""
        raise NotImplementedError

    @property
    def pods(self) -> tuple[Pod, ...]:
        """The pods there are, by name, those that have ended or are leaving included."""
        return tuple(self._objects.read("Pod"))

    @property
    def demand(self) -> dict[str, int] | None:
        """The demand that the framework declares, by task; None if it declares none and is offered everything."""
        entries = self.framework.status.demand
        return None if entries is None else {entry.name: entry.count for entry in entries}

    def object(self, kind: str, name: str) -> Manifest | None:
        """An object as it is now; None if there is none of that name.

        >>> stage.object("Reservation", "db-node-0")["spec"]["node"]
        """
        return self._objects.find(kind, name)

    def pod(self, name: str) -> Pod:
        """A pod as it is now.

        >>> stage.pod("workers-o1-0-0").spec.node_name
        """
        found = next((pod for pod in self.pods if pod.metadata.name == name), None)
        if found is None:
            raise LookupError(f"there is no Pod {name}; there are: {', '.join(self._objects.names('Pod')) or 'none'}")
        return found

    def expect_claimed(self, node: str | None = None, *, tasks: Mapping[str, int] | None = None) -> None:
        """Parts of offers were claimed, on this node, for exactly these tasks.

        >>> stage.expect_claimed("node-1", tasks={"worker": 2})
        """
        claims = [
            claim for write in self._look("claim") for claim in write.body["claims"] if node in {None, claim["node"]}
        ]
        found: Counter[str] = Counter()
        for claim in claims:
            found.update(claim.get("tasks", {}))
        as_expected = bool(claims) if tasks is None else found == Counter(tasks)
        where = f" on {node}" if node else ""
        self._require(as_expected, f"a claim{where} for {dict(tasks) if tasks is not None else 'some task'}")

    def expect_declined(self, offer: str | None = None, *, seconds: int | None = None) -> None:
        """An offer was declined, this one, for so many seconds.

        >>> stage.expect_declined(seconds=120)
        """
        found = [
            write
            for write in self._look("decline")
            if offer in {None, write.name} and seconds in {None, write.body["refuseSeconds"]}
        ]
        period = f" for {seconds} s" if seconds is not None else ""
        self._require(bool(found), f"offer {offer or 'of any name'} declined{period}")

    def expect_launched(self, count: int, *, task: str | None = None, on: str | None = None) -> tuple[str, ...]:
        """Exactly so many pods were launched, of this task, on this node; their names in the order of their launch.

        >>> first, second = stage.expect_launched(2, on="node-1")
        """
        found = [
            write.name
            for write in self._look("launch")
            if on in {None, write.node} and task in {None, write.body["metadata"]["labels"].get(LABEL_TASK)}
        ]
        which = f" of task {task}" if task else ""
        where = f" on {on}" if on else ""
        self._require(len(found) == count, f"{_counted(count, 'pod')}{which} launched{where}, not {len(found)}")
        return tuple(found)

    def expect_stopped(self, *pods: str, count: int | None = None) -> tuple[str, ...]:
        """Exactly these pods were stopped, or so many of them; their names.

        >>> stage.expect_stopped("web-o1-0-0")
        >>> [oldest] = stage.expect_stopped(count=1)
        """
        found = [write.name for write in self._look("stop")]
        if count is not None:
            self._require(len(found) == count, f"{_counted(count, 'pod')} stopped, not {len(found)}")
        else:
            self._require(sorted(found) == sorted(pods), f"these pods stopped: {', '.join(pods) or 'none'}")
        return tuple(found)

    def expect_kept(self, kind: str, name: str | None = None) -> Manifest:
        """An object was made or changed; as it is now.

        >>> stage.expect_kept("Reservation", "db-node-0")["spec"]["node"]
        """
        found = [write for write in self._look("keep") if write.kind == kind and name in {None, write.name}]
        present = self._objects.find(kind, found[-1].name) if found else None
        self._require(present is not None, f"{kind} {name or 'of any name'} kept")
        return present or {}

    def expect_removed(self, kind: str, name: str | None = None) -> None:
        """An object besides pods was removed.

        >>> stage.expect_removed("PersistentVolumeClaim", "data-db-node-2")
        """
        found = [write for write in self._look("remove") if write.kind == kind and name in {None, write.name}]
        self._require(bool(found), f"{kind} {name or 'of any name'} removed")

    def expect_event(self, reason: str, containing: str = "") -> None:
        """People were told something in an event of this reason.

        >>> stage.expect_event("PodFailed", "Evicted")
        """
        self._paragraph.looked_at = True
        found = [note for note in self._paragraph.notes if note.reason == reason and containing in note.message]
        told = "; ".join(f"{note.reason}: {note.message}" for note in self._paragraph.notes) or "nothing"
        self._require(bool(found), f"an event {reason} with {containing!r}; told was {told}")

    def expect_nothing(self) -> None:
        """Nothing was written, but perhaps the status.

        >>> stage.restart(); stage.expect_nothing()
        """
        self._paragraph.looked_at = True
        self._require(all(write.verb == "status" for write in self._paragraph.writes), "nothing written")

    def expect_demand(self, wanted: int | Mapping[str, int] | None = None, /, **counts: int) -> None:
        """The framework declares this demand: so many tasks in all, or these and no others; without any, nothing.

        >>> stage.expect_demand(3)
        >>> stage.expect_demand(worker=2)
        >>> stage.expect_demand({"command-0": 1})
        """
        self._paragraph.looked_at = True
        demand = self.demand
        if isinstance(wanted, int):
            as_expected = demand is not None and sum(demand.values()) == wanted
            self._require(as_expected, f"a demand of {wanted} in all, not {demand}")
        else:
            expected = {**(wanted or {}), **counts}
            self._require(demand == expected, f"the demand {expected}, not {demand}")

    def expect_pods(self, count: int, *, task: str | None = None, on: str | None = None) -> tuple[Pod, ...]:
        """So many pods are there which have not ended and are not leaving, of this task, on this node.

        >>> stage.expect_pods(3)
        """
        self._paragraph.looked_at = True
        found = [
            pod
            for pod in self.pods
            if not pod.terminated
            and not pod.leaving
            and task in {None, pod.metadata.labels.get(LABEL_TASK)}
            and on in {None, pod.spec.node_name}
        ]
        which = f" of task {task}" if task else ""
        where = f" on {on}" if on else ""
        self._require(len(found) == count, f"{_counted(count, 'pod')}{which}{where}, not {len(found)}")
        return tuple(found)

    def expect_state(self, state: State, reason: str | None = None) -> None:
        """The framework says of itself that it is Ready, Reconciling or Stalled, for this reason.

        >>> stage.expect_state("Reconciling", "Launching")
        """
        self._paragraph.looked_at = True
        found = _state(self.framework)
        as_expected = found is not None and found[0] == state and reason in {None, found[1]}
        self._require(as_expected, f"state {state}{f' ({reason})' if reason else ''}")

    def expect_status(self, **fields: Any) -> None:
        """The framework's status has these values; names as in the manifest.

        >>> stage.expect_status(readyReplicas=3)
        """
        self._paragraph.looked_at = True
        manifest = self._objects.find("Framework", self._name) or {}
        found = {name: manifest.get("status", {}).get(name) for name in fields}
        self._require(found == fields, f"the status {fields}, not {found}")

    def _look(self, verb: Verb) -> list[Write]:
        self._paragraph.looked_at = True
        return self._paragraph.of(verb)

    def _require(self, holds: bool, what: str) -> None:
        if not holds:
            raise Unmet(f"expected: {what}\nwritten instead:\n{listed(self._paragraph.writes)}\n{self._standing()}")

    def _standing(self) -> str:
        """How things stand, as lines for people."""
        lines = [f"  {line}" for line in _things(self._objects)]
        state = _state(self.framework) if self._objects.find("Framework", self._name) else None
        told = "says nothing of its state" if state is None else f"is {state[0]} ({state[1]}): {state[2]}"
        return "\n".join([f"how things stand: framework {self._name} {told}", *lines])


def _state(framework: Framework) -> tuple[str, str, str] | None:
    return next(
        (
            (one.type, one.reason, one.message)
            for one in framework.status.conditions
            if one.type in {"Ready", "Reconciling", "Stalled"} and one.status == "True"
        ),
        None,
    )


def _things(objects: Objects) -> Iterable[str]:
    for pod in objects.read("Pod"):
        how = "leaving" if pod.leaving else pod.status.phase + (", ready" if pod.ready else "")
        yield f"pod {pod.metadata.name} on {pod.spec.node_name or 'no node yet'}: {how}"
    for offer in objects.read("ResourceOffer"):
        nodes = ", ".join(one.node for one in offer.spec.slices)
        yield f"offer {offer.metadata.name} of {nodes}: {offer.status.phase}"
    for kind in ("Reservation", "PersistentVolumeClaim"):
        for name in objects.names(kind):
            yield f"{kind} {name}"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
