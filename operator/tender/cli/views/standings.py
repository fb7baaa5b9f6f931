"""Where a framework stands on the way to what was asked of it: judgements of the object alone, for those who wait."""

from collections.abc import Callable, Mapping
from typing import Any

from tender.api.conditions import READY, RECONCILING, STALLED
from tender.cli.views.standing import Standing
from tender.cli.views.words import counted

Object = Mapping[str, Any]
Judge = Callable[[Object | None], Standing]


def settled(name: str, generation: int) -> Judge:
    """Until the framework is Ready as of this generation of its spec; it has failed once it is Stalled."""

    def judge(one: Object | None) -> Standing:
        if one is None:
            return Standing(f"framework {name} is gone", failed=True)
        for kind, done, failed in ((STALLED, False, True), (RECONCILING, False, False), (READY, True, False)):
            held = condition(one, kind)
            if held and held.get("observedGeneration", 0) >= generation:
                return Standing(f"{name}: {held.get('message', '')}", done=done, failed=failed)
        return Standing(f"{name}: waiting for its controller")

    return judge


def carried_out(name: str, kind: str, request: str) -> Judge:
    """Until the controller has said what became of a request; `kind` is planRequests or podRequests."""

    def judge(one: Object | None) -> Standing:
        if one is None:
            return Standing(f"framework {name} is gone", failed=True)
        for result in stateful_status(one).get(kind, ()):
            if result["id"] == request:
                refused = result["result"] == "Refused"
                text = f"refused: {result.get('message', '')}" if refused else f"request {request} is carried out"
                return Standing(text, done=not refused, failed=refused)
        return Standing(f"request {request}: waiting for the controller")

    return judge


def plan_complete(name: str, plan: str, request: str) -> Judge:
    """Until a request for a plan is carried out and the plan is complete."""
    taken_up = carried_out(name, "planRequests", request)

    def judge(one: Object | None) -> Standing:
        before = taken_up(one)
        if one is None or not before.done:
            return before
        status = next((each for each in stateful_status(one).get("plans", ()) if each["name"] == plan), None)
        if status is None:
            return Standing(f"plan {plan}: waiting for the controller")
        done, total = (sum(phase.get(what, 0) for phase in status.get("phases", ())) for what in ("complete", "total"))
        text = f"plan {plan}: {status['status']}, {done} of {counted(total, 'step')} complete"
        if status.get("message"):
            text += f"; {status['message']}"
        return Standing(text, done=status["status"] == "Complete", failed=status["status"] == "Error")

    return judge


def condition(one: Object, kind: str) -> Object | None:
    """The condition of a kind if it holds."""
    conditions = one.get("status", {}).get("conditions", ())
    return next((each for each in conditions if each["type"] == kind and each["status"] == "True"), None)


def stateful_status(one: Object) -> Object:
    """The part of the status that is about plans."""
    found: Object = one.get("status", {}).get("stateful") or {}
    return found
