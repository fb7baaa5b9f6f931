"""The programs, run in the name of the chart's service accounts: every right that they ask for is granted, and
every right that is granted is used.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.chart.installation import Installation, eventually, framework, node, service, store
from tests.chart.permissions import Request, Right, granted, requests

SYSTEM = "tender-system"
RARE = {
    Right("tender.dev", "resourceoffers", "get"),
    Right("", "pods", "get"),
    Right("apps", "controllerrevisions", "get"),
    Right("apps", "controllerrevisions", "patch"),
}
"""Asked for only when master and framework answer an offer at the same moment, and when a controller that has ended had
made a pod or a version of which the next one has not heard yet.
"""

LEADING = (
    "--leader-elect",
    f"--lease-namespace={SYSTEM}",
    "--lease-duration=3",
    "--lease-renew-deadline=2",
    "--lease-retry-period=0.5",
)
"""Arguments with which a program stands for election; a killed one is succeeded within seconds."""
OF_WEB = "--selector=tender.dev/framework=web"


@dataclass(frozen=True)
class Work:
    """What the two programs asked the API server for while they did their work."""

    installation: Installation
    folder: Path

    def log(self, account: str) -> str:
        """What a program has logged, with nothing left out."""
        return (self.folder / f"{account}.log").read_text()

    def token(self, account: str) -> str:
        """What it showed to the API server."""
        [user] = yaml.safe_load((self.folder / f"{account}.kubeconfig").read_text())["users"]
        return str(user["user"]["token"])

    def requests(self, account: str) -> list[Request]:
        return list(requests(self.installation.audit_log(), f"system:serviceaccount:{SYSTEM}:{account}"))

    def used(self, account: str) -> set[Right]:
        return {right for each in self.requests(account) for right in each.rights}

    def granted(self, account: str) -> set[Right]:
        of_lease = ["role", f"{account}-lease", f"--namespace={SYSTEM}"]
        roles = [
            self.installation.kubectl("get", *each, "--output=json") for each in (["clusterrole", account], of_lease)
        ]
        return granted(json.loads(role) for role in roles)


@pytest.fixture(scope="module")
def work(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Work]:
    """Tender at work: pods placed, failed, replaced and scaled down, versions, places, volumes and files kept and given
    up, offers left to expire.
    """
    installation.install("tender", SYSTEM, "--take-ownership", "--force-conflicts")
    installation.apply(node("node-1"), node("node-2"))
    installation.kubectl("taint", "nodes", "--all", "node.kubernetes.io/not-ready-")
    installation.kubectl("create", "namespace", "shop")
    folder = tmp_path_factory.mktemp("logs")
    with (
        installation.running("tender-master", SYSTEM, folder, "master", "--log-level=debug", *LEADING),
        installation.running("tender-controller", SYSTEM, folder, "controller", "--log-level=debug", *LEADING),
    ):
        _do_everything(installation)
        _change_a_service(installation)
        _keep_a_store(installation)
    yield Work(installation, folder)
    installation.kubectl("delete", "framework,pod", "--all", "--namespace=shop", "--grace-period=0", "--force")
    installation.kubectl("delete", "node", "node-1", "node-2")
    installation.uninstall("tender", SYSTEM)


def _do_everything(installation: Installation) -> None:
    installation.apply(
        {"apiVersion": "tender.dev/v1alpha1", "kind": "FrameworkRole", "metadata": {"name": "batch"}, "spec": {}},
        {
            "apiVersion": "tender.dev/v1alpha1",
            "kind": "Reservation",
            "metadata": {"name": "kept", "namespace": "shop"},
            "spec": {"role": "batch", "node": "node-1", "resources": {"cpu": "100m"}},
        },
        {
            "apiVersion": "tender.dev/v1alpha1",
            "kind": "Reservation",
            "metadata": {"name": "lost", "namespace": "shop"},
            "spec": {"role": "batch", "node": "gone", "resources": {"cpu": "100m"}, "nodeLostTimeout": "0s"},
        },
        service("web", "shop", replicas=3, role="shop"),
        framework("silent", "shop", {"role": "batch", "external": {}, "offers": {"timeout": "1s"}}),
    )

    def pods() -> set[str]:
        going = {
            each["metadata"]["name"]
            for each in installation.items("pods", "--namespace=shop")
            if "deletionTimestamp" in each["metadata"]
        }
        return installation.names("pods", "--namespace=shop", "--selector=tender.dev/framework=web") - going

    def told(reason: str) -> bool:
        events = installation.items("events.events.k8s.io", "--namespace=shop")
        return any(each["reason"] == reason for each in events)

    eventually(lambda: len(pods()) == 3, "three pods, born bound")
    failed = min(pods())
    installation.kubectl(
        "patch", "pod", failed, "--namespace=shop", "--subresource=status", '--patch={"status":{"phase":"Failed"}}'
    )
    eventually(lambda: failed not in pods(), "the failed pod is removed")
    eventually(lambda: told("PodFailed"), "an event of the failed pod")
    installation.kubectl("scale", "framework/web", "--namespace=shop", "--replicas=1")
    eventually(lambda: len(pods()) == 1, "one pod after scaling down")
    eventually(lambda: told("ImplicitRole"), "an event of a role that nobody made")
    eventually(lambda: told("OfferExpired"), "an event of an offer that nobody answered")
    eventually(lambda: told("ReservationReleased"), "an event of a reservation whose node is gone")


def _change_a_service(installation: Installation) -> None:
    """A Service comes and goes in front of pods, and a former version is forgotten."""

    def merge(spec: dict[str, Any]) -> None:
        patch = json.dumps({"spec": {"service": spec}})
        installation.kubectl("patch", "framework", "web", "--namespace=shop", "--type=merge", f"--patch={patch}")

    def versions() -> set[str]:
        return installation.names("controllerrevisions.apps", "--namespace=shop", OF_WEB)

    former = versions()
    merge({"expose": {}, "revisionHistoryLimit": 0, "updateStrategy": {"minimumHealth": "0%"}})
    eventually(lambda: "web" in installation.names("services", "--namespace=shop", OF_WEB), "a Service")
    eventually(lambda: bool(versions()) and not versions() & former, "the former version is forgotten")
    merge({"expose": None})
    eventually(lambda: not installation.names("services", "--namespace=shop", OF_WEB), "no Service")


def _keep_a_store(installation: Installation) -> None:
    """The pods of a stateful service have places, volumes and files, and give them up when they are decommissioned."""
    where = "--namespace=shop"
    of_db = [where, "--selector=tender.dev/framework=db"]

    def count(kind: str) -> int:
        return len(installation.names(kind, *of_db))

    def is_settled() -> bool:
        [found] = [each for each in installation.items("frameworks", where) if each["metadata"]["name"] == "db"]
        return bool(found["status"].get("settledGeneration") == found["metadata"]["generation"])

    def is_released() -> bool:
        claims = installation.items("persistentvolumeclaims", *of_db)
        return any("deletionTimestamp" in each["metadata"] for each in claims)

    installation.apply(store("db", "shop", count=2))
    eventually(lambda: count("pods") == 2, "two pods into their places")
    ready = json.dumps({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}})
    for pod in installation.names("pods", *of_db):
        installation.kubectl("patch", "pod", pod, where, "--subresource=status", f"--patch={ready}")
    eventually(is_settled, "the service is rolled out")
    installation.apply(store("db", "shop", count=1))
    eventually(is_released, "the claim of the second pod is deleted")
    unprotected = json.dumps({"metadata": {"finalizers": None}})
    installation.kubectl("patch", "pvc", "data-db-node-1", where, "--type=merge", f"--patch={unprotected}")
    for kind in ("pods", "persistentvolumeclaims", "reservations", "configmaps"):
        eventually(partial(lambda kind: count(kind) == 1, kind), f"{kind} of one pod only")


@pytest.fixture(scope="module")
def author(work: Work) -> str:
    """A user bound to the role for framework authors in the namespace shop."""
    where = ["--namespace=shop", "--serviceaccount=shop:author"]
    work.installation.kubectl("create", "rolebinding", "author", "--clusterrole=tender-framework", *where)
    return "system:serviceaccount:shop:author"


@pytest.mark.parametrize("account", ["tender-master", "tender-controller"])
class TestEveryProgram:
    def test_is_refused_nothing(self, work: Work, account: str):
        assert [each for each in work.requests(account) if each.code in (401, 403)] == []

    def test_logs_no_token(self, work: Work, account: str):
        assert work.log(account)
        assert work.token(account) not in work.log(account)
        assert work.token(account).rpartition(".")[2] not in work.log(account)

    def test_is_granted_no_more_than_it_uses(self, work: Work, account: str):
        assert work.granted(account) - RARE == work.used(account) - RARE


class TestAFrameworkOfSomebodyElse:
    @pytest.mark.parametrize(
        ("verb", "resource", "namespace", "allowed"),
        [
            ("list", "resourceoffers", "shop", True),
            ("patch", "resourceoffers/status", "shop", True),
            ("patch", "frameworks/status", "shop", True),
            ("create", "pods", "shop", True),
            ("create", "reservations", "shop", False),
            ("patch", "resourceoffers", "shop", False),
            ("create", "resourceoffers", "shop", False),
            ("patch", "frameworks", "shop", False),
            ("list", "resourceoffers", "default", False),
            ("patch", "resourceoffers/status", "default", False),
            ("create", "pods", "default", False),
            ("list", "nodes", "default", False),
        ],
    )
    def test_answers_the_offers_of_its_namespace_and_no_more(
        self, work: Work, author: str, verb: str, resource: str, namespace: str, allowed: bool
    ):
        kind, _, subresource = resource.partition("/")
        where = [f"--subresource={subresource}", f"--namespace={namespace}", f"--as={author}"]
        answer = work.installation.cluster.kubectl("auth", "can-i", verb, kind, *where, check=False).stdout.strip()
        assert answer == ("yes" if allowed else "no")


class TestTheControllerOfSomeNamespaces:
    def test_needs_no_right_beyond_them_but_to_see_nodes(self, work: Work, tmp_path: Path):
        installation = work.installation
        own = ("first", "second")
        for namespace in own:
            installation.kubectl("create", "namespace", namespace)
        only_these = f"--set=master.enabled=false,crds.install=false,controller.namespaces={{{','.join(own)}}}"
        installation.install("own", "first", only_these)
        account = "own-tender-controller"
        with (
            installation.running("tender-master", SYSTEM, tmp_path, "master", *LEADING),
            installation.running(
                account,
                "first",
                tmp_path,
                *("controller", *(f"--namespace={one}" for one in own), "--leader-elect"),
                *("--lease-namespace=first", "--lease-name=own-tender-controller"),
            ),
        ):
            installation.apply(*(service("web", namespace, replicas=2) for namespace in (*own, "default")))
            for namespace in own:
                pods = partial(installation.names, "pods", f"--namespace={namespace}")
                eventually(lambda pods=pods: len(pods()) == 2, f"two pods in {namespace}")  # type: ignore[misc]
        assert installation.names("pods", "--namespace=default") == set()
        asked = list(requests(installation.audit_log(), f"system:serviceaccount:first:{account}"))
        assert [each for each in asked if each.code in (401, 403)] == []
        beyond = {each.right for each in asked if each.right and each.namespace not in own}
        assert beyond == {Right("", "nodes", "list"), Right("", "nodes", "watch")}
