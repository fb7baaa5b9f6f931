"""Where the API server is and how to authenticate to it.

The official Python client reads kubeconfigs, service account tokens and exec plugins; this module takes from
it only that, as an `Access`, and leaves the requests to `Client`. The import costs 19 MiB, so it waits until
a cluster is really asked for.
"""

import asyncio
import importlib
import os
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import structlog
import yaml

from tender.cluster.errors import NoCluster

log = structlog.get_logger(__name__)

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
REFRESH_SECONDS = 30.0
"""How long an Authorization header is used before its source is asked again."""


@dataclass(slots=True)
class Access:
    """An API server and the credentials for it.

    `authorization` returns the present value of the Authorization header, or None; it may block (an exec
    plugin runs a program), so it is called in a thread. The file names are those of PEM files.
    """

    server: str
    namespace: str = "default"
    ca_file: str | None = None
    certificate_file: str | None = None
    key_file: str | None = None
    verify: bool = True
    server_name: str | None = None
    proxy: str | None = None
    authorization: Callable[[], str | None] | None = None
    clock: Callable[[], float] = time.monotonic
    _header: str | None = field(default=None, init=False, repr=False)
    _refresh_at: float = field(default=float("-inf"), init=False)
    _refreshing: asyncio.Lock = field(default_factory=asyncio.Lock, init=False, repr=False)

    async def headers(self) -> dict[str, str]:
        """The headers that authenticate one request; the loop is not blocked while a token is renewed."""
        if self.authorization is not None and self.clock() >= self._refresh_at:
            await self._refresh(self.authorization)
        return {"Authorization": self._header} if self._header else {}

    async def _refresh(self, authorization: Callable[[], str | None]) -> None:
        if self._refreshing.locked() and self._header:
            return  # the present token is good for a while: sources renew ahead of the end
        async with self._refreshing:
            if self.clock() >= self._refresh_at:
                try:
                    self._header = await asyncio.to_thread(authorization)
                except Exception as error:
                    if not self._header:
                        raise NoCluster(f"credentials for {self.server}: {error}") from error
                    log.warning("credentials not renewed", server=self.server, error=str(error))
                self._refresh_at = self.clock() + REFRESH_SECONDS

    def ssl_context(self) -> ssl.SSLContext | None:
        """The TLS settings, or None for a server without TLS."""
        if not self.server.startswith("https"):
            return None
        context = ssl.create_default_context(cafile=self.ca_file)
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.certificate_file:
            context.load_cert_chain(self.certificate_file, self.key_file)
        return context

    def connection_fields(self) -> dict[str, Any]:
        """The same access as keyword arguments of `kopf.ConnectionInfo`; may block as `authorization`
        does.
        """
        header = self.authorization() if self.authorization else None
        scheme, _, token = (header or "").partition(" ")
        return {
            "server": self.server,
            "ca_path": self.ca_file,
            "insecure": not self.verify,
            "certificate_path": self.certificate_file,
            "private_key_path": self.key_file,
            "scheme": scheme or None,
            "token": token or None,
            "default_namespace": self.namespace,
            "proxy_url": self.proxy,
        }


def load(kubeconfig: str | None = None, context: str | None = None) -> Access:
    """Access as kubectl finds it: the given kubeconfig, else $KUBECONFIG, else ~/.kube/config, else the pod's
    own.

    Raises NoCluster, saying what was looked for, when there is none of them or it cannot be used.
    """
    path = kubeconfig or os.environ.get("KUBECONFIG") or str(Path.home() / ".kube" / "config")
    wanted = bool(kubeconfig or context or os.environ.get("KUBECONFIG"))
    files = [Path(part).expanduser() for part in path.split(os.pathsep) if part]
    if any(file.exists() for file in files):
        return _from_kubeconfig(path, context)
    if wanted:
        raise NoCluster(f"kubeconfig {path}: no such file; pass --kubeconfig or set KUBECONFIG")
    if "KUBERNETES_SERVICE_HOST" in os.environ:
        return _from_pod()
    raise NoCluster(f"no cluster: {path} does not exist and this is no pod; pass --kubeconfig or set KUBECONFIG")


def _from_kubeconfig(path: str, context: str | None) -> Access:
    config: Any = importlib.import_module("kubernetes.config")
    settings = _settings()
    try:
        contexts, active = config.list_kube_config_contexts(config_file=path)
        config.load_kube_config(config_file=path, context=context, client_configuration=settings)
    except config.ConfigException as error:
        raise NoCluster(f"kubeconfig {path}: {error}") from error
    except (yaml.YAMLError, AttributeError, KeyError, TypeError) as error:  # the library looks at what it reads last
        raise NoCluster(f"kubeconfig {path}: this is no kubeconfig ({' '.join(str(error).split())})") from error
    chosen = next((entry for entry in contexts if entry["name"] == context), active)
    return _from_settings(settings, (chosen.get("context") or {}).get("namespace") or "default")


def _from_pod() -> Access:
    config: Any = importlib.import_module("kubernetes.config")
    settings = _settings()
    try:
        config.load_incluster_config(client_configuration=settings)
    except config.ConfigException as error:
        raise NoCluster(f"service account in {SERVICE_ACCOUNT}: {error}") from error
    namespace = SERVICE_ACCOUNT / "namespace"
    return _from_settings(settings, namespace.read_text().strip() if namespace.exists() else "default")


def _settings() -> Any:
    configuration: Any = importlib.import_module("kubernetes.client.configuration")
    return configuration.Configuration(
        proxy=""
    )  # proxies of the environment are looked up below, with their exceptions


def _from_settings(settings: Any, namespace: str) -> Access:
    return Access(
        server=settings.host,
        namespace=namespace,
        ca_file=settings.ssl_ca_cert,
        certificate_file=settings.cert_file,
        key_file=settings.key_file,
        verify=settings.verify_ssl,
        server_name=settings.tls_server_name,
        proxy=settings.proxy or _environment_proxy(settings.host),
        authorization=(lambda: settings.get_api_key_with_prefix("BearerToken")) if settings.api_key else None,
    )


def _environment_proxy(server: str) -> str | None:
    address = urlsplit(server)
    if proxy_bypass(address.hostname or ""):
        return None
    return getproxies().get(address.scheme)
