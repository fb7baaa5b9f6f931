"""Builders of the first level's values, and of small clusters. Memory is in Mi, cpu in milli-CPU."""

from collections.abc import Iterable, Mapping
from random import Random
from typing import Any

from tender.allocation import (
    Charge,
    CycleResult,
    Demand,
    Framework,
    Ledger,
    Node,
    Refusal,
    Reservation,
    Role,
    Settings,
    Taint,
    Toleration,
    run_cycle,
)
from tender.allocation.model import Member, Reason

MI = 1024**2
ANYTHING = Settings()
Fact = Node | Role | Framework | Charge | Reservation | Refusal


def amounts(cpu: int = 0, memory: int = 0, **others: int) -> dict[str, int]:
    """So many milli-CPU, so many Mi, and other resources by name (`gpu` is nvidia.com/gpu)."""
    named = {"cpu": cpu, "memory": memory * MI, "nvidia.com/gpu": others.pop("gpu", 0), **others}
    return {name: amount for name, amount in named.items() if amount}


def node(name: str = "n1", cpu: int = 4000, memory: int = 4096, gpu: int = 0, **fields: Any) -> Node:
    return Node(name, amounts(cpu, memory, gpu=gpu), **fields)


def tainted(name: str, key: str = "dedicated", **sizes: int) -> Node:
    return node(name, **sizes, taints=(Taint(key),))


def role(name: str, parent: str | None = None, weight: float = 1.0, **quota: Mapping[str, int]) -> Role:
    return Role(name, parent, weight, quota.get("guarantee", {}), quota.get("limit", {}))


def framework(name: str = "f1", role: str | None = None, **fields: Any) -> Framework:
    """A framework that takes what it can get; its role is named after it unless given."""
    return Framework(name, role or f"role-of-{name}", **fields)


def wanting(
    name: str = "f1", count: int = 1, role: str | None = None, cpu: int = 1000, memory: int = 1024, **fields: Any
) -> Framework:
    """A framework with a demand for `count` tasks named "task"."""
    of_demand = {key: fields.pop(key) for key in ("max_per_node",) if key in fields}
    entry = Demand("task", amounts(cpu, memory, gpu=fields.pop("gpu", 0)), count, **of_demand)
    return framework(name, role, demand=(entry,), **fields)


def tolerating(key: str = "dedicated") -> tuple[Toleration, ...]:
    return (Toleration(key, "Exists"),)


def ledger(*facts: Fact) -> Ledger:
    """A ledger with these facts; charges, reservations and refusals go under their position as key."""
    made = Ledger()
    for key, fact in enumerate(facts):
        put(made, key, fact)
    return made


def put(target: Ledger, key: int, fact: Fact) -> None:
    match fact:
        case Node():
            target.put_node(fact)
        case Role():
            target.put_role(fact)
        case Framework():
            target.put_framework(fact)
        case Charge():
            target.put_charge(key, fact)
        case Reservation():
            target.put_reservation(key, fact)
        case Refusal():
            target.put_refusal(key, fact)


def cycle(
    on: Ledger, now: float = 0.0, settings: Settings = ANYTHING, nodes: Iterable[str] | None = None, seed: int = 1
) -> CycleResult:
    return run_cycle(on, settings, now, Random(seed), nodes)


def offered(result: CycleResult) -> dict[str, dict[str, dict[str, int]]]:
    """The grants of a cycle by framework and node."""
    made: dict[str, dict[str, dict[str, int]]] = {}
    for grant in result.grants:
        made.setdefault(grant.framework, {})[grant.node] = dict(grant.resources)
    return made


def tasks_granted(result: CycleResult) -> dict[str, int]:
    """How many tasks each framework was offered room for."""
    counts: dict[str, int] = {}
    for grant in result.grants:
        counts[grant.framework] = counts.get(grant.framework, 0) + sum(grant.tasks.values())
    return counts


def settle(on: Ledger, result: CycleResult, *, claimed: bool = False) -> None:
    """Charge the grants of a cycle to the ledger, as offers or as claimed."""
    for grant in result.grants:
        key = ("grant", grant.framework, grant.node, on.allocations(Member(grant.framework, grant.role)))
        on.put_charge(key, Charge(grant.node, grant.resources, grant.framework, grant.tasks, offered=not claimed))
        on.note_allocation(grant.framework)


def reasons(result: CycleResult, framework: str = "f1") -> dict[Reason, int]:
    """The reasons why a framework was not offered nodes, with the number of nodes."""
    return {one.reason: one.nodes for one in result.not_offered.get(framework, ())}
