"""Fixtures of the tests that try what nobody should be able to do: tenants with the chart's roles and tokens of their
own, in the world of a master.
"""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from tests.chart.helm import Helm, Rendered
from tests.integration.conftest import ApiServer
from tests.integration.isolation.tenants import EDITS, GUARDED, Tenants, until_enforced
from tests.integration.running.conftest import kubelet, world
from tests.integration.running.world import World

from cluster import tools
from cluster.testing import unavailable

__all__ = ["kubelet", "world"]


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    program: Path = tools.location("helm")
    if not program.exists():
        unavailable("not built yet: helm; run `python3 hack/cluster build helm`")
    return Helm(program, tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="package")
def chart(helm: Helm) -> Rendered:
    """The chart with every policy on, in namespaces that are labelled for it."""
    policies = [f"admission.{name}Policy.enabled=true" for name in ("claim", "bind", "role")]
    return helm.template(*policies, f"admission.namespaceSelector.matchLabels.{GUARDED}=yes")


@pytest.fixture(scope="package")
def roles(api_server: ApiServer, chart: Rendered) -> Iterator[None]:
    """The chart's ClusterRoles, bound to nobody."""
    text = chart.text_of("ClusterRole")
    api_server.kubectl("apply", "--server-side", "--force-conflicts", "--filename=-", input=text)
    yield
    api_server.kubectl("delete", "--filename=-", input=text)


@pytest.fixture(scope="package")
def policies(api_server: ApiServer, chart: Rendered, roles: None) -> Iterator[None]:
    """The chart's policies, which are for namespaces with a label that others do not have."""
    text = chart.text_of("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
    api_server.kubectl("apply", "--filename=-", input=text)
    yield
    api_server.kubectl("delete", "--filename=-", input=text)


@pytest_asyncio.fixture
async def tenants(world: World, api_server: ApiServer, roles: None) -> AsyncIterator[Tenants]:
    """Makes accounts with roles in namespaces of the test."""
    async with Tenants(world, api_server) as tenants:
        yield tenants


@pytest_asyncio.fixture
async def guarded(world: World, tenants: Tenants, api_server: ApiServer, policies: None) -> Tenants:
    """Tenants of a namespace that the policies are in force for."""
    api_server.kubectl("label", "namespace", world.namespace, f"{GUARDED}=yes")
    await until_enforced(await tenants.account("probe", EDITS))
    return tenants
