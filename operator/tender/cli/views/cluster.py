"""What is known of the cluster when something is to be shown: the objects read, and the allocator's view of them.

The same allocator code as the master's places roles in their tree and judges quotas, over what a user may read.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tender.allocation import Ledger
from tender.api.framework import Framework
from tender.api.role import FrameworkRole
from tender.cli.views.nodes import Nodes
from tender.master.reading import read_framework, read_role


@dataclass(frozen=True)
class Known:
    """The roles, and as far as the user may read them (else None) the frameworks and nodes of the whole cluster."""

    roles: Sequence[FrameworkRole]
    frameworks: Sequence[Framework] | None
    nodes: Nodes | None

    def ledger(self) -> Ledger:
        """The nodes, roles and frameworks in a ledger in which nobody holds anything."""
        ledger = Ledger()
        for node in self.nodes.all if self.nodes is not None else ():
            ledger.put_node(node)
        for role in self.roles:
            ledger.put_role(read_role(role))
        for framework in self.frameworks or ():
            ledger.put_framework(read_framework(framework))
        return ledger
