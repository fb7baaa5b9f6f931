"""Fixtures of the tests of frameworks: those of the tests that run master and controller."""

from tests.integration.running.conftest import kubelet, proxy, world

__all__ = ["kubelet", "proxy", "world"]
