"""Ends the processes of Tender without warning, from this machine, on which the real node's containers run."""

import os
import signal
from functools import partial
from pathlib import Path

from tests.e2e.release import COMPONENTS, Release
from tests.e2e.waiting import eventually


class Processes:
    """The processes in the pods that Tender has now, also those that come when a container is started again.

    They are found by the control group of the pod, so that no other cluster's process can be taken for one of them.
    """

    def __init__(self, release: Release) -> None:
        self._pods = {component: str(release.pod(component)["metadata"]["uid"]) for component in COMPONENTS}

    def kill(self, *components: str) -> None:
        """End these components at once; one that is just being started again as soon as it runs."""
        for process in [self._process(component) for component in components]:
            os.kill(process, signal.SIGKILL)

    def _process(self, component: str) -> int:
        look = partial(_process_in_pod, self._pods[component], component)
        return eventually(f"tender {component} runs", look, pause=0.02)


def _process_in_pod(uid: str, component: str) -> int | None:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (folder / "cmdline").read_bytes().split(b"\0")
            if component.encode() in arguments and f"pod{uid}" in (folder / "cgroup").read_text():
                return int(folder.name)
        except (FileNotFoundError, ProcessLookupError):
            continue
    return None
