"""The planner of `spec.stateful`: pods with names, volumes and places of their own, rolled out by plans."""

from tender.frameworks.stateful.plan import plan_stateful

__all__ = ["plan_stateful"]
