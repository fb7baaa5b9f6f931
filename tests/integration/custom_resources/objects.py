"""Requests for the custom resources, what comes back when they are refused, and builders of valid ones."""

import json
from collections.abc import Callable
from typing import Any, Protocol

import pytest
from kubernetes.client import ApiClient

from tender.api import API_VERSION
from tender.api.crds import VIEWS

KINDS = {model.KIND: model for model in VIEWS}
MANY_RESOURCES = [f"example.com/a-resource-with-a-rather-long-name-{index:02}" for index in range(16)]

Manifest = dict[str, Any]


class Completed(Protocol):
    """How kubectl ended."""

    returncode: int
    stdout: str
    stderr: str


class ApiServer(Protocol):
    """The part of the running API server that these tests use."""

    kubeconfig: Any

    def kubectl(self, *arguments: str, input: str | None = None, check: bool = True) -> Completed: ...  # noqa: A002


class RefusedError(Exception):
    """The API server did not do what it was asked."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message


class Objects:
    """Plain requests for the custom resources of one namespace."""

    def __init__(self, client: ApiClient, namespace: str) -> None:
        self._client = client
        self._namespace = namespace

    def create(self, manifest: Manifest) -> Manifest:
        return self._call("POST", self._path(manifest["kind"]), manifest)

    def get(self, kind: str, name: str) -> Manifest:
        return self._call("GET", self._path(kind, name))

    def replace(self, manifest: Manifest, *subresource: str) -> Manifest:
        path = self._path(manifest["kind"], manifest["metadata"]["name"], *subresource)
        return self._call("PUT", path, manifest)

    def patch(self, kind: str, name: str, change: Manifest, *subresource: str) -> Manifest:
        return self._call("PATCH", self._path(kind, name, *subresource), change, "application/merge-patch+json")

    def apply(self, manifest: Manifest, manager: str, *subresource: str, force: bool = False) -> Manifest:
        path = self._path(manifest["kind"], manifest["metadata"]["name"], *subresource)
        query = [("fieldManager", manager), ("force", str(force).lower())]
        return self._call("PATCH", path, manifest, "application/apply-patch+yaml", query)

    def delete(self, kind: str, name: str) -> None:
        self._call("DELETE", self._path(kind, name))

    def answer(self, name: str, **status: Any) -> Manifest:
        """Answer an offer without saying which version of it was seen."""
        return self.patch("ResourceOffer", name, {"status": status}, "status")

    def _path(self, kind: str, *below: str) -> str:
        model = KINDS[kind]
        scope = ["namespaces", self._namespace] if model.NAMESPACED else []
        return "/".join(["/apis", API_VERSION, *scope, model.PLURAL, *below])

    def _call(
        self,
        method: str,
        path: str,
        body: Manifest | None = None,
        content_type: str = "application/json",
        query: list[tuple[str, str]] | None = None,
    ) -> Manifest:
        request = self._client.param_serialize(
            method,
            path,
            query_params=query,
            header_params={"Accept": "application/json", "Content-Type": content_type},
            body=body,
            auth_settings=["BearerToken"],
        )
        response = self._client.call_api(*request)
        result: Manifest = json.loads(response.read())
        if response.status >= 400:
            raise RefusedError(response.status, result["message"])
        return result


def refusal(call: Callable[..., Any], *arguments: Any, **options: Any) -> str:
    """What the API server says when it refuses the call as invalid."""
    with pytest.raises(RefusedError) as refused:
        call(*arguments, **options)
    assert refused.value.status == 422, refused.value
    return refused.value.message


def manifest(kind: str, name: str, spec: Manifest) -> Manifest:
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name}, "spec": spec}


def offer(*slices: Manifest, name: str = "web-1", **spec: Any) -> Manifest:
    """An offer of slices, by default two nodes with 2 CPU and 1 Gi each."""
    amounts = {"cpu": "2", "memory": "1Gi"}
    default = [{"node": "node-1", "resources": amounts}, {"node": "node-2", "resources": amounts}]
    base = {"framework": "web", "role": "shops", "expiresAt": "2030-01-01T00:00:00Z"}
    return manifest("ResourceOffer", name, {**base, "slices": list(slices) or default, **spec})


def claim(slice_: int = 0, **resources: str | int) -> Manifest:
    return {"slice": slice_, "resources": resources or {"cpu": "1"}}


def container(name: str = "app", **requests: str | int) -> Manifest:
    return {
        "name": name,
        "image": "app",
        "resources": {"requests": requests or {"cpu": "100m", "memory": "64Mi"}},
    }


def framework(pod: Manifest | None = None, *, replicas: int = 3, **spec: Any) -> Manifest:
    """A framework with a service of the given pod spec, unless it says otherwise."""
    template = {"metadata": {"labels": {"app": "web"}}, "spec": pod or {"containers": [container()]}}
    return manifest("Framework", "web", spec or {"service": {"replicas": replicas, "template": template}})
