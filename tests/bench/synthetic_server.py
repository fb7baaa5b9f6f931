"""An API server with a large cluster in it: it lists nodes and pods page by page and takes offers, and nothing changes.

Run as a process of its own (python -m tests.bench.synthetic_server PORT NODES PODS), so that its own work is not
counted. Objects are as large as real ones, managedFields included. One external framework wants ten pods.
"""

import asyncio
import sys
from typing import Any

import msgspec
from aiohttp import web

PAGE = 500
VERSION = "1000000"
KINDS = {
    "frameworks": "Framework",
    "resourceoffers": "ResourceOffer",
    "frameworkroles": "FrameworkRole",
    "reservations": "Reservation",
}
CLUSTER_SCOPED = {"frameworkroles"}
_CREATED = "2026-01-01T00:00:00Z"
_FIELDS: dict[str, Any] = {
    "f:metadata": {f"f:key-{i}": {} for i in range(12)},
    "f:spec": {f"f:key-{i}": {} for i in range(25)},
}


def metadata(name: str, number: int) -> dict[str, Any]:
    """Metadata of the usual size."""
    managed = {"manager": "kubelet", "operation": "Update", "apiVersion": "v1", "time": _CREATED, "fieldsV1": _FIELDS}
    return {
        "name": name,
        "uid": f"0f3c2a1e-1111-4222-8333-{number:012d}",
        "resourceVersion": str(number + 1),
        "creationTimestamp": _CREATED,
        "labels": {"app": "web", "kubernetes.io/hostname": name, "topology.kubernetes.io/zone": f"zone-{number % 3}"},
        "managedFields": [managed],
    }


def node(number: int) -> dict[str, Any]:
    """A Ready node of 32 CPU."""
    size = {"cpu": "32", "memory": "128Gi", "pods": "110", "ephemeral-storage": "100Gi", "hugepages-1Gi": "0"}
    conditions = [
        {
            "type": kind,
            "status": "True" if kind == "Ready" else "False",
            "reason": "Kubelet",
            "message": "the kubelet says",
        }
        for kind in ("MemoryPressure", "DiskPressure", "PIDPressure", "Ready")
    ]
    images = [{"names": ["registry.example/image@sha256:" + "a" * 40], "sizeBytes": 12345} for _ in range(20)]
    return {
        "metadata": metadata(f"node-{number:05d}", number),
        "spec": {"podCIDR": "10.0.0.0/24"},
        "status": {"capacity": size, "allocatable": size, "conditions": conditions, "images": images},
    }


def pod(number: int, nodes: int) -> dict[str, Any]:
    """A running pod on one of so many nodes."""
    container = {
        "name": "main",
        "image": "registry.example/app:1",
        "resources": {"requests": {"cpu": "250m", "memory": "512Mi"}, "limits": {"memory": "512Mi"}},
        "env": [{"name": f"VARIABLE_{i}", "value": "x" * 20} for i in range(10)],
        "volumeMounts": [{"name": "kube-api-access", "readOnly": True, "mountPath": "/var/run/secrets/kubernetes.io"}],
    }
    running = {
        "name": "main",
        "state": {"running": {"startedAt": _CREATED}},
        "ready": True,
        "restartCount": 0,
        "imageID": "sha256:" + "a" * 64,
        "containerID": "containerd://" + "b" * 64,
    }
    kinds = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
    return {
        "metadata": {**metadata(f"web-{number:06d}", number), "namespace": "shop"},
        "spec": {
            "nodeName": f"node-{number % nodes:05d}",
            "containers": [container],
            "schedulerName": "default-scheduler",
        },
        "status": {
            "phase": "Running",
            "podIP": f"10.{number >> 16}.{(number >> 8) & 255}.{number & 255}",
            "conditions": [{"type": kind, "status": "True", "lastTransitionTime": _CREATED} for kind in kinds],
            "containerStatuses": [running],
        },
    }


def framework() -> dict[str, Any]:
    """The one framework."""
    entry = {"name": "task", "count": 10, "requests": {"cpu": "1", "memory": "1Gi"}}
    return {
        "apiVersion": "tender.dev/v1alpha1",
        "kind": "Framework",
        "metadata": {**metadata("first", 1), "namespace": "shop"},
        "spec": {"role": "default", "external": {}},
        "status": {"demand": [entry]},
    }


def pages(objects: list[dict[str, Any]]) -> list[bytes]:
    """The list of these objects as pages of JSON."""
    starts = range(0, max(1, len(objects)), PAGE)
    return [
        msgspec.json.encode(
            {
                "kind": "List",
                "metadata": {
                    "resourceVersion": VERSION,
                    "continue": str(number + 1) if start + PAGE < len(objects) else "",
                },
                "items": objects[start : start + PAGE],
            }
        )
        for number, start in enumerate(starts)
    ]


class Server:
    """Answers what the master asks."""

    def __init__(self, nodes: int, pods: int) -> None:
        self._pages = {
            "nodes": pages([node(number) for number in range(nodes)]),
            "pods": pages([pod(number, nodes) for number in range(pods)]),
            "frameworks": pages([framework()]),
        }
        self._empty = pages([])

    async def read(self, request: web.Request) -> web.StreamResponse:
        """Lists, watches that tell nothing, and discovery."""
        path = request.path
        plural = path.rsplit("/", 1)[1]
        if plural in {"v1alpha1", "v1", "apis", "api", "version"}:
            return web.json_response(_discovery(plural))
        if request.query.get("watch"):
            response = web.StreamResponse()
            await response.prepare(request)
            await asyncio.sleep(600)
            return response
        number = int(request.query.get("continue") or 0)
        return web.Response(body=self._pages.get(plural, self._empty)[number], content_type="application/json")

    async def write(self, request: web.Request) -> web.Response:
        """Takes anything."""
        body = msgspec.json.decode(await request.read())
        body.setdefault("metadata", {}).update({"uid": "made", "resourceVersion": VERSION})
        return web.json_response(body, status=201 if request.method == "POST" else 200)


def _discovery(plural: str) -> dict[str, Any]:
    if plural == "v1alpha1":
        resources = [
            {
                "name": name,
                "singularName": kind.lower(),
                "namespaced": name not in CLUSTER_SCOPED,
                "kind": kind,
                "verbs": ["create", "delete", "get", "list", "patch", "update", "watch"],
            }
            for name, kind in KINDS.items()
        ]
        return {"kind": "APIResourceList", "groupVersion": "tender.dev/v1alpha1", "resources": resources}
    version = {"groupVersion": "tender.dev/v1alpha1", "version": "v1alpha1"}
    group = {"name": "tender.dev", "versions": [version], "preferredVersion": version}
    answers: dict[str, dict[str, Any]] = {
        "apis": {"kind": "APIGroupList", "groups": [group]},
        "api": {"kind": "APIVersions", "versions": ["v1"]},
        "v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": []},
        "version": {"major": "1", "minor": "36", "gitVersion": "v1.36.0"},
    }
    return answers[plural]


def main() -> None:
    """Serve until the process is ended."""
    port, nodes, pods = (int(argument) for argument in sys.argv[1:4])
    server = Server(nodes, pods)
    app = web.Application(client_max_size=2**24)
    app.router.add_get("/{path:.*}", server.read)
    for method in ("POST", "PATCH", "DELETE"):
        app.router.add_route(method, "/{path:.*}", server.write)
    web.run_app(app, host="127.0.0.1", port=port, print=lambda _: print("serving", flush=True), shutdown_timeout=0.1)


if __name__ == "__main__":
    main()
