"""The tree of roles. A role that nobody has set exists by name alone: weight 1, no quota, no parent."""

from tender.allocation.model import Role


class RoleTree:
    """The roles that are set, and the way up from each."""

    def __init__(self) -> None:
        self.roles: dict[str, Role] = {}
        self._lineages: dict[str, list[Role]] = {}
        self._lines: dict[str, list[str]] = {}

    def put(self, role: Role) -> None:
        """Add or replace a role."""
        self.roles[role.name] = role
        self._lineages.clear()
        self._lines.clear()

    def remove(self, name: str) -> None:
        """Forget what was set for a role."""
        self.roles.pop(name, None)
        self._lineages.clear()
        self._lines.clear()

    def get(self, name: str) -> Role:
        """A role as set, or the implicit one."""
        return self.roles.get(name) or Role(name)

    def parent(self, name: str) -> str | None:
        """The role above, if there is one. A role on a circle of parents has none, so that every way up ends."""
        parent = self.get(name).parent
        if parent not in self.roles:
            return None
        step: str | None = parent
        seen = {name}
        while step is not None and step not in seen:
            seen.add(step)
            above = self.roles[step].parent
            step = above if above in self.roles else None
        return None if step == name else parent

    def lineage(self, name: str) -> list[Role]:
        """A role and the roles above it."""
        line = self._lineages.get(name)
        if line is None:
            parent = self.parent(name)
            line = [self.get(name), *(self.lineage(parent) if parent is not None else ())]
            self._lineages[name] = line
        return line

    def line(self, name: str) -> list[str]:
        """The names of a role and of the roles above it."""
        line = self._lines.get(name)
        if line is None:
            line = self._lines[name] = [role.name for role in self.lineage(name)]
        return line
