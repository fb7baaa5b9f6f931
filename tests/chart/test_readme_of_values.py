"""How the README's tables come from values.yaml: comments, defaults and types."""

import json
from pathlib import Path
from typing import Any

from chart_readme import read_values, render, updated


def chart(folder: Path, values: str, **properties: Any) -> Path:
    (folder / "values.yaml").write_text(values)
    definitions = {"account": {"properties": {"create": {"type": "boolean"}}}}
    (folder / "values.schema.json").write_text(json.dumps({"properties": properties, "$defs": definitions}))
    return folder


class TestAValue:
    def test_is_explained_by_the_comment_right_above_it(self, tmp_path: Path):
        [value] = read_values(chart(tmp_path, "# Of the file.\n\n# How many,\n# in all.\nreplicas: 1\n"))
        assert (value.name, value.comment, value.default) == ("replicas", "How many, in all.", 1)

    def test_has_the_type_that_the_schema_gives_it(self, tmp_path: Path):
        schema = {
            "level": {"enum": ["debug", "info"]},
            "most": {"type": ["integer", "string"]},
            "account": {"$ref": "#/$defs/account"},
        }
        values = "# A.\nlevel: info\n# B.\nmost: 1\n# C.\naccount:\n  # D.\n  create: true\n"
        rows = [row for value in read_values(chart(tmp_path, values, **schema)) for row in value.rows()]
        assert [(row.name, row.type) for row in rows] == [
            ("level", "one of `debug`, `info`"),
            ("most", "integer or string"),
            ("account.create", "boolean"),
        ]


class TestAMapping:
    def test_with_comments_inside_is_explained_value_by_value(self, tmp_path: Path):
        [value] = read_values(chart(tmp_path, "# All.\nimage:\n  # Where from.\n  repository: a\n  tag: b\n"))
        assert [(row.name, row.comment) for row in value.rows()] == [
            ("image.repository", "Where from."),
            ("image.tag", ""),
        ]

    def test_without_any_is_explained_as_a_whole(self, tmp_path: Path):
        [value] = read_values(chart(tmp_path, "# Requests.\nresources:\n  requests: {cpu: 1}\n"))
        assert [(row.name, row.default) for row in value.rows()] == [("resources", {"requests": {"cpu": 1}})]

    def test_on_one_line_is_a_value(self, tmp_path: Path):
        [value] = read_values(chart(tmp_path, "# A probe.\nprobe: {period: 1}\n"))
        assert value.children == ()


class TestTheReadme:
    def test_keeps_what_is_written_by_hand(self, tmp_path: Path):
        values = read_values(chart(tmp_path, "# All.\nimage:\n  # One | other.\n  tag: a\n# Name.\nname: b\n"))
        readme = updated("# By hand\n\n" + render([]), values)
        assert readme == updated(readme, values)
        assert readme.startswith("# By hand\n\n<!--")
        assert readme.index('| `name` |  | `"b"` | Name. |') < readme.index("### `image`\n\nAll.\n")
        assert '| `image.tag` |  | `"a"` | One \\| other. |' in readme
