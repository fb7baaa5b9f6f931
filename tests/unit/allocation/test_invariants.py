"""What holds whatever happens: facts come, change and go in any order, with cycles in between."""

import dataclasses
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tender.allocation import (
    Charge,
    CycleResult,
    Demand,
    Framework,
    Grant,
    Ledger,
    Node,
    Refusal,
    Reservation,
    Role,
    Settings,
    Taint,
    Toleration,
    run_cycle,
)
from tender.allocation.model import Member
from tender.allocation.pool import enough
from tender.allocation.quotas import Quotas
from tender.allocation.shares import fits
from tender.allocation.suitability import untolerated_taint

NODES = st.sampled_from(["n1", "n2", "n3", "n4"])
ROLES = st.sampled_from(["a", "a-b", "a-b-c", "d"])
FRAMEWORKS = st.sampled_from(["f1", "f2", "f3"])
SMALL = st.integers(0, 4)
AMOUNTS = st.fixed_dictionaries({}, optional={"cpu": SMALL, "memory": SMALL})
SIZES = st.fixed_dictionaries({"cpu": st.integers(0, 6), "memory": st.integers(0, 6)})
REQUESTS = st.fixed_dictionaries({"cpu": st.integers(1, 2)}, optional={"memory": st.integers(0, 3)})
TAINTS = st.sampled_from([(), (), (Taint("dedicated"),), (Taint("soft", effect="PreferNoSchedule"),)])
TOLERATIONS = st.sampled_from([(), (Toleration("dedicated", "Exists"),)])
DEMANDS = st.none() | st.lists(
    st.builds(
        Demand,
        name=st.sampled_from(["web", "db"]),
        requests=REQUESTS,
        count=st.integers(0, 6),
        tolerations=TOLERATIONS,
        max_per_node=st.none() | st.integers(1, 2),
    ),
    max_size=2,
    unique_by=lambda entry: entry.name,
).map(tuple)
CYCLE_SETTINGS = st.builds(
    Settings, minimum_offer=st.just(({"cpu": 1}, {"memory": 2})), sorter=st.sampled_from(["drf", "random"])
)


class Clusters(RuleBasedStateMachine):
    """Keeps the facts beside the ledger, so that the ledger can be made anew from them."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger()
        self.settings = Settings()
        self.facts: dict[tuple[str, Any], Any] = {}
        self.allocations: dict[Member, int] = {}
        self.clock = 0.0
        self.keys = 0

    @initialize(
        settings=CYCLE_SETTINGS,
        sizes=st.lists(SIZES, min_size=2, max_size=3),
        homes=st.lists(ROLES, min_size=2, max_size=3),
        demand=DEMANDS,
        limit=AMOUNTS,
    )
    def begin(
        self,
        settings: Settings,
        sizes: list[dict[str, int]],
        homes: list[str],
        demand: tuple[Demand, ...] | None,
        limit: dict[str, int],
    ) -> None:
        """Begin with a small cluster, so that there is something to give from the first step on."""
        self.settings = settings
        for number, size in enumerate(sizes, 1):
            self.tell("node", f"n{number}", Node(f"n{number}", size))
        for name, parent in (("a", None), ("a-b", "a"), ("a-b-c", "a-b")):
            self.tell("role", name, Role(name, parent, limit=limit if name == "a" else {}))
        for number, home in enumerate(homes, 1):
            self.tell("framework", f"f{number}", Framework(f"f{number}", home, demand if number == 1 else None))

    @rule(
        name=NODES,
        allocatable=SIZES,
        labels=st.sampled_from([{}, {"disk": "ssd"}]),
        taints=TAINTS,
        unavailable=st.sampled_from(["", "", "", "cordoned"]),
    )
    def node(
        self,
        name: str,
        allocatable: Mapping[str, int],
        labels: dict[str, str],
        taints: tuple[Taint, ...],
        unavailable: str,
    ) -> None:
        before = self.facts.get(("node", name))
        if before is not None and before.labels != labels:
            self.forget_refusals(lambda refusal: name in refusal.nodes)
        self.tell("node", name, Node(name, allocatable, labels, taints, unavailable))

    @rule(name=NODES)
    def node_goes(self, name: str) -> None:
        self.ledger.remove_node(name)
        self.facts.pop(("node", name), None)
        self.forget_refusals(lambda refusal: name in refusal.nodes)

    @rule(
        name=ROLES,
        parent=st.none() | ROLES,
        weight=st.sampled_from([0.5, 1.0, 3.0]),
        guarantee=AMOUNTS,
        limit=AMOUNTS | st.just({}),
    )
    def role(
        self, name: str, parent: str | None, weight: float, guarantee: dict[str, int], limit: dict[str, int]
    ) -> None:
        guarantee = {one: min(amount, limit.get(one, amount)) for one, amount in guarantee.items()}
        self.tell("role", name, Role(name, parent, weight, guarantee, limit))

    @rule(name=ROLES)
    def role_goes(self, name: str) -> None:
        self.ledger.remove_role(name)
        self.facts.pop(("role", name), None)

    @rule(
        name=FRAMEWORKS,
        roles=st.lists(ROLES, min_size=1, max_size=2, unique=True),
        demand=DEMANDS,
        tolerations=TOLERATIONS,
        selector=st.sampled_from([{}, {}, {"disk": "ssd"}]),
        inactive=st.sampled_from(["", "", "x"]),
    )
    def framework(
        self,
        name: str,
        roles: list[str],
        demand: tuple[Demand, ...] | None,
        tolerations: tuple[Toleration, ...],
        selector: dict[str, str],
        inactive: str,
    ) -> None:
        before = self.facts.get(("framework", name))
        if before is not None and before.demand != demand:
            self.forget_refusals(lambda refusal: refusal.framework == name)
        role, *further = roles
        made = Framework(
            name,
            role,
            demand,
            node_selector=selector,
            tolerations=tolerations,
            inactive=inactive,
            further_roles=tuple(further),
        )
        self.tell("framework", name, made)

    @rule(name=FRAMEWORKS)
    def framework_goes(self, name: str) -> None:
        self.ledger.remove_framework(name)
        self.facts.pop(("framework", name), None)
        for member in [member for member in self.allocations if member.framework == name]:
            del self.allocations[member]
        self.forget_refusals(lambda refusal: refusal.framework == name)

    @rule(
        key=st.integers(0, 2),
        node=NODES,
        resources=AMOUNTS,
        framework=st.none() | FRAMEWORKS,
        role=st.none() | ROLES,
    )
    def pod(self, key: int, node: str, resources: Mapping[str, int], framework: str | None, role: str | None) -> None:
        tasks = {"web": 1} if framework else {}
        self.tell("charge", ("pod", key), Charge(node, resources, framework, tasks, role=role if framework else None))

    @rule(
        key=st.integers(0, 1),
        node=NODES,
        role=ROLES,
        framework=st.none() | FRAMEWORKS,
        resources=AMOUNTS,
        refines=st.none() | st.integers(0, 1),
    )
    def reservation(
        self,
        key: int,
        node: str,
        role: str,
        framework: str | None,
        resources: Mapping[str, int],
        refines: int | None,
    ) -> None:
        self.tell("reservation", key, Reservation(node, resources, role, framework, refines))

    @rule(key=st.integers(0, 1))
    def reservation_goes(self, key: int) -> None:
        self.ledger.remove_reservation(key)
        self.facts.pop(("reservation", key), None)

    @rule(pick=st.randoms(use_true_random=False), answer=st.sampled_from(["claim", "decline", "end"]))
    def answer(self, pick: Random, answer: str) -> None:
        """A framework answers an offer, or what it claimed ends."""
        keys = [key for kind, key in self.facts if kind == "charge" and key[0] == "grant"]
        if not keys:
            return
        key = pick.choice(sorted(keys))
        charge = self.facts[("charge", key)]
        if answer == "claim":
            self.tell("charge", key, dataclasses.replace(charge, offered=False))
            return
        self.ledger.remove_charge(key)
        del self.facts[("charge", key)]
        known = ("node", charge.node) in self.facts and ("framework", charge.framework) in self.facts
        if answer == "decline" and known:
            refusal = Refusal(charge.framework, self.clock + 2, {charge.node: charge.resources})
            self.tell("refusal", key, refusal)

    @rule(seed=st.integers(0, 5), seconds=st.integers(0, 2))
    def cycle(self, seed: int, seconds: int) -> None:
        self.clock += seconds
        for grant in run_cycle(self.ledger, self.settings, self.clock, Random(seed)).grants:
            self.keys += 1
            self.tell("charge", ("grant", self.keys), charged(grant))
            self.ledger.note_allocation(grant.framework, grant.role)
            member = Member(grant.framework, grant.role)
            self.allocations[member] = self.allocations.get(member, 0) + 1

    @invariant()
    def the_next_cycle_would_be_sound(self) -> None:
        seed = len(self.facts)
        result = run_cycle(self.ledger, self.settings, self.clock, Random(seed))
        slow = self.rebuilt(seed)
        assert result == run_cycle(slow, self.settings, self.clock, Random(seed))
        some = list(self.ledger.nodes)[::2]
        assert run_cycle(self.ledger, self.settings, self.clock, Random(seed), some) == run_cycle(
            slow, self.settings, self.clock, Random(seed), some
        )
        self.check_grants(result)
        self.check_reasons(result)
        for number, grant in enumerate(result.grants):
            slow.put_charge(number, charged(grant))
        for name in self.ledger.nodes:
            before, after = self.ledger.free(name), slow.free(name)
            assert all(after[one] >= min(0, before[one]) for one in after)
        over_before, over_after = excess_over_limits(self.ledger), excess_over_limits(slow)
        assert all(excess <= max(0, over_before[where]) for where, excess in over_after.items())
        short_before, short_after = reserved_beyond_free(self.ledger), reserved_beyond_free(slow)
        assert all(short <= max(0, short_before.get(place, 0)) for place, short in short_after.items())

    @invariant()
    def the_ledger_is_what_its_facts_make_it(self) -> None:
        rebuilt = self.rebuilt(seed=len(self.facts))
        assert rebuilt.totals == self.ledger.totals
        assert whoever_holds(rebuilt.role_holdings()) == whoever_holds(self.ledger.role_holdings())
        assert rebuilt.shares(self.settings).frameworks == self.ledger.shares(self.settings).frameworks
        for name in self.ledger.nodes:
            assert rebuilt.free(name) == self.ledger.free(name)

    def tell(self, kind: str, key: Any, fact: Any) -> None:
        """Tell the ledger a fact, twice: the second time must change nothing."""
        self.facts[(kind, key)] = fact
        tell(self.ledger, kind, key, fact)
        tell(self.ledger, kind, key, fact)

    def forget_refusals(self, which: Callable[[Refusal], bool]) -> None:
        for place in [place for place, fact in self.facts.items() if place[0] == "refusal" and which(fact)]:
            del self.facts[place]

    def rebuilt(self, seed: int) -> Ledger:
        """A slow and simple ledger made from the same facts in another order.

        Refusals come last: they are of those who are known.
        """
        made = Ledger(fast=False)
        facts = list(self.facts.items())
        Random(seed).shuffle(facts)
        for (kind, key), fact in sorted(facts, key=lambda item: item[0][0] == "refusal"):
            tell(made, kind, key, fact)
        for member, count in self.allocations.items():
            for _ in range(count):
                made.note_allocation(*member)
        return made

    def check_grants(self, result: CycleResult) -> None:
        places = [(grant.framework, grant.role, grant.node) for grant in result.grants]
        assert len(places) == len(set(places))
        granted: dict[tuple[str, str], int] = {}
        for grant in result.grants:
            framework = self.ledger.frameworks[grant.framework]
            node = self.ledger.nodes[grant.node]
            assert not node.unavailable
            assert not framework.inactive
            assert grant.role in framework.roles
            assert all(amount > 0 for amount in grant.resources.values())
            for refused in self.ledger.refusals(framework.name, self.clock).get(node.name, ()):
                assert not fits(grant.resources, refused)
            if framework.demand is None:
                assert untolerated_taint(node.taints, framework.tolerations) is None
                assert enough(grant.resources, self.settings.minimum_offer)
                continue
            entries = {entry.name: entry for entry in framework.demand}
            sums: dict[str, int] = {}
            for task, count in grant.tasks.items():
                entry = entries[task]
                assert untolerated_taint(node.taints, framework.tolerations + entry.tolerations) is None
                for resource, amount in entry.requests.items():
                    sums[resource] = sums.get(resource, 0) + amount * count
                there = self.ledger.tasks(framework.name, task).get(node.name, 0)
                assert entry.max_per_node is None or there + count <= entry.max_per_node
                granted[(framework.name, task)] = granted.get((framework.name, task), 0) + count
            assert {name: amount for name, amount in sums.items() if amount} == grant.resources
        for (name, task), count in granted.items():
            wanted = {entry.name: entry.count for entry in self.ledger.frameworks[name].demand or ()}[task]
            assert count + sum(self.ledger.tasks(name, task).values()) <= wanted

    def check_reasons(self, result: CycleResult) -> None:
        nodes = len(self.ledger.nodes)
        for name, framework in self.ledger.frameworks.items():
            mine = [grant for grant in result.grants if grant.framework == name]
            got = len({grant.node for grant in mine})
            reasons = result.not_offered.get(name, ())
            counted = sum(one.nodes for one in reasons)
            assert all(one.message for one in reasons)
            assert len({one.reason for one in reasons}) == len(reasons)
            if framework.inactive or framework.demand == ():
                assert got == 0
                assert reasons
            elif framework.demand is None:
                assert counted + got >= nodes
                assert counted + got == nodes or framework.further_roles
            elif any(entry.count > sum(self.ledger.tasks(name, entry.name).values()) for entry in framework.demand):
                assert got or reasons
                assert counted <= nodes * len(framework.roles)
            else:
                assert not got


def charged(grant: Grant) -> Charge:
    return Charge(grant.node, grant.resources, grant.framework, grant.tasks, offered=True, role=grant.role)


def whoever_holds(holdings: Mapping[str, Mapping[str, int]]) -> dict[str, Mapping[str, int]]:
    """The roles that hold anything: one that a reservation named once may be known on with nothing."""
    return {name: held for name, held in holdings.items() if held}


def excess_over_limits(ledger: Ledger) -> dict[tuple[str, str], int]:
    """By how much each role holds more than its limit, by role and resource."""
    holdings = ledger.role_holdings()
    return {
        (name, resource): holdings[name].get(resource, 0) - limit
        for name, role in ledger.roles.items()
        for resource, limit in role.limit.items()
    }


def reserved_beyond_free(ledger: Ledger) -> dict[tuple[str, str], int]:
    """By how much unused reservations are more than what is free, by node and resource."""
    beyond: dict[tuple[str, str], int] = {}
    for name in ledger.nodes:
        free = ledger.free(name)
        for amounts in ledger.unused(name).values():
            for resource, amount in amounts.items():
                place = (name, resource)
                beyond[place] = beyond.get(place, -max(0, free.get(resource, 0))) + amount
    return beyond


def tell(ledger: Ledger, kind: str, key: Any, fact: Any) -> None:
    match kind:
        case "node":
            ledger.put_node(fact)
        case "role":
            ledger.put_role(fact)
        case "framework":
            ledger.put_framework(fact)
        case "charge":
            ledger.put_charge(key, fact)
        case "reservation":
            ledger.put_reservation(key, fact)
        case "refusal":
            ledger.put_refusal(key, fact)


class TestRoomForGuarantees:
    @given(
        sizes=st.lists(SIZES, min_size=1, max_size=3),
        parents=st.tuples(st.none(), st.none() | st.just("r0"), st.none() | st.sampled_from(["r0", "r1"])),
        guarantees=st.lists(AMOUNTS, min_size=3, max_size=3),
        homes=st.lists(st.sampled_from(["r0", "r1", "r2", "other"]), min_size=1, max_size=3),
        demand=DEMANDS,
        held=st.lists(AMOUNTS, max_size=3),
        cycle=CYCLE_SETTINGS,
    )
    @settings(max_examples=150, deadline=None)
    def test_is_never_given_away(self, sizes, parents, guarantees, homes, demand, held, cycle):
        ledger = Ledger()
        for number, size in enumerate(sizes):
            ledger.put_node(Node(f"n{number}", size))
        for number, (parent, guarantee) in enumerate(zip(parents, guarantees, strict=True)):
            ledger.put_role(Role(f"r{number}", parent, guarantee=guarantee))
        for number, home in enumerate(homes):
            ledger.put_framework(Framework(f"f{number}", home, demand if number == 0 else None))
        for number, amounts in enumerate(held):
            ledger.put_charge(number, Charge("n0", amounts, f"f{number}"))
        before = lacking(ledger)
        for number, grant in enumerate(run_cycle(ledger, cycle, 0.0, Random(1)).grants):
            ledger.put_charge(("grant", number), Charge(grant.node, grant.resources, grant.framework, grant.tasks))
        for resource, short in lacking(ledger).items():
            assert short <= max(0, before[resource])


def lacking(ledger: Ledger) -> dict[str, int]:
    """How much less is free, all over the cluster, than the unmet guarantees need; below zero where there is more."""
    required = Quotas(ledger, ledger.role_holdings()).required
    free = {one: sum(max(0, ledger.free(name).get(one, 0)) for name in ledger.nodes) for one in ("cpu", "memory")}
    return {one: required.get(one, 0) - free[one] for one in free}


TestWhateverHappens = Clusters.TestCase
TestWhateverHappens.settings = settings(
    max_examples=50, stateful_step_count=15, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
