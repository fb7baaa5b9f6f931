"""Marks by which a model says things to its CRD that JSON schema cannot: CEL rules, list types, server-side defaults.

They go into `json_schema_extra` of a model or a field; `tender.api.schema` writes them into the structural schema.
"""

from typing import Any

SERVER_DEFAULT = "x-server-default"
"""The key of a default that the API server fills in, in contrast to one that only the models know."""


def cel(*rules: tuple[str, str], **marks: Any) -> dict[str, Any]:
    """CEL rules as pairs of expression and message; the message says what to write instead.

    A message that starts with a quote is itself a CEL expression, so that it can name what is wrong.
    """
    return {
        "x-kubernetes-validations": [_rule(expression, message) for expression, message in rules],
        **marks,
    }


def server_default(value: Any) -> dict[str, Any]:
    """The API server writes `value` where the field is absent."""
    return {SERVER_DEFAULT: value}


def list_map(*keys: str) -> dict[str, Any]:
    """The list holds at most one element per combination of `keys`, and its elements may have different owners."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)}


def _rule(expression: str, message: str) -> dict[str, str]:
    if message.startswith("'"):
        return {"rule": expression, "messageExpression": message}
    return {"rule": expression, "message": message}
