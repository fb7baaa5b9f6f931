"""FrameworkRole: a node of the role tree, with the weight and the quota of all frameworks below it.

A role that only a framework names exists all the same, with weight 1, no quota and no parent.
"""

from functools import cached_property
from typing import ClassVar

from pydantic import ConfigDict, Field

from tender.api.meta import Conditions, CustomResource, DnsLabel, Model, Quantities
from tender.api.quantities import Resources, parse_resources
from tender.api.rules import Rule, cel, server_default


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


class FrameworkRoleStatus(Model):
    """What the frameworks of the role hold."""

    observed_generation: int | None = Field(
        None, description="The generation of the spec that the master has acted on.", ge=0
    )
    conditions: Conditions = Field((), description="The state in the conditions Ready, Reconciling and Stalled.")
    dominant_share: str | None = Field(
        None,
        description="The largest fraction of any resource of the cluster that the role holds.",
        max_length=32,
    )
    allocated: Quantities = Field({}, description="What the role's frameworks hold, those of the roles below included.")
    offered: Quantities = Field({}, description="What is on offer to the role's frameworks now.")
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
