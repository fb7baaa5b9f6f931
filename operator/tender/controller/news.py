"""What of a changed status is news, written at once, and what are mere figures, written now and then.

News is what people and the master must know at once, and what a turn acts on: demand, states, requests, what is
recorded. Amounts and sentences are figures, and so are the number of a version, and why a framework reconciles or waits
still: most go from one reason to the next in no time.
"""

from collections.abc import Mapping
from typing import Any

from tender.api.conditions import RECONCILING

_FIGURES = ("replicas", "readyReplicas", "updatedReplicas", "version", "waiting")


def is_news(wanted: Mapping[str, Any], present: Mapping[str, Any]) -> bool:
    """Whether one status, in the form of a manifest, says something new beside the other."""
    return _news(wanted) != _news(present)


def _news(status: Mapping[str, Any]) -> dict[str, Any]:
    news = {name: value for name, value in status.items() if name not in _FIGURES}
    conditions = status.get("conditions", ())
    reconciling = any((one["type"], one["status"]) == (RECONCILING, "True") for one in conditions)
    unsaid = {"message", "lastTransitionTime"} | ({"reason"} if reconciling else set())
    news["conditions"] = [
        {name: value for name, value in condition.items() if name not in unsaid} for condition in conditions
    ]
    if "stateful" in status:
        news["stateful"] = _without_messages(status["stateful"])
    return news


def _without_messages(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_messages(part) for name, part in value.items() if name != "message"}
    if isinstance(value, list | tuple):
        return [_without_messages(part) for part in value]
    return value
