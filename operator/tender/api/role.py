"""FrameworkRole: a node of the role tree, with the weight and the quota of all frameworks below it.

A role that only a framework names exists all the same, with weight 1, no quota and no parent.
"""

from functools import cached_property
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from tender.api.meta import Conditions, CustomResource, DnsLabel, Model, Quantities, Quantity, ResourceName
from tender.api.quantities import Resources, parse_resources
from tender.api.rules import Rule, cel, list_map, server_default

QUOTA_SOUND = "QuotaSound"
"""The condition that says whether the quota can be kept: what is guaranteed is there, the limit is not exceeded."""
GUARANTEE_MET = "GuaranteeMet"
"""The condition that says whether the role has what it is guaranteed, as far as it wants it."""
QUOTA_RESOURCES = 64
"""The most resources that a role's status lists."""


class Quota(Model):
    """What the role is guaranteed, and what it must not exceed, with all roles below it."""

    model_config = ConfigDict(
        json_schema_extra=cel(
            Rule(
                "!has(self.guarantee) || !has(self.limit) || self.guarantee.all(r, !(r in self.limit) ||"
                " quantity(string(self.guarantee[r])).compareTo(quantity(string(self.limit[r]))) <= 0)",
                "spec.quota.guarantee exceeds spec.quota.limit: lower the guarantee or raise the limit",
            )
        )
    )

    guarantee: Quantities = Field({}, description="Amounts that are kept for the role, also while it is idle.")
    limit: Quantities = Field({}, description="Amounts that the role and the roles below it never exceed together.")

    @cached_property
    def guarantee_amounts(self) -> Resources:
        """The guarantee as integers; a resource that is absent is not guaranteed."""
        return parse_resources(self.guarantee)

    @cached_property
    def limit_amounts(self) -> Resources:
        """The limit as integers; a resource that is absent is not limited."""
        return parse_resources(self.limit)


class FrameworkRoleSpec(Model):
    """The role's place in the tree, and its part of the cluster."""

    parent: DnsLabel | None = Field(None, description="The role above this one; absent: a role at the top.")
    weight: float = Field(
        1.0,
        description="The role's part in relation to its siblings: weight 2 gets twice as much as weight 1.",
        gt=0,
        le=1_000_000,
        json_schema_extra=server_default(1),
    )
    quota: Quota = Field(Quota(), description="Guaranteed and largest amounts.")


class QuotaFigures(Model):
    """One resource: what the role is guaranteed and may have of it, and what it has with the roles below it."""

    resource: ResourceName = Field(description="The resource.")
    guarantee: Quantity | None = Field(None, description="The guaranteed amount; absent: none.")
    limit: Quantity | None = Field(None, description="The largest amount; absent: no limit.")
    consumed: Quantity = Field("0", description="Pods, claims and all that is reserved, whether or not it is used.")
    offered: Quantity = Field("0", description="What is on offer now; it counts against the limit too.")


class FrameworkRoleStatus(Model):
    """What the frameworks of the role hold."""

    observed_generation: int | None = Field(
        None, description="The generation of the spec that the master has acted on.", ge=0
    )
    conditions: Conditions = Field(
        (), description="The state in Ready, Reconciling and Stalled; of the quota in QuotaSound and GuaranteeMet."
    )
    dominant_share: str | None = Field(
        None,
        description="The largest fraction of any resource of the cluster that the role holds.",
        max_length=32,
    )
    allocated: Quantities = Field(
        {}, description="What the role's frameworks hold in pods and claims, those of the roles below included."
    )
    quota: Annotated[tuple[QuotaFigures, ...], Field(max_length=QUOTA_RESOURCES)] = Field(
        (),
        description="By resource: what is guaranteed, allowed, consumed and on offer, with the roles below.",
        json_schema_extra=list_map("resource"),
    )
    frameworks: int | None = Field(None, description="How many frameworks are in the role itself.", ge=0)


class FrameworkRole(CustomResource):
    """A role that frameworks take part in, with its weight and quota."""

    KIND: ClassVar[str] = "FrameworkRole"
    PLURAL: ClassVar[str] = "frameworkroles"
    SHORT_NAME: ClassVar[str] = "frole"
    NAMESPACED: ClassVar[bool] = False

    model_config = ConfigDict(
        json_schema_extra=cel(
            Rule(
                "!has(self.spec.parent) || self.spec.parent != self.metadata.name",
                "the role is its own parent: name another, or leave spec.parent out for a role at the top",
                ".spec.parent",
            )
        )
    )

    kind: str = "FrameworkRole"
    spec: FrameworkRoleSpec = Field(
        FrameworkRoleSpec(), description="What is wanted.", json_schema_extra=server_default({})
    )
    status: FrameworkRoleStatus = Field(FrameworkRoleStatus(), description="What is the case.")
