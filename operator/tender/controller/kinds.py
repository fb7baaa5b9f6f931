"""The kinds of object that belong to frameworks: how each is read, and where a turn sees it.

Whatever the kind, an object belongs to the framework that its controller ownerReference names by uid; the label
`tender.dev/framework` only selects what is watched.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from tender.api.core import (
    Child,
    ConfigMap,
    ControllerRevision,
    Pod,
    VolumeClaim,
    decode_child,
    decode_config_map,
    decode_controller_revision,
    decode_pod,
    decode_volume_claim,
)
from tender.api.reservation import Reservation
from tender.cluster.resources import (
    CONFIG_MAPS,
    CONTROLLER_REVISIONS,
    NODES,
    PODS,
    RESERVATIONS,
    SERVICES,
    VOLUME_CLAIMS,
    Resource,
)


def _nowhere(_: Any) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of object of frameworks.

    `decode` reads what a watch tells, `read` the answer to a write; `seen_as` is the field of `Seen`, and `node` gives
    the name of the node that an object is on, empty for none. Of one that is `final` nothing is ever taken away again.
    """

    resource: Resource
    seen_as: str
    decode: Callable[[bytes], Any]
    read: Callable[[Mapping[str, Any]], Any]
    node: Callable[[Any], str] = _nowhere
    final: bool = False


def _reads(model: type) -> Callable[[Mapping[str, Any]], Any]:
    return lambda manifest: msgspec.convert(manifest, model)


KINDS = {
    kind.resource: kind
    for kind in (
        Kind(PODS, "pods", decode_pod, _reads(Pod), lambda pod: pod.spec.node_name),
        Kind(
            RESERVATIONS,
            "reservations",
            Reservation.model_validate_json,
            Reservation.read,
            lambda reservation: reservation.spec.node,
        ),
        Kind(VOLUME_CLAIMS, "volume_claims", decode_volume_claim, _reads(VolumeClaim)),
        Kind(CONFIG_MAPS, "config_maps", decode_config_map, _reads(ConfigMap)),
        Kind(CONTROLLER_REVISIONS, "revisions", decode_controller_revision, _reads(ControllerRevision), final=True),
        Kind(SERVICES, "services", decode_child, _reads(Child)),
    )
}
"""All of them."""
KEPT = {kind.resource.kind: kind for kind in KINDS.values() if kind.resource is not PODS}
"""Those that a plan may keep and remove, by the `kind` of a manifest; pods are launched and stopped."""
EVERYTHING = (NODES, *(kind.resource for kind in KEPT.values()))
"""All that a controller can follow besides frameworks, offers and pods."""
