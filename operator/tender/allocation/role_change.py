"""What changed about a role, and the ledger as it was before."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tender.allocation.ledger import Ledger
from tender.allocation.model import Role


@dataclass(frozen=True, slots=True)
class RoleChange:
    """A role that changed, came (`before` None) or went (`after` None). It exists by name alone when nobody sets it."""

    before: Role | None
    after: Role | None

    @property
    def name(self) -> str:
        """The role's name."""
        return next((role.name for role in (self.before, self.after) if role is not None), "")

    def moves(self, ledger: Ledger) -> bool:
        """Whether the role has another place in the tree, or by its coming or going those that name it as parent."""
        old, new = self._roles()
        if old.parent != new.parent:
            return True
        came_or_went = (self.before is None) != (self.after is None)
        return came_or_went and any(role.parent == self.name for role in ledger.roles.values())

    def gain(self) -> float:
        """By how much the weight was raised; negative if it was lowered."""
        old, new = self._roles()
        return new.weight - old.weight

    @contextmanager
    def undone(self, ledger: Ledger) -> Iterator[None]:
        """A ledger that knows of the change is as it was before, for a while."""
        self._set(ledger, self.before)
        try:
            yield
        finally:
            self._set(ledger, self.after)

    def _roles(self) -> tuple[Role, Role]:
        return self.before or Role(self.name), self.after or Role(self.name)

    def _set(self, ledger: Ledger, role: Role | None) -> None:
        if role is not None:
            ledger.put_role(role)
        else:
            ledger.remove_role(self.name)
