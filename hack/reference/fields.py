"""What the schemas of the models say of each field: its type, its bounds, its default and the rules that it is held to.

A `Part` is one object of a schema: the model of that name, or, for objects that only exist as a schema, the path that
leads to it. Paths are those of a manifest, `[]` for the elements of a list and `{}` for the values of a map.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tender.api.durations import DURATION_PATTERN
from tender.api.meta import DNS_LABEL, LARGEST_INT32, LONGEST_LABEL, QUANTITY_SCHEMA, CustomResource
from tender.api.rules import SERVER_DEFAULT

Schema = Mapping[str, Any]

TEMPLATE = "Pod template"
_REFERENCE = "#/$defs/"
_NO_FIELDS = frozenset({"apiVersion", "kind", "metadata"})


@dataclass(frozen=True)
class Entry:
    """One field. `part` names the Part that its value, or each element of it, is."""

    name: str
    type: str
    part: str | None
    default: str
    required: bool
    description: str


@dataclass
class Part:
    """One object: where it is used, its fields, and its rules in words."""

    name: str
    description: str
    entries: list[Entry] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    open: bool = False
    """Whether it takes fields that are not listed."""


def parts_of(model: type[CustomResource]) -> list[Part]:
    """The objects of a kind in the order in which a reader meets them, the whole object first."""
    document = model.model_json_schema(by_alias=True, mode="validation")
    return list(_Walk(document).parts(model.KIND).values())


class _Walk:
    """One walk through a schema, breadth first."""

    def __init__(self, document: Schema) -> None:
        self._document = document
        self._definitions: Mapping[str, Schema] = document.get("$defs", {})

    def parts(self, kind: str) -> dict[str, Part]:
        """Every object by its name."""
        found: dict[str, Part] = {}
        waiting: list[tuple[str, str, Schema]] = [(kind, "", self._document)]
        while waiting:
            name, path, schema = waiting.pop(0)
            if name in found:
                found[name].paths.append(path)
                continue
            part = found[name] = Part(name, _text(schema), paths=[path] if path else [])
            part.rules = [str(rule["message"]) for rule in schema.get("x-kubernetes-validations", ())]
            part.open = bool(schema.get("x-kubernetes-preserve-unknown-fields"))
            required = schema.get("required", ())
            for key, value in schema.get("properties", {}).items():
                if key in _NO_FIELDS:
                    continue
                below = f"{path}.{key}" if path else key
                entry, inner = self._entry(key, below, value, key in required)
                part.entries.append(entry)
                waiting += inner
        return found

    def _entry(
        self, name: str, path: str, schema: Schema, required: bool
    ) -> tuple[Entry, list[tuple[str, str, Schema]]]:
        text, inner = self._type(path, schema)
        default = "" if required else _default(schema)
        part = inner[0][0] if inner else None
        description = _text(schema) or (_text(inner[0][2]) if inner else "")
        return Entry(name, text, part, default, required, description), inner

    def _type(self, path: str, schema: Schema) -> tuple[str, list[tuple[str, str, Schema]]]:
        """The type in words, and the object that it is made of, as name, path and schema."""
        schema = _not_null(schema)
        if "$ref" in schema:
            name = str(schema["$ref"]).removeprefix(_REFERENCE)
            target = self._definitions[name]
            if "properties" not in target and "enum" in target:
                return _choice(target["enum"]), []
            return "object", [(name, path, target)]
        if "x-kubernetes-embedded-resource" in schema:
            return "pod template", [(TEMPLATE, path, schema)]
        if "enum" in schema:
            return _choice(schema["enum"]), []
        match schema.get("type"):
            case "array":
                items = schema["items"]
                text, inner = self._type(f"{path}[]", items)
                return f"list of {text}{_bounds(schema, 'Items')}", inner
            case "object" if isinstance(schema.get("additionalProperties"), dict):
                text, inner = self._type(f"{path}{{}}", schema["additionalProperties"])
                return f"map of {text}{_bounds(schema, 'Properties')}", inner
            case "object" if schema.get("properties"):
                return "object", [(path, path, schema)]
            case "object":
                return "object", []
            case "string":
                return _string(schema), []
            case "integer" | "number" as kind:
                return f"{kind}{_range(schema)}", []
            case "boolean":
                return "true or false", []
        if schema.get("x-kubernetes-int-or-string"):
            return "quantity" if schema.get("pattern") == QUANTITY_SCHEMA["pattern"] else "number or string", []
        raise ValueError(f"{path}: no words for {schema!r}")


def _not_null(schema: Schema) -> Schema:
    choices = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
    if not choices:
        return schema
    [choice] = choices
    return {**choice, **{key: value for key, value in schema.items() if key != "anyOf"}}


def _text(schema: Schema) -> str:
    return " ".join(str(schema.get("description", "")).split())


def _choice(values: list[Any]) -> str:
    return " \\| ".join(f"`{value}`" for value in values)


def _string(schema: Schema) -> str:
    if schema.get("format") == "date-time":
        return "time"
    pattern = schema.get("pattern")
    if pattern == DURATION_PATTERN:
        return "duration"
    kind = "name" if pattern == DNS_LABEL else "string"
    most = schema.get("maxLength")
    return kind if most is None or (kind == "name" and most == LONGEST_LABEL) else f"{kind} (≤ {most})"


def _bounds(schema: Schema, of: str) -> str:
    most = schema.get(f"max{of}")
    return f" (≤ {most})" if most else ""


def _range(schema: Schema) -> str:
    words = []
    if (least := schema.get("minimum")) is not None:
        words.append(f"≥ {least}")
    if (least := schema.get("exclusiveMinimum")) is not None:
        words.append(f"> {least:g}")
    most = schema.get("maximum")
    if most is not None and most != LARGEST_INT32:
        words.append(f"≤ {most:,.0f}")
    if (most := schema.get("exclusiveMaximum")) is not None:
        words.append(f"< {most:g}")
    return f" ({', '.join(words)})" if words else ""


def _default(schema: Schema) -> str:
    value = schema.get(SERVER_DEFAULT, schema.get("default"))
    if value is None or isinstance(value, dict) or value in ("", []):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def flat(part: Part, parts: Mapping[str, Part], prefix: str = "") -> Iterator[tuple[str, Entry]]:
    """The fields of an object and of those inside it, by their path below it."""
    for entry in part.entries:
        yield prefix + entry.name, entry
        inner = parts.get(entry.part or "")
        if inner is not None:
            step = "[]." if entry.type.startswith("list") else "."
            yield from flat(inner, parts, prefix + entry.name + step)
