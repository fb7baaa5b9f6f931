"""The patch that scales a framework."""

from collections.abc import Mapping
from typing import Any

from tender.cli.views.refused import RefusedError

Object = Mapping[str, Any]


def scaled(framework: Object, replicas: int, pods: str | None, current: int | None) -> dict[str, Any]:
    """The patch for so many pods, of the set `pods` if there are several; `current` is how many there must be now.

    Raises RefusedError.
    """
    name, spec = framework["metadata"]["name"], framework["spec"]
    if spec.get("service") is not None:
        if pods is not None:
            raise RefusedError(f"framework {name} is a service, which has no sets of pods: leave out --pods")
        _expect(name, current, spec["service"].get("replicas", 1))
        return {"spec": {"service": {"replicas": replicas}}}
    if spec.get("stateful") is None:
        raise RefusedError(f"framework {name} is run by a controller of its own: scale it there")
    sets = spec["stateful"]["pods"]
    names = [one["name"] for one in sets]
    chosen = pods or (names[0] if len(names) == 1 else None)
    if chosen not in names:
        asked = f"no set of pods {pods}" if pods else "several sets of pods: say --pods"
        raise RefusedError(f"framework {name} has {asked}; it has {', '.join(names)}")
    before = next(one for one in sets if one["name"] == chosen)
    _expect(name, current, before.get("count", 1))
    if replicas < before.get("count", 1) and not before.get("allowDecommission"):
        raise RefusedError(
            f"framework {name}: fewer pods of {chosen} would lose their volumes; set allowDecommission of the set first"
        )
    changed = [{**one, "count": replicas} if one["name"] == chosen else one for one in sets]
    return {"spec": {"stateful": {"pods": changed}}}


def _expect(name: str, current: int | None, present: int) -> None:
    if current is not None and current != present:
        raise RefusedError(f"framework {name} is to have {present} pods now, not {current}: nothing was changed")
