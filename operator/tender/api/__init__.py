"""The custom resources of group `tender.dev`, and the values that every layer shares.

One module per kind, all pure: `tender.api.crds` makes the CRDs from the models. Kubernetes' own nodes and
pods, in the form that Tender reads, are in `tender.api.core`.
"""

from tender.api.conditions import READY, RECONCILING, STALLED, find_condition, set_condition, set_state
from tender.api.durations import format_duration, parse_duration
from tender.api.framework import (
    Allocation,
    Backoff,
    DemandEntry,
    ExternalSpec,
    Framework,
    FrameworkSpec,
    FrameworkStatus,
    NotOffered,
    OfferPreferences,
    Toleration,
)
from tender.api.meta import Condition, CustomResource, ObjectMeta, OwnerReference
from tender.api.names import (
    API_VERSION,
    DEFAULT_ROLE,
    GROUP,
    LABEL_FRAMEWORK,
    LABEL_OFFER,
    LABEL_REVISION,
    LABEL_ROLE,
    LABEL_TASK,
    MANAGER_MASTER,
    MANAGER_SERVICE,
    VERSION,
)
from tender.api.offer import (
    MOST_SLICES,
    Claim,
    OfferPhase,
    ResourceOffer,
    ResourceOfferSpec,
    ResourceOfferStatus,
    Slice,
)
from tender.api.quantities import Resources, format_amount, format_resources, parse, parse_resources
from tender.api.reservation import Reservation, ReservationSpec, ReservationStatus
from tender.api.role import FrameworkRole, FrameworkRoleSpec, FrameworkRoleStatus, Quota
from tender.api.service import ServiceSpec
from tender.api.stateful import StatefulSpec

__all__ = [
    "API_VERSION",
    "DEFAULT_ROLE",
    "GROUP",
    "LABEL_FRAMEWORK",
    "LABEL_OFFER",
    "LABEL_REVISION",
    "LABEL_ROLE",
    "LABEL_TASK",
    "MANAGER_MASTER",
    "MANAGER_SERVICE",
    "MOST_SLICES",
    "READY",
    "RECONCILING",
    "STALLED",
    "VERSION",
    "Allocation",
    "Backoff",
    "Claim",
    "Condition",
    "CustomResource",
    "DemandEntry",
    "ExternalSpec",
    "Framework",
    "FrameworkRole",
    "FrameworkRoleSpec",
    "FrameworkRoleStatus",
    "FrameworkSpec",
    "FrameworkStatus",
    "NotOffered",
    "ObjectMeta",
    "OfferPhase",
    "OfferPreferences",
    "OwnerReference",
    "Quota",
    "Reservation",
    "ReservationSpec",
    "ReservationStatus",
    "ResourceOffer",
    "ResourceOfferSpec",
    "ResourceOfferStatus",
    "Resources",
    "ServiceSpec",
    "Slice",
    "StatefulSpec",
    "Toleration",
    "find_condition",
    "format_amount",
    "format_duration",
    "format_resources",
    "parse",
    "parse_duration",
    "parse_resources",
    "set_condition",
    "set_state",
]
