"""What a pod takes from its node, computed as Kubernetes does.

The scheduler, the kubelet and Tender have to agree on this sum to the byte, or one of them refuses what
another placed. Source: `k8s.io/component-helpers/resource.PodRequests` and the API server's defaulting of
pods (`pkg/apis/core/v1/defaults.go`), which is repeated here because templates have not been through it. A
pod that is being resized in place counts with what its spec wants.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from tender.api.core import Container, PodSpec, Quantities, ResourceRequirements
from tender.api.quantities import parse

_AT_POD_LEVEL = ("cpu", "memory")
_HUGE_PAGES = "hugepages-"


def pod_requests(spec: PodSpec) -> dict[str, int]:
    """Amounts by resource name: milli-CPU, bytes and counts, and one of `pods`.

    Raises ValueError, naming the container and the resource, for an amount that is no quantity.
    """
    requests = _of_containers(spec)
    if spec.resources is not None:
        requests.update(_at_pod_level(spec.resources, requests))
    if spec.overhead:
        _add(requests, dict(_amounts(spec.overhead, "overhead")))
    requests["pods"] = 1
    return requests


def template_requests(pod_spec: Mapping[str, Any]) -> dict[str, int]:
    """The same for a pod spec as it stands in a template.

    Raises ValueError for a spec that is none, or whose amounts are no quantities.
    """
    try:
        spec = msgspec.convert(pod_spec, PodSpec)
    except msgspec.ValidationError as error:
        raise ValueError(f"pod template's spec: {error}") from None
    return pod_requests(spec)


def _of_containers(spec: PodSpec) -> dict[str, int]:
    """The larger of what all containers and sidecars take together and what the hungriest moment of the start
    takes.

    While an init container runs, the sidecars listed before it run too.
    """
    running: dict[str, int] = {}
    for container in spec.containers:
        _add(running, _of_container(container))
    if not spec.init_containers:
        return running
    sidecars: dict[str, int] = {}
    starting: dict[str, int] = {}
    for container in spec.init_containers:
        own = _of_container(container)
        if container.sidecar:
            _add(running, own)
            _add(sidecars, own)
            own = sidecars
        else:
            _add(own, sidecars)
        _raise_to(starting, own)
    _raise_to(running, starting)
    return running


def _of_container(container: Container) -> dict[str, int]:
    """What it requests; a resource that is limited but not requested is requested to its limit."""
    place = f"container {container.name}"
    amounts = dict(_amounts(container.resources.limits or {}, f"{place} resources.limits"))
    amounts.update(_amounts(container.resources.requests or {}, f"{place} resources.requests"))
    return amounts


def _at_pod_level(resources: ResourceRequirements, of_containers: Mapping[str, int]) -> dict[str, int]:
    """What the pod as a whole requests; its limits count for resources that no container requests."""
    limits = _amounts(resources.limits or {}, "pod's resources.limits")
    requests = _amounts(resources.requests or {}, "pod's resources.requests")
    amounts = {n: amount for n, amount in limits if n not in of_containers or n.startswith(_HUGE_PAGES)}
    amounts.update(requests)
    return {name: amount for name, amount in amounts.items() if _supported(name)}


def _supported(name: str) -> bool:
    return name in _AT_POD_LEVEL or name.startswith(_HUGE_PAGES)


def _amounts(quantities: Quantities, place: str) -> Iterator[tuple[str, int]]:
    for name, quantity in quantities.items():
        try:
            yield name, parse(name, repr(quantity) if isinstance(quantity, float) else quantity)
        except ValueError as error:
            raise ValueError(f"{place}.{name}: {error}") from None


def _add(total: dict[str, int], more: Mapping[str, int]) -> None:
    for name, amount in more.items():
        total[name] = total.get(name, 0) + amount


def _raise_to(total: dict[str, int], floor: Mapping[str, int]) -> None:
    for name, amount in floor.items():
        if name not in total or amount > total[name]:
            total[name] = amount
