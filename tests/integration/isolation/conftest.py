"""Fixtures of the tests that try what nobody should be able to do: tenants with the chart's roles and tokens of their
own, in the world of a master.
"""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from tests.chart.helm import Helm
from tests.integration.conftest import ApiServer
from tests.integration.isolation.tenants import Tenants
from tests.integration.running.conftest import world
from tests.integration.running.world import World

from cluster import tools
from cluster.testing import unavailable

__all__ = ["world"]


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    program: Path = tools.location("helm")
    if not program.exists():
        unavailable("not built yet: helm; run `python3 hack/cluster build helm`")
    return Helm(program, tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="package")
def roles(api_server: ApiServer, helm: Helm) -> Iterator[None]:
    """The chart's ClusterRoles, bound to nobody."""
    text = helm.template().text_of("ClusterRole")
    api_server.kubectl("apply", "--server-side", "--force-conflicts", "--filename=-", input=text)
    yield
    api_server.kubectl("delete", "--filename=-", input=text)


@pytest_asyncio.fixture
async def tenants(world: World, api_server: ApiServer, roles: None) -> AsyncIterator[Tenants]:
    """Makes accounts with roles in namespaces of the test."""
    async with Tenants(world, api_server) as tenants:
        yield tenants
