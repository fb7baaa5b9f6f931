"""Plans of a stateful service as an indented tree: plan, phase, step, each with where it stands."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from tender.cli.views.standings import stateful_status

Object = Mapping[str, Any]
Paint = Callable[[str, str], str]
_COLOURS = {"Complete": "green", "Error": "red", "Delayed": "red", "Waiting": "yellow", "InProgress": "cyan"}


def plans_of(framework: Object, name: str | None = None) -> Sequence[Object]:
    """What the status says of all plans, or of one."""
    return [one for one in stateful_status(framework).get("plans", ()) if name in (None, one["name"])]


def names_of(framework: Object) -> str:
    """The plans that there are, for people."""
    return ", ".join(one["name"] for one in plans_of(framework)) or "none"


def tree(plans: Sequence[Object], paint: Paint | None = None) -> Iterator[str]:
    """The lines of the tree."""
    for plan in plans:
        run = f" run {plan['run']}" if plan.get("run") else ""
        yield f"{plan['name']}{run} ({_painted(plan['status'], paint)}){_because(plan)}"
        for name, value in sorted((plan.get("parameters") or {}).items()):
            yield f"  {name}={value}"
        for phase in plan.get("phases", ()):
            done = f"{phase.get('complete', 0)} of {phase.get('total', 0)}"
            yield f"  {phase['name']} ({_painted(phase['status'], paint)}, {done})"
            steps = phase.get("steps", ())
            width = max((len(step["name"]) for step in steps), default=0)
            for step in steps:
                yield f"    {step['name']:{width}}  {_painted(step['status'], paint)}{_because(step)}"


def _painted(status: str, paint: Paint | None) -> str:
    colour = _COLOURS.get(status)
    return paint(status, colour) if paint and colour else status


def _because(one: Object) -> str:
    return f": {one['message']}" if one.get("message") else ""
