"""What stands in the way of a task on a slice: the first thing counts, in the order in which Marathon looked at offers
(`NoOfferMatchReason`).
"""

from dataclasses import dataclass

ROLE = "Role"
CONSTRAINT = "Constraint"
RESERVATION = "Reservation"
CPU = "CPU"
MEMORY = "Memory"
DISK = "Disk"
GPU = "GPU"
PODS = "Pods"
PORTS = "Ports"

REASONS = (ROLE, CONSTRAINT, RESERVATION, CPU, MEMORY, DISK, GPU, PODS, PORTS)
"""All reasons, in the order in which they are looked for. `GPU` stands for every resource that is not named here."""

_OF_RESOURCES = {"cpu": CPU, "memory": MEMORY, "ephemeral-storage": DISK, "pods": PODS}


@dataclass(frozen=True, slots=True)
class Obstacle:
    """The first thing in the way, as one word of `REASONS` and as a sentence.

    `passing` if the framework's own tasks are in the way: what they do may remove it at any moment.
    """

    reason: str
    message: str
    passing: bool = False

    @property
    def depth(self) -> int:
        """How far in the funnel it is: the farther, the nearer the task came to fitting."""
        return REASONS.index(self.reason)


@dataclass(frozen=True, slots=True)
class Refusal:
    """The last offer of a node was of no use; `task` came nearest. `at` in epoch seconds, None for this turn."""

    node: str
    task: str
    obstacle: Obstacle
    at: float | None = None


def reason_of(resource: str) -> str:
    """The reason that stands for too little of a resource."""
    return _OF_RESOURCES.get(resource, GPU)
