"""The master's settings: one typed value, made from the command line and the environment."""

from dataclasses import dataclass, field

from tender.allocation import Settings as CycleSettings
from tender.cluster.lease import ElectionSettings
from tender.cluster.vitals import VitalsSettings


@dataclass(frozen=True, slots=True)
class MasterSettings:
    """How the master runs; times in seconds."""

    kubeconfig: str | None = None
    """Path of a kubeconfig; None: KUBECONFIG, the service account of the pod, or ~/.kube/config."""
    context: str | None = None
    """The kubeconfig's context; None: its current one."""
    node_selector: str = ""
    """Label selector of the nodes that may be offered; empty: all."""
    interval: float = 1.0
    """A cycle runs at least this often: filters end and guarantees change with time alone."""
    debounce: float = 0.02
    """How long a cycle waits for more changes after the first, so that one cycle serves a burst."""
    offer_writes: int = 32
    """How many writes may be under way at once."""
    status_interval: float = 5.0
    """Figures in a status are written at most this often per object: writes are the scarcest resource."""
    census_interval: float = 60.0
    """How often the custom resources are listed in full, to find what a broken watch did not tell."""
    host: str = "0.0.0.0"  # noqa: S104  # the kubelet and Prometheus come from other hosts
    """Address that /metrics, /healthz, /readyz and /reasons are served on."""
    port: int = 8080
    """Port that they are served on."""
    metrics_auth: bool = False
    """Whether all but the probes is served only to those who may `get` it, as the API server says."""
    election: ElectionSettings | None = None
    """How it is decided who leads, where several run; None: only one may run."""
    vitals: VitalsSettings = field(default_factory=VitalsSettings)
    """How much silence the probes bear."""
    cycle: CycleSettings = field(default_factory=CycleSettings)
    """What the allocation cycle goes by."""
