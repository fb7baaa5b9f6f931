"""Fixtures of the fault tests: those of the tests that run master and controller, and an observer."""

from collections.abc import Iterator

import pytest
from tests.integration.availability.observer import Observer
from tests.integration.conftest import ApiServer
from tests.integration.running.conftest import kubelet, world
from tests.integration.running.world import World

__all__ = ["kubelet", "observer", "world"]


@pytest.fixture
def observer(api_server: ApiServer, world: World) -> Iterator[Observer]:
    """Looks on until the end of the test, and then says whether anything was given away twice."""
    with Observer(api_server.kubeconfig, world.namespace, world.node_selector).watching() as observer:
        yield observer
