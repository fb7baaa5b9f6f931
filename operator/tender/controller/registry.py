"""The frameworks that are known, by namespace and name, and who has to be told when one of them changes."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from tender.api.framework import Framework

Key = str
""" "namespace/name" of a framework."""


class FrameworkRegistry:
    """Frameworks in the newest version that was heard of, from the cache or in an answer to a write."""

    def __init__(self) -> None:
        self._by_namespace: dict[str, dict[str, Framework]] = {}
        self._keys_by_uid: dict[str, Key] = {}
        self._dependents: dict[Key, set[Key]] = {}

    def put(self, framework: Framework) -> None:
        """A framework as somebody has heard of it; one that is older than what is known is left aside."""
        namespace, name = framework.key
        known = self._by_namespace.get(namespace, {}).get(name)
        if known is not None:
            if known.metadata.uid == framework.metadata.uid and _version(framework) <= _version(known):
                return
            self._part(known)
        self._by_namespace.setdefault(namespace, {})[name] = framework
        self._keys_by_uid[framework.metadata.uid or ""] = key_of(framework)
        for dependency in framework.spec.depends_on:
            self._dependents.setdefault(f"{namespace}/{dependency.name}", set()).add(key_of(framework))

    def remove(self, framework: Framework) -> None:
        """A framework is gone."""
        namespace, name = framework.key
        known = self._by_namespace.get(namespace, {}).pop(name, None)
        if known is not None:
            self._part(known)
        if not self._by_namespace.get(namespace):
            self._by_namespace.pop(namespace, None)
        self._keys_by_uid.pop(framework.metadata.uid or "", None)

    def get(self, key: Key) -> Framework | None:
        """A framework."""
        namespace, _, name = key.rpartition("/")
        return self._by_namespace.get(namespace, {}).get(name)

    def in_namespace(self, namespace: str | None) -> Mapping[str, Framework]:
        """The frameworks of a namespace, by name."""
        return MappingProxyType(self._by_namespace.get(namespace or "", {}))

    def key(self, uid: str) -> Key | None:
        """The key of the framework with this uid; None if there is none."""
        return self._keys_by_uid.get(uid)

    def waiting(self) -> Iterator[Key]:
        """Those with tasks that wait to be placed."""
        return self._keys_if(lambda framework: framework.status.waiting is not None)

    def concerned_by(self, old: Framework | None, new: Framework | None) -> Iterator[Key]:
        """The other frameworks that have to look again after this change: those that depend on this one, and where it
        begins or ends to look for places, those that may do so in turn.
        """
        present = new or old
        if present is None:
            return
        if _as_a_dependency(old) != _as_a_dependency(new):
            yield from sorted(self._dependents.get(key_of(present), ()))
        if _is_reserving(old) != _is_reserving(new):
            for other in self.in_namespace(present.metadata.namespace).values():
                if other.spec.stateful is not None and other.key != present.key:
                    yield key_of(other)

    def _keys_if(self, holds: Callable[[Framework], bool]) -> Iterator[Key]:
        for frameworks in self._by_namespace.values():
            yield from (key_of(framework) for framework in frameworks.values() if holds(framework))

    def _part(self, framework: Framework) -> None:
        """It depends on nobody any more."""
        for dependency in framework.spec.depends_on:
            key = f"{framework.metadata.namespace}/{dependency.name}"
            dependents = self._dependents.get(key, set())
            dependents.discard(key_of(framework))
            if not dependents:
                self._dependents.pop(key, None)


def key_of(framework: Framework) -> Key:
    """The key of a framework."""
    return f"{framework.metadata.namespace}/{framework.metadata.name}"


def _as_a_dependency(framework: Framework | None) -> object:
    """What others may wait for."""
    if framework is None:
        return None
    ready = [condition.status for condition in framework.status.conditions if condition.type == "Ready"]
    metadata, status = framework.metadata, framework.status
    return (metadata.uid, metadata.generation, metadata.deletion_timestamp, ready, status.settled_generation)


def _is_reserving(framework: Framework | None) -> bool:
    stateful = framework.status.stateful if framework is not None else None
    return stateful is not None and stateful.reserving_since is not None


def _version(framework: Framework) -> int:
    return int(framework.metadata.resource_version or 0)
