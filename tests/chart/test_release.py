"""Releases on a real API server: accepted, installed, upgraded and uninstalled, with nothing of the user's lost."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from tests.chart.helm import CHART, VALUES, Manifest
from tests.chart.installation import Installation, service

import tender

CRDS = {path.stem for path in (CHART / "files" / "crds").glob("*.yaml")}


@pytest.fixture(scope="module")
def strict_namespace(installation: Installation) -> str:
    """A namespace that refuses pods that do not meet the restricted Pod Security Standard."""
    name = "tender-system-dry"
    modes = [f"pod-security.kubernetes.io/{mode}=restricted" for mode in ("enforce", "warn")]
    installation.kubectl("create", "namespace", name)
    installation.kubectl("label", "namespace", name, *modes)
    return name


@pytest.fixture
def release(installation: Installation) -> Iterator[str]:
    """An installed release, named like its namespace."""
    name = "tender"
    installation.install(name, name)
    yield name
    if installation.helm_run("list", "--short", f"--namespace={name}").strip():
        installation.uninstall(name, name)


@pytest.fixture
def with_older_definitions(installation: Installation, tmp_path: Path) -> Iterator[None]:
    """A release of a chart whose frameworks have one column in `kubectl get`."""
    older = tmp_path / "older"
    shutil.copytree(CHART, older)
    path = older / "files" / "crds" / "frameworks.tender.dev.yaml"
    definition = yaml.safe_load(path.read_text())
    del definition["spec"]["versions"][0]["additionalPrinterColumns"][1:]
    path.write_text(yaml.safe_dump(definition))
    installation.install("tender", "tender", chart=older)
    yield
    installation.uninstall("tender", "tender")


def columns(installation: Installation) -> int:
    """How many columns `kubectl get frameworks` has."""
    found = json.loads(installation.kubectl("get", "crd", "frameworks.tender.dev", "--output=json"))
    return len(found["spec"]["versions"][0]["additionalPrinterColumns"])


def custom_resource_definitions(installation: Installation) -> set[str]:
    return installation.names("customresourcedefinitions")


def deployed(installation: Installation, component: str) -> Manifest:
    """The container of a component as the API server knows it."""
    [deployment] = installation.items(
        "deployments", "--namespace=tender", f"--selector=app.kubernetes.io/component={component}"
    )
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    return dict(container)


@pytest.mark.parametrize("values", VALUES, ids=lambda path: path.stem)
class TestTheApiServerAccepts:
    def test_every_object(self, installation: Installation, strict_namespace: str, values: Path):
        """All but those of the Prometheus operator, whose kinds the control plane does not have."""
        objects = installation.helm.template(values=values).objects
        known = [each for each in objects if each["apiVersion"] != "monitoring.coreos.com/v1"]
        rendered = yaml.safe_dump_all(known)
        rendered = rendered.replace("namespace: tender-system", f"namespace: {strict_namespace}")
        for namespace in ("shop", "bank"):
            rendered = rendered.replace(f"namespace: {namespace}", f"namespace: {strict_namespace}")
        done = installation.cluster.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", input=rendered)
        assert "Warning" not in done.stderr

    def test_every_pod_under_the_restricted_standard(
        self, installation: Installation, strict_namespace: str, values: Path
    ):
        for component, deployment in installation.helm.template(values=values).deployments():
            template = deployment["spec"]["template"]
            template["spec"].pop("priorityClassName", None)
            metadata = {"name": component, "namespace": strict_namespace, "labels": template["metadata"]["labels"]}
            pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}
            installation.kubectl("create", "--dry-run=server", "-f", "-", manifest=pod)


class TestInstalling:
    def test_brings_the_definitions_and_both_components(self, installation: Installation, release: str):
        assert custom_resource_definitions(installation) >= CRDS
        assert installation.names("deployments", f"--namespace={release}") == {"tender-master", "tender-controller"}

    def test_tells_what_to_do_next(self, installation: Installation, release: str):
        notes = installation.helm_run("get", "notes", release, f"--namespace={release}")
        assert "kubectl -n tender rollout status deployment/tender-master" in notes
        [example] = [part.split("  END")[0] for part in notes.split("<<'END'")[1:]]
        manifest = yaml.safe_load(example)
        installation.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", manifest=manifest)

    def test_takes_over_definitions_that_were_applied_by_hand(self, installation: Installation, tmp_path: Path):
        installation.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(CHART / "files" / "crds"))
        installation.install("other", "other", "--take-ownership", "--force-conflicts")
        [owner] = {
            each["metadata"]["annotations"]["meta.helm.sh/release-name"]
            for each in installation.items("customresourcedefinitions")
        }
        assert owner == "other"
        installation.uninstall("other", "other")
        installation.kubectl("delete", "customresourcedefinitions", *CRDS)


class TestUpgrading:
    def test_changes_what_the_values_say(self, installation: Installation, release: str):
        installation.upgrade(release, release, "--set=master.logLevel=debug,image.tag=v2")
        assert "--log-level=debug" in deployed(installation, "master")["args"]
        assert deployed(installation, "controller")["image"] == "tender.dev/tender:v2"

    @pytest.mark.usefixtures("with_older_definitions")
    def test_brings_newer_definitions(self, installation: Installation):
        assert columns(installation) == 1
        installation.upgrade("tender", "tender")
        assert columns(installation) > 1

    @pytest.mark.usefixtures("with_older_definitions")
    def test_leaves_newer_definitions_to_kubectl(self, installation: Installation):
        installation.upgrade("tender", "tender", "--set=crds.install=false")
        assert columns(installation) == 1
        newer = installation.helm.run("template", "tender", str(CHART), "--show-only=templates/crds.yaml").stdout
        installation.cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", input=newer)
        assert columns(installation) > 1
        installation.upgrade(*("tender", "tender"), "--set=crds.install=true", "--take-ownership", "--force-conflicts")

    def test_keeps_definitions_that_are_no_longer_its_business(self, installation: Installation, release: str):
        installation.upgrade(release, release, "--set=crds.install=false")
        assert custom_resource_definitions(installation) >= CRDS

    def test_can_be_taken_back(self, installation: Installation, release: str):
        installation.upgrade(release, release, "--set=image.tag=v2")
        installation.helm_run("rollback", release, f"--namespace={release}")
        assert deployed(installation, "master")["image"].endswith(f":{tender.__version__}")


class TestUninstalling:
    def test_leaves_frameworks_and_their_pods_alone(self, installation: Installation, release: str):
        installation.kubectl("create", "namespace", "kept")
        installation.apply(service("web", "kept", replicas=1))
        installation.apply(_pod_of(installation.items("frameworks", "--namespace=kept")[0]))
        before = _versions(installation, "frameworks", "pods")
        installation.uninstall(release, release)
        assert custom_resource_definitions(installation) >= CRDS
        assert _versions(installation, "frameworks", "pods") == before

    def test_removes_all_else(self, installation: Installation, release: str):
        installation.uninstall(release, release)
        for kind in ("deployments", "services", "serviceaccounts", "clusterroles", "clusterrolebindings"):
            assert installation.names(kind, "--all-namespaces", "--selector=app.kubernetes.io/part-of=tender") == set()

    def test_can_be_followed_by_a_new_release_of_the_same_name(self, installation: Installation, release: str):
        installation.uninstall(release, release)
        installation.install(release, release)
        assert installation.names("deployments", f"--namespace={release}") == {"tender-master", "tender-controller"}


def _pod_of(framework: Manifest) -> Manifest:
    metadata = framework["metadata"]
    owner = {"apiVersion": framework["apiVersion"], "kind": "Framework", "controller": True}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "web-1",
            "namespace": metadata["namespace"],
            "ownerReferences": [owner | {"name": metadata["name"], "uid": metadata["uid"]}],
        },
        "spec": {"nodeName": "node-1", **framework["spec"]["service"]["template"]["spec"]},
    }


def _versions(installation: Installation, *kinds: str) -> dict[str, str]:
    """uid and version of the objects in the namespace "kept"."""
    return {
        each["metadata"]["uid"]: each["metadata"]["resourceVersion"]
        for kind in kinds
        for each in installation.items(kind, "--namespace=kept")
    }
