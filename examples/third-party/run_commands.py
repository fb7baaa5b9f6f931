"""A framework of one's own in Python: runs the commands in an annotation, each until it succeeds, so many at a time.

    python run_commands.py --namespace batch

Like a Job, it leaves the pods that have succeeded: they are the record of what is done.
"""

import argparse
import asyncio
from datetime import datetime

from tender.api.core import Pod
from tender.api.framework import Framework
from tender.api.names import LABEL_TASK
from tender.api.requests import template_requests
from tender.controller.factory import run_controller
from tender.controller.settings import ControllerSettings
from tender.frameworks.sdk import Plan, Seen, Shape, Stop

COMMANDS = "commands.example.com/run"
AT_ONCE = "commands.example.com/at-once"
IMAGE = "commands.example.com/image"
RETRY_SECONDS = 10.0


def plan(seen: Seen) -> Plan:
    """What is wanted: a pod for each of the first commands that have not succeeded yet."""
    annotations = seen.framework.metadata.annotations
    lines = [line.strip() for line in annotations[COMMANDS].splitlines()]
    commands = {f"command-{number}": line for number, line in enumerate(lines) if line}
    done = {task_of(pod) for pod in seen.pods if pod.status.phase == "Succeeded"}
    failed = [pod for pod in seen.pods if pod.status.phase == "Failed"]
    retry_at = max((born(pod, seen.now) + RETRY_SECONDS for pod in failed), default=0.0)
    left = [task for task in commands if task not in done]
    return Plan(
        shapes=tuple(
            shape_of(task, commands[task], annotations.get(IMAGE, "busybox"))
            for task in left[: int(annotations.get(AT_ONCE, "1"))]
        ),
        stops=tuple(Stop(pod.metadata.name, pod.metadata.uid, "it failed") for pod in failed if seen.now >= retry_at),
        status={},
        state=("Reconciling", "Running", f"{len(left)} commands are left")
        if left
        else ("Ready", "Done", "all is done"),
        hold_until=retry_at,
        wake_at=retry_at if retry_at > seen.now else None,
    )


def shape_of(task: str, command: str, image: str) -> Shape:
    """The pod of one command."""
    requests = {"cpu": "100m", "memory": "64Mi"}
    container = {"name": "main", "image": image, "command": ["sh", "-c", command], "resources": {"requests": requests}}
    spec = {"containers": [container], "restartPolicy": "Never"}
    return Shape(task, 1, template_requests(spec), {"spec": spec}, revision="1")


def task_of(pod: Pod) -> str:
    """The command that a pod runs."""
    return pod.metadata.labels.get(LABEL_TASK, "")


def born(pod: Pod, now: float) -> float:
    """When a pod was made, in epoch seconds; one that was made just now may not say so yet."""
    made = pod.metadata.creation_timestamp
    return datetime.fromisoformat(made).timestamp() if made else now


def is_ours(framework: Framework) -> bool:
    """Whether this controller runs the framework: others may have spec.external too."""
    return COMMANDS in framework.metadata.annotations


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--namespace", action="append", help="run the frameworks of this namespace only")
    parser.add_argument("--port", type=int, default=8080, help="serves /metrics, /healthz and /readyz")
    arguments = parser.parse_args()
    settings = ControllerSettings(namespaces=tuple(arguments.namespace or ()), port=arguments.port)
    asyncio.run(run_controller(settings, {"external": plan}, manager="run-commands", selects=is_ours))
