"""The network of real nodes: a bridge on the machine and, per node, a network namespace with a cable to it.

A namespace keeps a node's iptables rules, bridges and ports apart from the machine's and from other
clusters', and removing it removes them all. Every step may be repeated on a network that is there
already.
"""

import json
import shutil
import subprocess
from pathlib import Path

from cluster.address_plan import AddressPlan
from cluster.failure import ClusterError

_SETTINGS = {
    "net/ipv4/ip_forward": "1",
    "net/bridge/bridge-nf-call-iptables": "1",  # pods reach their neighbours by Service, too
}


def namespace_name(cluster: str, number: int) -> str:
    return f"tender-{cluster}-{number}"


def namespace_path(cluster: str, number: int) -> Path:
    return Path("/run/netns") / namespace_name(cluster, number)


def networks_in_use() -> list[str]:
    """The destinations of the machine's routes, such as "10.160.0.0/24"."""
    if not shutil.which("ip"):  # then no cluster here has a network, either
        return []
    routes = _ip("-json", "route", "show", "table", "all", check=False)
    return [route["dst"] for route in json.loads(routes or "[]") if "dst" in route]


def connect(cluster: str, plan: AddressPlan, nodes: int) -> None:
    """Make the bridge, the namespaces and the routes for nodes 1 to `nodes`."""
    if not _exists(plan.bridge):
        _ip("link", "add", plan.bridge, "type", "bridge")
    _ip("address", "replace", f"{plan.machine}/24", "dev", plan.bridge)
    _ip("link", "set", plan.bridge, "up")
    for number in range(1, nodes + 1):
        _connect_node(cluster, plan, number, nodes)
        _ip("route", "replace", plan.node_pods(number), "via", plan.node(number))
    _ip("route", "replace", plan.services, "via", plan.node(1))


def _connect_node(cluster: str, plan: AddressPlan, number: int, nodes: int) -> None:
    name = namespace_name(cluster, number)
    if not namespace_path(cluster, number).exists():
        _ip("netns", "add", name)
    if not _exists("eth0", name):
        if _exists(plan.link(number)):
            _ip("link", "delete", plan.link(number))
        _ip("link", "add", plan.link(number), "type", "veth", "peer", "name", "eth0", "netns", name)
    _ip("link", "set", plan.link(number), "master", plan.bridge, "up")
    _ip("-n", name, "link", "set", "lo", "up")
    _ip("-n", name, "address", "replace", f"{plan.node(number)}/24", "dev", "eth0")
    _ip("-n", name, "link", "set", "eth0", "up")
    _ip("-n", name, "route", "replace", "default", "via", plan.machine)
    for other in range(1, nodes + 1):
        if other != number:
            _ip("-n", name, "route", "replace", plan.node_pods(other), "via", plan.node(other))
    for setting, value in _SETTINGS.items():
        script = f"test ! -e /proc/sys/{setting} || echo {value} > /proc/sys/{setting}"
        _run(["nsenter", f"--net={namespace_path(cluster, number)}", "sh", "-c", script])


def set_cable(plan: AddressPlan, number: int, *, plugged: bool) -> None:
    """Cut a node off from all others and from the control plane, or connect it again."""
    _ip("link", "set", plan.link(number), "up" if plugged else "down")


def disconnect(cluster: str, plan: AddressPlan, nodes: int) -> None:
    """Remove everything that `connect` made."""
    for number in range(1, nodes + 1):
        if namespace_path(cluster, number).exists():
            _ip("netns", "delete", namespace_name(cluster, number))
        if _exists(plan.link(number)):
            _ip("link", "delete", plan.link(number))
    if _exists(plan.bridge):
        _ip("link", "delete", plan.bridge)


def _exists(link: str, namespace: str | None = None) -> bool:
    place = ["-n", namespace] if namespace else []
    done = subprocess.run(["ip", *place, "link", "show", link], capture_output=True, check=False)
    return done.returncode == 0


def _ip(*arguments: str, check: bool = True) -> str:
    return _run(["ip", *arguments], check=check)


def _run(command: list[str], *, check: bool = True) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise ClusterError(f"{' '.join(command)} failed: {done.stderr.strip()}")
    return done.stdout
