"""A cycle leaves nothing that somebody who waits could have had, on few nodes and on many.

What could be had is worked out here from the ledger alone, after the grants were charged: room on a node that suits,
less what is kept there for others, within every limit, and not refused. Guarantees are left out: what is kept for them
is another question.
"""

from random import Random

import pytest

from tender.allocation import (
    Charge,
    CycleResult,
    Demand,
    Framework,
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
from tender.allocation.filters import is_refused
from tender.allocation.suitability import untolerated_taint

SETTINGS = Settings(minimum_offer=({"cpu": 1}, {"memory": 2}), scarce_resources=frozenset({"gpu"}))
ROLES = ("a", "a-b", "a-c", "d")
TOLERATING = (Toleration("dedicated", "Exists"),)


def world(rng: Random, nodes: int) -> Ledger:
    """A ledger with some of everything in it."""
    made = Ledger()
    for number in range(nodes):
        made.put_node(
            Node(
                f"n{number}",
                {"cpu": rng.randint(0, 5), "memory": rng.randint(0, 5), **rng.choice(({}, {}, {"gpu": 1}))},
                rng.choice(({}, {"disk": "ssd"})),
                rng.choice(((), (), (), (Taint("dedicated"),))),
                rng.choice(("", "", "", "", "cordoned")),
            )
        )
    limited = rng.choice((True, False))
    for name in ROLES:
        limit = (
            {"cpu": rng.randint(1, nodes), "memory": rng.randint(1, nodes)} if limited and rng.random() < 0.4 else {}
        )
        made.put_role(Role(name, "a" if name.startswith("a-") else None, rng.choice((1, 1, 2)), limit=limit))
    for number in range(4):
        first, second = rng.sample(ROLES, 2)
        made.put_framework(
            Framework(
                f"f{number}",
                first,
                rng.choice((None, demand(rng, nodes), demand(rng, nodes))),
                node_selector=rng.choice(({}, {}, {"disk": "ssd"})),
                tolerations=rng.choice(((), TOLERATING)),
                capabilities=frozenset(rng.choice(((), ("gpu",)))),
                further_roles=rng.choice(((), (), (second,))),
            )
        )
    for number in range(rng.randrange(nodes)):
        used = {"cpu": rng.randint(0, 2), "memory": rng.randint(0, 2)}
        by = rng.choice((None, "f0", "f1"))
        made.put_charge(number, Charge(f"n{rng.randrange(nodes)}", used, by, {"task": 1} if by else {}))
    for number in range(rng.choice((0, 0, 1, nodes // 2))):
        kept = {"cpu": rng.randint(0, 3), "memory": rng.randint(0, 3)}
        place, who = f"n{rng.randrange(nodes)}", rng.choice((None, None, "f2"))
        made.put_reservation(number, Reservation(place, kept, rng.choice(ROLES), who))
    for number in range(rng.choice((0, 0, 2, nodes // 2))):
        what = {"cpu": rng.randint(0, 3), "memory": rng.randint(0, 3)}
        made.put_refusal(number, Refusal(f"f{rng.randrange(4)}", 10.0, {f"n{rng.randrange(nodes)}": what}))
    return made


def demand(rng: Random, nodes: int) -> tuple[Demand, ...]:
    return tuple(
        Demand(
            name,
            {"cpu": rng.randint(1, 2), "memory": rng.randint(0, 2), **rng.choice(({}, {}, {"gpu": 1}))},
            rng.choice((1, nodes, 3 * nodes)),
            rng.choice(({}, {}, {"disk": "ssd"})),
            rng.choice(((), (), TOLERATING)),
            rng.choice((None, None, 1, 2)),
        )
        for name in ("task", "other")[: rng.randint(1, 2)]
    )


def charge(on: Ledger, result: CycleResult) -> None:
    for number, one in enumerate(result.grants):
        charge = Charge(one.node, one.resources, one.framework, one.tasks, offered=True, role=one.role)
        on.put_charge(("grant", number), charge)


def granted(result: CycleResult, framework: str, node: str) -> dict[str, int]:
    sums: dict[str, int] = {}
    for one in result.grants:
        if (one.framework, one.node) == (framework, node):
            for name, amount in one.resources.items():
                sums[name] = sums.get(name, 0) + amount
    return sums


def there_for(on: Ledger, framework: Framework, role: str, node: str) -> dict[str, int]:
    """What is free on a node and not kept for others, as far as the limits of a role allow."""
    left = on.free(node)
    line = on.line(role)
    for (kept_for, named), amounts in on.unused(node).items():
        if kept_for not in line or named not in {None, framework.name}:
            for name, amount in amounts.items():
                left[name] = left.get(name, 0) - amount
    for above in line:
        held = on.role_holdings().get(above, {})
        for name, limit in on.role_of(above).limit.items():
            left[name] = min(left.get(name, 0), limit - held.get(name, 0))
    return {name: amount for name, amount in left.items() if amount > 0}


def suits(node: Node, framework: Framework, entry: Demand | None) -> bool:
    selector = {**framework.node_selector, **(entry.node_selector if entry else {})}
    tolerations = framework.tolerations + (entry.tolerations if entry else ())
    asked = framework.capabilities | {name for one in framework.demand or () for name in one.requests}
    return (
        not node.unavailable
        and untolerated_taint(node.taints, tolerations) is None
        and all(node.labels.get(label) == value for label, value in selector.items())
        and (not node.allocatable.get("gpu") or "gpu" in asked)
    )


def could_have(on: Ledger, result: CycleResult) -> list[str]:
    """What those who wait could still have, in words."""
    found = []
    for framework in on.frameworks.values():
        for role in framework.roles:
            for node in on.nodes.values():
                there = there_for(on, framework, role, node.name)
                refused = on.refused_on(framework.name, node.name, 0.0)
                if framework.demand is None and suits(node, framework, None):
                    worth = there.get("cpu", 0) >= 1 or there.get("memory", 0) >= 2
                    if worth and not is_refused(there, refused) and not granted(result, framework.name, node.name):
                        found.append(f"{framework.name} {there} on {node.name}")
                for entry in framework.demand or ():
                    held = on.tasks(framework.name, entry.name)
                    fits = all(there.get(name, 0) >= amount for name, amount in entry.requests.items())
                    if (
                        fits
                        and suits(node, framework, entry)
                        and sum(held.values()) < entry.count
                        and (entry.max_per_node is None or held.get(node.name, 0) < entry.max_per_node)
                        and not is_refused(entry.requests, refused)
                    ):
                        found.append(f"{framework.name} one more {entry.name} on {node.name}")
    return found


def overdrawn(on: Ledger) -> set[tuple[str, str]]:
    """Where more is held than there is: on a node, or in a role beyond its limit."""
    nodes = {(name, one) for name in on.nodes for one, amount in on.free(name).items() if amount < 0}
    holdings = on.role_holdings()
    roles = {
        (name, one)
        for name, role in on.roles.items()
        for one, limit in role.limit.items()
        if holdings[name].get(one, 0) > limit
    }
    return nodes | roles


@pytest.mark.parametrize("nodes", [3, 8, 20])
class TestAfterACycle:
    @pytest.mark.parametrize("seed", range(16))
    def test_nobody_waits_for_what_is_there(self, nodes, seed):
        rng = Random(seed)
        one = world(rng, nodes)
        result = run_cycle(one, SETTINGS, 0.0, rng)
        charge(one, result)
        assert could_have(one, result) == []

    @pytest.mark.parametrize("seed", range(16))
    def test_nothing_is_held_that_is_not_there(self, nodes, seed):
        rng = Random(seed)
        one = world(rng, nodes)
        before = overdrawn(one)
        charge(one, run_cycle(one, SETTINGS, 0.0, rng))
        assert overdrawn(one) <= before
