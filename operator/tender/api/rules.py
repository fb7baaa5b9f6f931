"""Marks by which a model says what JSON schema cannot: CEL rules, list types, server-side defaults.

They go into `json_schema_extra` of a model or a field; `tender.api.schema` puts them into the structural
schema.
"""

from dataclasses import dataclass
from typing import Any

SERVER_DEFAULT = "x-server-default"
"""The key of a default that the API server fills in, in contrast to one that only the models know."""


@dataclass(frozen=True)
class Rule:
    """A CEL expression that must hold, the message when it does not, and the field to blame.

    The message says what to write instead. `field` is a path below the rule's place, such as `.spec.parent`.
    """

    expression: str
    message: str
    field: str | None = None


def cel(*rules: Rule) -> dict[str, Any]:
    """The rules, to be checked by the API server on every write."""
    return {"x-kubernetes-validations": [_validation(rule) for rule in rules]}


def server_default(value: Any) -> dict[str, Any]:
    """The API server writes `value` where the field is absent."""
    return {SERVER_DEFAULT: value}


def list_map(*keys: str) -> dict[str, Any]:
    """A list with at most one element for each combination of `keys`; elements may have different owners."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)}


def list_set() -> dict[str, Any]:
    """A list in which nothing is twice, and whose order says nothing; elements may have different owners."""
    return {"x-kubernetes-list-type": "set"}


def _validation(rule: Rule) -> dict[str, str]:
    validation = {"rule": rule.expression, "message": rule.message}
    return validation if rule.field is None else {**validation, "fieldPath": rule.field}
