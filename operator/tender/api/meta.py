"""What all custom resources have in common: metadata, conditions and the base of the models.

Reading is tolerant: fields that this version does not know are ignored, so an older master keeps working
under a newer CRD. The models are values: frozen, compared by their fields.
"""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel

from tender.api.durations import DURATION_PATTERN, parse_duration
from tender.api.names import API_VERSION
from tender.api.quantities import parse
from tender.api.rules import Rule, cel, list_map

DNS_LABEL = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
DNS_SUBDOMAIN = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"
RESOURCE_NAME = r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$"
QUANTITY_SCHEMA = {
    "x-kubernetes-int-or-string": True,
    "minimum": 0,
    "maxLength": 32,
    # As Kubernetes defines a quantity, without the minus sign.
    "pattern": r"^\+?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE][+-]?[0-9]{1,2}))?$",
}
NOT_NEGATIVE = cel(
    Rule(
        "self.all(r, !string(self[r]).startsWith('-'))",
        "an amount is negative: write a quantity of 0 or more",
    )
)
LONGEST_LABEL = 63
LARGEST_INT32 = 2**31 - 1
FIRST_YEAR, LAST_YEAR = 1900, 9000
MOST_DEMANDS = 128
"""How many entries a demand may have; a slice may be for tasks of all of them."""


def _text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _amount(text: str) -> str:
    if parse("", text) < 0:
        raise ValueError(f"{text!r} is negative: write an amount of 0 or more")
    return text


def _duration(text: str) -> str:
    parse_duration(text)
    return text


def _within_reach(moment: datetime) -> datetime:
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValueError(
            f"{moment.isoformat()} cannot be reckoned with: write a time of the years {FIRST_YEAR} to {LAST_YEAR}"
        )
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_within_reach)]
"""A time that can be told in every zone and that others can be added to."""
DnsLabel = Annotated[str, Field(pattern=DNS_LABEL, max_length=LONGEST_LABEL)]
"""A name that is also used as a label's value or as part of other names."""
DnsSubdomain = Annotated[str, Field(pattern=DNS_SUBDOMAIN, max_length=253)]
"""A name of a node."""
Duration = Annotated[str, Field(pattern=DURATION_PATTERN, max_length=32), AfterValidator(_duration)]
"""A duration such as "60s"; `tender.api.durations` gives the seconds."""
Quantity = Annotated[
    str,
    BeforeValidator(_text),
    AfterValidator(_amount),
    WithJsonSchema(QUANTITY_SCHEMA),
]
"""A Kubernetes quantity that is not negative; `tender.api.quantities` gives the integer."""
Quantities = Annotated[dict[str, Quantity], Field(max_length=16, json_schema_extra=NOT_NEGATIVE)]
"""Quantities by resource name."""
ResourceName = Annotated[str, Field(pattern=RESOURCE_NAME, max_length=316)]
"""The name of a resource of nodes, such as cpu or nvidia.com/gpu."""
LabelValue = Annotated[str, Field(max_length=LONGEST_LABEL)]


class Model(BaseModel):
    """A part of a custom resource: camelCase outside, snake_case inside."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="ignore",
        frozen=True,
    )

    def manifest(self) -> dict[str, Any]:
        """The value as the API server takes it: camelCase, JSON types, only the fields that were given."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_unset=True)


class OwnerReference(Model):
    """The object that another one belongs to and goes away with."""

    api_version: str
    kind: str
    name: str
    uid: str
    controller: bool | None = None
    block_owner_deletion: bool | None = None


class ObjectMeta(Model):
    """The metadata of an object, as far as Tender reads it."""

    name: str = ""
    namespace: str | None = None
    uid: str | None = None
    resource_version: str | None = None
    generation: int | None = None
    creation_timestamp: Moment | None = None
    deletion_timestamp: Moment | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    finalizers: tuple[str, ...] = ()
    owner_references: tuple[OwnerReference, ...] = ()


class Condition(Model):
    """One aspect of an object's state, as `metav1.Condition` defines it."""

    type: str = Field(
        description="The aspect, such as Ready, Reconciling or Stalled.",
        max_length=316,
        pattern=r"^[A-Za-z0-9]([-A-Za-z0-9_./]*[A-Za-z0-9])?$",
    )
    status: Literal["True", "False", "Unknown"] = Field(description="Whether the aspect applies.")
    reason: str = Field(
        description="Why, as one word in CamelCase for programs.",
        min_length=1,
        max_length=1024,
        pattern=r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$",
    )
    message: str = Field("", description="Why, as a sentence for people.", max_length=32768)
    observed_generation: int | None = Field(
        None, description="The generation of the spec that this was found for.", ge=0
    )
    last_transition_time: Moment = Field(description="When the status last became what it is.")


Conditions = Annotated[
    tuple[Condition, ...],
    Field(
        max_length=16,
        json_schema_extra=list_map("type"),
    ),
]


class CustomResource(Model):
    """The base of the kinds: each says its names here and its fields in `spec` and `status`."""

    KIND: ClassVar[str]
    PLURAL: ClassVar[str]
    SHORT_NAME: ClassVar[str]
    NAMESPACED: ClassVar[bool] = True

    api_version: str = API_VERSION
    kind: str = ""
    metadata: ObjectMeta = ObjectMeta()

    @classmethod
    def read(cls, manifest: Any) -> Self:
        """The object in `manifest`, a mapping as the API server gives it; unknown fields are ignored.

        Raises pydantic.ValidationError, which names the field, when the object breaks the schema.
        """
        return cls.model_validate(manifest)

    def manifest(self) -> dict[str, Any]:
        """The object as the API server takes it: `apiVersion`, `kind` and the fields that were given."""
        return {"apiVersion": self.api_version, "kind": self.kind, **super().manifest()}

    @property
    def key(self) -> tuple[str, str]:
        """Namespace (empty for cluster-scoped kinds) and name."""
        return (self.metadata.namespace or "", self.metadata.name)
