"""What a cluster with real nodes has beside its nodes: a DNS, storage classes, volumes and zones."""

import ipaddress
from pathlib import Path
from typing import Any

from cluster import Layout, storage
from cluster.address_plan import FIRST_PORT, AddressPlan
from cluster.dns import ClusterDns
from cluster.fake import FakeNodes
from cluster.zones import zone_labels

PLAN = AddressPlan(3, FIRST_PORT)
PATH = "/tmp/hostpath_pv/2975f6c0-32a2-44ef-baec-35221a036b96"


class Recorded:
    """Takes objects as the API server would, and lists them."""

    def __init__(self, *names: str) -> None:
        self.items: list[dict[str, Any]] = [{"metadata": {"name": name}} for name in names]

    def get(self, path: str) -> dict[str, Any]:
        return {"items": self.items}

    def create(self, path: str, body: dict[str, Any]) -> bool:
        self.items.append(body)
        return True


class TestTheDns:
    dns = ClusterDns(Layout("demo"), PLAN)

    def objects(self) -> dict[str, dict[str, Any]]:
        return {body["kind"]: body for _, body in self.dns.objects()}

    def test_has_an_address_among_those_of_services_below_the_ones_given_out(self):
        services = ipaddress.IPv4Network(PLAN.services)
        assert ipaddress.IPv4Address(PLAN.dns_service) in list(services.hosts())[:16]
        assert self.objects()["Service"]["spec"]["clusterIP"] == PLAN.dns_service

    def test_is_reached_at_the_port_where_it_listens(self):
        text = self.dns.core_file(Path("/kubeconfig"))
        [endpoint] = self.objects()["EndpointSlice"]["endpoints"]
        assert endpoint["addresses"] == [PLAN.machine]
        assert {port["port"] for port in self.objects()["EndpointSlice"]["ports"]} == {PLAN.dns_port}
        assert f"cluster.local:{PLAN.dns_port}" in text
        assert f"bind {PLAN.machine}" in text

    def test_may_only_read_what_names_follow_from(self):
        rules = self.objects()["ClusterRole"]["rules"]
        assert {verb for rule in rules for verb in rule["verbs"]} == {"list", "watch"}
        assert {kind for rule in rules for kind in rule["resources"]} == {"namespaces", "services", "endpointslices"}


class TestVolumes:
    def test_local_ones_are_counted_on_from_those_that_exist(self, tmp_path: Path):
        client = Recorded("node-1-1", "node-1-3")
        created = storage.create_local_volumes(client, "node-1", tmp_path, 2, "1Gi")  # type: ignore[arg-type]
        assert created == ["node-1-2", "node-1-4"]

    def test_a_local_one_is_a_folder_that_any_user_may_write_to(self, tmp_path: Path):
        client = Recorded()
        storage.create_local_volumes(client, "node-1", tmp_path, 1, "2Gi")  # type: ignore[arg-type]
        [volume] = client.items
        folder = Path(volume["spec"]["local"]["path"])
        assert folder.is_relative_to(tmp_path)
        assert folder.stat().st_mode & 0o777 == 0o777
        assert volume["spec"]["capacity"] == {"storage": "2Gi"}

    def test_one_class_is_the_default(self):
        client = Recorded()
        storage.create_classes(client)  # type: ignore[arg-type]
        defaults = [one["metadata"]["name"] for one in client.items if one["metadata"]["annotations"]]
        assert defaults == [storage.ON_DEMAND]

    def test_those_made_on_demand_are_found_in_etcds_files(self, tmp_path: Path):
        file = tmp_path / "db"
        file.write_bytes(b"\0PersistentVolume\n" + PATH.encode() + b"\x12\0/tmp/other/x" + PATH.encode() + b"\xff")
        assert storage.host_path_volumes(file) == {Path(PATH)}

    def test_an_empty_file_names_none(self, tmp_path: Path):
        (tmp_path / "0.wal").touch()
        assert storage.host_path_volumes(tmp_path / "0.wal") == set()


class TestZones:
    def test_nodes_stand_in_three_zones_in_turn(self):
        zones = [zone_labels(number)["topology.kubernetes.io/zone"] for number in range(1, 5)]
        assert zones == ["zone-1", "zone-2", "zone-3", "zone-1"]

    def test_fake_nodes_stand_in_them_too(self):
        assert FakeNodes(2).objects()[1]["metadata"]["labels"].items() >= zone_labels(2).items()
