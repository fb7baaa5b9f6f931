"""The page of the reference: one section for each kind, below it one for each object that the kind is made of."""

from collections.abc import Iterator, Mapping

from reference.fields import TEMPLATE, Entry, Part, flat, parts_of
from tender.api.crds import VIEWS
from tender.api.meta import CustomResource
from tender.api.names import API_VERSION

_HEAD = f"""\
# API reference

The custom resources of `{API_VERSION}`, made from the models by `make crds`; do not edit this page.

| word | what is written |
|---|---|
| quantity | an amount as Kubernetes writes it, not negative: `500m`, `2`, `1Gi` |
| duration | `500ms`, `60s`, `10m`, `2h`, `7d` or several of them, as in `1h30m` |
| name | at most 63 lower-case letters, digits and `-`, as in the name of a Service |
| (≤ 16) | at most 16 elements of a list or map, or characters of a string |
| time | RFC 3339, as in `2026-05-01T12:00:00Z` |

A field is required where the column *default* says so. Where it is empty, the field may be absent, and its description
says what that means. Every kind has `metadata` as all objects have; the name has at most 63 characters. `spec` is what
people write, `status` what Tender answers. Fields are only added within a version, never changed or removed.
"""


def api_page() -> str:
    """The whole page."""
    lines = [_HEAD]
    described: set[str] = set()
    for model in VIEWS:
        lines += _kind(model, described)
    return "\n".join(lines).rstrip() + "\n"


def _kind(model: type[CustomResource], described: set[str]) -> Iterator[str]:
    parts = {part.name: part for part in parts_of(model)}
    whole = parts.pop(model.KIND)
    view = VIEWS[model]
    scope = "in a namespace" if model.NAMESPACED else "in the whole cluster"
    yield f"## {model.KIND}\n"
    yield f"{whole.description} It is {scope}; `kubectl` takes `{model.PLURAL}` and `{model.SHORT_NAME}`.\n"
    if view.scale:
        yield f"`kubectl scale` and autoscalers set `{view.scale['specReplicasPath'].removeprefix('.')}`.\n"
    if view.selectable:
        fields = ", ".join(f"`{path.removeprefix('.')}`" for path in view.selectable)
        yield f"Lists can be filtered with `--field-selector` by {fields}.\n"
    yield from _rules(whole.rules)
    yield "| column of `kubectl get` | |\n|---|---|"
    for column in view.columns:
        wide = " (with `-o wide`)" if column.wide else ""
        yield f"| `{column.name.upper()}`{wide} | {column.description} |"
    yield ""
    inside = {name for name, part in parts.items() if part.paths[0].startswith(_below_template(parts))}
    for name, part in parts.items():
        if name in inside or name in described:
            continue
        described.add(name)
        yield from _template(part, parts) if name == TEMPLATE else _part(part, model)


def _below_template(parts: Mapping[str, Part]) -> tuple[str, ...]:
    template = parts.get(TEMPLATE)
    return tuple(f"{path}." for path in template.paths) if template else ()


def _part(part: Part, model: type[CustomResource]) -> Iterator[str]:
    yield f"### {part.name}\n"
    yield f"{_where(part, model)} {part.description}\n"
    if part.entries:
        yield "| field | type | default | |\n|---|---|---|---|"
        yield from (_row(entry.name, entry) for entry in part.entries)
        yield ""
    yield from _rules(part.rules)


def _template(part: Part, parts: Mapping[str, Part]) -> Iterator[str]:
    yield f"### {TEMPLATE}\n"
    yield (
        "`metadata` and `spec` as in a Deployment; whatever a pod may have is kept as it was written. These fields are "
        "checked:\n"
    )
    yield "| field | type | |\n|---|---|---|"
    for path, entry in flat(part, parts):
        yield f"| `{path}` | {entry.type} | {entry.description} |"
    yield ""
    inside = [one for one in parts.values() if one.paths[0].startswith(_below_template(parts))]
    rules = [rule for one in inside for rule in one.rules]
    yield from _rules([*part.rules, *rules])


def _where(part: Part, model: type[CustomResource]) -> str:
    return ", ".join(f"`{path}`" for path in part.paths) + f" of {model.KIND}:"


def _row(name: str, entry: Entry) -> str:
    words = entry.type
    if entry.part is not None:
        label = "pod template" if entry.part == TEMPLATE else "object"
        words = words.replace(label, f"[{label if entry.part == TEMPLATE else entry.part}](#{_anchor(entry.part)})")
    default = "required" if entry.required else entry.default
    return f"| `{name}` | {words} | {default} | {entry.description} |"


def _anchor(heading: str) -> str:
    return heading.lower().replace(" ", "-")


def _rules(rules: list[str]) -> Iterator[str]:
    told = list(dict.fromkeys(rules))
    if told:
        yield "The API server refuses it with these words:\n"
        yield from (f"- {rule}" for rule in told)
        yield ""
