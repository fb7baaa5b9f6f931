"""The node table follows what changes, and is then the same as one that is made anew."""

from collections.abc import Callable
from random import Random

import pytest
from tests.unit.allocation.builders import amounts, framework, node, role, tainted, tolerating

from tender.allocation import Ledger, Node, Reason, Reservation, Taint
from tender.allocation.node_table import NodeTable
from tender.allocation.slots import joined
from tender.allocation.suitability import Wants, wants_of

SCARCE = frozenset({"nvidia.com/gpu"})
ANYBODY = Wants({}, (), frozenset(), SCARCE)


class World:
    """Nodes, what is free on them and what is reserved there, and a table that is told of every change.

    `changed` collects what the table says has another amount open, `moved` how it says slots moved.
    """

    def __init__(self, *nodes: Node, fast: bool = True) -> None:
        self.nodes: dict[str, Node] = {}
        self.free: dict[str, dict[str, int]] = {}
        self.kept: dict[str, dict[str, int]] = {}
        self.changed: list[int] = []
        self.moved: list[Callable[[int], int] | None] = []
        self.table = NodeTable(
            fast=fast, unreserved=self.unreserved, on_amounts=self.changed.append, on_slots=self.moved.append
        )
        for one in nodes:
            self.put(one)
        self.refresh()

    def put(self, one: Node) -> None:
        if one.name in self.nodes:
            self.table.altered(one.name)
        else:
            self.table.came_or_went(one.name)
        self.nodes[one.name] = one
        self.free[one.name] = dict(one.allocatable)

    def remove(self, name: str) -> None:
        del self.nodes[name], self.free[name]
        self.kept.pop(name, None)
        self.table.came_or_went(name)

    def use(self, name: str, **used: int) -> None:
        before = self.free[name]
        self.free[name] = dict(self.nodes[name].allocatable)
        for resource, amount in amounts(**used).items():
            self.free[name][resource] -= amount
        self.table.count(name, {one: left - before[one] for one, left in self.free[name].items()}, 1)

    def reserve(self, name: str, kept: dict[str, int]) -> None:
        self.kept[name] = kept
        self.table.keep(name)

    def unreserved(self, name: str) -> dict[str, int]:
        left = dict(self.free[name])
        for resource, amount in self.kept.get(name, {}).items():
            left[resource] = left.get(resource, 0) - amount
        return left

    def refresh(self) -> None:
        self.table.refresh(self.nodes, self.free.__getitem__, lambda name: self.kept.get(name, {}))

    def names(self, nodes: int) -> set[str]:
        return {name for name, slot in self.table.slots.items() if nodes >> slot & 1}

    def obstacles(self, wants: Wants) -> dict[tuple[Reason, str], set[str]]:
        """What is in the way and where; of the words, what is the case without what to do about it."""
        return {
            (reason, words.partition(";")[0]): self.names(nodes)
            for reason, words, nodes in self.table.suit(wants).obstacles
        }

    def suiting(self, wants: Wants) -> set[str]:
        return self.names(self.table.suit(wants).nodes)


class TestSlots:
    def test_are_the_same_in_whatever_order_nodes_came(self):
        names = [f"node-{number}" for number in range(40)]
        tables = []
        for seed in range(3):
            world = World()
            for name in Random(seed).sample(names, len(names)):
                world.put(node(name))
                if seed:
                    world.refresh()
            world.refresh()
            tables.append((world.table.names, world.table.slots, world.table.nodes))
        assert tables[0] == tables[1] == tables[2]
        assert tables[0][0] != sorted(names)

    def test_lead_from_names_to_nodes_and_back(self):
        table = World(node("a"), node("b"), node("c")).table
        assert table.everything == 0b111
        for slot, name in enumerate(table.names):
            assert table.slots[name] == slot
            assert table.nodes[slot].name == name

    def test_are_none_at_first(self):
        table = World().table
        assert (table.names, table.everything, table.free.fitting({}), table.open.fitting({})) == ([], 0, 0, 0)

    def test_that_are_named_make_a_set_without_those_that_are_not_there(self):
        world = World(node("a"), node("b"), node("c"))
        assert world.names(world.table.set_of(["a", "c", "gone", "a"])) == {"a", "c"}

    def test_say_where_a_set_is_now_when_a_node_came(self):
        world = World(node("a"), node("b"), node("c"))
        before = world.table.set_of(["a", "c"])
        world.moved.clear()
        world.put(node("d"))
        world.refresh()
        (move,) = world.moved
        assert move is not None
        assert world.names(move(before)) == {"a", "c"}

    def test_say_where_a_set_is_now_when_a_node_went(self):
        world = World(node("a"), node("b"), node("c"))
        before = world.table.set_of(["a", "b", "c"])
        world.moved.clear()
        world.remove("b")
        world.refresh()
        (move,) = world.moved
        assert move is not None
        assert world.names(move(before)) == {"a", "c"}
        assert move(before) == world.table.everything

    def test_are_given_anew_when_many_came_at_once(self):
        world = World(node("a"))
        world.moved.clear()
        for number in range(17):
            world.put(node(f"n{number}"))
        world.refresh()
        assert world.moved == [None]

    def test_of_a_node_that_came_and_went_at_once_are_none(self):
        world = World(node("a"))
        world.moved.clear()
        world.put(node("b"))
        world.remove("b")
        world.refresh()
        assert world.table.names == ["a"]
        assert world.moved == []

    def test_of_a_node_that_went_and_came_back_at_once_tell_of_the_new_one(self):
        world = World(node("a"), node("b"))
        world.remove("a")
        world.put(node("a", cpu=9000, labels={"disk": "ssd"}))
        world.refresh()
        slot = world.table.slots["a"]
        assert world.table.nodes[slot].labels == {"disk": "ssd"}
        assert world.names(world.table.free.fitting(amounts(cpu=9000))) == {"a"}
        assert world.suiting(Wants({"disk": "ssd"}, (), frozenset(), SCARCE)) == {"a"}


class TestAmounts:
    def test_are_what_is_free_and_what_is_open(self):
        world = World(node("a"), node("b"))
        world.use("a", cpu=1000)
        world.reserve("b", amounts(cpu=3000))
        world.refresh()
        assert world.names(world.table.free.fitting(amounts(cpu=4000))) == {"b"}
        assert world.names(world.table.open.fitting(amounts(cpu=3000))) == {"a"}
        assert world.names(world.table.open.fitting(amounts(cpu=1000))) == {"a", "b"}

    def test_are_open_again_when_a_reservation_ends(self):
        world = World(node("a"), node("b"))
        world.reserve("a", amounts(cpu=3000))
        world.refresh()
        del world.kept["a"]
        world.table.keep("a")
        world.refresh()
        assert world.names(world.table.open.fitting(amounts(cpu=4000))) == {"a", "b"}

    def test_left_on_a_node_are_those_above_zero(self):
        world = World(node("a"))
        world.use("a", cpu=4000, memory=5000)
        world.refresh()
        assert world.table.left(0) == {}
        world.use("a", cpu=3000, memory=5000)
        world.refresh()
        assert world.table.left(0) == amounts(cpu=1000)

    def test_left_on_a_node_are_without_what_is_reserved(self):
        world = World(node("a"))
        assert world.table.left(0) == node().allocatable
        world.reserve("a", amounts(cpu=3000, memory=4096))
        world.refresh()
        assert world.table.left(0) == amounts(cpu=1000)

    def test_left_are_those_of_the_node_that_has_the_slot_now(self):
        world = World(node("a", cpu=1000), node("b", cpu=2000), node("c", cpu=3000))
        assert {world.table.left(slot)["cpu"] for slot in range(3)} == {1000, 2000, 3000}
        world.remove("a")
        world.put(node("d", cpu=4000))
        world.refresh()
        assert {name: world.table.left(slot)["cpu"] for name, slot in world.table.slots.items()} == {
            "b": 2000,
            "c": 3000,
            "d": 4000,
        }

    def test_that_are_others_now_are_told(self):
        world = World(node("a"), node("b"), node("c"))
        world.changed.clear()
        world.use("b", cpu=1)
        world.refresh()
        assert [world.names(nodes) for nodes in world.changed] == [{"b"}]

    def test_that_are_reserved_are_told(self):
        world = World(node("a"), node("b"))
        world.changed.clear()
        world.reserve("a", amounts(cpu=1))
        world.refresh()
        assert [world.names(nodes) for nodes in world.changed] == [{"a"}]

    def test_that_are_as_before_are_not_told(self):
        world = World(node("a"), node("b"))
        world.changed.clear()
        world.use("a", cpu=0)
        world.refresh()
        assert world.changed == []

    def test_of_another_size_of_the_node_count(self):
        world = World(node("a"), node("b"))
        world.changed.clear()
        world.put(node("a", cpu=9000))
        world.refresh()
        assert world.names(world.table.free.fitting(amounts(cpu=9000))) == {"a"}
        assert world.table.left(world.table.slots["a"])["cpu"] == 9000
        assert [world.names(nodes) for nodes in world.changed] == [{"a"}]


class TestWhoSuits:
    def test_is_every_node_where_nothing_is_in_the_way(self):
        world = World(node("a"), node("b"))
        assert world.suiting(ANYBODY) == {"a", "b"}
        assert world.obstacles(ANYBODY) == {}

    def test_is_no_node_where_nothing_may_start(self):
        world = World(node("a"), node("b", unavailable="cordoned"), node("c", unavailable="not ready"))
        assert world.suiting(ANYBODY) == {"a"}
        assert world.names(world.table.available()) == {"a"}
        assert world.obstacles(ANYBODY) == {
            (Reason.UNAVAILABLE, "cordoned"): {"b"},
            (Reason.UNAVAILABLE, "not ready"): {"c"},
        }

    def test_is_no_node_without_the_labels(self):
        world = World(
            node("a", labels={"disk": "ssd", "zone": "x"}), node("b", labels={"disk": "hdd"}), node("c", labels={})
        )
        wants = Wants({"disk": "ssd", "zone": "y"}, (), frozenset(), SCARCE)
        assert world.suiting(Wants({"disk": "ssd"}, (), frozenset(), SCARCE)) == {"a"}
        assert world.suiting(wants) == set()
        assert world.obstacles(wants) == {
            (Reason.UNSUITABLE, "label disk=ssd is missing"): {"b", "c"},
            (Reason.UNSUITABLE, "label zone=y is missing"): {"a"},
        }

    def test_is_no_node_with_a_taint_that_is_not_tolerated(self):
        world = World(node("a"), tainted("b"), tainted("c", "special"), node("d", taints=(Taint("x", "y", "Prefer"),)))
        assert world.suiting(ANYBODY) == {"a", "d"}
        assert world.suiting(Wants({}, tolerating(), frozenset(), SCARCE)) == {"a", "b", "d"}
        assert world.obstacles(Wants({}, tolerating(), frozenset(), SCARCE)) == {
            (Reason.TAINTED, "taint special:NoSchedule is not tolerated"): {"c"}
        }

    def test_is_no_node_with_something_scarce_that_is_not_asked_for(self):
        world = World(node("a"), node("b", gpu=1))
        assert world.suiting(ANYBODY) == {"a"}
        assert world.suiting(Wants({}, (), SCARCE, SCARCE)) == {"a", "b"}
        assert world.suiting(Wants({}, (), frozenset(), frozenset())) == {"a", "b"}
        assert world.obstacles(ANYBODY) == {
            (Reason.UNSUITABLE, "the node has nvidia.com/gpu, which is not asked for"): {"b"}
        }

    def test_counts_a_node_under_the_first_thing_in_the_way_only(self):
        world = World(
            node("a", gpu=1, taints=(Taint("dedicated"),), unavailable="cordoned"),
            node("b", gpu=1, taints=(Taint("dedicated"),)),
            node("c", gpu=1, taints=(Taint("dedicated"),), labels={"disk": "ssd"}),
            node("d", gpu=1, labels={"disk": "ssd"}),
        )
        wants = Wants({"disk": "ssd"}, (), frozenset(), SCARCE)
        told = world.obstacles(wants)
        assert [(reason, nodes) for (reason, _), nodes in told.items()] == [
            (Reason.UNAVAILABLE, {"a"}),
            (Reason.UNSUITABLE, {"b"}),
            (Reason.TAINTED, {"c"}),
            (Reason.UNSUITABLE, {"d"}),
        ]

    def test_tells_of_words_in_the_order_of_their_first_nodes(self):
        words = [f"reason {number}" for number in range(6)]
        told = []
        for seed in range(4):
            world = World()
            for number in Random(seed).sample(range(6), 6):
                world.put(node(f"n{number}", unavailable=words[number]))
                world.refresh()
            told.append(list(world.obstacles(ANYBODY)))
            names = [world.table.names[slot] for slot in range(6)]
            assert [one for _, one in told[-1]] == [words[int(name[1:])] for name in names]
        assert told[0] == told[1] == told[2] == told[3]

    def test_is_known_of_a_framework_by_what_it_wants_now(self):
        world = World(node("a"), tainted("b"))
        bound, free = framework(), framework(tolerations=tolerating())
        assert world.names(world.table.suit_of(bound, SCARCE).nodes) == {"a"}
        assert world.names(world.table.suit_of(free, SCARCE).nodes) == {"a", "b"}
        assert world.table.suit_of(free, SCARCE) == world.table.suit(wants_of(free, SCARCE))

    def test_is_known_of_a_framework_by_what_is_scarce_now(self):
        world = World(node("a"), node("b", gpu=1))
        one = framework()
        assert world.names(world.table.suit_of(one, SCARCE).nodes) == {"a"}
        assert world.names(world.table.suit_of(one, frozenset()).nodes) == {"a", "b"}


class TestNodesThatHaveAResource:
    def test_are_those_whose_size_names_it(self):
        world = World(node("a"), node("b", gpu=1), Node("c", {"nvidia.com/gpu": 0}))
        assert world.names(world.table.having("nvidia.com/gpu")) == {"b"}

    def test_have_it_also_when_it_is_used_up(self):
        world = World(node("b", gpu=1))
        world.use("b", gpu=1)
        world.refresh()
        assert world.names(world.table.having("nvidia.com/gpu")) == {"b"}

    def test_are_others_when_sizes_change(self):
        world = World(node("a"), node("b", gpu=1))
        assert world.names(world.table.having("nvidia.com/gpu")) == {"b"}
        world.put(node("a", gpu=2))
        world.put(node("b"))
        world.refresh()
        assert world.names(world.table.having("nvidia.com/gpu")) == {"a"}


class TestAChange:
    @pytest.mark.parametrize(
        ("changed", "suits"),
        [
            (node("a", unavailable="cordoned"), False),
            (tainted("a"), False),
            (node("a", labels={"disk": "hdd"}), False),
            (node("a", gpu=1, labels={"disk": "ssd"}), False),
            (node("a", cpu=1, labels={"disk": "ssd"}), True),
            (node("a", labels={"disk": "ssd", "zone": "x"}), True),
        ],
    )
    def test_of_a_node_counts_there_and_back(self, changed, suits):
        fine, wants = node("a", labels={"disk": "ssd"}), Wants({"disk": "ssd"}, (), frozenset(), SCARCE)
        world = World(fine, node("b", labels={"disk": "ssd"}))
        assert world.suiting(wants) == {"a", "b"}
        world.put(changed)
        world.refresh()
        assert world.suiting(wants) == ({"a", "b"} if suits else {"b"})
        world.put(fine)
        world.refresh()
        assert world.suiting(wants) == {"a", "b"}
        assert world.obstacles(wants) == {}

    def test_from_one_obstacle_to_another_leaves_nothing_of_the_first(self):
        world = World(node("a", unavailable="cordoned"), node("b", unavailable="cordoned"))
        world.put(node("a", unavailable="not ready"))
        world.refresh()
        assert world.obstacles(ANYBODY) == {
            (Reason.UNAVAILABLE, "cordoned"): {"b"},
            (Reason.UNAVAILABLE, "not ready"): {"a"},
        }
        world.put(tainted("b"))
        world.refresh()
        assert world.obstacles(ANYBODY) == {
            (Reason.UNAVAILABLE, "not ready"): {"a"},
            (Reason.TAINTED, "taint dedicated:NoSchedule is not tolerated"): {"b"},
        }

    def test_does_not_count_before_it_is_taken_in(self):
        world = World(node("a"))
        world.use("a", cpu=4000)
        assert world.names(world.table.open.fitting(amounts(cpu=4000))) == {"a"}
        world.refresh()
        assert world.names(world.table.open.fitting(amounts(cpu=4000))) == set()


class TestATableThatFollowsChanges:
    @pytest.mark.parametrize("seed", range(12))
    def test_is_as_one_that_is_made_anew(self, seed):
        rng = Random(seed)
        world = World()
        for _ in range(25):
            for _ in range(rng.choice((0, 1, 1, 2, 5, 40))):
                self.change(world, rng)
            self.ask(world.table, rng.randrange(4))
            world.refresh()
            anew = World(*world.nodes.values(), fast=False)
            anew.free, anew.kept = world.free, world.kept
            for name in anew.nodes:
                anew.table.altered(name)
            anew.refresh()
            assert facts(world.table) == facts(anew.table)

    def change(self, world: World, rng: Random) -> None:
        name = f"n{rng.randrange(30)}"
        there = name in world.nodes
        match rng.randrange(6):
            case 0 | 1:
                world.put(any_node(name, rng))
            case 2 if there:
                world.remove(name)
            case 3 if there:
                world.use(name, cpu=rng.randrange(3), memory=rng.randrange(3))
            case 4 if there:
                world.reserve(name, {"cpu": rng.randrange(3)})
            case 5 if world.kept.pop(name, None) is not None:
                world.table.keep(name)

    def ask(self, table: NodeTable, number: int) -> None:
        """Have some things known already before changes come."""
        for wants in WANTS[:number]:
            table.suit(wants)
        for slot in range(len(table.names)):
            table.left(slot)


WANTS = (
    ANYBODY,
    Wants({"disk": "ssd"}, (), frozenset(), SCARCE),
    Wants({}, tolerating(), SCARCE, SCARCE),
    Wants({"disk": "ssd"}, tolerating(), SCARCE, SCARCE),
)


def any_node(name: str, rng: Random) -> Node:
    return Node(
        name,
        {"cpu": rng.randrange(4), "memory": rng.randrange(4), "nvidia.com/gpu": rng.choice((0, 0, 1))},
        rng.choice(({}, {"disk": "ssd"}, {"disk": "hdd"})),
        rng.choice(((), (), (Taint("dedicated"),), (Taint("special"),))),
        rng.choice(("", "", "cordoned", "not ready")),
    )


def facts(table: NodeTable) -> object:
    """Everything that can be asked of a table."""
    return (
        table.names,
        table.slots,
        table.nodes,
        table.everything,
        table.available(),
        table.having("nvidia.com/gpu"),
        [table.suit(wants) for wants in WANTS],
        [table.left(slot) for slot in range(len(table.names))],
        [columns.fitting({"cpu": amount}) for columns in (table.free, table.open) for amount in range(4)],
        [columns.total(table.everything) for columns in (table.free, table.open)],
    )


class TestTheTableOfALedger:
    def test_follows_nodes_charges_and_reservations(self):
        one = Ledger()
        one.put_node(node("a"))
        one.put_node(node("b"))
        assert one.table().open.fitting(amounts(cpu=4000)) == 0b11
        one.put_role(role("r"))
        one.put_reservation("kept", Reservation("a", amounts(cpu=1), "r"))
        slot = one.table().slots["a"]
        assert one.table().open.fitting(amounts(cpu=4000)) == 0b11 ^ joined([slot])
        assert one.table().free.fitting(amounts(cpu=4000)) == 0b11
        one.remove_node("b")
        assert one.table().names == ["a"]
