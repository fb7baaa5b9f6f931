"""What a framework has written, as a script of the test kit looks at it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Verb = Literal["claim", "decline", "keep", "launch", "stop", "remove", "status"]
"""What was done: answers to offers, objects that are kept, pods that come and go, removals, the framework's status."""


@dataclass(frozen=True, slots=True)
class Write:
    """One write that took effect.

    `name` is the object's: the offer for answers. `body` is what was written: the answer's status, with the node of
    each claim; the pod; the object that is kept; the framework's status; empty for what is deleted. `node` is the
    pod's.
    """

    verb: Verb
    kind: str
    name: str
    body: Mapping[str, Any] = field(default_factory=dict)
    node: str = ""
    why: str = ""

    def __str__(self) -> str:
        where = f" on {self.node}" if self.node else ""
        why = f" ({self.why})" if self.why else ""
        return f"{self.verb} {self.kind} {self.name}{where}{_detail(self)}{why}"


def listed(writes: Iterable[Write]) -> str:
    """The writes as lines for people."""
    lines = [f"  {write}" for write in writes]
    return "\n".join(lines) or "  nothing"


def _detail(write: Write) -> str:
    match write.verb:
        case "claim":
            return " for " + ", ".join(
                f"{claim.get('tasks') or claim['resources']} on {claim['node']}" for claim in write.body["claims"]
            )
        case "decline":
            return f" for {write.body.get('refuseSeconds')} s"
        case "status":
            demand = write.body.get("demand")
            wanted = "not declared" if demand is None else {entry["name"]: entry["count"] for entry in demand}
            return f" with demand {wanted}"
    return ""
