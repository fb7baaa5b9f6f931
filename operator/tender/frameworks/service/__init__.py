"""Long-running services: so many replicas of a pod template, replaced when they fail, rolled when it changes."""

from tender.frameworks.service.plan import plan_service

__all__ = ["plan_service"]
