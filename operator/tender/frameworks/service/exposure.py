"""The Kubernetes Service in front of a service's pods: what it should be, and which one should not be any more."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tender.api.core import Child
from tender.api.framework import Framework
from tender.api.names import ANNOTATION_APPLIED, LABEL_FRAMEWORK
from tender.api.service import ServiceSpec
from tender.frameworks.sdk.model import Remove
from tender.frameworks.sdk.ownership import as_marked, marked, owned_metadata

_PROTOCOLS = ("TCP", "UDP")
_NAME = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Exposed:
    """What is to be applied and removed, or why there can be no Service."""

    keep: tuple[Mapping[str, Any], ...] = ()
    remove: tuple[Remove, ...] = ()
    mistake: str = ""


def exposed(framework: Framework, spec: ServiceSpec, services: Iterable[Child]) -> Exposed:
    """What becomes of the framework's Kubernetes Services, of which these are there."""
    made = {one.metadata.name: one for one in services if ANNOTATION_APPLIED in one.metadata.annotations}
    if spec.expose is None:
        return Exposed(remove=_removals(made.values(), "spec.service.expose was removed"))
    ports = _ports(spec.template)
    if not ports:
        return Exposed(
            mistake="spec.service.expose: no container of the template has a named port of TCP or UDP; give"
            " containers[].ports[].name to those that are to be reached"
        )
    name = spec.expose.name or framework.metadata.name
    if not _NAME.fullmatch(name):
        return Exposed(
            mistake=f"spec.service.expose: a Service cannot be called {name!r}: set name to letters, digits and hyphens"
            " that begin with a letter"
        )
    wanted = marked(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": owned_metadata(framework, name),
            "spec": {
                "type": spec.expose.type,
                "selector": {LABEL_FRAMEWORK: framework.metadata.name},
                "ports": ports,
            },
        }
    )
    present = made.pop(name, None)
    keep = () if present is not None and as_marked(present.metadata, wanted) else (wanted,)
    return Exposed(keep, _removals(made.values(), f"spec.service.expose names another Service, {name}"))


def _ports(template: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A port of the Service for each named one of containers and sidecars, the first of those with equal numbers."""
    spec = template["spec"]
    sidecars = [one for one in spec.get("initContainers") or () if one.get("restartPolicy") == "Always"]
    ports: dict[tuple[int, str], dict[str, Any]] = {}
    for container in (*spec["containers"], *sidecars):
        for port in container.get("ports") or ():
            protocol = port.get("protocol") or "TCP"
            if not port.get("name") or protocol not in _PROTOCOLS:
                continue
            number = port["containerPort"]
            entry = {"name": port["name"], "port": number, "protocol": protocol, "targetPort": port["name"]}
            ports.setdefault((number, protocol), entry)
    return list(ports.values())


def _removals(services: Iterable[Child], why: str) -> tuple[Remove, ...]:
    return tuple(Remove("Service", one.metadata.name, one.metadata.uid, why) for one in services)
