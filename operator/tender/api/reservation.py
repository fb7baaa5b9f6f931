"""Reservation: resources of one node that are kept for a role or framework, also while nothing runs there."""

from functools import cached_property
from typing import ClassVar

from pydantic import Field

from tender.api.meta import Conditions, CustomResource, DnsLabel, DnsSubdomain, Model, Quantities
from tender.api.quantities import Resources, parse_resources
from tender.api.rules import Rule, cel


class ReservationSpec(Model):
    """What is reserved, where, and for whom."""

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
    resources: Quantities = Field(description="The amounts that are kept.", min_length=1)

    @cached_property
    def amounts(self) -> Resources:
        """The amounts that are kept, as integers."""
        return parse_resources(self.resources)


class ReservationStatus(Model):
    """Whether the reservation holds."""

    observed_generation: int | None = Field(
        None, description="The generation of the spec that the master has acted on.", ge=0
    )
    conditions: Conditions = Field((), description="The state in the conditions Ready, Reconciling and Stalled.")


class Reservation(CustomResource):
    """Resources of one node that are kept for a role."""

    KIND: ClassVar[str] = "Reservation"
    PLURAL: ClassVar[str] = "reservations"
    SHORT_NAME: ClassVar[str] = "rsv"

    kind: str = "Reservation"
    spec: ReservationSpec = Field(description="What is wanted.")
    status: ReservationStatus = Field(ReservationStatus(), description="What is the case.")
