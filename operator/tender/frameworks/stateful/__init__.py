"""The planner of `spec.stateful`: pods with names, volumes and places of their own, rolled out by plans."""
