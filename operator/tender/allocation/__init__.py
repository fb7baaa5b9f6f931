"""First level: how much of the cluster each framework is offered. Pure functions of values.

`model` names the values and `ledger` keeps who holds what on which node. `cycle` decides one allocation cycle, from a
ledger to grants and reasons: `serving` orders the frameworks, `whole_nodes` and `tasks` are what they take, and
`account` is what is left to take (`pool` of nodes, `quotas` of roles, `headroom` for guarantees). `reasons` tells all
who wait why, and `explanation` one of them in full. `take_back` says which outstanding offers have to end when roles
or nodes change. `scenario` plays all of it on a virtual clock. Time, randomness and state come in as arguments.
"""

from tender.allocation.cycle import run_cycle, serving_order
from tender.allocation.explanation import Explanation, explain
from tender.allocation.ledger import Ledger
from tender.allocation.model import (
    Charge,
    CycleResult,
    Demand,
    Framework,
    Grant,
    Node,
    NotOffered,
    Reason,
    Refusal,
    Reservation,
    Role,
    Settings,
    Shares,
    Taint,
    Toleration,
)

__all__ = [
    "Charge",
    "CycleResult",
    "Demand",
    "Explanation",
    "Framework",
    "Grant",
    "Ledger",
    "Node",
    "NotOffered",
    "Reason",
    "Refusal",
    "Reservation",
    "Role",
    "Settings",
    "Shares",
    "Taint",
    "Toleration",
    "explain",
    "run_cycle",
    "serving_order",
]
