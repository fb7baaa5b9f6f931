"""Events of Tender's objects as rows."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from tender.api.names import GROUP
from tender.cli.views.ages import age
from tender.cli.views.table import Column

Event = Mapping[str, Any]
"""An event of events.k8s.io/v1, as decoded JSON."""


class Seen(NamedTuple):
    """An event, looked at now."""

    event: Event
    now: datetime


def columns(*, namespaces: bool) -> list[Column[Seen]]:
    """The columns of a list; `namespaces` adds that of the namespace."""
    first = [Column[Seen]("NAMESPACE", lambda one: one.event["metadata"]["namespace"])] if namespaces else []
    return [
        *first,
        Column("LAST SEEN", lambda one: age(last_seen(one.event), one.now)),
        Column("TYPE", lambda one: one.event.get("type", ""), colours={"Warning": "yellow"}),
        Column("REASON", lambda one: one.event.get("reason", "")),
        Column("OBJECT", lambda one: about(one.event)),
        Column("FROM", lambda one: one.event.get("reportingController", "").removeprefix(f"{GROUP}/"), wide=True),
        Column("MESSAGE", lambda one: " ".join(one.event.get("note", "").split())),
    ]


def concerns_tender(event: Event) -> bool:
    """Whether it is about one of Tender's objects, or told by a part of Tender."""
    names = (event.get("regarding", {}).get("apiVersion", ""), event.get("reportingController", ""))
    return any(str(name).startswith(f"{GROUP}/") for name in names)


def about(event: Event) -> str:
    """The object that it is about, as kind/name."""
    regarding = event.get("regarding", {})
    return f"{regarding.get('kind', '').lower()}/{regarding.get('name', '')}"


def last_seen(event: Event) -> datetime | None:
    """When it happened, or happened last."""
    times = (
        event.get("series", {}).get("lastObservedTime"),
        event.get("eventTime"),
        event.get("deprecatedLastTimestamp"),
        event["metadata"].get("creationTimestamp"),
    )
    text = next((one for one in times if one), None)
    return None if text is None else datetime.fromisoformat(text)
