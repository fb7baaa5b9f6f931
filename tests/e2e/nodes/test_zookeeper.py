"""A real stateful system runs on the local cluster: a ZooKeeper ensemble over three nodes."""

from collections import Counter
from collections.abc import Iterator

import pytest
from tests.e2e.nodes.ensemble import Ensemble
from tests.e2e.nodes.three import NODES
from tests.e2e.services import Namespace


@pytest.fixture
def ensemble(namespace: Namespace, zookeeper: str) -> Iterator[Ensemble]:
    made = Ensemble(namespace, zookeeper, NODES)
    made.create()
    made.wait_until_ready()
    yield made
    made.delete(*made.servers)


def test_an_ensemble_keeps_its_data_when_its_pods_come_back(ensemble: Ensemble):
    assert [ensemble.node(server) for server in ensemble.servers] == list(NODES)
    assert Counter(map(ensemble.mode, ensemble.servers)) == {"leader": 1, "follower": 2}
    with ensemble.client("zk-1") as client:
        client.create("/written", b"on zk-1")
    assert _read(ensemble, "zk-3", "/written") == b"on zk-1"

    ensemble.delete("zk-2")
    with ensemble.client("zk-3") as client:
        client.create("/written-by-two", b"on zk-3")
    ensemble.create_bound("zk-2")
    ensemble.wait_until_ready()
    assert _read(ensemble, "zk-2", "/written-by-two") == b"on zk-3"

    ensemble.delete(*ensemble.servers)  # now only the volumes can know
    ensemble.create_bound(*ensemble.servers)
    ensemble.wait_until_ready()
    assert [ensemble.node(server) for server in ensemble.servers] == list(NODES)
    for server in ensemble.servers:
        assert _read(ensemble, server, "/written") == b"on zk-1"


def _read(ensemble: Ensemble, server: str, path: str) -> bytes:
    with ensemble.client(server) as client:
        client.sync(path)
        content: bytes = client.get(path)[0]
        return content
