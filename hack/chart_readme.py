"""Writes the values of the chart into its README: names and defaults from values.yaml, what they do from the comments
above them, types from values.schema.json. `make chart-docs` runs it; the README above the mark is written by hand.

A mapping with comments inside is explained value by value, another one as a whole.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).parents[1] / "charts" / "tender"
MARK = "<!-- From here on written by `make chart-docs`. -->\n"
LONGEST_DEFAULT = 60  # characters; longer ones are to be read in values.yaml

Schema = dict[str, Any]


@dataclass(frozen=True)
class Value:
    """A value that a user can set, or a mapping of them; `children` are those that are explained by themselves."""

    name: str
    comment: str
    default: Any
    type: str
    children: tuple["Value", ...] = ()

    def rows(self) -> Iterator["Value"]:
        """The values that have a row of their own."""
        if not self.children:
            yield self
        for child in self.children:
            yield from child.rows()


def read_values(chart: Path = CHART) -> list[Value]:
    """The values of a chart in the order of its values.yaml."""
    text = (chart / "values.yaml").read_text()
    schema = json.loads((chart / "values.schema.json").read_text())
    return list(_values(yaml.compose(text), "", text.splitlines(), schema, schema))


def render(values: list[Value]) -> str:
    """The README from the mark on: first what belongs to no mapping, then a section for each."""
    plain = [value for value in values if not value.children]
    sections = [f"## Values\n\n{_table(plain)}"]
    sections += [f"### `{one.name}`\n\n{one.comment}\n\n{_table(list(one.rows()))}" for one in values if one.children]
    return MARK + "\n" + "\n".join(sections)


def updated(readme: str, values: list[Value]) -> str:
    """The README with the values as they are now."""
    return readme.partition(MARK)[0] + render(values)


def _values(node: Any, path: str, lines: list[str], schema: Schema, root: Schema) -> Iterator[Value]:
    for key, value in node.value:
        name = f"{path}{key.value}"
        found = schema.get("properties", {}).get(key.value, {})
        found = found | (root["$defs"][found["$ref"].rpartition("/")[2]] if "$ref" in found else {})
        children: tuple[Value, ...] = ()
        if isinstance(value, yaml.MappingNode) and not value.flow_style:
            inner = tuple(_values(value, f"{name}.", lines, found, root))
            children = inner if any(row.comment for one in inner for row in one.rows()) else ()
        default = yaml.safe_load(yaml.serialize(value))
        yield Value(name, _comment(lines, key.start_mark), default, _type(found), children)


def _comment(lines: list[str], mark: Any) -> str:
    """The lines right above a key, in its column, that are comments."""
    start = " " * mark.column + "# "
    first = mark.line
    while first and lines[first - 1].startswith(start):
        first -= 1
    return " ".join(line.removeprefix(start) for line in lines[first : mark.line])


def _type(schema: Schema) -> str:
    if "enum" in schema:
        return "one of " + ", ".join(f"`{one}`" for one in schema["enum"])
    found = schema.get("type", "")
    return found if isinstance(found, str) else " or ".join(found)


def _table(rows: list[Value]) -> str:
    lines = [f"| `{row.name}` | {row.type} | {_default(row.default)} | {_cell(row.comment)} |\n" for row in rows]
    return "| value | type | default | what it does |\n|---|---|---|---|\n" + "".join(lines)


def _default(default: Any) -> str:
    text = json.dumps(default, ensure_ascii=False)
    return f"`{_cell(text)}`" if len(text) <= LONGEST_DEFAULT else "see [values.yaml](values.yaml)"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    readme = CHART / "README.md"
    readme.write_text(updated(readme.read_text(), read_values()))
