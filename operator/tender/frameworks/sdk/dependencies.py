"""Which frameworks another one waits for, by `spec.dependsOn`.

A framework is there for others when its condition Ready is true for the generation that it has now: it was rolled out
to its end, and all its pods are ready (of none, if it wants none). Frameworks that wait for each other in a circle
would wait for ever, so each of them is told of the circle.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from tender.api.conditions import READY, find_condition
from tender.api.framework import Framework

_LONGEST_QUOTE = 200


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What stands in the way of a framework: nothing, others that are not ready, or a circle.

    `waiting` says of each framework that is not ready why, as a sentence; `cycle` names the members of a circle in
    their order, the framework itself first.
    """

    waiting: tuple[str, ...] = ()
    cycle: tuple[str, ...] = ()

    @property
    def message(self) -> str:
        """What stands in the way, for people; empty if nothing does."""
        if self.cycle:
            circle = " -> ".join((*self.cycle, self.cycle[0]))
            return f"spec.dependsOn goes round in a circle: {circle}; remove one of these dependencies"
        return "; ".join(self.waiting)


def dependencies_of(framework: Framework, frameworks: Mapping[str, Framework]) -> Dependencies:
    """What stands in the way of the framework; `frameworks` are those of its namespace, by name."""
    if not framework.spec.depends_on:
        return Dependencies()
    known = {**frameworks, framework.metadata.name: framework}
    cycle = _circle(framework.metadata.name, known)
    if cycle:
        return Dependencies(cycle=cycle)
    reasons = (_why_not_ready(one.name, known.get(one.name)) for one in framework.spec.depends_on)
    return Dependencies(waiting=tuple(reason for reason in reasons if reason))


def _why_not_ready(name: str, framework: Framework | None) -> str:
    """Why the framework is not there for others; empty if it is."""
    if framework is None:
        return f"framework {name} does not exist in this namespace"
    if framework.metadata.deletion_timestamp is not None:
        return f"framework {name} is being deleted"
    ready = find_condition(framework.status.conditions, READY)
    if ready is None:
        return f"framework {name} does not say yet whether it is ready"
    if ready.observed_generation != framework.metadata.generation:
        return f"framework {name} has been changed and does not say yet whether it is ready"
    if ready.status != "True":
        return f"framework {name} is not ready ({ready.reason}: {ready.message[:_LONGEST_QUOTE]})"
    return ""


def _circle(start: str, frameworks: Mapping[str, Framework]) -> tuple[str, ...]:
    """The shortest way from `start` back to itself, without its second mention; empty if there is none."""
    reached: dict[str, str] = {}
    ways = [start]
    for name in ways:
        framework = frameworks.get(name)
        for dependency in framework.spec.depends_on if framework is not None else ():
            if dependency.name == start:
                way = [name]
                while way[-1] != start:
                    way.append(reached[way[-1]])
                return tuple(reversed(way))
            if dependency.name not in reached:
                reached[dependency.name] = name
                ways.append(dependency.name)
    return ()
