"""Reserve discipline: how many stateful services of a namespace may ask for places at a time.

Two services that each fit alone but not together would each get half of their places, and wait for ever. So those that
lack places queue: one that holds some already before one that holds none, as only it can end the wait, then the oldest.
One that has waited long and holds nothing lets others pass: perhaps it will never fit.

Since when a service lacks places is recorded in its status, and so is what it holds; each sees the others by that.
"""

from collections.abc import Mapping

from tender.api.framework import Framework

PATIENCE_SECONDS = 600.0
"""How long one that holds no place comes before others that are younger."""


def goes_after(
    framework: Framework,
    frameworks: Mapping[str, Framework],
    *,
    holds: bool,
    since: float,
    now: float,
    limit: int,
) -> tuple[str, ...]:
    """The frameworks that are to have their places first; empty: this one may ask.

    `frameworks` are those of the namespace by name. This one lacks places `since` (epoch seconds) and `holds` some or
    none. `limit` 0 lets all ask.
    """
    if limit <= 0:
        return ()
    own = _rank(framework, holds, since, now)
    before = []
    for other in frameworks.values():
        status = other.status.stateful
        if other.metadata.name == framework.metadata.name or other.spec.stateful is None or status is None:
            continue
        if status.reserving_since is None or other.metadata.deletion_timestamp is not None:
            continue
        has_some = any(pod.node is not None for pod in status.pods)
        if _rank(other, has_some, status.reserving_since.timestamp(), now) < own:
            before.append(other.metadata.name)
    return tuple(sorted(before)) if len(before) >= limit else ()


def _rank(framework: Framework, holds: bool, since: float, now: float) -> tuple[int, float, str]:
    made = framework.metadata.creation_timestamp
    patience = 2 if now - since > PATIENCE_SECONDS else 1
    return (0 if holds else patience, made.timestamp() if made is not None else 0.0, framework.metadata.name)
