"""What a turn looks at: the caches of frameworks, pods and offers, with the controller's own writes on top.

The caches lag behind the API server by a moment. A turn taken in that moment would do again what was just done, so
every answer to a write is kept until the cache has caught up with it.
"""

from collections.abc import Callable

from tender.api.core import Pod
from tender.api.framework import Framework
from tender.api.offer import OfferPhase, ResourceOffer
from tender.controller.refusals import LaunchRefusals
from tender.frameworks.sdk import Seen

Key = str
""" "namespace/name" of a framework."""
_MOST_TOMBSTONES = 10_000


class View:
    """Frameworks with their pods and offers. `on_dirty(key)` is called when something of a framework changed."""

    def __init__(self, on_dirty: Callable[[Key], None]) -> None:
        self._on_dirty = on_dirty
        self._frameworks: dict[Key, Framework] = {}
        self._keys_by_uid: dict[str, Key] = {}
        self._pods: dict[str, dict[str, Pod]] = {}
        self._offers: dict[Key, dict[str, ResourceOffer]] = {}
        self._created: dict[str, dict[str, Pod]] = {}
        self._stopped: dict[str, set[str]] = {}
        self._gone: dict[str, None] = {}
        self.refusals = LaunchRefusals()
        self._launched: dict[tuple[Key, str], set[str]] = {}

    def framework_changed(self, old: Framework | None, new: Framework | None) -> None:
        """The cache tells of a framework."""
        if old is not None and (new is None or old.metadata.uid != new.metadata.uid):
            self._forget(old)
        if new is not None:
            self.framework_written(new)
        present = new or old
        if present is not None:
            self._on_dirty(key_of(present))

    def framework_written(self, framework: Framework) -> None:
        """The API server answered with this framework."""
        key = key_of(framework)
        known = self._frameworks.get(key)
        if known is None or known.metadata.uid != framework.metadata.uid or _newer(framework, known):
            self._frameworks[key] = framework
            self._keys_by_uid[framework.metadata.uid or ""] = key

    def pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        """The cache tells of a pod."""
        for pod in (old, new):
            owner = pod.controller if pod is not None else None
            if pod is None or owner is None:
                continue
            name = _pod_key(pod)
            created = self._created.get(owner.uid, {})
            if name in created and (pod is new or created[name].metadata.uid == pod.metadata.uid):
                del created[name]
            pods = self._pods.setdefault(owner.uid, {})
            if pod is new:
                pods[name] = pod
            else:
                pods.pop(name, None)
                if new is None or new.metadata.uid != pod.metadata.uid:
                    self._stopped.get(owner.uid, set()).discard(pod.metadata.uid)
                    self._bury(pod.metadata.uid)
            if not pods:
                del self._pods[owner.uid]
            key = self._keys_by_uid.get(owner.uid)
            if key is not None:
                self._on_dirty(key)

    def pod_created(self, framework: Framework, offer: str, pod: Pod) -> None:
        """The API server has created this pod from a claim of the offer."""
        uid, key = framework.metadata.uid or "", _pod_key(pod)
        if key not in self._pods.get(uid, {}) and pod.metadata.uid not in self._gone:
            self._created.setdefault(uid, {})[key] = pod
        self.pod_launched(framework, offer, pod.metadata.name)

    def pod_launched(self, framework: Framework, offer: str, name: str) -> None:
        """A pod of this name was made from a claim of the offer, now or earlier."""
        self._launched.setdefault((key_of(framework), offer), set()).add(name)

    def pod_stopped(self, framework: Framework, uid: str) -> None:
        """The API server has accepted the deletion of this pod."""
        if uid not in self._gone:
            self._stopped.setdefault(framework.metadata.uid or "", set()).add(uid)

    def offer_changed(self, old: ResourceOffer | None, new: ResourceOffer | None) -> None:
        """The cache tells of an offer."""
        if new is None and old is not None:
            key = old.framework_key
            self._offers.get(key, {}).pop(old.metadata.name, None)
            self._launched.pop((key, old.metadata.name), None)
            if old.status.phase == OfferPhase.CLAIMED:
                self._on_dirty(key)
        elif new is not None:
            self.offer_written(new)
            self._on_dirty(new.framework_key)

    def offer_written(self, offer: ResourceOffer) -> None:
        """The API server answered with this offer."""
        offers = self._offers.setdefault(offer.framework_key, {})
        known = offers.get(offer.metadata.name)
        if known is None or _newer(offer, known):
            offers[offer.metadata.name] = offer

    def offer_gone(self, key: Key, name: str) -> None:
        """The API server says that there is no such offer."""
        self._offers.get(key, {}).pop(name, None)

    def framework(self, key: Key) -> Framework | None:
        """A framework as last heard of."""
        return self._frameworks.get(key)

    def offer(self, key: Key, name: str) -> ResourceOffer | None:
        """An offer of a framework as last heard of."""
        return self._offers.get(key, {}).get(name)

    def seen(self, framework: Framework, now: float) -> Seen:
        """Everything that the framework's next turn looks at."""
        key, uid = key_of(framework), framework.metadata.uid or ""
        stopped = self._stopped.get(uid, set())
        pods = {**self._created.get(uid, {}), **self._pods.get(uid, {})}
        offers = {name: offer for name, offer in self._offers.get(key, {}).items() if _is_made_to(offer, uid)}
        return Seen(
            framework=framework,
            pods=tuple(
                pod
                for _, pod in sorted(pods.items())
                if pod.metadata.uid not in stopped and pod.metadata.namespace == framework.metadata.namespace
            ),
            offers=tuple(offer for _, offer in sorted(offers.items())),
            launched=frozenset(name for offer in offers for name in self._launched.get((key, offer), ())),
            now=now,
            refused=self.refusals.of(framework),
        )

    def _forget(self, framework: Framework) -> None:
        uid = framework.metadata.uid or ""
        self._frameworks.pop(key_of(framework), None)
        self._keys_by_uid.pop(uid, None)
        self._created.pop(uid, None)
        self._stopped.pop(uid, None)
        self.refusals.end(framework)

    def _bury(self, uid: str) -> None:
        """Remember that a pod is gone: the answer to a write may come later than the news of what became of it."""
        self._gone[uid] = None
        while len(self._gone) > _MOST_TOMBSTONES:
            del self._gone[next(iter(self._gone))]


def key_of(framework: Framework) -> Key:
    """The key of a framework."""
    return f"{framework.metadata.namespace}/{framework.metadata.name}"


def _pod_key(pod: Pod) -> str:
    return f"{pod.metadata.namespace}/{pod.metadata.name}"


def _is_made_to(offer: ResourceOffer, framework_uid: str) -> bool:
    """Whether an offer is made to this framework, and not to an earlier one of the same name."""
    owners = [owner.uid for owner in offer.metadata.owner_references if owner.kind == Framework.KIND]
    return not owners or framework_uid in owners


def _newer(one: Framework | ResourceOffer, other: Framework | ResourceOffer) -> bool:
    return int(one.metadata.resource_version or 0) > int(other.metadata.resource_version or 0)
