"""Programs are pinned by go.mod, and the commands that mean a cluster keep to it."""

import subprocess
from pathlib import Path

import pytest

from cluster import ClusterError, Layout, debian, tools
from cluster.fake import ANNOTATION, FakeNodes
from cluster.layout import settle
from cluster.wrappers import wrap_programs

GO_MOD = """
module tender.dev/hack/tools/kubernetes

require (
\tk8s.io/kubernetes v1.36.3
\tk8s.io/kubernetes-more v9.9.9 // indirect
)
"""


def test_the_version_is_the_one_that_go_mod_requires():
    assert tools.module_version(GO_MOD, "k8s.io/kubernetes") == "v1.36.3"


def test_a_module_that_go_mod_does_not_require_is_an_error():
    with pytest.raises(ClusterError, match=r"does not require example\.com/absent"):
        tools.module_version(GO_MOD, "example.com/absent")


def test_kubernetes_programs_are_told_their_version():
    flags = tools.build_flags(GO_MOD)[-1]
    assert "gitVersion=v1.36.3" in flags
    assert "gitMajor=1" in flags
    assert "gitMinor=36" in flags


def test_other_programs_are_not():
    assert tools.build_flags("require example.com/other v1.0.0") == ["-trimpath", "-ldflags", "-s -w"]


@pytest.mark.parametrize("name", tools.TOOLS)
def test_every_program_has_a_pinned_place_in_the_cache(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TENDER_HOME", str(tmp_path))
    place = tools.location(name)
    assert place.is_relative_to(tmp_path / "bin")
    assert place.name == name


class TestAPackageOfDebian:
    def test_is_pinned_by_name_and_version(self):
        assert debian.read_pin("# why\nprometheus 2.42.0+ds-5\n") == debian.Pin("prometheus", "2.42.0+ds-5")

    @pytest.mark.parametrize("text", ["", "prometheus\n", "prometheus 1\nanother 2\n"])
    def test_that_is_not_one_name_and_one_version_is_an_error(self, text: str):
        with pytest.raises(ClusterError, match="one line"):
            debian.read_pin(text)

    def test_gives_way_to_an_installed_program_where_there_is_no_apt(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        installed = tmp_path / "installed" / "promtool"
        settle(installed, "#!/bin/sh\n", mode=0o755)
        monkeypatch.setenv("PATH", str(installed.parent))
        debian.fetch(debian.Pin("prometheus", "1"), "usr/bin/promtool", tmp_path / "promtool")
        assert (tmp_path / "promtool").resolve() == installed
        with pytest.raises(ClusterError, match="comes from Debian's package prometheus"):
            debian.fetch(debian.Pin("prometheus", "1"), "usr/bin/prometheus", tmp_path / "prometheus")


class TestACommandOfACluster:
    @pytest.fixture
    def kubectl(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setenv("TENDER_HOME", str(tmp_path))
        program = tools.location("kubectl")
        settle(program, '#!/bin/sh\necho "$KUBECONFIG|$KUBECACHEDIR|$*"\n', mode=0o755)
        wrap_programs(Layout("demo"))
        return Layout("demo").programs / "kubectl"

    def run(self, kubectl: Path, environment: dict[str, str]) -> list[str]:
        command = [str(kubectl), "get", "pods"]
        environment["PATH"] = "/usr/bin:/bin"
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split("|")

    def test_means_the_cluster_and_its_own_cache(self, kubectl: Path):
        kubeconfig, cache, arguments = self.run(kubectl, {})
        assert kubeconfig == str(Layout("demo").kubeconfig)
        assert cache.startswith(str(Layout("demo").root))
        assert arguments == "get pods\n"

    def test_gives_way_to_a_kubeconfig_that_is_named(self, kubectl: Path):
        assert self.run(kubectl, {"KUBECONFIG": "/elsewhere"})[0] == "/elsewhere"


class TestFakeNodes:
    def test_are_managed_by_kwok_and_have_the_size_asked_for(self):
        first, second = FakeNodes(2, cpu="4", memory="8Gi", pods=20).objects()
        assert [first["metadata"]["name"], second["metadata"]["name"]] == ["fake-0001", "fake-0002"]
        assert first["metadata"]["annotations"] == {ANNOTATION: "fake"}
        assert first["status"]["allocatable"] == {"cpu": "4", "memory": "8Gi", "pods": "20"}

    def test_keep_ordinary_pods_away_unless_told_otherwise(self):
        assert FakeNodes(1).objects()[0]["spec"]["taints"][0]["effect"] == "NoSchedule"
        assert FakeNodes(1, tainted=False).objects()[0]["spec"]["taints"] == []
