"""The pod template of a framework: kept as the user wrote it, with just enough declared to refuse mistakes.

The whole Pod schema would make a CRD of several hundred kilobytes, more than `kubectl apply` can store; so
all fields are preserved unseen and only those that the rules read are declared.
"""

from typing import Annotated, Any

from pydantic import AfterValidator, WithJsonSchema

from tender.api.meta import NOT_NEGATIVE, QUANTITY_SCHEMA
from tender.api.rules import Rule, cel, list_map, server_default

_MOST_CONTAINERS = 32

_OPEN_OBJECT = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
_RESOURCES = {
    **_OPEN_OBJECT,
    "description": "What the container is given.",
    "properties": {
        "requests": {
            "type": "object",
            "description": "What is set aside for the container; offers are measured by it.",
            "maxProperties": 16,
            "additionalProperties": QUANTITY_SCHEMA,
            **NOT_NEGATIVE,
        },
        "limits": {
            "type": "object",
            "description": "What the container must not exceed.",
            "maxProperties": 16,
            "additionalProperties": QUANTITY_SCHEMA,
            **NOT_NEGATIVE,
        },
    },
}
_CONTAINER = {
    **_OPEN_OBJECT,
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "maxLength": 63, "description": "The container's name."},
        "resources": _RESOURCES,
    },
}
_HAS_REQUESTS = (
    "has({0}.resources) && has({0}.resources.requests) && 'cpu' in {0}.resources.requests"
    " && 'memory' in {0}.resources.requests"
)


def _all_have_requests(containers: str) -> str:
    return f"({_HAS_REQUESTS.format('self')}) || {containers}.all(c, {_HAS_REQUESTS.format('c')})"


def _needs_requests(containers: str) -> str:
    return (
        f"each of spec.{containers} needs resources.requests.cpu and resources.requests.memory, or the pod"
        " spec.resources.requests with both: offers are measured by them"
    )


_POD_SPEC = {
    **_OPEN_OBJECT,
    "description": "The spec of the pods.",
    "required": ["containers"],
    "properties": {
        "nodeName": {
            "type": "string",
            "maxLength": 253,
            "description": "Must be absent: the offer decides the node.",
        },
        "containers": {
            "type": "array",
            "description": "The containers, at least one.",
            "minItems": 1,
            "maxItems": _MOST_CONTAINERS,
            "items": _CONTAINER,
            **list_map("name"),
        },
        "initContainers": {
            "type": "array",
            "description": "The containers that run before the others.",
            "maxItems": _MOST_CONTAINERS,
            "items": _CONTAINER,
            **list_map("name"),
        },
        "resources": _RESOURCES,
    },
    **cel(
        Rule(
            "!has(self.nodeName)",
            "remove nodeName: the offer decides the node; to choose among nodes set spec.nodeSelector",
            ".nodeName",
        ),
        Rule(_all_have_requests("self.containers"), _needs_requests("containers")),
        Rule(
            "!has(self.initContainers) || " + _all_have_requests("self.initContainers"),
            _needs_requests("initContainers"),
        ),
    ),
}


def _template(template: dict[str, Any]) -> dict[str, Any]:
    """Refuse what the API server would refuse: a template without what is read of every one."""
    metadata = template.get("metadata") or {}
    mistake = ""
    if not isinstance(template.get("spec"), dict):
        mistake = "spec is missing: write the pod's spec, as in a Deployment"
    elif not isinstance(metadata, dict):
        mistake = "metadata is no object: write labels and annotations into it, or leave it out"
    elif not all(_is_of_text(metadata.get(field) or {}) for field in ("labels", "annotations")):
        mistake = "metadata has a label or annotation that is no text: put it into quotes"
    if mistake:
        raise ValueError(mistake)
    return template


def _is_of_text(entries: object) -> bool:
    return isinstance(entries, dict) and all(isinstance(value, str) for value in entries.values())


PodTemplate = Annotated[
    dict[str, Any],
    AfterValidator(_template),
    WithJsonSchema(
        {
            **_OPEN_OBJECT,
            "x-kubernetes-embedded-resource": True,
            "required": ["spec"],
            "properties": {
                "apiVersion": {"type": "string", **server_default("v1")},
                "kind": {"type": "string", **server_default("Pod")},
                "metadata": {"type": "object"},
                "spec": _POD_SPEC,
            },
        }
    ),
]
"""A pod template as the user wrote it: `metadata` and `spec`, as in a Deployment."""
