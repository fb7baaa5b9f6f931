"""Ledgers as the master fills them, for the tests of what is read from them."""

from tests.builders import external, node

from tender.allocation import Charge, Ledger
from tender.api.role import FrameworkRole
from tender.master.reading import read_framework, read_node, read_role


def ledger_of(*roles: FrameworkRole, frameworks: dict[str, str] | None = None) -> Ledger:
    """A node of 4 CPU and 8 Gi, these roles, and frameworks by name with their roles."""
    ledger = Ledger()
    ledger.put_node(read_node(node()))
    for one in roles:
        ledger.put_role(read_role(one))
    for name, in_role in (frameworks or {}).items():
        ledger.put_framework(read_framework(external(name, role=in_role)))
    return ledger


def charge(ledger: Ledger, framework: str, *, cpu: int, offered: bool = False) -> None:
    """Charge a framework on the node, or offer it something there."""
    key = (framework, cpu, offered)
    ledger.put_charge(key, Charge("node-1", {"cpu": cpu, "pods": 1}, f"shop/{framework}", offered=offered))
