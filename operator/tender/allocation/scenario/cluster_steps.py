"""The steps of the cluster's side: nodes, roles, reservations, and what runs outside every framework.

A step looks at everything first and changes the world only then, so a refused one changes nothing. Where the format is
silent: an offer that no longer fits its node (more is used or reserved there, the node is cordoned or tainted) is taken
back; a role with child roles cannot be removed; nothing is reserved for a role that does not exist, nor more than the
node holds.
"""

from collections.abc import Mapping
from typing import Any

from tender.allocation.model import Charge, Reservation, Role
from tender.allocation.scenario.values import Refused, read_amounts, read_node, read_role
from tender.allocation.scenario.world import World
from tender.allocation.shares import add_into, fits
from tender.api.quantities import format_resources


def node(world: World, value: Mapping[str, Any]) -> None:
    """Add a node, or replace the one of that name."""
    changed = read_node(value)
    world.ledger.put_node(changed)
    world.refit(changed.name)


def remove_node(world: World, value: object) -> None:
    """Remove a node with everything on it; only its reservations wait for it to return."""
    name = world.known_node(str(value))
    for place in [place for place in world.offers if place[1] == name]:
        world.rescind(place)
    for place in [place for place in world.uses if place[1] == name]:
        world.set_use(place, None)
    world.ledger.remove_charge(("outside", name))
    world.ledger.remove_node(name)


def role(world: World, value: Mapping[str, Any]) -> None:
    """Add or replace a role, and take back the offers that no longer fit."""
    changed = read_role(value)
    ledger = world.ledger
    if changed.parent is not None:
        _check_parent(world, changed.name, changed.parent)
        if changed.parent not in ledger.roles:
            ledger.put_role(Role(changed.parent))
    before = ledger.roles.get(changed.name)
    ledger.put_role(changed)
    world.role_changed(before, changed)


def remove_role(world: World, value: object) -> None:
    """Remove a role. If a framework names it, it exists on with weight 1, no quota and no parent.

    Offers that no longer fit are taken back.
    """
    name = str(value)
    if name not in world.ledger.roles:
        raise Refused(f"there is no role {name} to remove")
    children = sorted(one.name for one in world.ledger.roles.values() if one.parent == name)
    if children:
        raise Refused(f"role {name} is the parent of role {children[0]}; remove that first, or give it another parent")
    before = world.ledger.roles[name]
    world.ledger.remove_role(name)
    world.role_changed(before, None)


def reserve(world: World, value: Mapping[str, Any]) -> None:
    """Reserve resources of a node, in place of what was reserved under the same name."""
    name, role_name = str(value["name"]), str(value["role"])
    node_name = world.known_node(str(value["node"]))
    resources = read_amounts(value["resources"], f"reservation {name}: resources")
    framework = value.get("framework")
    if not _exists(world, role_name):
        raise Refused(f"reservation {name}: there is no role {role_name}; add it first")
    reserved = dict(resources)
    for other, one in world.reservations.items():
        if one.node == node_name and other != name:
            add_into(reserved, one.resources)
    allocatable = world.ledger.nodes[node_name].allocatable
    if not fits(reserved, allocatable):
        raise Refused(
            f"reservation {name} for role {role_name}: {format_resources(reserved)} in all would be reserved on node "
            f"{node_name}, which holds {format_resources(allocatable)}"
        )
    reservation = Reservation(node_name, resources, role_name, None if framework is None else str(framework))
    world.reservations[name] = reservation
    world.ledger.put_reservation(name, reservation)
    world.refit(node_name)


def unreserve(world: World, value: object) -> None:
    """End a reservation."""
    name = str(value)
    if world.reservations.pop(name, None) is None:
        raise Refused(f"there is no reservation {name}")
    world.ledger.remove_reservation(name)


def use(world: World, value: Mapping[str, Any]) -> None:
    """Set what pods outside every framework use on a node."""
    name = world.known_node(str(value["node"]))
    resources = read_amounts(value["resources"], f"use on node {name}")
    world.ledger.put_charge(("outside", name), Charge(name, resources))
    world.refit(name)


def _check_parent(world: World, name: str, parent: str) -> None:
    if not _exists(world, parent):
        raise Refused(f"role {name}: parent: there is no role {parent}; add it first")
    line = [name]
    step: str | None = parent
    while step is not None:
        line.append(step)
        if step == name:
            raise Refused(f"role {name}: parent: the parents would form a circle ({' -> '.join(line)})")
        step = world.ledger.role_of(step).parent


def _exists(world: World, role_name: str) -> bool:
    named = (framework.role for framework in world.ledger.frameworks.values())
    return role_name in world.ledger.roles or role_name in named
