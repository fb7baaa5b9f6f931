"""What is recorded of each pod: which configuration it is to run, and what has been done with it.

The record is the ConfigMap named like the pod. Its data are the pod's rendered configuration files, its annotations the
rest. It is written before anything is done that it speaks of, and it is the last that goes when a pod is not wanted any
more. So whoever comes back after a crash finds what was begun.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from tender.api.core import ConfigMap
from tender.api.names import GROUP
from tender.frameworks.stateful.orders import Order

_REVISION = f"{GROUP}/revision"
_RENDERED = f"{GROUP}/rendered"
_READY_REVISION = f"{GROUP}/ready-revision"
_NODE = f"{GROUP}/node"
_ADDRESS = f"{GROUP}/address"
_REPLACED = f"{GROUP}/replaced"
_REPLACING = f"{GROUP}/replacing"
_REPLACED_AT = f"{GROUP}/replaced-at"
_ARRIVING = f"{GROUP}/arriving"
_RESTART = f"{GROUP}/restart"
_AGAIN = f"{GROUP}/again"
_CYCLE = f"{GROUP}/cycle"
_REQUESTS = f"{GROUP}/requests"
_DONE = f"{GROUP}/done"
_FAILURES = f"{GROUP}/failures"
_AVOID = f"{GROUP}/avoid"
_REMOVING = f"{GROUP}/removing"

UNSCHEDULABLE = "unschedulable"
"""Stands for the request where a place is given up because kube-scheduler cannot bind the pod there."""
AUTOMATIC = "automatic"
"""Stands for the request where a pod is replaced because its node has been lost for too long."""

POD = ""
"""The key of the pod itself among the failures; every other key is a side task."""
_FIRST_WAIT = 60.0
_FACTOR = 1.15
_LONGEST_WAIT = 300.0


@dataclass(frozen=True, slots=True)
class Failures:
    """How often in a row something ended that should not have, until when (epoch seconds) it waits, and the uid and
    the restarts of the pod that was counted last.
    """

    count: int = 0
    until: float = 0.0
    pod: str = ""

    def after(self, pod: str, now: float, *, at_once: bool) -> "Failures":
        """One more. `at_once`: the first one in a row does not wait."""
        known = 0 if now > self.until + _LONGEST_WAIT else self.count
        waits = known - 1 if at_once else known
        wait = 0.0 if waits < 0 else min(_LONGEST_WAIT, _FIRST_WAIT * _FACTOR ** min(waits, 20))
        return Failures(known + 1, now + wait, pod)


@dataclass(frozen=True, slots=True)
class Record:
    """What is recorded of a pod.

    `revision` is what it is to run, empty as long as only its place and volumes are wanted; `rendered` is the one that
    its files are made of, `ready_revision` the one it was last ready at. `node` and `address` are where it was then.
    `replacing` says why everything it has is being given up, `arriving` the same from then on until it is ready at its
    new place; `replaced` is the former address meanwhile, `replaced_at` when it was last done without request.
    `restart` is the uid of the pod that is to end and start again; `again` says that the step of the rollout is to be
    done once more, `cycle` names the run of a plan ("PLAN RUN") that the pod is started again for. `requests` names the
    orders that were taken up. `done` are tokens of what has been done, `failures` are by side task, and `avoid` are
    nodes with until when (epoch seconds). `removing`: it is not wanted any more, and is taken apart to the end.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    revision: str = ""
    rendered: str = ""
    ready_revision: str = ""
    node: str = ""
    address: str = ""
    replaced: str = ""
    replacing: str = ""
    replaced_at: float = 0.0
    arriving: str = ""
    restart: str = ""
    again: bool = False
    cycle: str = ""
    requests: tuple[str, ...] = ()
    done: Mapping[str, str] = field(default_factory=dict)
    failures: Mapping[str, Failures] = field(default_factory=dict)
    avoid: Mapping[str, float] = field(default_factory=dict)
    removing: bool = False

    @classmethod
    def read(cls, config_map: ConfigMap) -> Self:
        """What a ConfigMap says; an annotation that is missing, or no JSON where it should be, counts as empty."""
        texts = config_map.metadata.annotations
        failures = {name: Failures(*values) for name, values in _object(texts.get(_FAILURES)).items()}
        return cls(
            files=config_map.data,
            revision=texts.get(_REVISION, ""),
            rendered=texts.get(_RENDERED, ""),
            ready_revision=texts.get(_READY_REVISION, ""),
            node=texts.get(_NODE, ""),
            address=texts.get(_ADDRESS, ""),
            replaced=texts.get(_REPLACED, ""),
            replacing=texts.get(_REPLACING, ""),
            replaced_at=float(texts.get(_REPLACED_AT) or 0.0),
            arriving=texts.get(_ARRIVING, ""),
            restart=texts.get(_RESTART, ""),
            again=_AGAIN in texts,
            cycle=texts.get(_CYCLE, ""),
            requests=tuple(texts.get(_REQUESTS, "").split()),
            done=_object(texts.get(_DONE)),
            failures=failures,
            avoid=_object(texts.get(_AVOID)),
            removing=_REMOVING in texts,
        )

    @property
    def settled(self) -> bool:
        """Whether the pod was ready at what it is to run."""
        return bool(self.revision) and self.ready_revision == self.revision

    @property
    def at_rest(self) -> bool:
        """Whether nothing is under way for the pod, as far as the record tells."""
        begun = self.replacing or self.arriving or self.restart or self.again or self.cycle or self.removing
        return self.settled and not begun

    def taken_up(self, order: Order) -> "Record":
        """The record with the order among those that were taken up, of each source those of the last request."""
        source, _, _ = order.request.partition("/")
        kept = (one for one in self.requests if one.startswith(order.request) or not one.startswith(f"{source}/"))
        return replace(self, requests=(*kept, order.id))

    def failed(self, key: str, pod: str, now: float, *, at_once: bool = False) -> "Record":
        """The record with one more failure of the pod itself or of a side task."""
        after = self.failures.get(key, Failures()).after(pod, now, at_once=at_once)
        return replace(self, failures={**self.failures, key: after})

    def recovered(self, key: str) -> "Record":
        """The record without failures of this."""
        return replace(self, failures={name: one for name, one in self.failures.items() if name != key})

    def manifest(self, metadata: Mapping[str, Any]) -> dict[str, Any]:
        """The ConfigMap; `metadata` has the name, the labels and the owner."""
        failures = {name: [one.count, one.until, one.pod] for name, one in self.failures.items()}
        texts = {
            _REVISION: self.revision,
            _RENDERED: self.rendered,
            _READY_REVISION: self.ready_revision,
            _NODE: self.node,
            _ADDRESS: self.address,
            _REPLACED: self.replaced,
            _REPLACING: self.replacing,
            _REPLACED_AT: repr(self.replaced_at) if self.replaced_at else "",
            _ARRIVING: self.arriving,
            _RESTART: self.restart,
            _AGAIN: "true" if self.again else "",
            _CYCLE: self.cycle,
            _REQUESTS: " ".join(self.requests),
            _DONE: _text(self.done),
            _FAILURES: _text(failures),
            _AVOID: _text(self.avoid),
            _REMOVING: "true" if self.removing else "",
        }
        annotations = {name: text for name, text in texts.items() if text}
        manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {**metadata, "annotations": annotations}}
        # Server-side apply makes null of a map that has become empty.
        return {**manifest, "data": dict(self.files)} if self.files else manifest


def _object(text: str | None) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _text(value: Mapping[str, Any]) -> str:
    return json.dumps(value, sort_keys=True) if value else ""
