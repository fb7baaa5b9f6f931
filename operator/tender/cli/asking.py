"""Asks the running master, through the API server's proxy to its pods: for the reasons that are in no status.

A user needs the rights to list pods and to get pods/proxy in the namespace that Tender runs in. Without them, or while
no master answers, commands go by the statuses alone; why is said in a sentence.
"""

from dataclasses import dataclass
from typing import Any

import click
import msgspec

from tender.cli.connection import Cluster
from tender.cli.reading import lacking_right
from tender.cluster.errors import ApiError, Forbidden
from tender.cluster.resources import PODS, Resource

MASTERS = "app.kubernetes.io/part-of=tender,app.kubernetes.io/component=master"
"""The labels by which the chart marks the master's pods."""
_PORT_NAME, _PORT = "metrics", 8080
_PODS_PROXY = Resource("", "v1", "pods/proxy", "Pod")

tender_namespace_option = click.option(
    "--tender-namespace",
    default="tender-system",
    show_default=True,
    envvar="TENDER_NAMESPACE",
    show_envvar=True,
    help="Namespace that Tender itself runs in.",
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the master has answered (None: nothing), and if it has not, why not."""

    document: Any = None
    why_not: str = ""


async def masters(cluster: Cluster, namespace: str) -> list[dict[str, Any]]:
    """The master's pods, those that are ready first. Raises ApiError."""
    pods = await cluster.client.list_all(PODS, namespace=namespace, label_selector=MASTERS)
    return sorted(pods, key=lambda pod: (not _ready(pod), pod["metadata"]["name"]))


async def ask_master(cluster: Cluster, namespace: str, path: str) -> Answer:
    """What the master serves there as JSON. Of several pods the one that leads answers, the others have nothing."""
    try:
        pods = await masters(cluster, namespace)
    except Forbidden:
        return Answer(why_not=f"the master was not asked, as {lacking_right('list', PODS, namespace)}")
    except ApiError as error:
        return Answer(why_not=f"the master was not asked: {error.message}")
    if not pods:
        return Answer(
            why_not=f"the master was not asked: there is no pod of it in namespace {namespace}; see --tender-namespace"
        )
    why_not = ""
    for pod in pods:
        name = pod["metadata"]["name"]
        try:
            answer = await cluster.client.proxied(PODS, name, path, namespace=namespace, port=_port(pod))
            return Answer(msgspec.json.decode(answer))
        except Forbidden:
            return Answer(why_not=f"the master was not asked, as {lacking_right('get', _PODS_PROXY, namespace)}")
        except ApiError as error:
            why_not = why_not or f"pod {name} of the master gave no answer: {_said(error)}"
        except msgspec.DecodeError:
            why_not = why_not or f"pod {name} gave an answer that is not the master's"
    return Answer(why_not=why_not)


def _said(error: ApiError) -> str:
    """The sentence under `error` of the master's own answers, else the API server's."""
    return str((error.object or {}).get("error") or error.message)


def _ready(pod: dict[str, Any]) -> bool:
    conditions = pod.get("status", {}).get("conditions", ())
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _port(pod: dict[str, Any]) -> int:
    ports = (port for container in pod["spec"]["containers"] for port in container.get("ports", ()))
    return next((int(port["containerPort"]) for port in ports if port.get("name") == _PORT_NAME), _PORT)
