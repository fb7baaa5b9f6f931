"""The little of a Kubernetes client that the cluster itself needs: kubeconfigs, health, and JSON requests."""

import http.client
import json
import ssl
import urllib.parse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster.certificates import Identity
from cluster.failure import ClusterError
from cluster.layout import settle

_TIMEOUT = 10.0  # seconds for one request


def write_kubeconfig(path: Path, name: str, server: str, authority: Path, identity: Identity) -> Path:
    """Write a kubeconfig (JSON, which is YAML) that points at the certificate files."""
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": server, "certificate-authority": str(authority)}}],
        "users": [
            {
                "name": name,
                "user": {
                    "client-certificate": str(identity.certificate),
                    "client-key": str(identity.key),
                },
            }
        ],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }
    return settle(path, json.dumps(content, indent=2) + "\n", mode=0o600)


def answers(url: str) -> bool:
    """Whether a health address answers 200. Its certificate is not checked: nothing secret is sent."""
    parts = urllib.parse.urlsplit(url)
    host = parts.netloc
    connection = (
        http.client.HTTPSConnection(host, timeout=2.0, context=ssl._create_unverified_context())
        if parts.scheme == "https"
        else http.client.HTTPConnection(host, timeout=2.0)
    )
    try:
        connection.request("GET", parts.path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


@dataclass
class ApiClient:
    """Requests to the API server over one kept connection, as the user of `identity`."""

    server: str
    authority: Path
    identity: Identity

    def __post_init__(self) -> None:
        context = ssl.create_default_context(cafile=str(self.authority))
        context.load_cert_chain(self.identity.certificate, self.identity.key)
        host = urllib.parse.urlsplit(self.server).netloc
        self._connection = http.client.HTTPSConnection(host, timeout=_TIMEOUT, context=context)

    def close(self) -> None:
        self._connection.close()

    def ready(self) -> bool:
        """Whether the API server says that it is ready."""
        try:
            return self._send("GET", "/readyz", None)[0] == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return False

    def get(self, path: str) -> dict[str, Any]:
        status, answer = self._send("GET", path, None)
        return self._object(status, answer, f"GET {path}")

    def has(self, path: str) -> bool:
        """Whether there is an object at this path."""
        status, answer = self._send("GET", path, None)
        if status == http.HTTPStatus.NOT_FOUND:
            return False
        self._object(status, answer, f"GET {path}")
        return True

    def create(self, path: str, body: dict[str, Any]) -> bool:
        """Create an object; False if there is one of that name already."""
        status, answer = self._send("POST", path, body)
        if status == http.HTTPStatus.CONFLICT:
            return False
        self._object(status, answer, f"POST {path}")
        return True

    def delete(self, path: str) -> None:
        status, answer = self._send("DELETE", path, None)
        if status != http.HTTPStatus.NOT_FOUND:
            self._object(status, answer, f"DELETE {path}")

    def _object(self, status: int, answer: bytes, what: str) -> dict[str, Any]:
        if status >= http.HTTPStatus.BAD_REQUEST:
            raise ClusterError(f"{what}: {status} {answer.decode(errors='replace')[:500]}")
        decoded: dict[str, Any] = json.loads(answer)
        return decoded

    def _send(self, method: str, path: str, body: dict[str, Any] | None) -> tuple[int, bytes]:
        content = json.dumps(body) if body is not None else None
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        self._connection.request(method, path, content, headers)
        response = self._connection.getresponse()
        return response.status, response.read()
