"""Prints what a command has found in the form that was asked for: a table, a wider one, JSON, YAML, or names.

Colours are for terminals only, and not where NO_COLOR is set (https://no-color.org).
"""

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from tender.cli.views.table import Column, Layout, printable

TABLES = ("table", "wide")
FORMATS = (*TABLES, "json", "yaml", "name")
"""The forms of a list of objects."""
DOCUMENTS = (*TABLES, "json", "yaml")
"""The forms of what is no object of the API server, and so has no name."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Output:
    """Where things are printed to, in the form `form`."""

    form: str = "table"

    @property
    def wide(self) -> bool:
        """Whether all columns are asked for."""
        return self.form == "wide"

    @property
    def for_programs(self) -> bool:
        """Whether a document is asked for rather than text for people."""
        return self.form not in TABLES

    def rows(self, columns: Sequence[Column[T]], rows: Iterable[T], empty: str) -> None:
        """Print a table, or the sentence `empty` (to the standard error, as kubectl does) when there are no rows."""
        shown = list(rows)
        if not shown:
            click.echo(empty, err=True)
            return
        layout = self.layout(columns, shown)
        for line in (layout.titles(), *map(layout.line, shown)):
            click.echo(line)

    def layout(self, columns: Sequence[Column[T]], rows: Sequence[T]) -> Layout[T]:
        """A table in the form that was asked for, as wide as these rows need."""
        return Layout(columns, rows, wide=self.wide, paint=paint if in_colour() else None)

    def objects(self, objects: Sequence[dict[str, Any]], *, one: bool = False) -> None:
        """Print objects of the API server as a document or by name: as a List, or (`one`) the only one as it is.

        As in kubectl, who wrote which field (managedFields) is left out.
        """
        if self.form == "name":
            for each in objects:
                click.echo(name_of(each))
            return
        for each in objects:
            each["metadata"].pop("managedFields", None)
        self.document(objects[0] if one else {"apiVersion": "v1", "kind": "List", "items": list(objects)})

    def document(self, document: Any) -> None:
        """Print JSON or YAML."""
        if self.form == "yaml":
            import yaml

            click.echo(yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120), nl=False)
        else:
            import json

            click.echo(json.dumps(document, indent=2, ensure_ascii=False))


def nothing(kind: str, namespace: str | None) -> str:
    """The sentence that stands for an empty list, as kubectl words it; None: of all namespaces."""
    return f"No {kind} found in namespace {namespace}." if namespace else f"No {kind} found."


def notes(lines: Iterable[str]) -> None:
    """Print to the standard error what is not shown and why."""
    for line in lines:
        click.echo(f"Note: {printable(line)}", err=True)


def in_colour() -> bool:
    """Whether the standard output takes colours."""
    return on_terminal() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def on_terminal() -> bool:
    """Whether the standard output is a terminal."""
    return sys.stdout.isatty()


def paint(text: str, colour: str) -> str:
    """The text in a colour of click's."""
    return click.style(text, fg=colour)


def name_of(one: dict[str, Any]) -> str:
    """The name of an object as `kubectl -o name` writes it: framework.tender.dev/web."""
    group, slash, _ = one["apiVersion"].partition("/")
    kind = one["kind"].lower()
    return f"{kind}.{group}/{one['metadata']['name']}" if slash else f"{kind}/{one['metadata']['name']}"
