"""What the machine has to offer: packages, privileges and kernel features that a real node needs."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from cluster.failure import ClusterError
from cluster.progress import say

CNI_FOLDERS = (Path("/usr/lib/cni"), Path("/opt/cni/bin"))

# program → Debian package; whoever has the program from elsewhere keeps it
NODE_PACKAGES = {
    "containerd": "containerd",
    "containerd-shim-runc-v2": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "iptables": "iptables",
    "ip": "iproute2",
    "conntrack": "conntrack",
    "nsenter": "util-linux",
    "busybox": "busybox-static",
}
IMAGE_PACKAGES = {"debootstrap": "debootstrap", "busybox": "busybox-static"}
JAVA_PACKAGES = {"jlink": "default-jdk-headless", "mvn": "maven"}


def cni_plugins() -> Path | None:
    """The folder of the network plugins, if they are installed."""
    return next((folder for folder in CNI_FOLDERS if (folder / "bridge").exists()), None)


def missing_packages(wanted: dict[str, str], *, cni: bool) -> list[str]:
    """The Debian packages of the programs that are not installed."""
    missing = {package for program, package in wanted.items() if not shutil.which(program)}
    if cni and cni_plugins() is None:
        missing.add("containernetworking-plugins")
    return sorted(missing)


def install(packages: list[str]) -> None:
    """Install Debian packages; an error says what to install by hand where that cannot be done here."""
    if not packages:
        return
    listed = " ".join(packages)
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise ClusterError(f"these packages are missing: {listed} (as root: apt-get install {listed})")
    say(f"installing with apt-get: {listed}")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
        done = subprocess.run(
            ["apt-get", "-q", *arguments], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise ClusterError(f"apt-get {arguments[0]} failed:\n{(done.stdout + done.stderr)[-2000:]}")


def why_no_real_node() -> str | None:
    """None if a real node can run here, else the reason. Installs the packages that are missing."""
    if os.uname().sysname != "Linux":
        return f"a real node needs Linux, and this is {os.uname().sysname}"
    if os.geteuid() != 0:
        return "a real node needs root (containers, network namespaces, control groups)"
    try:
        install(missing_packages(NODE_PACKAGES, cni=True))
    except ClusterError as error:
        return str(error)
    return _why_no_control_groups() or _why_no_overlay() or _why_no_network_namespace()


def control_group_hierarchies() -> list[Path]:
    """The folders in which a control group has to be made: one per controller of version 1, one for version
    2.
    """
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    return [Path(mount[1]) for mount in mounts if mount[2] in ("cgroup", "cgroup2")]


def _why_no_control_groups() -> str | None:
    hierarchies = control_group_hierarchies()
    if not hierarchies:
        return "no control groups are mounted under /sys/fs/cgroup"
    for hierarchy in hierarchies:
        probe = hierarchy / f"tender-probe-{os.getpid()}"
        try:
            probe.mkdir()
            probe.rmdir()
        except OSError as error:
            return f"control groups cannot be made in {hierarchy}: {error.strerror}"
    return None


def _why_no_overlay() -> str | None:
    if "overlay" not in Path("/proc/filesystems").read_text():
        subprocess.run(["modprobe", "overlay"], capture_output=True, check=False)
    if "overlay" in Path("/proc/filesystems").read_text():
        return None
    return "the kernel has no overlay file system, on which container images are mounted"


def _why_no_network_namespace() -> str | None:
    """Try, in a namespace that ends with the command, what a node's network consists of."""
    script = """
        ip link set lo up &&
        ip link add probe0 type bridge &&
        ip link add probe1 type veth peer name probe2 &&
        iptables -t nat -A POSTROUTING -m comment --comment probe -m mark --mark 1 -j MASQUERADE &&
        echo 1 > /proc/sys/net/ipv4/ip_forward
    """
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run(["unshare", "--net", "sh", "-c", script], stdout=output, stderr=output, check=False)
        output.seek(0)
        said = output.read().strip()
    return None if done.returncode == 0 else f"a network namespace with bridge and iptables is not possible: {said}"
