"""What a turn looks at: the caches of frameworks, nodes, offers and of what is a framework's own, with the controller's
own writes on top (`children`).
"""

from collections.abc import Callable, Collection
from typing import Any

from tender.api.core import Node, Pod
from tender.api.framework import Framework
from tender.api.offer import OfferPhase, ResourceOffer
from tender.cluster.resources import PODS, Resource
from tender.controller.children import Children, owner_of
from tender.controller.kinds import EVERYTHING, KINDS
from tender.controller.nodes import Nodes
from tender.controller.refusals import LaunchRefusals
from tender.controller.registry import FrameworkRegistry, Key, key_of
from tender.frameworks.sdk import Seen


def _nothing() -> None:
    pass


class View:
    """Frameworks with what they have.

    `on_dirty(key)` is called when something changed that a framework's turn looks at, `on_nodes()` when nodes changed
    so that waiting frameworks may look again: there may be many of either, so somebody else says when
    (`mark_waiting`). Of the kinds that belong to frameworks it has pods and what is in `follows`.
    """

    def __init__(
        self,
        on_dirty: Callable[[Key], None],
        on_nodes: Callable[[], None] = _nothing,
        follows: Collection[Resource] = EVERYTHING,
    ) -> None:
        self._on_dirty = on_dirty
        self._on_nodes = on_nodes
        self._frameworks = FrameworkRegistry()
        self._nodes = Nodes()
        self._children: dict[Resource, Children[Any]] = {
            kind: Children(self._mark) for kind in KINDS if kind is PODS or kind in follows
        }
        self._offers: dict[Key, dict[str, ResourceOffer]] = {}
        self._launched: dict[tuple[Key, str], set[str]] = {}
        self.refusals = LaunchRefusals()

    def framework_changed(self, old: Framework | None, new: Framework | None) -> None:
        """The cache tells of a framework."""
        if old is not None and (new is None or old.metadata.uid != new.metadata.uid):
            self._forget(old)
        if new is not None:
            self._frameworks.put(new)
        present = new or old
        if present is not None:
            self._on_dirty(key_of(present))
        for key in self._frameworks.concerned_by(old, new):
            self._on_dirty(key)

    def framework_written(self, framework: Framework) -> None:
        """The API server answered with this framework, which may be gone by now."""
        if self._frameworks.key(framework.metadata.uid or "") is not None:
            self._frameworks.put(framework)

    def node_changed(self, old: Node | None, new: Node | None) -> None:
        """The cache tells of a node."""
        present = new or old
        if self._nodes.changed(old, new) and present is not None:
            for uid in self._nodes.holders(present.metadata.name):
                self._mark(uid)
            self._on_nodes()

    def mark_waiting(self) -> None:
        """Nodes have changed: whoever waits may have got what it waits for."""
        for key in self._frameworks.waiting():
            self._on_dirty(key)

    def child_changed(self, kind: Resource, old: Any, new: Any) -> None:
        """The cache tells of an object of this kind."""
        node = KINDS[kind].node
        before, after = owner_of(old), owner_of(new)
        if before == after and before is not None:
            self._nodes.moved(before, node(old), node(new))
        else:
            if before is not None:
                self._nodes.moved(before, node(old), "")
            if after is not None:
                self._nodes.moved(after, "", node(new))
        self._children[kind].changed(old, new)

    def child_written(self, framework: Framework, kind: Resource, child: Any) -> None:
        """The API server answered with this object, which it has created, changed or begun to delete."""
        self._children[kind].written(framework.metadata.uid or "", child)

    def child_gone(self, framework: Framework, kind: Resource, uid: str) -> None:
        """The API server has deleted this object, or says that it is gone."""
        self._children[kind].gone(framework.metadata.uid or "", uid)

    def follows(self, kind: Resource) -> bool:
        """Whether objects of this kind are known at all."""
        return kind in self._children

    def has_child(self, framework: Framework, kind: Resource, name: str) -> bool:
        """Whether the framework has an object of this kind and name."""
        uid, namespace = framework.metadata.uid or "", framework.metadata.namespace
        return any(one.metadata.name == name for one in self._children[kind].of(uid, namespace))

    def pod_created(self, framework: Framework, offer: str, pod: Pod) -> None:
        """The API server has created this pod from a claim of the offer."""
        self.child_written(framework, PODS, pod)
        self.pod_launched(framework, offer, pod.metadata.name)

    def pod_launched(self, framework: Framework, offer: str, name: str) -> None:
        """A pod of this name was made from a claim of the offer, now or earlier; no offer: into a reservation."""
        if offer:
            self._launched.setdefault((key_of(framework), offer), set()).add(name)

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
        key, uid, namespace = key_of(framework), framework.metadata.uid or "", framework.metadata.namespace
        offers = {name: offer for name, offer in self._offers.get(key, {}).items() if _is_made_to(offer, uid)}
        return Seen(
            framework=framework,
            offers=tuple(offer for _, offer in sorted(offers.items())),
            launched=frozenset(name for offer in offers for name in self._launched.get((key, offer), ())),
            now=now,
            refused=self.refusals.of(framework),
            nodes=self._nodes.by_name,
            frameworks=self._frameworks.in_namespace(namespace),
            **{KINDS[kind].seen_as: children.of(uid, namespace) for kind, children in self._children.items()},
        )

    def _mark(self, uid: str) -> None:
        key = self._frameworks.key(uid)
        if key is not None:
            self._on_dirty(key)

    def _forget(self, framework: Framework) -> None:
        self._frameworks.remove(framework)
        for children in self._children.values():
            children.forget(framework.metadata.uid or "")
        self.refusals.end(framework)


def _is_made_to(offer: ResourceOffer, framework_uid: str) -> bool:
    """Whether an offer is made to this framework, and not to an earlier one of the same name."""
    owners = [owner.uid for owner in offer.metadata.owner_references if owner.kind == Framework.KIND]
    return not owners or framework_uid in owners


def _newer(one: ResourceOffer, other: ResourceOffer) -> bool:
    return int(one.metadata.resource_version or 0) > int(other.metadata.resource_version or 0)
