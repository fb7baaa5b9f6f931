"""ResourceOffer: slices of nodes that the master offers to one framework, and the framework's one answer.

The answer is a compare-and-swap on the status. The rules below let the API server judge it: a claim never
exceeds its slice, the first answer is the only one, and the spec never changes.
"""

from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Annotated, ClassVar, Self

from pydantic import (
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from tender.api.meta import (
    LARGEST_INT32,
    MOST_DEMANDS,
    CustomResource,
    DnsLabel,
    DnsSubdomain,
    LabelValue,
    Model,
    Moment,
    Quantities,
)
from tender.api.quantities import Resources, parse_resources
from tender.api.rules import Rule, cel, list_map, server_default

MOST_SLICES = 128
"""How many slices one offer may have."""

TaskCounts = Annotated[dict[str, Annotated[int, Field(ge=0, le=LARGEST_INT32)]], Field(max_length=MOST_DEMANDS)]


class OfferPhase(StrEnum):
    """Where an offer stands. It leaves `Offered` once and for good."""

    OFFERED = "Offered"
    CLAIMED = "Claimed"
    DECLINED = "Declined"
    RESCINDED = "Rescinded"
    EXPIRED = "Expired"


class Slice(Model):
    """A part of one node."""

    node: DnsSubdomain = Field(description="The node.")
    resources: Quantities = Field(description="The amounts of the node that are offered.", min_length=1)
    tasks: TaskCounts = Field({}, description="For how many tasks of which demand entry the slice was made.")

    @cached_property
    def amounts(self) -> Resources:
        """The amounts that are offered, as integers."""
        return parse_resources(self.resources)


class ResourceOfferSpec(Model):
    """What is offered, to whom, and until when."""

    model_config = ConfigDict(
        json_schema_extra=cel(
            Rule(
                "self == oldSelf",
                "the spec of an offer cannot be changed: the master makes a new offer instead",
            )
        )
    )

    framework: DnsLabel = Field(description="The framework in the same namespace that the offer is made to.")
    role: DnsLabel = Field(description="The role that the resources are charged to.")
    slices: Annotated[tuple[Slice, ...], Field(min_length=1, max_length=MOST_SLICES)] = Field(
        description="The parts of nodes that are offered, each to be claimed wholly, in part or not at all."
    )
    expires_at: Moment = Field(description="When the master takes the offer back if there is no answer.")
    demand_revision: LabelValue | None = Field(
        None,
        description="The hash of the demand that the offer was made for. A refusal ends when the framework's demand is"
        " another one; absent: not before its time.",
    )
    term: int | None = Field(
        None,
        description="The term of the master that made the offer: the leaseTransitions of its Lease. One of an earlier"
        " term that comes after one of a later term is void. Absent: the master stood for no election.",
        ge=0,
        le=LARGEST_INT32,
    )


class Claim(Model):
    """The part of a slice that the framework takes."""

    slice: int = Field(description="The index of the slice in spec.slices.", ge=0, lt=MOST_SLICES)
    resources: Quantities = Field(description="The amounts that are taken, at most those of the slice.", min_length=1)
    tasks: TaskCounts = Field({}, description="For how many tasks of which demand entry they are taken.")

    @cached_property
    def amounts(self) -> Resources:
        """The amounts that are taken, as integers."""
        return parse_resources(self.resources)


def _readable(value: object, read: ValidatorFunctionWrapHandler) -> datetime | None:
    """A time that cannot be read is none: frameworks write it, and their answers have to count all the same."""
    try:
        moment: datetime | None = read(value)
    except ValidationError:
        return None
    return moment


class ResourceOfferStatus(Model):
    """The answer to the offer."""

    model_config = ConfigDict(
        json_schema_extra=cel(
            Rule(
                "has(self.phase) && self.phase == 'Claimed' ? has(self.claims) && size(self.claims) > 0"
                " : !has(self.claims) || size(self.claims) == 0",
                "claims belong to phase Claimed: at least one with it, and none with another phase",
                ".claims",
            )
        )
    )

    phase: OfferPhase = Field(OfferPhase.OFFERED, description="Where the offer stands; absent: Offered.")
    claims: Annotated[tuple[Claim, ...], Field(max_length=MOST_SLICES, json_schema_extra=list_map("slice"))] = Field(
        (), description="What the framework takes, at most one entry for each slice."
    )
    refuse_seconds: int | None = Field(
        None,
        description="For how long the master should not offer again what the framework did not take.",
        ge=0,
        le=31_536_000,
    )
    answered_at: Annotated[Moment | None, WrapValidator(_readable)] = Field(
        None, description="When the answer was given."
    )
    message: str | None = Field(None, description="Why, as a sentence for people.", max_length=1024)


_WAS_OPEN = "!has(oldSelf.status) || !has(oldSelf.status.phase) || oldSelf.status.phase == 'Offered'"


def _same(field: str) -> str:
    return (
        f"has(self.status.{field}) == has(oldSelf.status.{field})"
        f" && (!has(self.status.{field}) || self.status.{field} == oldSelf.status.{field})"
    )


class ResourceOffer(CustomResource):
    """Resources of up to 128 nodes, offered to one framework until it answers or the offer expires."""

    KIND: ClassVar[str] = "ResourceOffer"
    PLURAL: ClassVar[str] = "resourceoffers"
    SHORT_NAME: ClassVar[str] = "offer"

    model_config = ConfigDict(
        json_schema_extra=cel(
            Rule(
                "!has(self.status) || !has(self.status.claims) ||"
                " self.status.claims.all(c, 0 <= c.slice && c.slice < size(self.spec.slices))",
                "a claim is on a slice that the offer does not have: slice is an index of spec.slices",
                ".status.claims",
            ),
            Rule(
                "!has(self.status) || !has(self.status.claims) || self.status.claims.all(c,"
                " c.slice < 0 || c.slice >= size(self.spec.slices) || c.resources.all(r,"
                " r in self.spec.slices[c.slice].resources && quantity(string(c.resources[r]))"
                ".compareTo(quantity(string(self.spec.slices[c.slice].resources[r]))) <= 0))",
                "a claim is larger than its slice: claim at most the resources in spec.slices",
                ".status.claims",
            ),
            # At the root, because a rule on the status would not run when the whole status is removed.
            Rule(
                f"{_WAS_OPEN} || (has(self.status) && {_same('phase')} && {_same('claims')}"
                f" && {_same('refuseSeconds')}"
                f" && (!has(oldSelf.status.answeredAt) || {_same('answeredAt')}))",
                "the offer has been answered already and its answer stays: wait for another offer",
                ".status.phase",
            ),
        )
    )

    kind: str = "ResourceOffer"
    spec: ResourceOfferSpec = Field(description="What is offered.")
    status: ResourceOfferStatus = Field(
        ResourceOfferStatus(),
        description="The answer.",
        json_schema_extra=server_default({"phase": "Offered"}),
    )

    @model_validator(mode="after")
    def _claims_are_on_slices(self) -> Self:
        for claim in self.status.claims:
            if claim.slice >= len(self.spec.slices):
                raise ValueError(
                    f"status.claims: slice {claim.slice} is not one of the {len(self.spec.slices)} of the offer"
                )
        return self

    @property
    def framework_key(self) -> str:
        """The framework that the offer is made to, as "namespace/name"."""
        return f"{self.metadata.namespace}/{self.spec.framework}"
