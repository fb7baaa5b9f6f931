"""From a parsed document to a scenario. What the format does not know is an error that names file, step and key.

Only the shape is looked at here. A value that makes no sense (a negative quantity, an unknown name) is for the step
itself to refuse, since a scenario may expect that.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tender.allocation.model import Settings
from tender.api.durations import parse_duration
from tender.api.quantities import parse_resources

_NAME = "a name"
_MAPPING = "a mapping"
ACTIONS: dict[str, frozenset[str] | str] = {
    "node": frozenset({"name", "allocatable", "labels", "taints", "unschedulable"}),
    "removeNode": _NAME,
    "role": frozenset({"name", "parent", "weight", "quota"}),
    "removeRole": _NAME,
    "framework": frozenset(
        {
            "name",
            "role",
            "suppressed",
            "active",
            "minimumOffer",
            "nodeSelector",
            "capabilities",
            "tolerations",
            "demand",
        }
    ),
    "removeFramework": _NAME,
    "reserve": frozenset({"name", "role", "framework", "node", "resources"}),
    "unreserve": _NAME,
    "use": frozenset({"node", "resources"}),
    "allocate": frozenset({"nodes"}),
    "claim": frozenset({"framework", "node", "resources", "refuse", "task", "count"}),
    "decline": frozenset({"framework", "node", "refuse"}),
    "release": frozenset({"framework", "node", "resources", "task", "count"}),
    "suppress": _NAME,
    "revive": _NAME,
    "advance": "a duration",
}
"""The actions: the keys of their mapping, or what stands there instead of one."""
_REQUIRED = {
    "node": ("name",),
    "role": ("name",),
    "framework": ("name",),
    "reserve": ("name", "role", "node", "resources"),
    "use": ("node", "resources"),
    "claim": ("framework", "node"),
    "decline": ("framework",),
    "release": ("framework", "node"),
}
_INSIDE: dict[str, tuple[type, frozenset[str]]] = {
    "quota": (dict, frozenset({"guarantee", "limit"})),
    "taints": (list, frozenset({"key", "value", "effect"})),
    "tolerations": (list, frozenset({"key", "operator", "value", "effect"})),
    "demand": (list, frozenset({"name", "requests", "count", "nodeSelector", "tolerations", "maxPerNode"})),
}
_MAPPINGS = frozenset({"allocatable", "labels", "resources", "nodeSelector", "requests", "guarantee", "limit"})
_LISTS = frozenset({"minimumOffer", "capabilities", "nodes"})
_EXPECTATIONS: dict[str, type] = {
    "offers": dict,
    "total": dict,
    "nodes": dict,
    "shares": dict,
    "order": list,
    "rescinded": dict,
    "error": str,
}
_SETTINGS = frozenset({"minimumOffer", "unsharedResources", "sorter", "seed", "interval"})
_TOP = frozenset({"name", "about", "settings", "steps"})


class ScenarioError(ValueError):
    """A document is no scenario; the message names the file, the step and the key."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its number from 1, its one action with the value as written, and what is expected of it."""

    number: int
    action: str
    value: Any
    expect: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario; `interval` is the length of a cycle in seconds."""

    name: str
    about: str
    file: str
    steps: tuple[Step, ...]
    settings: Settings = field(default_factory=Settings)
    seed: int = 1
    interval: float = 1.0


def read_scenario(document: object, file: str) -> Scenario:
    """The scenario in a parsed document. Raises ScenarioError; `file` is only there to be named."""
    reader = _Reader(file)
    top = reader.mapping(document, "document")
    reader.known(top, _TOP, "document")
    for key in ("name", "about", "steps"):
        if key not in top:
            raise ScenarioError(f"{file}: {key} is missing")
    settings = reader.mapping(top.get("settings", {}), "settings")
    reader.known(settings, _SETTINGS, "settings")
    try:
        seed, interval, cycle = _read_settings(settings)
    except (ValueError, TypeError, AttributeError) as error:
        raise ScenarioError(f"{file}: settings: {error}") from None
    if not isinstance(top["steps"], list):
        raise ScenarioError(f"{file}: steps: expected a list, got {top['steps']!r}")
    steps = tuple(reader.step(number, step) for number, step in enumerate(top["steps"], 1))
    return Scenario(str(top["name"]), str(top["about"]), file, steps, cycle, seed, interval)


def _read_settings(settings: Mapping[str, Any]) -> tuple[int, float, Settings]:
    defaults = Settings()
    sorter = settings.get("sorter", "drf")
    if sorter not in {"drf", "random"}:
        raise ValueError(f"sorter: expected drf or random, got {sorter!r}")
    minimum = defaults.minimum_offer
    if "minimumOffer" in settings:
        minimum = tuple(parse_resources(_as_text(one)) for one in settings["minimumOffer"])
    unshared = frozenset(settings.get("unsharedResources", defaults.unshared_resources))
    cycle = Settings(minimum_offer=minimum, unshared_resources=unshared, sorter=sorter)
    return int(settings.get("seed", 1)), parse_duration(str(settings.get("interval", "1s"))), cycle


def _as_text(amounts: Mapping[str, Any]) -> dict[str, str]:
    return {str(name): str(quantity) for name, quantity in amounts.items()}


class _Reader:
    """Checks the shape of one file."""

    def __init__(self, file: str) -> None:
        self._file = file

    def mapping(self, value: object, where: str) -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            raise ScenarioError(f"{self._file}: {where}: expected a mapping, got {value!r}")
        return value

    def known(self, value: Mapping[str, Any], keys: frozenset[str], where: str) -> None:
        for key in value:
            if key not in keys:
                raise ScenarioError(f"{self._file}: {where}: unknown key {key!r}; there are {', '.join(sorted(keys))}")

    def step(self, number: int, raw: object) -> Step:
        where = f"step {number}"
        step = self.mapping(raw, where)
        actions = [key for key in step if key != "expect"]
        unknown = [action for action in actions if action not in ACTIONS]
        if unknown:
            raise ScenarioError(
                f"{self._file}: {where}: unknown key {unknown[0]!r}; a step is one of {', '.join(sorted(ACTIONS))}"
            )
        if len(actions) != 1:
            raise ScenarioError(f"{self._file}: {where}: expected exactly one action, got {actions}")
        action = actions[0]
        where = f"{where} ({action})"
        value = step[action]
        keys = ACTIONS[action]
        if isinstance(keys, frozenset):
            value = {} if value is None and action == "allocate" else value
            self._action(action, self.mapping(value, where), keys, where)
        elif isinstance(value, Mapping | list) or value is None:
            raise ScenarioError(f"{self._file}: {where}: expected {keys}, got {value!r}")
        return Step(number, action, value, self._expect(step, where))

    def _action(self, action: str, value: Mapping[str, Any], keys: frozenset[str], where: str) -> None:
        self.known(value, keys, where)
        for key in _REQUIRED.get(action, ()):
            if key not in value:
                raise ScenarioError(f"{self._file}: {where}: {key} is missing")
        self._fields(value, where)
        if "task" in value and "resources" in value:
            raise ScenarioError(f"{self._file}: {where}: give either task or resources, not both")
        if "count" in value and "task" not in value:
            raise ScenarioError(f"{self._file}: {where}: count needs task")

    def _fields(self, value: Mapping[str, Any], where: str) -> None:
        for key, inner in value.items():
            there = f"{where}: {key}"
            if key in _INSIDE:
                kind, keys = _INSIDE[key]
                if not isinstance(inner, kind):
                    expected = "a mapping" if kind is dict else "a list"
                    raise ScenarioError(f"{self._file}: {there}: expected {expected}, got {inner!r}")
                for one in inner if isinstance(inner, list) else [inner]:
                    entry = self.mapping(one, there)
                    self.known(entry, keys, there)
                    self._fields(entry, there)
            elif key in _MAPPINGS:
                self.mapping(inner, there)
            elif key in _LISTS and not isinstance(inner, list):
                raise ScenarioError(f"{self._file}: {there}: expected a list, got {inner!r}")

    def _expect(self, step: Mapping[str, Any], where: str) -> Mapping[str, Any]:
        expect = self.mapping(step.get("expect", {}), f"{where}: expect")
        self.known(expect, frozenset(_EXPECTATIONS), f"{where}: expect")
        for key, value in expect.items():
            kind = _EXPECTATIONS[key]
            if not isinstance(value, kind):
                raise ScenarioError(f"{self._file}: {where}: expect.{key}: expected a {kind.__name__}, got {value!r}")
        return expect
