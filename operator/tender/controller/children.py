"""The objects of one kind that belong to frameworks, with the controller's own writes on top.

A cache lags behind the API server by a moment. A turn taken in that moment would do again what was just done, so the
answer to every write is kept until the cache has caught up with it.
"""

from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

_MOST_BURIED = 10_000


class Owned(Protocol):
    """An object with metadata, as a msgspec struct or as a model."""

    @property
    def metadata(self) -> Any:
        """Name, namespace, uid, version and owners."""
        ...


T = TypeVar("T", bound=Owned)


class Children(Generic[T]):
    """Objects by the uid of their framework. `on_change(uid)` is called when the cache tells of one of a framework."""

    def __init__(self, on_change: Callable[[str], None]) -> None:
        self._on_change = on_change
        self._told: dict[str, dict[str, T]] = {}
        self._written: dict[str, dict[str, T]] = {}
        self._gone: dict[str, set[str]] = {}
        self._buried: dict[str, None] = {}

    def changed(self, old: T | None, new: T | None) -> None:
        """The cache tells of an object."""
        ended = old if old is not None and (new is None or new.metadata.uid != old.metadata.uid) else None
        if ended is not None:
            self._bury(ended.metadata.uid)
        before, after = owner_of(old), owner_of(new)
        for owner in dict.fromkeys(owner for owner in (before, after) if owner is not None):
            told, written = self._told.setdefault(owner, {}), self._written.get(owner, {})
            if new is not None and owner == after:
                told[_key(new)] = new
            elif old is not None:
                told.pop(_key(old), None)
            for key in {_key(one) for one in (old, new) if one is not None} & written.keys():
                if self._has_caught_up(new, written[key]):
                    del written[key]
            if ended is not None:
                self._gone.get(owner, set()).discard(ended.metadata.uid)
            if not told:
                del self._told[owner]
            self._on_change(owner)

    def written(self, owner: str, one: T) -> None:
        """The API server answered with this object to a write of the framework whose uid is `owner`."""
        if one.metadata.uid in self._buried:
            return
        key = _key(one)
        known = self._written.get(owner, {}).get(key) or self._told.get(owner, {}).get(key)
        if known is None or _version(known) < _version(one):
            self._written.setdefault(owner, {})[key] = one

    def gone(self, owner: str, uid: str) -> None:
        """The API server said that this object is no more."""
        if uid in self._buried:
            return
        self._gone.setdefault(owner, set()).add(uid)
        written = self._written.get(owner, {})
        for key in [key for key, one in written.items() if one.metadata.uid == uid]:
            del written[key]

    def of(self, owner: str, namespace: str | None) -> tuple[T, ...]:
        """What a framework has in its namespace, by name."""
        gone = self._gone.get(owner, ())
        present = {**self._told.get(owner, {}), **self._written.get(owner, {})}
        return tuple(
            one
            for _, one in sorted(present.items())
            if one.metadata.uid not in gone and one.metadata.namespace == namespace
        )

    def forget(self, owner: str) -> None:
        """The framework is gone: what the cache tells of its objects goes with them, the rest now."""
        self._written.pop(owner, None)
        self._gone.pop(owner, None)

    def _has_caught_up(self, told: T | None, written: T) -> bool:
        """Whether the cache knows no less than the answer to a write did."""
        if written.metadata.uid in self._buried:
            return True
        return told is not None and _version(told) >= _version(written)

    def _bury(self, uid: str) -> None:
        """Remember that an object is gone: the answer to a write may come later than the news of what became of it."""
        self._buried[uid] = None
        while len(self._buried) > _MOST_BURIED:
            del self._buried[next(iter(self._buried))]


def owner_of(one: Owned | None) -> str | None:
    """The uid of the object that manages this one; None for one on its own."""
    if one is None:
        return None
    owner: str | None = next((owner.uid for owner in one.metadata.owner_references if owner.controller), None)
    return owner


def _key(one: Owned) -> str:
    return f"{one.metadata.namespace}/{one.metadata.name}"


def _version(one: Owned) -> int:
    return int(one.metadata.resource_version or 0)
