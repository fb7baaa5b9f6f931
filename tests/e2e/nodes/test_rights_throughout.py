"""Nothing was refused to the parts of Tender in all that tests made them do on three nodes; runs after those."""

import pytest
from tests.e2e.release import COMPONENTS, Release
from tests.e2e.rights import asked, refused

from cluster import LocalCluster


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_component_was_refused_nothing(cluster: LocalCluster, tender: Release, component: str):
    assert asked(cluster, component), "the audit log knows nothing of it"
    assert refused(cluster, tender, component) == []
