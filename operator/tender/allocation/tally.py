"""Counts of the nodes that a framework was not offered, by reason, with one telling message for each."""

from collections import Counter

from tender.allocation.model import NotOffered, Reason


class Tally:
    """Counts nodes under the reason that they were passed over for."""

    def __init__(self) -> None:
        self._nodes: Counter[Reason] = Counter()
        self._messages: dict[Reason, str] = {}

    def count(self, reason: Reason, message: str, nodes: int = 1) -> None:
        """Count nodes under a reason; the first message given for it is kept."""
        self._nodes[reason] += nodes
        self._messages.setdefault(reason, message)

    def summary(self) -> tuple[NotOffered, ...]:
        """The reasons, the most frequent first."""
        return tuple(
            NotOffered(reason, count, self._messages[reason])
            for reason, count in sorted(self._nodes.items(), key=lambda item: (-item[1], item[0]))
        )
