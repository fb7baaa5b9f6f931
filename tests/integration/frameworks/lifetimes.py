"""A workload with a controller that is killed and started again: one run of the tests of crashes."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.integration.frameworks.volumes import Volumes
from tests.integration.frameworks.warm import Starter, kill
from tests.integration.frameworks.workloads import Workload
from tests.integration.running.kubelet import Kubelet
from tests.integration.running.meddling import Death, Meddling
from tests.integration.running.waiting import until
from tests.integration.running.world import SERVICE_ACCOUNTS, World

from tender.api.core import Pod
from tender.cluster.resources import NAMESPACES

PATIENCE = 50.0
"""Seconds until everything is as wanted: less than the 60 after which a claim that was lost returns by itself."""


@dataclass(frozen=True)
class Killing:
    """When a life of the controller ends: at which of its writes, and whether that one takes effect."""

    at_write: int
    takes_effect: bool


@dataclass
class Run:
    """A workload in a namespace of its own, with its kubelet, and its controller behind a proxy."""

    workload: Workload
    world: World
    proxy: Meddling
    starter: Starter
    kubelet: Kubelet
    log: Path
    lives: int = 0
    _pid: asyncio.Task[int] | None = None
    _supervisor: asyncio.Task[None] | None = None

    async def start(self, *killings: Killing) -> None:
        """Start the controller; it is started again after each of these ends, and then left alone."""
        self._supervisor = asyncio.create_task(self._supervise(killings))

    async def _supervise(self, killings: Sequence[Killing]) -> None:
        for killing in killings:
            self.proxy.death = death = Death(killing.at_write, killing.takes_effect, self._kill)
            await self._live()
            await death.happened.wait()
        self.proxy.death = None
        await self._live()

    async def _live(self) -> None:
        self.lives += 1
        kubeconfig = self.proxy.kubeconfig_of(f"life-{self.lives}")
        arguments = ["controller", f"--namespace={self.world.namespace}", f"--kubeconfig={kubeconfig}"]
        start = self.starter.start(*arguments, "--host=127.0.0.1", "--port=0", log=self.log)
        self._pid = asyncio.create_task(start)
        await asyncio.shield(self._pid)

    async def _kill(self) -> None:
        if self._pid is not None:
            kill(await asyncio.shield(self._pid))

    async def stop(self) -> None:
        """The controller is killed for good."""
        if self._supervisor is not None:
            self._supervisor.cancel()
            await asyncio.gather(self._supervisor, return_exceptions=True)
        await self._kill()

    async def settles(self, count: int, image: str) -> list[Pod]:
        """Wait until everything is as wanted; the pods."""
        try:
            await until(
                lambda: self.workload.is_as_wanted(self.world, count, image),
                f"{count} pods of {image}",
                patience=PATIENCE,
                pause=0.2,
            )
        except AssertionError:
            pods = await self.world.pods(self.workload.name)
            print(f"{self.world.namespace}, life {self.lives}:", *_end_of(self.log), sep="\n")
            print((await self.world.framework(self.workload.name)).status)
            print("differs:", await self.workload.differs(self.world, pods, count, image))
            raise
        return await self.world.pods(self.workload.name)


@asynccontextmanager
async def run_in(world: World, starter: Starter, folder: Path, rng: Random, workload: Workload) -> AsyncIterator[Run]:
    """A run in a new namespace, on the nodes of the test's world."""
    name = f"run-{secrets.token_hex(4)}"
    client = world.client
    await client.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    account = {"metadata": {"name": "default", "namespace": name}}
    await client.apply(SERVICE_ACCOUNTS, {"apiVersion": "v1", "kind": "ServiceAccount", **account})
    (folder / name).mkdir()
    own = World(client, name, world.clock)
    async with (
        Meddling(client.access, folder / name, rng=rng) as proxy,
        Kubelet(client, name).running() as kubelet,
        Volumes(client, name).running(),
    ):
        run = Run(workload, own, proxy, starter, kubelet, folder / name / "log")
        try:
            yield run
        finally:
            with contextlib.suppress(Exception):
                await run.stop()


def _end_of(log: Path) -> list[str]:
    return log.read_text().splitlines()[-20:] if log.exists() else []
