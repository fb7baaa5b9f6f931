"""Reservation: resources of one node that are kept for a role or framework, also while nothing runs there.

Nothing moves when one is made: what its role's frameworks hold on the node already is counted into it, so a claim or
running pods become a reservation by making one of at most their size.
"""

from functools import cached_property
from typing import ClassVar

from pydantic import ConfigDict, Field

from tender.api.durations import parse_duration
from tender.api.meta import Conditions, CustomResource, DnsLabel, DnsSubdomain, Duration, Model, Moment, Quantities
from tender.api.quantities import Resources, parse_resources
from tender.api.rules import Rule, cel


class ReservationSpec(Model):
    """What is reserved, where, and for whom."""

    model_config = ConfigDict(
        json_schema_extra=cel(
            Rule(
                "has(self.refines) == has(oldSelf.refines) && (!has(self.refines) || self.refines == oldSelf.refines)",
                "spec.refines cannot be changed: make a new Reservation",
                ".refines",
            )
        )
    )

    role: DnsLabel = Field(
        description="The role that the resources are kept for, with the roles below it.",
        json_schema_extra=cel(Rule("self == oldSelf", "spec.role cannot be changed: make a new Reservation")),
    )
    framework: DnsLabel | None = Field(
        None,
        description="The framework in the same namespace that alone may use them; absent: any of the role.",
    )
    node: DnsSubdomain = Field(
        description="The node that the resources are kept on.",
        json_schema_extra=cel(Rule("self == oldSelf", "spec.node cannot be changed: make a new Reservation")),
    )
    resources: Quantities = Field(description="The amounts that are kept, at least those in use.", min_length=1)
    refines: DnsLabel | None = Field(
        None,
        description="The Reservation in the same namespace, on the same node and for a role above, that this one is a"
        " part of: what is kept here is kept there no longer, until this one is deleted.",
    )
    node_lost_timeout: Duration | None = Field(
        None,
        description="For how long the node may be gone (no Node object) until the Reservation is released; absent:"
        " for ever, since what is stored on a node may come back with it.",
    )

    @cached_property
    def amounts(self) -> Resources:
        """The amounts that are kept, as integers."""
        return parse_resources(self.resources)

    @cached_property
    def node_lost_seconds(self) -> float | None:
        """For how long the node may be gone; None: for ever."""
        return None if self.node_lost_timeout is None else parse_duration(self.node_lost_timeout)


class ReservationStatus(Model):
    """Whether the reservation holds, and what becomes of it."""

    observed_generation: int | None = Field(
        None, description="The generation of the spec that the master has acted on.", ge=0
    )
    conditions: Conditions = Field((), description="The state in the conditions Ready, Reconciling and Stalled.")
    used: Quantities = Field(
        {},
        description="The part in use: by pods and claims of those for whom it is kept. Where several are kept for the"
        " same on a node, the oldest is used up first.",
    )
    unused: Quantities = Field({}, description="The part that nobody uses.")
    refined: Quantities = Field({}, description="The part that the Reservations which refine this one keep instead.")
    node_lost_at: Moment | None = Field(
        None, description="Since when the master has not seen the node; absent while it is there."
    )


class Reservation(CustomResource):
    """Resources of one node that are kept for a role."""

    KIND: ClassVar[str] = "Reservation"
    PLURAL: ClassVar[str] = "reservations"
    SHORT_NAME: ClassVar[str] = "rsv"

    model_config = ConfigDict(
        json_schema_extra=cel(
            Rule(
                "!has(self.spec.refines) || self.spec.refines != self.metadata.name",
                "a Reservation cannot refine itself: name one that is kept for a role above",
                ".spec.refines",
            ),
            # Only of a change, because the figures may be older than the spec. They are not in the message: nothing
            # bounds the names of resources, so the API server finds it too costly to make.
            Rule(
                "self.spec.resources == oldSelf.spec.resources || !has(self.status) || !has(self.status.used) ||"
                " self.status.used.all(r, r in self.spec.resources && quantity(string(self.spec.resources[r]))"
                ".compareTo(quantity(string(self.status.used[r]))) >= 0)",
                "less than what is in use: keep at least the amounts in status.used, or end what uses them first",
                ".spec.resources",
            ),
        )
    )

    kind: str = "Reservation"
    spec: ReservationSpec = Field(description="What is wanted.")
    status: ReservationStatus = Field(ReservationStatus(), description="What is the case.")

    @property
    def framework_key(self) -> str | None:
        """The framework that alone may use it, as "namespace/name"; None: any of the role."""
        return self._beside(self.spec.framework)

    @property
    def refined_key(self) -> str | None:
        """The Reservation that this one is a part of, as "namespace/name"."""
        return self._beside(self.spec.refines)

    def _beside(self, name: str | None) -> str | None:
        return f"{self.metadata.namespace}/{name}" if name else None
