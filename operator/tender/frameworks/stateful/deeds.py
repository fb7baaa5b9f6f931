"""What is to be done for one pod in a turn."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tender.frameworks.sdk.model import Launch, Remove, Stop


@dataclass
class Deeds:
    """What is to be done for one pod, and what people are told: where it stands, as one word, and what it waits for.

    `needs_place`: it is to be given a place from offers. `wake_at` is when (epoch seconds) something is due.
    """

    keep: list[Mapping[str, Any]] = field(default_factory=list)
    launches: list[Launch] = field(default_factory=list)
    stops: list[Stop] = field(default_factory=list)
    remove: list[Remove] = field(default_factory=list)
    status: str = "Pending"
    message: str = ""
    needs_place: bool = False
    wake_at: float | None = None

    def wait_until(self, at: float) -> None:
        """Be looked at again then."""
        self.wake_at = at if self.wake_at is None else min(self.wake_at, at)
