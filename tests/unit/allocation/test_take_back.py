"""Offers are taken back when quotas or nodes change, and just enough of them."""

import dataclasses
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.allocation.builders import (
    amounts,
    cycle,
    framework,
    ledger,
    node,
    offered,
    role,
    settle,
    tainted,
    tolerating,
    wanting,
)

from tender.allocation import Charge, Demand, Framework, Ledger, Node, Refusal, Reservation, Role, Settings, Taint
from tender.allocation.ledger import Key
from tender.allocation.shares import add_into, dominant_share
from tender.allocation.take_back import after_role_change, on_node

SETTINGS = Settings()


def offer(cpu: int, name: str = "f1", where: str = "n1") -> Charge:
    return Charge(where, amounts(cpu=cpu), name, offered=True)


def change(on: Ledger, changed: Role, settings: Settings = SETTINGS, now: float = 0.0, **options):
    before = on.roles.get(changed.name)
    on.put_role(changed)
    return after_role_change(on, settings, before, changed, now, Random(1), **options)


def delete(on: Ledger, name: str):
    before = on.roles[name]
    on.remove_role(name)
    return after_role_change(on, SETTINGS, before, None, 0.0, Random(1))


class TestALoweredLimit:
    def facts(self, *charges: Charge) -> Ledger:
        made = ledger(node(cpu=10_000), role("a"), role("b", "a"), framework("f1", "b"), framework("f2", "c"))
        for number, charge in enumerate(charges):
            made.put_charge(f"o{number}", charge)
        return made

    def test_takes_nothing_back_that_still_fits(self):
        assert change(self.facts(offer(1000)), role("a", limit=amounts(cpu=1000))) == []

    def test_takes_back_as_little_as_will_do(self):
        one = self.facts(offer(4000), offer(1000), offer(2000))
        assert change(one, role("a", limit=amounts(cpu=6000))) == ["o1"]

    def test_leaves_alone_what_a_larger_one_makes_needless(self):
        one = self.facts(offer(4000), offer(1000), offer(1000))
        assert change(one, role("a", limit=amounts(cpu=2000))) == ["o0"]

    def test_leaves_other_roles_alone(self):
        one = self.facts(offer(1000), offer(1000, "f2"))
        assert change(one, role("a", limit=amounts(cpu=0) | {"cpu": 0})) == ["o0"]

    def test_takes_no_claim_back(self):
        one = self.facts(Charge("n1", amounts(cpu=3000), "f1"), offer(1000))
        assert change(one, role("a", limit=amounts(cpu=1000))) == ["o1"]

    def test_takes_bundles_back_as_a_whole(self):
        one = self.facts(offer(1000), offer(1000), offer(3000))
        bundles = {"o0": "small", "o1": "small", "o2": "large"}
        taken = change(one, role("a", limit=amounts(cpu=4000)), bundle=lambda key: bundles[str(key)])
        assert taken == ["o0", "o1"]

    def test_is_found_when_the_limit_of_a_new_parent_binds(self):
        one = self.facts(offer(1000))
        one.put_role(role("tight", limit={"cpu": 0}))
        assert change(one, role("b", "tight")) == ["o0"]

    def test_is_one_only_if_a_limit_is_lower_than_before(self):
        one = self.facts(offer(3000))
        one.put_role(role("a", limit=amounts(cpu=1000)))
        assert change(one, role("a", weight=3, limit=amounts(cpu=2000))) == []


class TestARaisedGuarantee:
    def facts(self, *charges: Charge) -> Ledger:
        made = ledger(node(cpu=4000), role("prod"), framework("f1", "a"), framework("f2", "prod"))
        for number, charge in enumerate(charges):
            made.put_charge(f"o{number}", charge)
        return made

    def test_takes_nothing_back_while_enough_is_free(self):
        assert change(self.facts(offer(2000)), role("prod", guarantee=amounts(cpu=2000))) == []

    def test_takes_back_as_little_as_will_do(self):
        one = self.facts(offer(3000), offer(1000))
        assert change(one, role("prod", guarantee=amounts(cpu=1000))) == ["o1"]

    def test_does_not_take_back_what_the_role_itself_is_offered(self):
        one = self.facts(offer(2000, "f2"), offer(2000))
        assert change(one, role("prod", guarantee=amounts(cpu=4000))) == ["o1"]

    def test_takes_back_what_helps_though_it_is_not_enough(self):
        one = self.facts(Charge("n1", amounts(cpu=3000), "f1"), offer(1000))
        assert change(one, role("prod", guarantee=amounts(cpu=4000))) == ["o1"]

    def test_leaves_nodes_alone_that_could_not_serve_it(self):
        one = self.facts(offer(4000))
        one.put_node(tainted("n2"))
        one.put_charge("elsewhere", offer(4000, where="n2"))
        assert change(one, role("prod", guarantee=amounts(cpu=4000))) == ["o0"]

    def test_does_not_take_back_reserved_offers(self):
        one = self.facts()
        one.put_role(role("a"))
        one.put_reservation("r", Reservation("n1", amounts(cpu=4000), "a"))
        one.put_charge("o0", offer(4000))
        assert change(one, role("prod", guarantee=amounts(cpu=1000))) == []


class TestAGuaranteeThatIsFeltElsewhere:
    def facts(self, *roles: Role) -> Ledger:
        return ledger(node(cpu=4000), *roles, framework("f1", "batch"))

    def test_as_the_limit_above_it_is_raised(self):
        one = self.facts(role("team", limit={"cpu": 0}), role("prod", "team", guarantee=amounts(cpu=3000)))
        one.put_charge("small", offer(1000))
        one.put_charge("large", offer(3000))
        assert change(one, role("team", limit=amounts(cpu=1000))) == ["small"]

    def test_as_the_role_above_it_is_deleted(self):
        one = self.facts(role("team", limit=amounts(cpu=1000)), role("prod", "team", guarantee=amounts(cpu=2000)))
        one.put_charge("small", offer(1000))
        one.put_charge("large", offer(2000))
        assert delete(one, "team") == ["small"]

    def test_as_it_no_longer_counts_inside_that_of_its_parent(self):
        one = self.facts(role("team", guarantee=amounts(cpu=2000)), role("prod", "team", guarantee=amounts(cpu=2000)))
        one.put_charge("small", offer(2000))
        assert change(one, role("prod", guarantee=amounts(cpu=2000))) == ["small"]

    def test_takes_nothing_back_for_what_was_missing_before(self):
        one = self.facts(role("prod", guarantee=amounts(cpu=3000)))
        for number in range(4):
            one.put_charge(f"o{number}", offer(1000))
        assert change(one, role("prod", guarantee=amounts(cpu=4000))) == ["o0"]
        assert change(one, role("other", limit=amounts(cpu=1000))) == []

    def test_takes_nothing_back_when_it_is_gone(self):
        one = self.facts(role("prod", guarantee=amounts(cpu=3000)))
        one.put_charge("o0", offer(4000))
        assert delete(one, "prod") == []


class TestADeletedRole:
    def test_moves_the_roles_below_it_to_the_top_with_their_own_limits(self):
        one = ledger(node(cpu=4000), role("top", limit=amounts(cpu=3000)), role("mid", "top"), framework("f1", "low"))
        one.put_role(role("low", "mid", limit=amounts(cpu=2000)))
        one.put_charge("o0", offer(2000))
        assert delete(one, "mid") == []
        assert delete(one, "top") == []

    def test_gives_its_frameworks_the_weight_of_a_role_that_nobody_has_set(self):
        one = on_ten_nodes(a=2, b=8)
        one.put_role(role("b", weight=4))
        assert taken_from(one, delete(one, "b")) == {"b": 3}

    def test_gives_its_children_a_share_each_beside_its_siblings(self):
        one = ledger(
            *(node(f"n{number}") for number in range(8)),
            role("team"),
            role("b", "team"),
            role("c", "team"),
            *(framework(name, name) for name in "abc"),
        )
        offer_nodes(one, a=4, b=2, c=2)
        assert taken_from(one, delete(one, "team")) == {"a": 1}


class TestAChangedWeight:
    def test_takes_back_what_would_go_to_others_by_the_new_weights(self):
        one = on_ten_nodes(a=5, b=5)
        assert taken_from(one, change(one, role("a", weight=4))) == {"b": 3}

    def test_takes_nothing_back_while_nobody_waits(self):
        one = on_ten_nodes(a=5, b=5)
        one.put_framework(framework("a", demand=()))
        assert change(one, role("a", weight=4)) == []
        one.put_framework(wanting("a", 5, "a", cpu=4000, memory=4096))
        assert change(one, role("a", weight=5)) == []

    def test_takes_no_more_back_than_others_want(self):
        one = on_ten_nodes(a=5, b=5)
        one.put_framework(wanting("a", 6, "a", cpu=4000, memory=4096))
        for key in [key for key, charge in one.offers() if charge.framework == "a"]:
            one.put_charge(key, Charge(under(one, key).node, amounts(4000, 4096), "a", {"task": 1}, offered=True))
        assert taken_from(one, change(one, role("a", weight=4))) == {"b": 1}

    def test_takes_the_smallest_back_first(self):
        one = ledger(*(node(f"n{size}", size, size) for size in (5000, 2000, 1000)))
        one.put_framework(framework("a", "a"))
        one.put_framework(wanting("b", 1, "b", cpu=1000, memory=1000))
        offer_nodes(one, a=3)
        assert change(one, role("b", weight=4)) == ["n1000"]

    def test_takes_no_claim_back(self):
        one = on_ten_nodes(a=5)
        for number in range(5, 10):
            one.put_charge(number, Charge(f"n{number}", amounts(4000, 4096), "b"))
        assert change(one, role("a", weight=4)) == []

    def test_leaves_alone_whoever_gets_no_less_by_it(self):
        one = on_ten_nodes(a=10)
        one.put_role(role("c"))
        assert change(one, role("c", weight=3)) == []

    def test_does_not_choose_between_the_frameworks_of_a_role(self):
        one = ledger(*(node(f"n{number}") for number in range(10)))
        for number in range(10):
            for home in "ab":
                one.put_framework(wanting(f"{home}{number}", 1, home, cpu=4000, memory=4096))
        for number in range(5):
            for home, where in (("a", number), ("b", number + 5)):
                charge = Charge(f"n{where}", amounts(4000, 4096), f"{home}{number}", {"task": 1}, offered=True)
                one.put_charge(f"{home}{number}", charge)
                one.note_allocation(f"{home}{number}")
        assert change(one, role("a", weight=4)) == ["b0", "b1", "b2"]

    def test_leaves_every_framework_what_it_would_get_anyway(self):
        one = on_ten_nodes(a=5, b=3, c=2)
        one.put_framework(framework("c", "b"))
        assert taken_from(one, change(one, role("a", weight=4))) == {"b": 2, "c": 1}

    def test_ends_an_offer_of_several_nodes_that_holds_too_much(self):
        one = on_ten_nodes(a=5, b=5)
        holder = {key: charge.framework for key, charge in one.offers()}
        taken = change(one, role("a", weight=4), bundle=lambda key: holder[key])
        assert taken_from(one, taken) == {"b": 5}
        for key in taken:
            one.remove_charge(key)
        assert {name: len(nodes) for name, nodes in offered(cycle(one)).items()} == {"a": 3, "b": 2}

    def test_takes_nothing_back_that_those_who_would_get_more_have_refused(self):
        one = on_ten_nodes(a=5, b=5)
        elsewhere = {f"n{number}": amounts(4000, 4096) for number in range(5, 10)}
        one.put_refusal("no", Refusal("a", 60.0, elsewhere))
        assert change(one, role("a", weight=4), now=59.0) == []
        assert taken_from(one, change(one, role("a", weight=5), now=60.0)) == {"b": 3}

    def test_takes_nothing_back_by_lot(self):
        one = on_ten_nodes(a=5, b=5)
        assert change(one, role("a", weight=4), settings=Settings(sorter="random")) == []

    def test_counts_what_a_lowered_limit_takes_back_as_well(self):
        one = on_ten_nodes(a=5, b=5)
        one.put_role(role("b", weight=2))
        assert taken_from(one, change(one, role("b", limit=amounts(cpu=8000)))) == {"b": 3}


class TestANewParentOrNone:
    def test_takes_back_what_would_go_to_others_at_its_new_place(self):
        one = on_ten_nodes(a=3, b=3, c=4)
        one.put_role(role("b"))
        assert taken_from(one, change(one, role("c", "b"))) == {"c": 2}


def on_ten_nodes(**nodes: int) -> Ledger:
    """Ten equal nodes, of which frameworks in roles of their names have so many on offer, and want more."""
    made = ledger(*(node(f"n{number}") for number in range(10)), *(framework(name, name) for name in nodes))
    offer_nodes(made, **nodes)
    return made


def offer_nodes(on: Ledger, **nodes: int) -> None:
    names = iter(sorted(on.nodes))
    for framework_name, count in nodes.items():
        for name in islice(names, count):
            on.put_charge(name, Charge(name, on.nodes[name].allocatable, framework_name, offered=True))


def taken_from(on: Ledger, keys: Iterable[Key]) -> dict[str, int]:
    """How many of the offers of each framework these charges are."""
    return dict(Counter(under(on, key).framework or "" for key in keys))


def under(on: Ledger, key: Key) -> Charge:
    """The charge that is there under a key."""
    charge = on.charge(key)
    assert charge is not None
    return charge


CYCLES = Settings(minimum_offer=({"cpu": 1},))
HOMES = ["a", "a-b", "a-c", "d"]
PARENTS = {"a": None, "a-b": "a", "a-c": "a", "d": None}
CPU = st.fixed_dictionaries({}, optional={"cpu": st.integers(1, 8)})
HELD = st.tuples(st.integers(0, 5), st.integers(1, 4), st.integers(1, 3), st.booleans())
"""A node, a framework, how much of the one the other has, and whether it is on offer to it."""


@st.composite
def worlds(draw: st.DrawFn) -> Ledger:
    """Small clusters with roles, quotas, reservations and refusals, of which all that may be is on offer."""
    made = Ledger()
    for number in range(draw(st.integers(2, 6))):
        made.put_node(Node(f"n{number}", {"cpu": draw(st.integers(1, 4)), "memory": 4}))
    for name in draw(st.lists(st.sampled_from(HOMES), unique=True)):
        made.put_role(draw(roles(name)))
    for number in range(1, 5):
        demand = draw(st.none() | st.integers(0, 5).map(lambda count: (Demand("task", {"cpu": 1}, count),)))
        made.put_framework(Framework(f"f{number}", draw(st.sampled_from(HOMES)), demand, minimum=()))
    for key in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        made.put_reservation(key, Reservation(f"n{key}", {"cpu": 1}, draw(st.sampled_from(HOMES))))
    if draw(st.booleans()):
        made.put_refusal("r", Refusal("f1", 60.0, {"n0": {"cpu": 4, "memory": 4}, "n1": {"cpu": 1, "memory": 4}}))
    for key, (where, who, cpu, on_offer) in enumerate(draw(st.lists(HELD, max_size=8))):
        name, holder = f"n{where}", f"f{who}"
        most = min(cpu, made.free(name).get("cpu", 0)) if name in made.nodes else 0
        if most > 0:
            made.put_charge(key, Charge(name, {"cpu": most}, holder, {"task": most}, on_offer))
            made.note_allocation(holder)
    settle(made, cycle(made, settings=CYCLES))
    return made


@st.composite
def roles(draw: st.DrawFn, name: str | None = None, *, quotas: bool = True) -> Role:
    name = name or draw(st.sampled_from(HOMES))
    parent = draw(st.sampled_from([PARENTS[name], None]))
    guarantee, limit = (draw(CPU), draw(CPU)) if quotas and draw(st.booleans()) else ({}, {})
    return Role(name, parent, draw(st.sampled_from([0.5, 1.0, 1.0, 4.0])), guarantee, limit)


def seen(on: Ledger):
    """All that can be asked of a ledger, offers in any order."""
    sums = {name: dict(held) for name, held in on.role_holdings().items()}
    nodes = {name: (on.free(name), dict(on.unreserved(name)), dict(on.unused(name))) for name in on.nodes}
    return dict(on.offers()), dict(on.roles), sums, on.shares(CYCLES), nodes, cycle(on, settings=CYCLES)


def without_quotas(made: Ledger) -> Ledger:
    for known in list(made.roles.values()):
        made.put_role(Role(known.name, known.parent, known.weight))
    return made


class TestWhateverChangesOfARole:
    @given(worlds(), roles(), st.booleans())
    def test_the_ledger_is_left_as_it_was(self, one: Ledger, changed: Role, deleted: bool):
        before = one.roles.get(changed.name)
        if deleted:
            one.remove_role(changed.name)
        else:
            one.put_role(changed)
        as_it_was, rng = seen(one), Random(5)
        after_role_change(one, CYCLES, before, one.roles.get(changed.name), 0.0, rng)
        assert seen(one) == as_it_was
        assert rng.random() == Random(5).random()

    @given(worlds())
    def test_nothing_is_taken_back_when_nothing_changed(self, one: Ledger):
        for known in list(one.roles.values()):
            assert change(one, known, CYCLES) == []

    @given(worlds().map(without_quotas), roles(quotas=False))
    def test_nobody_is_left_less_than_it_would_be_offered_anew(self, one: Ledger, changed: Role):
        taken = change(one, changed, CYCLES)
        losing = {under(one, key).framework for key in taken}
        left: dict[str | None, dict[str, int]] = {}
        for key, charge in list(one.offers()):
            one.remove_charge(key)
            if key not in taken:
                add_into(left.setdefault(charge.framework, {}), charge.resources)
        anew: dict[str | None, dict[str, int]] = {}
        for grant in cycle(one, settings=CYCLES).grants:
            add_into(anew.setdefault(grant.framework, {}), grant.resources)
        for name in losing:
            shares = [dominant_share(amounts.get(name, {}), one.totals) for amounts in (left, anew)]
            assert shares[0] >= shares[1]

    @given(worlds().map(without_quotas), roles(quotas=False))
    def test_what_is_taken_back_goes_to_other_roles(self, one: Ledger, changed: Role):
        taken = change(one, changed, CYCLES)
        ended = [under(one, key) for key in taken]
        for key in taken:
            one.remove_charge(key)
        granted = cycle(one, settings=CYCLES).grants
        for charge in ended:
            own = one.frameworks[charge.framework or ""].role
            assert any(grant.node == charge.node and grant.role != own for grant in granted)

    @given(worlds(), roles(quotas=False))
    def test_nothing_is_taken_back_for_weights_while_nobody_waits(self, one: Ledger, changed: Role):
        for known in list(one.frameworks.values()):
            one.put_framework(dataclasses.replace(known, demand=()))
        before = one.roles.get(changed.name)
        same_quota = dataclasses.replace(before or Role(changed.name), weight=changed.weight)
        assert change(one, same_quota, CYCLES) == []


class TestANode:
    def test_takes_everything_back_when_nothing_may_start_there(self):
        one = ledger(node(unavailable="cordoned"), framework(), offer(1000), Charge("n1", amounts(cpu=1000), "f1"))
        assert on_node(one, SETTINGS, "n1") == [2]

    def test_takes_back_what_does_not_tolerate_its_taints(self):
        one = ledger(
            node(taints=(Taint("dedicated"),)),
            framework("f1"),
            framework("f2", tolerations=tolerating()),
            offer(1000, "f1"),
            offer(1000, "f2"),
        )
        assert on_node(one, SETTINGS, "n1") == [3]

    def test_takes_back_just_enough_when_others_use_more(self):
        one = ledger(node(), framework(), offer(1000), offer(2000), Charge("n1", amounts(cpu=2000)))
        assert on_node(one, SETTINGS, "n1") == [2]

    def test_takes_back_what_stands_in_the_way_of_a_reservation(self):
        one = ledger(
            node(),
            role("a"),
            framework("f1", "a"),
            framework("f2"),
            offer(2000, "f1"),
            offer(2000, "f2"),
            Reservation("n1", amounts(cpu=3000), "a"),
        )
        assert on_node(one, SETTINGS, "n1") == [5]

    def test_takes_nothing_back_that_fits(self):
        assert on_node(ledger(node(), framework(), offer(4000)), SETTINGS, "n1") == []
