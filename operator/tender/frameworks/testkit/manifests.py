"""Manifests to start a script of the test kit with."""

from collections.abc import Mapping
from typing import Any

from tender.api.framework import Framework
from tender.api.names import API_VERSION

NOON = 1_777_636_800.0
"""The time at which a stage begins unless it says otherwise: 2026-05-01T12:00:00Z."""
NAMESPACE = "default"
MEMORY = "128Mi"


def framework(name: str = "mine", *, namespace: str = NAMESPACE, **spec: Any) -> Framework:
    """A framework as its user would apply it; keywords are the fields of its spec, `external={}` if there are none.

    >>> framework("db", external={}, role="data").spec.role
    'data'
    """
    metadata = {"name": name, "namespace": namespace}
    return Framework.read(
        {"apiVersion": API_VERSION, "kind": "Framework", "metadata": metadata, "spec": spec or {"external": {}}}
    )


def pod_template(
    *,
    cpu: str = "500m",
    memory: str = MEMORY,
    image: str = "app:1",
    command: tuple[str, ...] = (),
    labels: Mapping[str, str] | None = None,
    **spec: Any,
) -> dict[str, Any]:
    """A template of pods with one container; further keywords go into the pods' spec.

    >>> pod_template(cpu="1")["spec"]["containers"][0]["resources"]["requests"]
    {'cpu': '1', 'memory': '128Mi'}
    """
    container: dict[str, Any] = {
        "name": "main",
        "image": image,
        "resources": {"requests": {"cpu": cpu, "memory": memory}},
    }
    if command:
        container["command"] = list(command)
    return {"metadata": {"labels": dict(labels or {})}, "spec": {"containers": [container], **spec}}
