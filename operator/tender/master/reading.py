"""Cluster objects in the first level's own terms: Kubernetes' quantities and optional fields become the model's values.

Pure; `intake` puts what is read into the ledger.
"""

import re

from tender import api
from tender.allocation import Demand, Framework, Node, Reservation, Role, Taint, Toleration
from tender.api import core
from tender.api.quantities import parse_resources
from tender.master.registry import key_of

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
"""What offers, and labels of pods, can carry of a framework's name; the API server takes longer ones with dots."""


def read_node(node: core.Node) -> Node:
    """A node as the first level sees it; `unavailable` says why nothing new may start there."""
    unavailable = ""
    if node.leaving:
        unavailable = "the node is leaving the cluster"
    elif node.spec.unschedulable:
        unavailable = "the node is cordoned"
    elif not node.ready:
        unavailable = "the node is not ready"
    return Node(
        name=node.metadata.name,
        allocatable=parse_resources(node.status.allocatable),
        labels=node.metadata.labels,
        taints=tuple(Taint(taint.key, taint.value, taint.effect) for taint in node.spec.taints),
        unavailable=unavailable,
    )


def read_framework(framework: api.Framework) -> Framework:
    """A framework as the first level sees it. Each task of a demand counts as one pod of its node."""
    spec = framework.spec
    demand = framework.status.demand
    return Framework(
        name=key_of(framework),
        role=spec.role,
        demand=None if demand is None else tuple(_read_demand(entry) for entry in demand),
        minimum=spec.offers.minimum_amounts,
        node_selector=spec.node_selector,
        tolerations=tuple(_read_toleration(toleration) for toleration in spec.tolerations),
        capabilities=frozenset(spec.capabilities),
        inactive=_why_inactive(framework),
        further_roles=spec.roles,
    )


def _why_inactive(framework: api.Framework) -> str:
    """Why a framework is offered nothing, whatever it demands; empty if it takes part.

    A demand that is not there means "everything" only where somebody else's controller may have chosen so; a built-in
    kind always declares one, and until then its controller has not looked at it yet.
    """
    if not _NAME.fullmatch(framework.metadata.name):
        return (
            f"metadata.name {framework.metadata.name} is no name of a label: create it anew with at most 63 lower-case "
            "letters, digits and hyphens"
        )
    if framework.metadata.deletion_timestamp is not None:
        return "the framework is being deleted"
    if framework.spec.external is None and framework.status.demand is None:
        return "its controller has not declared a demand yet; does the controller run?"
    return ""


def read_role(role: api.FrameworkRole) -> Role:
    """A role as the first level sees it."""
    return Role(
        name=role.metadata.name,
        parent=role.spec.parent,
        weight=role.spec.weight,
        guarantee=role.spec.quota.guarantee_amounts,
        limit=role.spec.quota.limit_amounts,
    )


def read_reservation(reservation: api.Reservation) -> Reservation:
    """A reservation as the first level sees it."""
    spec = reservation.spec
    return Reservation(
        node=spec.node,
        resources=spec.amounts,
        role=spec.role,
        framework=reservation.framework_key,
        refines=reservation.refined_key,
    )


def _read_demand(entry: api.DemandEntry) -> Demand:
    return Demand(
        name=entry.name,
        requests={"pods": 1, **entry.amounts},
        count=entry.count,
        node_selector=entry.node_selector,
        tolerations=tuple(_read_toleration(toleration) for toleration in entry.tolerations),
        max_per_node=entry.max_per_node,
    )


def _read_toleration(toleration: api.Toleration) -> Toleration:
    return Toleration(
        key=toleration.key or "",
        operator=toleration.operator or "Equal",
        value=toleration.value or "",
        effect=toleration.effect or "",
    )
