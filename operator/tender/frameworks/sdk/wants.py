"""A shape of which tasks are missing, while a turn matches: what a slice has room for, and what is in the way there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tender.api.core import Node
from tender.api.offer import ResourceOffer
from tender.api.quantities import Resources, format_amount
from tender.frameworks.sdk.constraints import (
    COUNTING,
    Forbidden,
    Group,
    Spread,
    forbidden_by_itself,
    value_of,
)
from tender.frameworks.sdk.funnel import CONSTRAINT, PODS, PORTS, RESERVATION, ROLE, Obstacle, reason_of
from tender.frameworks.sdk.launching import needs_of
from tender.frameworks.sdk.model import Shape
from tender.frameworks.sdk.ports import HostPort, ports_of_template, taken_among
from tender.frameworks.sdk.suiting import is_open, tolerations_of, unsuitable

_NO_PORTS: tuple[HostPort, ...] = ()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a turn goes by besides shapes and offers.

    `nodes` are the cluster's, by name; `node_selector` and `roles` the framework's (None: whatever is offered); `kept`
    is what it has reserved and does not use, by node and instance; `ports` are those that its pods have taken, by node.
    """

    nodes: Mapping[str, Node] = field(default_factory=dict)
    node_selector: Mapping[str, str] = field(default_factory=dict)
    roles: frozenset[str] | None = None
    kept: Mapping[str, Mapping[str, Resources]] = field(default_factory=dict)
    ports: Mapping[str, tuple[HostPort, ...]] = field(default_factory=dict)


class Piece:
    """A slice of an offer while a turn matches: what is still free of it, and which tasks it was given."""

    __slots__ = ("amounts", "free", "index", "made_for", "node", "offer", "role", "tasks")

    def __init__(self, offer: ResourceOffer, index: int) -> None:
        one = offer.spec.slices[index]
        self.offer = offer.metadata.name
        self.role = offer.spec.role
        self.index = index
        self.node = one.node
        self.made_for = one.tasks
        self.amounts = one.amounts
        self.free = dict(one.amounts)
        self.tasks: dict[str, int] = {}


class Present:
    """The tasks that there are and those claimed in this turn: by shape and node, by group, and the ports they take."""

    def __init__(
        self, shapes: Iterable[Shape], placed: Mapping[tuple[str, str], int], surroundings: Surroundings
    ) -> None:
        self.around = surroundings
        self.placed = dict(placed)
        self.ports = dict(surroundings.ports)
        self._groups: dict[str, Group] = {}
        self._values: dict[tuple[str, ...], frozenset[str]] = {}
        for shape in shapes:
            if shape.group in self._groups:
                self._groups[shape.group].join(shape.peers)
            else:
                self._groups[shape.group] = Group(shape.peers, surroundings.nodes)

    def group(self, name: str) -> Group:
        """The tasks of a group."""
        return self._groups[name]

    def add(self, shape: Shape, ports: tuple[HostPort, ...], node: str, count: int) -> None:
        """Tasks of a shape are about to be on a node."""
        self.placed[shape.name, node] = self.placed.get((shape.name, node), 0) + count
        self._groups[shape.group].add(node, count)
        if ports:
            self.ports[node] = (*self.ports.get(node, _NO_PORTS), *ports)

    def values(self, key: str, shape: Shape) -> frozenset[str]:
        """The values of a key that tasks of a shape could go to: those of the open nodes that suit it."""
        nodes = self.around.nodes
        selector = {**self.around.node_selector, **shape.node_selector}
        tolerations = tolerations_of(shape.template, shape.tolerations)
        known_as = (key, repr(selector), repr(tolerations), repr(shape.constraints))
        if known_as not in self._values:
            self._values[known_as] = frozenset(
                value
                for name, node in nodes.items()
                if is_open(node) and unsuitable(node, selector, tolerations) is None
                if all(forbidden_by_itself(one, name, nodes) is None for one in shape.constraints)
                if (value := value_of(key, name, nodes)) is not None
            )
        return self._values[known_as]


class Want:
    """A shape of which `left` tasks are missing still."""

    def __init__(self, shape: Shape, left: int, present: Present) -> None:
        self.shape = shape
        self.left = left
        self._present = present
        self._around = present.around
        self._ports = ports_of_template(shape.template["spec"])
        self._tolerations = tolerations_of(shape.template, shape.tolerations)
        self.spreads = tuple(
            Spread(one, present.group(shape.group), present.values(one.key, shape))
            for one in shape.constraints
            if one.operator in COUNTING and not (one.operator == "Cluster" and one.value is not None)
        )
        self._forbidden: dict[str, Forbidden | None] = {}

    @property
    def kind(self) -> tuple[str, ...]:
        """What is the same for shapes that the same things are in the way of."""
        shape = self.shape
        alone = shape.name if shape.max_per_node is not None or shape.node_selector else ""
        what = (shape.requests, shape.node_selector, self._tolerations, shape.constraints, self._ports)
        return (alone, shape.group, str(shape.reserved_as is None), *(repr(one) for one in what))

    def values(self, node: str) -> tuple[str, ...]:
        """What a node has for the keys of the constraints that count. Only for nodes that are not forbidden."""
        return tuple(value_of(one.constraint.key, node, self._around.nodes) or "" for one in self.spreads)

    def room(self, piece: Piece) -> int:
        """For how many of the missing tasks a slice has room, as far as it does not matter where others are."""
        needs = needs_of(self.shape.requests, piece.amounts)
        if not needs:
            return 0
        kept = self._kept(piece.node)
        count = self.left
        for resource, amount in needs.items():
            count = min(count, (piece.free.get(resource, 0) - kept.get(resource, 0)) // amount)
        if count > 0 and self.shape.max_per_node is not None:
            count = min(count, self.shape.max_per_node - self._present.placed.get((self.shape.name, piece.node), 0))
        if count > 0 and self._ports:
            count = 0 if taken_among(self._ports, self._present.ports.get(piece.node, _NO_PORTS)) else 1
        return max(0, count)

    def take(self, piece: Piece, count: int) -> None:
        """Claim room for so many tasks."""
        name = self.shape.name
        self.left -= count
        piece.tasks[name] = piece.tasks.get(name, 0) + count
        for resource, amount in needs_of(self.shape.requests, piece.amounts).items():
            piece.free[resource] -= count * amount
        self._present.add(self.shape, self._ports, piece.node, count)

    def forbidden(self, piece: Piece) -> Forbidden | None:
        """Why a node can not have a task of this shape, wherever others are."""
        if (wrong := self._wrong_role(piece)) is not None:
            return Forbidden(wrong)
        if piece.node not in self._around.nodes:
            # Only the master knows whether the node has the labels.
            if self.shape.node_selector and self.shape.name not in piece.made_for:
                return Forbidden("the offer was made for other tasks, and the node's labels are not known")
            return self._forbidden_there(piece.node, None)
        if piece.node not in self._forbidden:
            self._forbidden[piece.node] = self._forbidden_there(piece.node, self._around.nodes[piece.node])
        return self._forbidden[piece.node]

    def crowded(self, values: tuple[str, ...]) -> Forbidden | None:
        """Why a node of these values can not have a task now, because of where others are."""
        for spread, value in zip(self.spreads, values, strict=True):
            forbidden = spread.forbidden(value)
            if forbidden is not None:
                return forbidden
        return None

    def obstacle(self, piece: Piece) -> Obstacle | None:
        """The first thing that is in the way of a task on a slice; None if nothing is."""
        if (wrong := self._wrong_role(piece)) is not None:
            return Obstacle(ROLE, wrong)
        forbidden = self.forbidden(piece) or self._most_per_node(piece.node) or self.crowded(self.values(piece.node))
        if forbidden is not None:
            return Obstacle(CONSTRAINT, forbidden.message, forbidden.passing)
        needs = needs_of(self.shape.requests, piece.amounts)
        return self._reserved(piece, needs) or self._lacking(piece, needs) or self._port_taken(piece.node)

    def _wrong_role(self, piece: Piece) -> str | None:
        if self._around.roles is None or piece.role in self._around.roles:
            return None
        return f"the offer is made in role {piece.role}, which the framework takes no part in"

    def _forbidden_there(self, name: str, node: Node | None) -> Forbidden | None:
        if node is not None and (why := unsuitable(node, self.shape.node_selector, self._tolerations)) is not None:
            return Forbidden(why)
        for one in self.shape.constraints:
            if (forbidden := forbidden_by_itself(one, name, self._around.nodes)) is not None:
                return forbidden
        return None

    def _most_per_node(self, node: str) -> Forbidden | None:
        most = self.shape.max_per_node
        there = self._present.placed.get((self.shape.name, node), 0)
        if most is None or there < most:
            return None
        return Forbidden(f"the node has {there} tasks already, of at most {most}", passing=True)

    def _kept(self, node: str) -> Resources:
        """What a task that is to have a place of its own must leave to the places that there are."""
        kept: dict[str, int] = {}
        if self.shape.reserved_as is not None:
            for instance, amounts in self._around.kept.get(node, {}).items():
                for resource, amount in amounts.items() if instance != self.shape.reserved_as else ():
                    kept[resource] = kept.get(resource, 0) + amount
        return kept

    def _reserved(self, piece: Piece, needs: Resources) -> Obstacle | None:
        kept = self._kept(piece.node)
        for resource, amount in needs.items():
            free = piece.free.get(resource, 0)
            if free - kept.get(resource, 0) < amount <= free:
                whose = ", ".join(sorted(self._around.kept[piece.node].keys() - {self.shape.reserved_as}))
                return Obstacle(RESERVATION, f"what is free there is kept for {whose}", passing=True)
        return None

    def _lacking(self, piece: Piece, needs: Resources) -> Obstacle | None:
        if not needs:
            return Obstacle(PODS, "nothing that the task requests is on offer")
        lacking = [resource for resource, amount in needs.items() if piece.free.get(resource, 0) < amount]
        obstacles = [
            Obstacle(
                reason_of(resource),
                f"the task needs {format_amount(resource, needs[resource])} of {resource},"
                f" and {format_amount(resource, piece.free.get(resource, 0))} is on offer",
            )
            for resource in lacking
        ]
        return min(obstacles, key=lambda one: one.depth, default=None)

    def _port_taken(self, node: str) -> Obstacle | None:
        port = taken_among(self._ports, self._present.ports.get(node, _NO_PORTS))
        if port is None:
            return None
        return Obstacle(
            PORTS, f"port {port.number}/{port.protocol} is taken by another pod of the framework", passing=True
        )
