"""Somebody who looks on: follows nodes, pods, offers and reservations by the API alone, in a thread of its own, and
tells whether anything was given away twice at any moment.

Each kind's watch tells its changes in order, but the watches are not in step with each other. The versions of objects
are the revisions of one store, so all changes, put in their order, give the states that there were one after the other,
and each of them is checked. Where a watch had to be listed afresh (the API server was away), what happened in between
is not known: states of that span are left out and counted.
"""

import asyncio
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tender.api.core import decode_pod
from tender.api.names import LABEL_OFFER, LABEL_ROLE
from tender.api.quantities import parse_resources
from tender.api.requests import pod_requests
from tender.cluster.access import load
from tender.cluster.client import Client
from tender.cluster.errors import ApiError, Gone
from tender.cluster.resources import NODES, PODS, RESERVATIONS, RESOURCE_OFFERS, Resource
from tender.cluster.stream import lines

KINDS = (NODES, PODS, RESOURCE_OFFERS, RESERVATIONS)
LAUNCH_SECONDS = 60.0
"""After so long a claim that was not launched returns."""
PATIENCE = 30.0

Manifest = dict[str, Any]
Amounts = Counter[str]


@dataclass(frozen=True)
class Change:
    """An object as of a version; None when it was deleted. `at` is when the observer heard of it."""

    version: int
    kind: Resource
    name: str
    manifest: Manifest | None
    at: float


@dataclass
class Observer:
    """Records what there was. `states` counts those that were checked, `unknown` those that could not be."""

    kubeconfig: Path
    namespace: str
    node_selector: str
    changes: list[Change] = field(default_factory=list)
    gaps: list[tuple[int, int]] = field(default_factory=list)
    states: int = 0
    unknown: int = 0

    @contextmanager
    def watching(self) -> Iterator["Observer"]:
        """Within it everything is recorded; at its end all of it is checked, and printed how much that was."""
        self._stop = threading.Event()
        self._failure: BaseException | None = None
        self._listed = {kind: threading.Event() for kind in KINDS}
        thread = threading.Thread(target=self._run, name="observer")
        thread.start()
        try:
            for listed in self._listed.values():
                assert listed.wait(PATIENCE), "the observer does not see the API server"
            yield self
        finally:
            self._stop.set()
            thread.join(PATIENCE)
        assert self._failure is None, self._failure
        self.check()
        print(f"observer: {self.states} states checked, {self.unknown} not known, {len(self.changes)} changes")

    def check(self) -> None:
        """Play the changes in their order, and check the state after each."""
        state = State()
        for change in sorted(self.changes, key=lambda one: one.version):
            state.apply(change)
            if any(first < change.version < last for first, last in self.gaps):
                self.unknown += 1
                continue
            self.states += 1
            state.check(change)

    def _run(self) -> None:
        try:
            asyncio.run(self._watch())
        except BaseException as error:
            self._failure = error
            for listed in self._listed.values():
                listed.set()

    async def _watch(self) -> None:
        async with Client(load(str(self.kubeconfig)), field_manager="observer") as client:
            followers = [asyncio.create_task(self._follow(client, kind)) for kind in KINDS]
            while not self._stop.is_set():
                await asyncio.sleep(0.05)
                for follower in followers:
                    if follower.done():
                        follower.result()
            await self._complete(client)
            for follower in followers:
                follower.cancel()

    async def _follow(self, client: Client, kind: Resource) -> None:
        version = 0
        while True:
            try:
                if not version:
                    version = await self._list(client, kind)
                async with self._open(client, kind, version) as chunks:
                    rest: list[bytes] = []
                    async for chunk in chunks:
                        for line in lines(chunk, rest):
                            version = self._take(kind, json.loads(line)) or version
            except Gone:
                version = 0
            except ApiError:
                await asyncio.sleep(0.05)

    @asynccontextmanager
    async def _open(self, client: Client, kind: Resource, version: int) -> Any:
        scope = self._scope(kind)
        async with client.watch(kind, resource_version=str(version), seconds=60, inactivity=70, **scope) as chunks:
            yield chunks

    async def _list(self, client: Client, kind: Resource) -> int:
        present, version = await self._read(client, kind)
        known = self._known(kind)
        last = max((change.version for change in self.changes if change.kind is kind), default=0)
        if self._listed[kind].is_set():
            self.gaps.append((last, version))
        for name, manifest in present.items():
            if known.get(name) != manifest["metadata"]["resourceVersion"]:
                self._note(kind, name, manifest)
        for name in known.keys() - present.keys():
            self.changes.append(Change(version, kind, name, None, time.monotonic()))
        self._listed[kind].set()
        return version

    async def _read(self, client: Client, kind: Resource) -> tuple[dict[str, Manifest], int]:
        page = await client.list_page(kind, limit=5000, **self._scope(kind))
        items = [json.loads(bytes(item)) for item in page.items]
        return {item["metadata"]["name"]: item for item in items}, int(page.metadata.resource_version)

    def _scope(self, kind: Resource) -> dict[str, Any]:
        return {"namespace": self.namespace} if kind.namespaced else {"label_selector": self.node_selector}

    def _take(self, kind: Resource, event: Manifest) -> int:
        """Note an event of a watch; the version up to which the watch has come. Raises Gone."""
        manifest = event["object"]
        if event["type"] == "ERROR":
            raise Gone(410, "Expired", str(manifest))
        version = int(manifest["metadata"]["resourceVersion"])
        if event["type"] == "DELETED":
            self.changes.append(Change(version, kind, manifest["metadata"]["name"], None, time.monotonic()))
        elif event["type"] != "BOOKMARK":
            self._note(kind, manifest["metadata"]["name"], manifest)
        return version

    def _note(self, kind: Resource, name: str, manifest: Manifest) -> None:
        version = int(manifest["metadata"]["resourceVersion"])
        self.changes.append(Change(version, kind, name, manifest, time.monotonic()))

    def _known(self, kind: Resource) -> dict[str, str]:
        """What there is of a kind, with versions, going by what was recorded."""
        known: dict[str, str] = {}
        for change in sorted((one for one in self.changes if one.kind is kind), key=lambda one: one.version):
            if change.manifest is None:
                known.pop(change.name, None)
            else:
                known[change.name] = change.manifest["metadata"]["resourceVersion"]
        return known

    async def _complete(self, client: Client) -> None:
        """Wait until the watches have told of everything that there is: the record has missed nothing."""
        for kind in KINDS:
            deadline = time.monotonic() + PATIENCE
            while True:
                present, _ = await self._read(client, kind)
                versions = {name: one["metadata"]["resourceVersion"] for name, one in present.items()}
                if versions == self._known(kind):
                    break
                assert time.monotonic() < deadline, f"the observer has missed changes of {kind.plural}"
                await asyncio.sleep(0.1)


@dataclass
class State:
    """Everything that there was at one version."""

    objects: dict[Resource, dict[str, Manifest]] = field(default_factory=lambda: {kind: {} for kind in KINDS})
    claimed_at: dict[str, float] = field(default_factory=dict)
    launched: dict[tuple[str, str], dict[str, Amounts]] = field(default_factory=dict)
    term: int = 0

    def apply(self, change: Change) -> None:
        """Go on to the next version."""
        present = self.objects[change.kind]
        before = present.pop(change.name, None)
        if change.manifest is not None:
            present[change.name] = change.manifest
        if change.kind is PODS and change.manifest is not None:
            offer = change.manifest["metadata"].get("labels", {}).get(LABEL_OFFER)
            node = change.manifest["spec"].get("nodeName")
            if offer and node:
                pods = self.launched.setdefault((offer, node), {})
                pods[change.name] = _requests(change.manifest)
        if change.kind is RESOURCE_OFFERS and change.manifest is not None:
            if change.manifest["status"]["phase"] == "Claimed":
                self.claimed_at.setdefault(change.name, change.at)
            if before is None:
                self._check_term(change.name, change.manifest)

    def _check_term(self, name: str, offer: Manifest) -> None:
        term = offer["spec"].get("term", 0)
        assert term >= self.term, f"offer {name} of term {term} was made after one of term {self.term}"
        self.term = term

    def check(self, change: Change) -> None:
        """Nothing is given away twice on any node."""
        held, reserved = self._held(change.at), self._reserved()
        for name, node in self.objects[NODES].items():
            room = parse_resources(node["status"]["allocatable"])
            roles = {role for at, role in (*held, *reserved) if at == name}
            total: Amounts = Counter()
            for role in roles:
                used = held.get((name, role), Counter())
                total += used + (reserved.get((name, role), Counter()) - used)
            beyond = {resource: amount for resource, amount in total.items() if amount > room.get(resource, 0)}
            assert not beyond, (
                f"after version {change.version} ({change.kind.plural} {change.name}) node {name} has {room} and"
                f" {dict(total)} is given away"
            )

    def _held(self, now: float) -> dict[tuple[str, str], Amounts]:
        """By node and role: pods that have not ended, open offers, and claims as far as they were not launched."""
        held: dict[tuple[str, str], Amounts] = {}
        for pod in self.objects[PODS].values():
            node = pod["spec"].get("nodeName")
            if node and pod.get("status", {}).get("phase") not in ("Succeeded", "Failed"):
                role = pod["metadata"].get("labels", {}).get(LABEL_ROLE, "")
                held.setdefault((node, role), Counter()).update(_requests(pod))
        for name, offer in self.objects[RESOURCE_OFFERS].items():
            for node, amounts in self._given(name, offer, now):
                held.setdefault((node, offer["spec"]["role"]), Counter()).update(amounts)
        return held

    def _given(self, name: str, offer: Manifest, now: float) -> Iterator[tuple[str, Amounts]]:
        slices = offer["spec"]["slices"]
        match offer["status"]["phase"]:
            case "Offered":
                for one in slices:
                    yield one["node"], Counter(parse_resources(one["resources"]))
            case "Claimed" if now < self.claimed_at[name] + LAUNCH_SECONDS:
                for claim in offer["status"]["claims"]:
                    node = slices[claim["slice"]]["node"]
                    launched = sum(self.launched.get((name, node), {}).values(), Counter[str]())
                    yield node, Counter(parse_resources(claim["resources"])) - launched

    def _reserved(self) -> dict[tuple[str, str], Amounts]:
        reserved: dict[tuple[str, str], Amounts] = {}
        for one in self.objects[RESERVATIONS].values():
            spec = one["spec"]
            reserved.setdefault((spec["node"], spec["role"]), Counter()).update(parse_resources(spec["resources"]))
        return reserved


def _requests(pod: Manifest) -> Amounts:
    return Counter(pod_requests(decode_pod(json.dumps(pod).encode()).spec))
