"""The three shapes of the same load: one framework of N pods, N frameworks of one pod, and N of them as a group."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tender.api.names import API_VERSION, DEFAULT_ROLE

GROUP_ROLE = "bench-group"

Manifest = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shape:
    """How a load of N pods is asked for: with which frameworks, and how many of them are being written at once."""

    title: str
    frameworks: Callable[[int], list[Manifest]]
    writes_at_once: int


def _one(size: int) -> list[Manifest]:
    return [_framework(f"one-{size}", replicas=size, role=DEFAULT_ROLE)]


def _many(size: int) -> list[Manifest]:
    return [_framework(f"many-{size}-{number:04d}", replicas=1, role=DEFAULT_ROLE) for number in range(size)]


def _group(size: int) -> list[Manifest]:
    return [_framework(f"group-{size}-{number:04d}", replicas=1, role=GROUP_ROLE) for number in range(size)]


SHAPES = {
    "one": Shape("1 framework x N", _one, writes_at_once=1),
    "many": Shape("N frameworks x 1", _many, writes_at_once=8),
    "group": Shape("N frameworks in a group", _group, writes_at_once=64),
}


def _framework(name: str, *, replicas: int, role: str) -> Manifest:
    return {
        "apiVersion": API_VERSION,
        "kind": "Framework",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"role": role, "service": {"replicas": replicas, "template": {"spec": _pod_spec()}}},
    }


def _pod_spec() -> Manifest:
    """A pod of the size that was published."""
    return {
        "terminationGracePeriodSeconds": 0,
        "automountServiceAccountToken": False,
        "tolerations": [{"key": "kwok.x-k8s.io/node", "operator": "Exists"}],
        "containers": [
            {
                "name": "main",
                "image": "tender.dev/pause:1",
                "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}},
            }
        ],
    }
