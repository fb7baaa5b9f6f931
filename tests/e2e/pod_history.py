"""Everything that happens to the pods of a namespace, from one moment on and without a gap.

A list gives the start and a watch from the list's version all that follows, in the order of the API server's writes. So
the pods as they stand after each event are a state that there really was, and what must never be can be looked for in
all of them.
"""

import json
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from tests.e2e.services import Namespace
from tests.e2e.waiting import PATIENCE

_ENDED = {"Succeeded", "Failed"}


@dataclass(frozen=True)
class SeenPod:
    """A pod as far as it matters here. `live` as long as it has neither ended nor been told to."""

    uid: str
    name: str
    version: str
    revision: str
    node: str
    address: str
    phase: str
    live: bool
    ready: bool

    @classmethod
    def read(cls, manifest: dict[str, Any]) -> Self:
        metadata, spec, status = manifest["metadata"], manifest["spec"], manifest.get("status", {})
        conditions = {one["type"]: one["status"] for one in status.get("conditions", [])}
        live = "deletionTimestamp" not in metadata and status.get("phase") not in _ENDED
        return cls(
            uid=metadata["uid"],
            name=metadata["name"],
            version=metadata["resourceVersion"],
            revision=metadata.get("labels", {}).get("tender.dev/revision", ""),
            node=spec.get("nodeName", ""),
            address=status.get("podIP", ""),
            phase=status.get("phase", ""),
            live=live,
            ready=live and conditions.get("Ready") == "True",
        )


@dataclass(frozen=True)
class Moment:
    """An event, and how many pods there were after it."""

    event: str
    pod: SeenPod
    live: int
    ready: int

    def __str__(self) -> str:
        pod = self.pod
        state = "ready" if pod.ready else "live" if pod.live else "leaving or ended"
        return (
            f"{self.event:8} {pod.name} {pod.uid[:8]} revision {pod.revision} on {pod.node}: {pod.phase}, {state}; "
            f"{self.live} live, {self.ready} ready in all"
        )


class PodHistory:
    """Watches the pods of a namespace; a context manager."""

    def __init__(self, namespace: Namespace) -> None:
        self._path = f"/api/v1/namespaces/{namespace.name}/pods"
        self._namespace = namespace
        self._changed = threading.Condition()
        self._moments: list[Moment] = []
        self._present: dict[str, SeenPod] = {}
        self._complaint = ""
        self._closing = False

    def __enter__(self) -> Self:
        listed = json.loads(self._namespace.kubectl("get", "--raw", self._path))
        self._present = {pod.uid: pod for pod in map(SeenPod.read, listed["items"])}
        self._version = listed["metadata"]["resourceVersion"]
        self._watch = self._begin()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing = True
        self._watch.kill()
        self._reader.join()

    @property
    def now(self) -> int:
        """A mark in the history, to ask later what came after it."""
        with self._changed:
            return len(self._moments)

    def since(self, mark: int) -> list[Moment]:
        """What happened after a mark."""
        with self._changed:
            return self._moments[mark:]

    def pods(self) -> list[SeenPod]:
        """The pods that there are, those that are leaving included."""
        with self._changed:
            return sorted(self._present.values(), key=lambda pod: pod.name)

    def created(self, mark: int = 0) -> list[SeenPod]:
        """The pods that were created after a mark."""
        return [moment.pod for moment in self.since(mark) if moment.event == "ADDED"]

    def wait_until(
        self, what: str, holds: Callable[[list[SeenPod]], bool], *, seconds: float = PATIENCE
    ) -> list[SeenPod]:
        """Wait until something holds of the pods that there are; these pods."""
        self._wait(what, lambda: holds(list(self._present.values())), seconds)
        return self.pods()

    def wait_for_events(self, mark: int, count: int, *, unless: Callable[[], bool] = lambda: False) -> None:
        """Wait until so many events have come after a mark, or until there will be no more of them."""
        self._wait(f"{count} events", lambda: len(self._moments) >= mark + count or unless(), PATIENCE)

    def catch_up(self) -> None:
        """Wait until everything that has happened up to now has been seen."""
        listed = json.loads(self._namespace.kubectl("get", "--raw", self._path))["items"]
        oldest = {pod.uid: int(pod.version) for pod in map(SeenPod.read, listed)}

        def seen() -> bool:
            known = {uid: int(pod.version) for uid, pod in self._present.items()}
            gone = {moment.pod.uid for moment in self._moments if moment.event == "DELETED"}
            return all(known.get(uid, 0) >= version or uid in gone for uid, version in oldest.items())

        self._wait("the watch has caught up", seen, PATIENCE)

    def tail(self, count: int = 40) -> str:
        """The last events, one a line."""
        return "\n".join(str(moment) for moment in self._moments[-count:])

    def _wait(self, what: str, holds: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        with self._changed:
            while not holds():
                assert not self._complaint, f"the watch of pods ended: {self._complaint}"
                left = deadline - time.monotonic()
                assert left > 0, f"not within {seconds:.0f} s: {what}; the last events:\n{self.tail()}"
                self._changed.wait(left)

    def _begin(self) -> subprocess.Popen[str]:
        cluster = self._namespace.cluster
        return subprocess.Popen(
            [
                *(str(cluster.layout.programs / "kubectl"), f"--kubeconfig={cluster.kubeconfig}", "get", "--raw"),
                f"{self._path}?watch=1&timeoutSeconds=3600&resourceVersion={self._version}",
            ],
            stdout=subprocess.PIPE,
            text=True,
        )

    def _read(self) -> None:
        """Follow the watch; where the API server ended it, as it does with slow ones, begin another where it was."""
        while self._read_to_its_end() and not self._closing:
            self._watch = self._begin()
            if self._closing:
                self._watch.kill()
        with self._changed:
            self._complaint = self._complaint or "no more events"
            self._changed.notify_all()

    def _read_to_its_end(self) -> bool:
        """Take note of what a watch tells. Whether it told anything, and no error."""
        told = False
        with self._watch as watch:
            assert watch.stdout is not None
            for line in watch.stdout:
                event = json.loads(line)
                with self._changed:
                    if event["type"] == "ERROR":
                        self._complaint = line
                    else:
                        told = True
                        self._version = event["object"]["metadata"]["resourceVersion"]
                        self._note(event["type"], SeenPod.read(event["object"]))
                    self._changed.notify_all()
        return told and not self._complaint

    def _note(self, event: str, pod: SeenPod) -> None:
        if event == "DELETED":
            self._present.pop(pod.uid, None)
        else:
            self._present[pod.uid] = pod
        present = self._present.values()
        live, ready = sum(one.live for one in present), sum(one.ready for one in present)
        self._moments.append(Moment(event, pod, live, ready))
