"""The steps of the demo: cluster, image, chart, examples, until the pods run."""

import json
import time

from cluster import ClusterError, LocalCluster, Options, home
from cluster.layout import REPOSITORY
from cluster.progress import say
from image.archive import image_contents
from image.operator_image import build_operator, image_name

NAMESPACE = "tender-system"
EXAMPLES = ("web", "worker")
_NODES = 2
_PATIENCE_SECONDS = 180.0


def bring_up(cluster: LocalCluster, flavour: str) -> None:
    """Do every step that is not done yet."""
    cluster.up(Options(flavour=flavour, nodes=None if cluster.exists() else _nodes(flavour)))
    if cluster.node_counts().total == 0:
        raise ClusterError(
            "no real node can run on this machine, so neither can Tender's pods; run as root on Linux, or with Docker "
            "and CLUSTER=kind. `python3 hack/cluster up` says what is missing"
        )
    say(f"building the image {image_name()}")
    archive = build_operator(REPOSITORY / "build" / "images", home() / "images")
    cluster.load_image(archive)
    say("installing Tender with Helm")
    repository, _, tag = image_name().rpartition(":")
    cluster.helm(
        *("upgrade", "--install", "tender", str(REPOSITORY / "charts" / "tender")),
        *("--namespace", NAMESPACE, "--create-namespace"),
        *("--set", f"image.repository={repository},image.tag={tag}"),
        *_restarted_by(image_contents(archive)[image_name()]),
        *("--wait", "--timeout", "3m"),
    )
    for name in EXAMPLES:
        say(f"applying examples/{name}.yaml")
        cluster.kubectl("apply", "-f", str(REPOSITORY / "examples" / f"{name}.yaml"))
    _wait(cluster)


def _restarted_by(content: str) -> list[str]:
    """Settings that let the pods start anew when the image has changed though its tag has not."""
    components = ("master", "controller")
    return [part for name in components for part in ("--set-string", f"{name}.podAnnotations.image={content[:12]}")]


def _nodes(flavour: str) -> int | None:
    return None if flavour == "kind" else _NODES


def _settled(cluster: LocalCluster) -> bool:
    """Whether every framework's status shows its pods, and no offer that is long answered."""
    frameworks = json.loads(cluster.kubectl("get", "frameworks", "-o", "json").stdout)["items"]
    allocations = [framework.get("status", {}).get("allocation", {}) for framework in frameworks]
    return all("allocated" in allocation and "offered" not in allocation for allocation in allocations)


def _wait(cluster: LocalCluster) -> None:
    """Wait until every framework is ready, and say how far each is when that changes."""
    columns = "{range .items[*]}{.metadata.name} {.status.readyReplicas}/{.spec.service.replicas}  {end}"
    deadline = time.monotonic() + _PATIENCE_SECONDS
    told = ""
    while time.monotonic() < deadline:
        progress = cluster.kubectl("get", "frameworks", "-o", f"jsonpath={columns}").stdout.strip()
        if progress != told:
            say(f"pods ready: {progress}")
            told = progress
        names = [f"framework/{name}" for name in EXAMPLES]
        done = cluster.kubectl("wait", "--for=condition=Ready", "--timeout=1s", *names, check=False)
        if done.returncode == 0:
            say("waiting for the figures in the statuses, which are written every 5 s")
            while time.monotonic() < deadline and not _settled(cluster):
                time.sleep(0.5)
            return
    described = cluster.kubectl("describe", "frameworks", check=False).stdout
    raise ClusterError(f"the frameworks are not ready after {_PATIENCE_SECONDS:.0f} s:\n{described}")
