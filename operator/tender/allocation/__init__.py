"""First level: how much of the cluster each framework is offered. Pure functions of values.

`model` names the values, `ledger` keeps who holds what on which node, `shares` orders the frameworks, `suitability`
says which nodes a framework can use, and `cycle` puts them together: one allocation cycle from a ledger to grants and
reasons. Time, randomness and state come in as arguments.
"""

from tender.allocation.cycle import run_cycle, serving_order
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
    "run_cycle",
    "serving_order",
]
