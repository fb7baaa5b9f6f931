"""What a step did, for printing and for comparing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tender.allocation.model import NotOffered, Shares
from tender.allocation.scenario.reading import Step
from tender.api.quantities import Resources, format_resources

Offers = Mapping[str, Mapping[str, Resources]]
"""Amounts by framework and node."""


@dataclass(slots=True)
class Record:
    """What one step did.

    `clock` is in seconds after the step; `refused` says why the step changed nothing; `offers` are those of this
    step's cycle; `rescinded` counts offers taken back, by framework; `failures` are the expectations that do not hold.
    """

    step: Step
    clock: float
    refused: str | None = None
    offers: Offers = field(default_factory=dict)
    not_offered: Mapping[str, tuple[NotOffered, ...]] = field(default_factory=dict)
    rescinded: Mapping[str, int] = field(default_factory=dict)
    shares: Shares = field(default_factory=lambda: Shares({}, {}))
    order: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """The record in plain values, with quantities as they are written."""
        return {
            "step": self.step.number,
            "action": self.step.action,
            "value": self.step.value,
            "clock": self.clock,
            "refused": self.refused,
            "offers": {
                framework: {node: format_resources(amounts) for node, amounts in by_node.items()}
                for framework, by_node in self.offers.items()
            },
            "notOffered": {
                framework: [{"reason": one.reason.value, "nodes": one.nodes, "message": one.message} for one in reasons]
                for framework, reasons in self.not_offered.items()
            },
            "rescinded": dict(self.rescinded),
            "shares": {"roles": dict(self.shares.roles), "frameworks": dict(self.shares.frameworks)},
            "order": list(self.order),
            "failures": list(self.failures),
        }
