"""The ports and networks of a cluster, all following from one small number, so that clusters run side by
side.
"""

from dataclasses import dataclass

FIRST_PORT = 21443
PORTS_PER_CLUSTER = 10
CLUSTERS = 60
MOST_NODES = 3


@dataclass(frozen=True)
class AddressPlan:
    """Cluster number `index` (0 to 59) owns the network 10.(160+index).0.0/16 and ten ports from `port` on.

    10.X.0.0/24 joins the machine (10.X.0.1) and the real nodes, 10.X.16.0/20 is for pods of real nodes,
    10.X.128.0/18 for pods of fake nodes and 10.X.240.0/20 for Services.
    """

    index: int
    port: int

    @property
    def _prefix(self) -> str:
        return f"10.{160 + self.index}"

    @property
    def network(self) -> str:
        return f"{self._prefix}.0.0/16"

    @property
    def machine(self) -> str:
        """The address by which nodes and pods reach the machine, and so the API server."""
        return f"{self._prefix}.0.1"

    @property
    def pods(self) -> str:
        return f"{self._prefix}.16.0/20"

    @property
    def fake_pods(self) -> str:
        return f"{self._prefix}.128.0/18"

    @property
    def services(self) -> str:
        return f"{self._prefix}.240.0/20"

    @property
    def kubernetes_service(self) -> str:
        """The first address of the Service network, which the API server takes for itself."""
        return f"{self._prefix}.240.1"

    @property
    def dns_service(self) -> str:
        """The address of the Service kube-dns, in the part of the network that is not given out by itself."""
        return f"{self._prefix}.240.10"

    @property
    def bridge(self) -> str:
        return f"tender{self.index}"

    def node(self, number: int) -> str:
        return f"{self._prefix}.0.{10 + number}"

    def node_pods(self, number: int) -> str:
        return f"{self._prefix}.{15 + number}.0/24"

    def link(self, number: int) -> str:
        """The machine's end of the cable to a node."""
        return f"tender{self.index}n{number}"

    @property
    def etcd_port(self) -> int:
        return self.port + 1

    @property
    def etcd_peer_port(self) -> int:
        return self.port + 2

    @property
    def controller_manager_port(self) -> int:
        return self.port + 3

    @property
    def scheduler_port(self) -> int:
        return self.port + 4

    @property
    def kwok_port(self) -> int:
        return self.port + 5

    @property
    def dns_port(self) -> int:
        return self.port + 6

    @property
    def dns_health_port(self) -> int:
        return self.port + 7

    @property
    def ports(self) -> range:
        return range(self.port, self.port + PORTS_PER_CLUSTER)
