"""The steps of the frameworks' side: they come and go, claim, decline and release, suppress and revive.

A step looks at everything first and changes the world only then, so a refused one changes nothing. Where the format is
silent: a framework that changes its role or becomes inactive loses its outstanding offers and its filters, one that is
no longer suppressed its filters. A part of an offer that is claimed by amounts counts as as many tasks of
the demand as it has room for, and releasing amounts ends tasks in the same way.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from tender.allocation.model import Demand
from tender.allocation.scenario.holding import Holding
from tender.allocation.scenario.values import Refused, read_amounts, read_count, read_framework, read_milliseconds
from tender.allocation.scenario.world import Place, World
from tender.allocation.shares import add_into, fits
from tender.api.quantities import Resources, format_resources


def framework(world: World, value: Mapping[str, Any]) -> None:
    """Add or replace a framework."""
    changed = read_framework(value)
    name = changed.name
    ledger = world.ledger
    before = ledger.frameworks.get(name)
    idle = set()
    if value.get("suppressed", False):
        idle.add("suppressed")
    if not value.get("active", True):
        idle.add("inactive")
    moved = before is not None and before.role != changed.role
    if moved or "inactive" in idle:
        for place in [place for place in world.offers if place[0] == name]:
            world.rescind(place)
    if moved or "inactive" in idle or world.idle.get(name, frozenset()) - idle:
        ledger.revive(name)
    world.idle[name] = frozenset(idle)
    ledger.put_framework(dataclasses.replace(changed, inactive=_words(world.idle[name])))


def remove_framework(world: World, value: object) -> None:
    """Remove a framework: its offers end, and what it uses is freed."""
    name = world.known_framework(str(value))
    for place in [place for place in world.offers if place[0] == name]:
        world.set_offer(place, None)
    for place in [place for place in world.uses if place[0] == name]:
        world.set_use(place, None)
    world.idle.pop(name, None)
    world.ledger.remove_framework(name)


def suppress(world: World, value: object) -> None:
    """The framework wants no offers for now; those that it has stay."""
    name = world.known_framework(str(value))
    _set_idle(world, name, world.idle[name] | {"suppressed"})


def revive(world: World, value: object) -> None:
    """The framework wants offers again, and its filters end."""
    name = world.known_framework(str(value))
    _set_idle(world, name, world.idle[name] - {"suppressed"})
    world.ledger.revive(name)


def claim(world: World, value: Mapping[str, Any]) -> None:
    """Accept an offer, all of it or a part; the rest is declined."""
    place, offer = _offer(world, value)
    refuse = read_milliseconds(value.get("refuse", "0s"), "claim: refuse")
    offered = offer.resources()
    if "task" in value:
        claimed = _tasks(world, place[0], str(value["task"]), read_count(value.get("count", 1), "claim: count"))
    elif "resources" in value:
        claimed = offer.part(read_amounts(value["resources"], "claim: resources"))
    else:
        claimed = offer
    if not fits(claimed.resources(), offered):
        raise Refused(
            f"claim: {format_resources(claimed.resources())} is more than the offer of node {place[1]} to {place[0]} "
            f"holds: {format_resources(offered)}"
        )
    rest = dict(offered)
    add_into(rest, claimed.resources(), -1)
    world.set_offer(place, None)
    used = world.uses.get(place, Holding())
    used.add(claimed)
    world.set_use(place, used)
    world.refuse(place, rest, refuse)


def decline(world: World, value: Mapping[str, Any]) -> None:
    """Refuse the offer of one node, or all offers of the framework."""
    refuse = read_milliseconds(value.get("refuse", "5s"), "decline: refuse")
    if "node" in value:
        places = [_offer(world, value)[0]]
    else:
        name = world.known_framework(str(value["framework"]))
        places = [place for place in world.offers if place[0] == name]
    for place in places:
        resources = world.offers[place].resources()
        world.set_offer(place, None)
        world.refuse(place, resources, refuse)


def release(world: World, value: Mapping[str, Any]) -> None:
    """Free what the framework uses on a node, all of it or a part."""
    place = (world.known_framework(str(value["framework"])), world.known_node(str(value["node"])))
    used = world.uses.get(place)
    if used is None:
        raise Refused(f"release: {place[0]} uses nothing on node {place[1]}")
    if "task" in value:
        _end_tasks(used, place, str(value["task"]), read_count(value.get("count", 1), "release: count"))
    elif "resources" in value:
        amounts = read_amounts(value["resources"], "release: resources")
        if not fits(amounts, used.resources()):
            raise Refused(
                f"release: {place[0]} uses {format_resources(used.resources())} on node {place[1]}, less than "
                f"{format_resources(amounts)}"
            )
        used.free(amounts)
    else:
        used = None
    world.set_use(place, used)


def requests_of(world: World, name: str, task: str) -> Resources | None:
    """What one task of a framework's demand takes; None if the demand has no such entry."""
    entries: tuple[Demand, ...] = world.ledger.frameworks[name].demand or ()
    return next((entry.requests for entry in entries if entry.name == task), None)


def _offer(world: World, value: Mapping[str, Any]) -> tuple[Place, Holding]:
    name, node = str(value["framework"]), str(value["node"])
    offer = world.offers.get((name, node))
    if offer is None:
        raise Refused(f"there is no outstanding offer of node {node} to framework {name}")
    return (name, node), offer


def _tasks(world: World, name: str, task: str, count: int) -> Holding:
    requests = requests_of(world, name, task)
    if requests is None:
        raise Refused(f"claim: task: the demand of {name} has no entry {task}, so no offer holds it")
    return Holding(tasks=[(task, requests)] * count)


def _end_tasks(used: Holding, place: Place, task: str, count: int) -> None:
    running = used.counts().get(task, 0)
    if count > running:
        raise Refused(f"release: {place[0]} runs {running} of {task} on node {place[1]}, fewer than {count}")
    for _ in range(count):
        used.tasks.remove(next(one for one in used.tasks if one[0] == task))


def _set_idle(world: World, name: str, idle: frozenset[str]) -> None:
    world.idle[name] = idle
    known = world.ledger.frameworks[name]
    world.ledger.put_framework(dataclasses.replace(known, inactive=_words(idle)))


def _words(idle: frozenset[str]) -> str:
    return f"the framework is {' and '.join(sorted(idle))}" if idle else ""
