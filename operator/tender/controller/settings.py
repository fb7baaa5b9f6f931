"""The controller's settings: one typed value, made from the command line and the environment."""

from dataclasses import dataclass, field

from tender.cluster.lease import ElectionSettings
from tender.cluster.vitals import VitalsSettings


@dataclass(frozen=True, slots=True)
class ControllerSettings:
    """How the controller runs; times in seconds."""

    kubeconfig: str | None = None
    """Path of a kubeconfig; None: KUBECONFIG, the service account of the pod, or ~/.kube/config."""
    context: str | None = None
    """The kubeconfig's context; None: its current one."""
    namespaces: tuple[str, ...] = ()
    """The namespaces whose frameworks are run, each named once; none: all."""
    turns_at_once: int = 32
    """How many frameworks may be in a turn at the same time."""
    writes_at_once: int = 32
    """How many writes may be under way at once."""
    status_interval: float = 5.0
    """Figures in a status are written at most this often per framework: writes are the scarcest resource."""
    host: str = "0.0.0.0"  # noqa: S104  # the kubelet and Prometheus come from other hosts
    """Address that /metrics, /healthz and /readyz are served on."""
    port: int = 8080
    """Port that they are served on."""
    metrics_auth: bool = False
    """Whether all but the probes is served only to those who may `get` it, as the API server says."""
    election: ElectionSettings | None = None
    """How it is decided who leads, where several run; None: only one may run."""
    vitals: VitalsSettings = field(default_factory=VitalsSettings)
    """How much silence the probes bear."""
