"""Clusters side by side get networks, ports and names that do not overlap."""

import ipaddress
import itertools

import pytest

from cluster import ClusterError, Layout, Options
from cluster.address_plan import CLUSTERS, FIRST_PORT, MOST_NODES, PORTS_PER_CLUSTER, AddressPlan


def plan(index: int) -> AddressPlan:
    return AddressPlan(index, FIRST_PORT + index * PORTS_PER_CLUSTER)


def test_the_networks_of_two_clusters_are_disjoint():
    networks = [ipaddress.IPv4Network(plan(index).network) for index in range(CLUSTERS)]
    assert not any(one.overlaps(other) for one, other in itertools.combinations(networks, 2))


def test_the_ports_of_two_clusters_are_disjoint():
    ports = [number for index in range(CLUSTERS) for number in plan(index).ports]
    assert len(ports) == len(set(ports))
    assert max(ports) < 32768, "above lie the ports that the kernel gives to clients"


def test_the_parts_of_a_cluster_lie_apart_in_its_network():
    parts = [plan(3).pods, plan(3).fake_pods, plan(3).services, f"{plan(3).machine}/32"]
    networks = [ipaddress.IPv4Network(part) for part in parts]
    assert not any(one.overlaps(other) for one, other in itertools.combinations(networks, 2))
    assert all(network.subnet_of(ipaddress.IPv4Network(plan(3).network)) for network in networks)


def test_each_real_node_has_pods_of_its_own():
    pods = [ipaddress.IPv4Network(plan(0).node_pods(number)) for number in range(1, MOST_NODES + 1)]
    assert len(set(pods)) == MOST_NODES
    assert all(network.subnet_of(ipaddress.IPv4Network(plan(0).pods)) for network in pods)


def test_a_name_of_a_link_fits_into_the_kernel():
    assert len(plan(CLUSTERS - 1).link(MOST_NODES)) <= 15


@pytest.mark.parametrize("name", ["", "Demo", "a/b", "..", "-a", "a" * 31])
def test_a_name_that_could_not_be_a_path_or_a_namespace_is_refused(name: str):
    with pytest.raises(ClusterError, match="is not usable"):
        Layout(name)


def test_options_that_are_not_given_stay_as_they_were():
    older = Options(fake=5, audit_log=True)
    assert Options(fake=7).over(older) == Options(fake=7, audit_log=True)
    assert Options(audit_log=False).over(older) == Options(fake=5, audit_log=False)
