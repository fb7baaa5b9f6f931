"""Structural schemas for CRDs, made from the pydantic models.

The API server takes a subset of JSON schema (k8s.io/apiextensions-apiserver, "structural schema"): no
references, no `null` type, no constants. This module turns what pydantic writes into that subset, and
refuses what it cannot turn.
"""

from collections.abc import Mapping
from typing import Any

from tender.api.meta import DNS_LABEL, LONGEST_LABEL, CustomResource
from tender.api.rules import SERVER_DEFAULT

Schema = dict[str, Any]

_REFERENCE = "#/$defs/"
_READABLE_TIME = r"^[1-9][0-9]{3}-.+([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
"""The API server also takes times that Python cannot read: of the year 0, or 24 hours off. An object with one in its
status would be ignored, and what it holds charged to nobody."""
_COPIED = frozenset(
    {
        "enum",
        "format",
        "maxItems",
        "maxLength",
        "maxProperties",
        "maximum",
        "minItems",
        "minLength",
        "minProperties",
        "minimum",
        "pattern",
        "required",
        "type",
    }
)
_DROPPED = frozenset({"$defs", "default", "propertyNames", "title"})  # nothing the server would act on


def structural_schema(model: type[CustomResource]) -> Schema:
    """The `openAPIV3Schema` of the kind. Raises ValueError, naming the place, for what no CRD can express."""
    document = model.model_json_schema(by_alias=True, mode="validation")
    root = _Transformer(document.get("$defs", {})).transform(document, model.__name__)
    properties = root["properties"]
    properties["apiVersion"] = {"type": "string", "description": "The group and version of the kind."}
    properties["kind"] = {"type": "string", "description": "The kind of the object."}
    properties["metadata"] = {
        "type": "object",
        # The name becomes the value of labels and references, which take no more than this.
        "properties": {"name": {"type": "string", "maxLength": LONGEST_LABEL, "pattern": DNS_LABEL}},
    }
    return root


class _Transformer:
    """One walk through a schema document; `definitions` are what its references point to."""

    def __init__(self, definitions: Mapping[str, Schema]) -> None:
        self._definitions = definitions
        self._open: list[str] = []

    def transform(self, schema: Schema, place: str) -> Schema:
        if "$ref" in schema:
            return self._inline(schema, place)
        if "anyOf" in schema:
            return self.transform(self._without_null(schema, place), place)
        result: Schema = {}
        for keyword, value in schema.items():
            if keyword in _DROPPED:
                continue
            if keyword == "description":
                result[keyword] = " ".join(value.split())
            elif keyword in _COPIED or keyword.startswith("x-kubernetes-"):
                result[keyword] = value
            elif keyword == SERVER_DEFAULT:
                result["default"] = value
            elif keyword == "const":
                result["enum"] = [value]
            elif keyword == "exclusiveMinimum":
                result.update(minimum=value, exclusiveMinimum=True)
            elif keyword == "exclusiveMaximum":
                result.update(maximum=value, exclusiveMaximum=True)
            elif keyword == "properties":
                result[keyword] = {name: self.transform(part, f"{place}.{name}") for name, part in value.items()}
            elif keyword == "items":
                result[keyword] = self.transform(value, f"{place}[]")
            elif keyword == "additionalProperties":
                self._additional(value, result, place)
            else:
                raise ValueError(f"{place}: a structural schema has no place for {keyword!r}: {value!r}")
        if result.get("format") == "date-time":
            result["pattern"] = _READABLE_TIME
        return result

    def _inline(self, schema: Schema, place: str) -> Schema:
        name = schema["$ref"].removeprefix(_REFERENCE)
        if name in self._open:
            raise ValueError(f"{place}: {name} contains itself, which a structural schema cannot express")
        self._open.append(name)
        siblings = {keyword: value for keyword, value in schema.items() if keyword != "$ref"}
        result = self.transform({**self._definitions[name], **siblings}, place)
        self._open.pop()
        return result

    def _without_null(self, schema: Schema, place: str) -> Schema:
        choices = [choice for choice in schema["anyOf"] if choice != {"type": "null"}]
        if len(choices) != 1:
            raise ValueError(f"{place}: a structural schema has no alternatives: {choices!r}")
        siblings = {keyword: value for keyword, value in schema.items() if keyword != "anyOf"}
        return {**choices[0], **siblings}

    def _additional(self, value: Schema | bool, result: Schema, place: str) -> None:
        if isinstance(value, dict):
            result["additionalProperties"] = self.transform(value, f"{place}{{}}")
        elif value:
            raise ValueError(f"{place}: unknown fields are kept by x-kubernetes-preserve-unknown-fields")
