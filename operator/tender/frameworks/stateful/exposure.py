"""The Service without an address of its own by which the pods are found, each under its name, ready or not."""

from collections.abc import Mapping
from typing import Any

from tender.api.framework import Framework
from tender.api.names import LABEL_FRAMEWORK, LABEL_PART
from tender.frameworks.sdk.model import Seen
from tender.frameworks.sdk.ownership import as_marked, marked, owned_metadata
from tender.frameworks.stateful.targets import Target


def headless_service(seen: Seen, target: Target) -> tuple[Mapping[str, Any], ...]:
    """The Service as it should be; nothing if it is."""
    wanted = _service(seen.framework, target)
    present = next((one for one in seen.services if one.metadata.name == seen.framework.metadata.name), None)
    return () if present is not None and as_marked(present.metadata, wanted) else (wanted,)


def _service(framework: Framework, target: Target) -> dict[str, Any]:
    ports: dict[str, dict[str, Any]] = {}
    for pod_set in target.pods:
        for container in pod_set.template["spec"].get("containers") or ():
            for port in container.get("ports") or ():
                if port.get("name") and port.get("containerPort"):
                    entry = {"name": port["name"], "port": port["containerPort"], "targetPort": port["name"]}
                    ports.setdefault(port["name"], {**entry, "protocol": port.get("protocol", "TCP")})
    spec: dict[str, Any] = {
        "clusterIP": "None",
        "publishNotReadyAddresses": True,
        "selector": {LABEL_FRAMEWORK: framework.metadata.name, LABEL_PART: "pod"},
    }
    if ports:
        spec["ports"] = list(ports.values())
    metadata = owned_metadata(framework, framework.metadata.name)
    return marked({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec})
