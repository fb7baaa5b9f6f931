"""Where the API server is found, and with which credentials."""

import base64
import json
import ssl
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from structlog.testing import capture_logs

from tender.cluster import access
from tender.cluster.access import Access, load
from tender.cluster.errors import NoCluster


@pytest.fixture(autouse=True)
def _nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


def kubeconfig(folder: Path, user: Any = None, **cluster: Any) -> str:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "one",
        "clusters": [
            {"name": "here", "cluster": {"server": "https://10.0.0.1:6443"} | cluster},
            {"name": "there", "cluster": {"server": "http://10.0.0.2:8080"}},
        ],
        "users": [{"name": "me", "user": user or {}}],
        "contexts": [
            {"name": "one", "context": {"cluster": "here", "user": "me", "namespace": "shop"}},
            {"name": "two", "context": {"cluster": "there", "user": "me"}},
        ],
    }
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return str(path)


class TestKubeconfig:
    def test_names_the_server_and_the_namespace(self, tmp_path):
        found = load(kubeconfig(tmp_path))
        assert (found.server, found.namespace) == ("https://10.0.0.1:6443", "shop")

    def test_another_context_can_be_chosen(self, tmp_path):
        found = load(kubeconfig(tmp_path), context="two")
        assert (found.server, found.namespace) == ("http://10.0.0.2:8080", "default")
        assert found.ssl_context() is None

    def test_is_found_through_the_environment(self, tmp_path, monkeypatch):
        monkeypatch.setenv("KUBECONFIG", kubeconfig(tmp_path))
        assert load().server == "https://10.0.0.1:6443"

    def test_that_is_missing_is_named(self):
        with pytest.raises(NoCluster, match="kubeconfig /nowhere/config: no such file"):
            load("/nowhere/config")

    def test_with_an_unknown_context_is_refused(self, tmp_path):
        with pytest.raises(NoCluster, match="three"):
            load(kubeconfig(tmp_path), context="three")

    async def test_may_carry_a_token(self, tmp_path):
        found = load(kubeconfig(tmp_path, {"token": "abc"}))
        assert await found.headers() == {"Authorization": "Bearer abc"}

    async def test_may_carry_a_name_and_password(self, tmp_path):
        found = load(kubeconfig(tmp_path, {"username": "a", "password": "b"}))
        assert await found.headers() == {"Authorization": f"Basic {base64.b64encode(b'a:b').decode()}"}

    async def test_may_carry_nothing(self, tmp_path):
        assert await load(kubeconfig(tmp_path)).headers() == {}

    async def test_may_name_a_program_that_prints_a_token(self, tmp_path):
        credential = {
            "apiVersion": "client.authentication.k8s.io/v1",
            "kind": "ExecCredential",
            "status": {"token": "from-plugin"},
        }
        program = {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": sys.executable,
            "args": ["-c", f"print({json.dumps(json.dumps(credential))})"],
            "interactiveMode": "Never",
        }
        found = load(kubeconfig(tmp_path, {"exec": program}))
        assert await found.headers() == {"Authorization": "Bearer from-plugin"}

    def test_with_a_token_has_to_name_a_server_with_tls(self, tmp_path):
        path = kubeconfig(tmp_path, {"token": "abc"})
        with pytest.raises(
            NoCluster, match=r"http://10\.0\.0\.2:8080: credentials are not sent without TLS"
        ) as refused:
            load(path, context="two")
        assert "abc" not in str(refused.value)
        here = kubeconfig(tmp_path, {"token": "abc"}, server="http://127.0.0.1:8001")
        assert load(here).server == "http://127.0.0.1:8001"

    def test_servers_are_verified_unless_it_says_otherwise(self, tmp_path):
        found = load(kubeconfig(tmp_path))
        context = found.ssl_context()
        assert found.verify
        assert context is not None
        assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)
        assert context.minimum_version >= ssl.TLSVersion.TLSv1_2

    def test_that_switches_verification_off_is_warned_of(self, tmp_path):
        with capture_logs() as logs:
            load(kubeconfig(tmp_path, **{"insecure-skip-tls-verify": True}))
        assert ["insecure-skip-tls-verify is set" in entry["event"] for entry in logs] == [True]

    async def test_shows_no_token_to_who_looks_at_it(self, tmp_path):
        found = load(kubeconfig(tmp_path, {"token": "a-secret"}))
        await found.headers()
        assert "a-secret" not in repr(found)

    def test_settings_of_tls_are_kept(self, tmp_path):
        found = load(kubeconfig(tmp_path, **{"insecure-skip-tls-verify": True, "tls-server-name": "api"}))
        assert (found.verify, found.server_name) == (False, "api")
        context = found.ssl_context()
        assert context is not None
        assert not context.check_hostname

    def test_a_proxy_is_taken_from_it_or_from_the_environment(self, tmp_path, monkeypatch):
        assert load(kubeconfig(tmp_path)).proxy is None
        monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
        assert load(kubeconfig(tmp_path)).proxy == "http://proxy:3128"
        assert load(kubeconfig(tmp_path, **{"proxy-url": "http://own:1"})).proxy == "http://own:1"
        monkeypatch.setenv("NO_PROXY", "10.0.0.1")
        assert load(kubeconfig(tmp_path)).proxy is None


class TestInAPod:
    async def test_the_service_account_is_used(self, tmp_path, monkeypatch):
        from kubernetes.config import incluster_config

        for name, text in {"token": "sa-token", "ca.crt": "certificate", "namespace": "tender-system"}.items():
            (tmp_path / name).write_text(text)
        monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(tmp_path / "token"))
        monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(tmp_path / "ca.crt"))
        monkeypatch.setattr(access, "SERVICE_ACCOUNT", tmp_path)
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1")
        monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
        found = load()
        assert (found.server, found.namespace) == ("https://10.96.0.1:443", "tender-system")
        assert found.ca_file == str(tmp_path / "ca.crt")
        assert await found.headers() == {"Authorization": "bearer sa-token"}

    def test_without_a_service_account_says_so(self, monkeypatch):
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1")
        monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
        with pytest.raises(NoCluster, match=r"service account in .*: Service token file does not exist"):
            load()


def test_outside_of_everything_it_says_what_to_do():
    with pytest.raises(NoCluster, match="pass --kubeconfig or set KUBECONFIG"):
        load()


def test_the_same_access_can_be_given_to_kopf():
    access = Access(
        server="https://a", namespace="n", ca_file="ca", authorization=lambda: "Bearer abc", proxy="http://p"
    )
    assert access.connection_fields() == {
        "server": "https://a",
        "ca_path": "ca",
        "insecure": False,
        "certificate_path": None,
        "private_key_path": None,
        "scheme": "Bearer",
        "token": "abc",
        "default_namespace": "n",
        "proxy_url": "http://p",
    }
