"""The versions of a framework that are recorded in ControllerRevisions, and the patch that goes back to one."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tender.cli.views.ages import age
from tender.cli.views.refused import RefusedError
from tender.cli.views.table import Column

Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Version:
    """A version: its number, whether it is the one that runs, when it was recorded, and what was."""

    number: int
    current: bool
    recorded: datetime
    data: Object

    def document(self) -> dict[str, Any]:
        """The version for programs."""
        return {
            "version": self.number,
            "current": self.current,
            "recorded": self.recorded.isoformat().replace("+00:00", "Z"),
            "images": list(images(self.data)),
        }


def versions_of(framework: Object, revisions: Iterable[Object]) -> list[Version]:
    """The versions of a framework, the newest last."""
    uid, runs = framework["metadata"]["uid"], framework.get("status", {}).get("version")
    found = [
        Version(
            number=one["revision"],
            current=one["revision"] == runs,
            recorded=datetime.fromisoformat(one["metadata"]["creationTimestamp"]),
            data=one.get("data") or {},
        )
        for one in revisions
        if any(owner["uid"] == uid for owner in one["metadata"].get("ownerReferences", ()))
    ]
    return sorted(found, key=lambda one: one.number)


def columns(now: datetime) -> list[Column[Version]]:
    """The columns of a list of versions."""
    return [
        Column("VERSION", lambda one: str(one.number)),
        Column("CURRENT", lambda one: "*" if one.current else ""),
        Column("RECORDED", lambda one: age(one.recorded, now)),
        Column("IMAGES", lambda one: ",".join(images(one.data))),
    ]


def images(data: Object) -> Iterator[str]:
    """The images of a version, each once, in the order of its containers."""
    templates = [data["template"]] if "template" in data else [one.get("template", {}) for one in data.get("pods", ())]
    containers = (one for template in templates for one in template.get("spec", {}).get("containers", ()))
    yield from dict.fromkeys(one["image"] for one in containers if "image" in one)


def rolled_back(framework: Object, versions: Sequence[Version], to: int | None) -> dict[str, Any]:
    """The patch that runs version `to`, or (None) the one before the present one. Raises RefusedError."""
    name, spec = framework["metadata"]["name"], framework["spec"]
    version = _chosen(name, versions, to)
    if spec.get("service") is not None:
        return {"spec": {"service": {"rollbackTo": version.number}}}
    if spec.get("stateful") is None:
        raise RefusedError(f"framework {name} is run by a controller of its own: roll it back there")
    if version.data.get("role") != spec.get("role", version.data.get("role")):
        raise RefusedError(f"framework {name}: version {version.number} was of another role, which cannot be changed")
    counts = {one["name"]: one.get("count", 1) for one in spec["stateful"]["pods"]}
    pods = [{**one, "count": counts.get(one["name"], one.get("count", 1))} for one in version.data.get("pods", ())]
    return {"spec": {"stateful": {"pods": pods, "plans": list(version.data.get("plans", ())) or None}}}


def forward(framework: Object) -> dict[str, Any]:
    """The patch by which a service runs what its fields say. Raises RefusedError for other kinds."""
    if framework["spec"].get("service") is None:
        name = framework["metadata"]["name"]
        raise RefusedError(f"framework {name} is no service: roll it back to the version you want with --to")
    return {"spec": {"service": {"rollbackTo": None}}}


def _chosen(name: str, versions: Sequence[Version], to: int | None) -> Version:
    numbers = ", ".join(str(one.number) for one in versions) or "none"
    if to is not None:
        chosen = next((one for one in versions if one.number == to), None)
        if chosen is None:
            raise RefusedError(f"framework {name} has no version {to}: recorded are {numbers}")
        return chosen
    current = next((one.number for one in versions if one.current), None)
    former = [one for one in versions if current is not None and one.number < current]
    if not former:
        raise RefusedError(f"framework {name} has no version before the present one: recorded are {numbers}")
    return former[-1]
