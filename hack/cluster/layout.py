"""Where everything of a cluster lies: state, certificates, logs, process records and the cached programs.

Nothing is written outside `home()` except what a real node needs from the kernel (network namespace,
bridge, control groups), and that is named after the cluster so that `down` finds it.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from cluster.failure import ClusterError

NAME_PATTERN = re.compile(r"[a-z0-9]([-a-z0-9]{0,28}[a-z0-9])?")
REPOSITORY = Path(__file__).resolve().parent.parent.parent


def home() -> Path:
    """The folder for all clusters and cached programs: TENDER_HOME, else ~/.cache/tender."""
    chosen = os.environ.get("TENDER_HOME")
    return Path(chosen).absolute() if chosen else Path.home() / ".cache" / "tender"


def settle(path: Path, text: str, mode: int = 0o644) -> Path:
    """Make the file hold this text. A file that does is left alone: kube-proxy ends when its file is
    touched.
    """
    if not path.exists() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=mode)
        path.write_text(text)
    return path


@dataclass(frozen=True)
class Layout:
    """The paths of the cluster `name`."""

    name: str

    def __post_init__(self) -> None:
        if not NAME_PATTERN.fullmatch(self.name):
            raise ClusterError(
                f"cluster name {self.name!r} is not usable: use 1 to 30 lower-case letters, digits and dashes"
            )

    @property
    def root(self) -> Path:
        return home() / "clusters" / self.name

    @property
    def state(self) -> Path:
        """The record of how the cluster was made (JSON)."""
        return self.root / "cluster.json"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.root / "kubeconfig"

    @property
    def certificates(self) -> Path:
        return self.root / "pki"

    @property
    def configuration(self) -> Path:
        return self.root / "config"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def processes(self) -> Path:
        return self.root / "processes"

    @property
    def etcd(self) -> Path:
        return self.root / "etcd"

    @property
    def programs(self) -> Path:
        """Commands for this cluster: kubectl and helm."""
        return self.root / "bin"

    def node(self, name: str) -> Path:
        """The state of one real node: containerd's and the kubelet's folders."""
        return self.root / "nodes" / name
