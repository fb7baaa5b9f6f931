"""What the master tells people of roles: what they hold, whether their place is right and their quota sound. Pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from tender.allocation import Ledger, Settings
from tender.allocation.soundness import Finding, findings, unmet_guarantees
from tender.api.conditions import State, set_condition, set_state
from tender.api.meta import Condition
from tender.api.quantities import Resources, format_amount, format_resources
from tender.api.role import GUARANTEE_MET, QUOTA_RESOURCES, QUOTA_SOUND, FrameworkRole
from tender.master.role_figures import RoleFigures, role_figures
from tender.master.statuses import News, without_empty, written_share

SOUND = "Sound"
"""The reason of the condition QuotaSound while nothing is wrong."""


class _Basis(NamedTuple):
    """All that a role's status follows from besides the role itself."""

    figures: RoleFigures
    wrong: Sequence[Finding]
    unmet: Resources
    misplaced: str | None
    share: str


class _Known(NamedTuple):
    role: FrameworkRole
    basis: _Basis
    status: dict[str, Any]


class RoleStatuses:
    """Computes the statuses, and those of roles about which nothing has changed since the last time not again."""

    def __init__(self, ledger: Ledger, settings: Settings) -> None:
        self._ledger = ledger
        self._settings = settings
        self._known: dict[str, _Known] = {}

    def of(self, roles: Collection[FrameworkRole], now: float) -> Iterator[tuple[FrameworkRole, dict[str, Any]]]:
        """The statuses of these roles, in one pass over what is held."""
        if not roles:
            return
        ledger = self._ledger
        figures = role_figures(ledger)
        wrong = findings(ledger, {name: one.consumed for name, one in figures.items()})
        unmet = unmet_guarantees(ledger, {name: one.held for name, one in figures.items()})
        at = datetime.fromtimestamp(now, UTC)
        self._known = {name: known for name, known in self._known.items() if name in ledger.roles}
        for role in roles:
            name = role.metadata.name
            of_role = figures.get(name, RoleFigures())
            basis = _Basis(
                of_role,
                wrong.get(name, ()),
                unmet.get(name, {}),
                misplacement(name, ledger),
                written_share(of_role.held, ledger, self._settings),
            )
            known = self._known.get(name)
            if known is None or known.role is not role or known.basis != basis:
                known = self._known[name] = _Known(role, basis, _status(role, basis, at))
            yield role, known.status


def misplacement(name: str, ledger: Ledger) -> str | None:
    """What is wrong with a role's place in the tree, and what to do; None if it is in order."""
    parent = ledger.role_of(name).parent
    if parent is None:
        return None
    if parent not in ledger.roles:
        return (
            f"spec.parent: role {parent} does not exist; create FrameworkRole {parent} or remove spec.parent. "
            "Until then the role is treated as one without a parent"
        )
    line = [name]
    step: str | None = parent
    while step is not None and step in ledger.roles:
        if step in line:
            circle = " -> ".join([*line, step])
            return f"spec.parent: the parents form a circle ({circle}); change one of them. Until then it is cut here"
        line.append(step)
        step = ledger.roles[step].parent
    return None


def news_of_quota(before: Mapping[str, Any], after: Mapping[str, Any]) -> News | None:
    """What has to be told of a quota when a role's status becomes another: that it is not sound, why, or sound again.

    Numbers that change, and a role that is sound from the first, are no news.
    """
    old, new = (
        next((one for one in status.get("conditions", ()) if one["type"] == QUOTA_SOUND), None)
        for status in (before, after)
    )
    was = SOUND if old is None else old["reason"]
    if new is None or new["reason"] == was:
        return None
    unsound = new["reason"] != SOUND
    return News(new["reason"] if unsound else QUOTA_SOUND, new["message"], warning=unsound)


def _status(role: FrameworkRole, basis: _Basis, at: datetime) -> dict[str, Any]:
    conditions = _place(role, basis.misplaced, at)
    conditions = _soundness(role, conditions, basis.wrong, at)
    conditions = _service(role, conditions, basis.unmet, basis.figures, at)
    return without_empty(
        {
            "observedGeneration": role.metadata.generation,
            "conditions": [condition.manifest() for condition in conditions],
            "dominantShare": basis.share,
            "allocated": format_resources(basis.figures.allocated),
            "quota": _quota(role, basis.figures),
            "frameworks": basis.figures.members,
        }
    )


def _place(role: FrameworkRole, problem: str | None, at: datetime) -> tuple[Condition, ...]:
    state: State = "Stalled" if problem else "Ready"
    return set_state(
        role.status.conditions,
        state,
        reason="Misplaced" if problem else "AsSpecified",
        message=problem or "the role takes part as specified",
        generation=role.metadata.generation,
        now=at,
    )


def _soundness(
    role: FrameworkRole, conditions: tuple[Condition, ...], wrong: Sequence[Finding], at: datetime
) -> tuple[Condition, ...]:
    return set_condition(
        conditions,
        QUOTA_SOUND,
        "False" if wrong else "True",
        reason=wrong[0].flaw.value if wrong else SOUND,
        message=". ".join(one.message for one in wrong) or "the cluster can hold the quota, and it is kept to",
        generation=role.metadata.generation,
        now=at,
    )


def _service(
    role: FrameworkRole, conditions: tuple[Condition, ...], unmet: Resources, figures: RoleFigures, at: datetime
) -> tuple[Condition, ...]:
    """Whether the guarantee is met, for a role that has one; what nobody wants now is not missing."""
    guarantee = role.spec.quota.guarantee_amounts
    if not guarantee:
        return tuple(one for one in conditions if one.type != GUARANTEE_MET)
    message = "what is guaranteed is held or on offer, as far as it is wanted"
    if unmet:
        short = ", ".join(
            f"{name}: {format_amount(name, figures.held.get(name, 0))} of {format_amount(name, guarantee[name])}"
            for name in sorted(unmet)
        )
        message = f"{short} is held or on offer, and more is wanted; status.allocation of its Frameworks says why"
    return set_condition(
        conditions,
        GUARANTEE_MET,
        "False" if unmet else "True",
        reason="Waiting" if unmet else "Met",
        message=message,
        generation=role.metadata.generation,
        now=at,
    )


def _quota(role: FrameworkRole, figures: RoleFigures) -> list[dict[str, str]]:
    """The figures by resource, of those that the quota names or that there is anything of."""
    quota = role.spec.quota
    parts: dict[str, Resources] = {
        "guarantee": quota.guarantee_amounts,
        "limit": quota.limit_amounts,
        "consumed": figures.consumed,
        "offered": figures.offered,
    }
    named = parts["guarantee"].keys() | parts["limit"].keys()
    others = figures.consumed.keys() | figures.offered.keys()
    listed = [*sorted(named), *sorted(others - named)][:QUOTA_RESOURCES]
    return [
        {
            "resource": name,
            **{
                part: format_amount(name, amounts.get(name, 0))
                for part, amounts in parts.items()
                if name in amounts or part in {"consumed", "offered"}
            },
        }
        for name in sorted(listed)
    ]
