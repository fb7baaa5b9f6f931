"""What the master tells people: its part of the status of frameworks and roles.

Figures are computed from the ledger and the last cycle, and written when they differ from what was written last, at
most every few seconds per object. Server-side apply under the master's own name leaves the rest of a framework's
status to its controller.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import structlog

from tender.allocation import CycleResult, Ledger, Settings
from tender.allocation.shares import add_into, dominant_share
from tender.api.conditions import State, set_state
from tender.api.framework import Framework
from tender.api.names import MANAGER_MASTER
from tender.api.quantities import Resources, format_resources
from tender.api.role import FrameworkRole
from tender.cluster.client import Client
from tender.cluster.errors import ApiError, NotFound
from tender.cluster.resources import FRAMEWORK_ROLES, FRAMEWORKS, Resource
from tender.master.registry import Registry

log = structlog.get_logger(__name__)

_WRITES_AT_ONCE = 20


def framework_status(name: str, ledger: Ledger, result: CycleResult, settings: Settings) -> dict[str, Any]:
    """The master's part of a framework's status."""
    held, offered = ledger.held(name), ledger.offered(name)
    allocated = dict(held)
    add_into(allocated, offered, -1)
    return {
        "allocation": _without_empty(
            {
                "dominantShare": _share(held, ledger, settings),
                "allocated": format_resources(allocated),
                "offered": format_resources(offered),
                "notOffered": [
                    {"reason": one.reason.value, "nodes": one.nodes, "message": one.message[:1024]}
                    for one in result.not_offered.get(name, ())
                ],
            }
        )
    }


def role_status(role: FrameworkRole, ledger: Ledger, settings: Settings, now: float) -> dict[str, Any]:
    """The status of a role: what its subtree holds, and whether its place in the tree makes sense."""
    name = role.metadata.name
    held: dict[str, int] = {}
    offered: dict[str, int] = {}
    members = 0
    for framework in ledger.frameworks.values():
        members += framework.role == name
        if any(one.name == name for one in ledger.lineage(framework.role)):
            add_into(held, ledger.held(framework.name))
            add_into(offered, ledger.offered(framework.name))
    allocated = dict(held)
    add_into(allocated, offered, -1)
    problem = misplacement(name, ledger)
    state: State = "Stalled" if problem else "Ready"
    conditions = set_state(
        role.status.conditions,
        state,
        reason="Misplaced" if problem else "AsSpecified",
        message=problem or "the role takes part as specified",
        generation=role.metadata.generation,
        now=datetime.fromtimestamp(now, UTC),
    )
    return _without_empty(
        {
            "observedGeneration": role.metadata.generation,
            "conditions": [condition.manifest() for condition in conditions],
            "dominantShare": _share(held, ledger, settings),
            "allocated": format_resources(allocated),
            "offered": format_resources(offered),
            "frameworks": members,
        }
    )


def misplacement(name: str, ledger: Ledger) -> str | None:
    """What is wrong with a role's place in the tree, and what to do; None if it is in order."""
    parent = ledger.role_of(name).parent
    if parent is None:
        return None
    if parent not in ledger.roles:
        return (
            f"spec.parent: role {parent} does not exist; create FrameworkRole {parent} or remove spec.parent. "
            "Until then the role is treated as one without a parent"
        )
    line = [name]
    step: str | None = parent
    while step is not None and step in ledger.roles:
        if step in line:
            circle = " -> ".join([*line, step])
            return f"spec.parent: the parents form a circle ({circle}); change one of them. Until then it is cut here"
        line.append(step)
        step = ledger.roles[step].parent
    return None


class StatusWriter:
    """Writes statuses that differ from what was written last."""

    def __init__(
        self,
        client: Client,
        ledger: Ledger,
        frameworks: Registry[Framework],
        roles: Registry[FrameworkRole],
        latest: Callable[[], CycleResult],
        settings: Settings,
        interval: float,
        clock: Callable[[], float],
    ) -> None:
        self._client = client
        self._ledger = ledger
        self._frameworks = frameworks
        self._roles = roles
        self._latest = latest
        self._settings = settings
        self._interval = interval
        self._clock = clock
        self._written: dict[str, tuple[float, Mapping[str, Any]]] = {}

    async def run(self) -> None:
        """Look once a second what is to be written, until cancelled."""
        while True:
            await asyncio.sleep(1.0)
            due = list(self._due(self._clock()))
            for start in range(0, len(due), _WRITES_AT_ONCE):
                await asyncio.gather(*(self._write(*one) for one in due[start : start + _WRITES_AT_ONCE]))

    def _due(self, now: float) -> Iterator[tuple[str, Resource, Framework | FrameworkRole, dict[str, Any]]]:
        present = set()
        for name, framework in self._frameworks.objects.items():
            present.add(uid := framework.metadata.uid or "")
            if self._may_write(uid, now):
                status = framework_status(name, self._ledger, self._latest(), self._settings)
                if self._differs(uid, status):
                    yield uid, FRAMEWORKS, framework, status
        for role in self._roles.objects.values():
            present.add(uid := role.metadata.uid or "")
            if self._may_write(uid, now):
                status = role_status(role, self._ledger, self._settings, now)
                if self._differs(uid, status):
                    yield uid, FRAMEWORK_ROLES, role, status
        for uid in self._written.keys() - present:
            del self._written[uid]

    async def _write(
        self, uid: str, resource: Resource, target: Framework | FrameworkRole, status: dict[str, Any]
    ) -> None:
        self._written[uid] = (self._clock(), status)
        try:
            await self._client.apply_status(
                resource,
                target.metadata.name,
                status,
                namespace=target.metadata.namespace,
                field_manager=MANAGER_MASTER,
            )
        except NotFound:
            return
        except ApiError as error:
            self._written[uid] = (self._clock(), {})
            log.warning("status not written", error=str(error))

    def _may_write(self, uid: str, now: float) -> bool:
        return uid not in self._written or now - self._written[uid][0] >= self._interval

    def _differs(self, uid: str, status: Mapping[str, Any]) -> bool:
        return uid not in self._written or self._written[uid][1] != status


def _without_empty(status: Mapping[str, Any]) -> dict[str, Any]:
    """The status without empty maps and lists: server-side apply would make null of a map that is emptied."""
    return {name: value for name, value in status.items() if value not in ({}, [])}


def _share(held: Resources, ledger: Ledger, settings: Settings) -> str:
    return f"{dominant_share(held, ledger.totals, settings.unshared_resources):.4f}"
