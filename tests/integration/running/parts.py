"""The master and the controller as tests run them: within the test where a setting matters, as programs to kill."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
from prometheus_client.parser import text_string_to_metric_families
from tests.integration.running.waiting import until
from tests.integration.running.world import World

from tender.api.framework import Framework
from tender.api.names import MANAGER_SERVICE
from tender.cli.parts import built_in_planners
from tender.cluster.resources import Resource
from tender.controller.factory import run_controller
from tender.controller.kinds import EVERYTHING
from tender.controller.settings import ControllerSettings
from tender.frameworks.sdk import Planner
from tender.master.factory import run_master
from tender.master.settings import MasterSettings

PROGRAM = Path(sys.executable).with_name("tender")
QUICK: dict[str, Any] = {"interval": 0.1, "status_interval": 0.2}
"""Settings of a master whose effects are waited for."""


@dataclass(frozen=True)
class Part:
    """A running part of Tender, as seen from outside."""

    port: int

    async def get(self, path: str) -> tuple[int, str]:
        """The answer to a request; code 0 when nobody listens."""
        try:
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"http://127.0.0.1:{self.port}{path}") as answer,
            ):
                return answer.status, await answer.text()
        except aiohttp.ClientConnectionError:
            return 0, "nobody listens"

    async def figures(self) -> dict[str, float]:
        """All samples of /metrics as "name" or "name{label=value,…}", as soon as it serves them."""

        async def text_of_metrics() -> str:
            code, text = await self.get("/metrics")
            return text if code == 200 else ""

        text = await until(text_of_metrics, "metrics")
        figures = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
                figures[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
        return figures

    async def shows(self, expected: Mapping[str, float]) -> None:
        """Wait until the metrics have these values."""
        figures: dict[str, float] = {}

        async def as_expected() -> bool:
            figures.update(await self.figures())
            return all(figures.get(name) == value for name, value in expected.items())

        try:
            await until(as_expected, "the figures")
        except AssertionError:
            assert {name: figures.get(name) for name in expected} == expected

    async def ready(self) -> None:
        """Wait until it says so."""

        async def is_ready() -> bool:
            return (await self.get("/readyz"))[0] == 200

        await until(is_ready, "readiness")

    async def cycles(self, count: int = 3) -> None:
        """Wait for so many allocation cycles more: time enough for what must not happen."""
        name = "tender_cycle_duration_seconds_count"
        goal = (await self.figures())[name] + count

        async def are_done() -> bool:
            return (await self.figures())[name] >= goal

        await until(are_done, f"{count} cycles")


@asynccontextmanager
async def master(world: World, kubeconfig: Path, *, rng: Random | None = None, **settings: Any) -> AsyncIterator[Part]:
    """A master within the test, on the test's clock and nodes; it has just been started."""
    part = Part(free_port())
    chosen = MasterSettings(
        kubeconfig=str(kubeconfig),
        node_selector=world.node_selector,
        port=part.port,
        **{"host": "127.0.0.1", **QUICK, **settings},
    )
    stop = asyncio.Event()
    async with _within(run_master(chosen, clock=world.clock, rng=rng, stop=stop), stop):
        yield part


@asynccontextmanager
async def controller(
    world: World,
    kubeconfig: Path,
    *,
    planners: Mapping[str, Planner] | None = None,
    selects: Callable[[Framework], bool] | None = None,
    follows: Collection[Resource] = EVERYTHING,
    **settings: Any,
) -> AsyncIterator[Part]:
    """A controller within the test, of services unless it has planners of its own; it has just been started."""
    part = Part(free_port())
    chosen = ControllerSettings(
        kubeconfig=str(kubeconfig),
        namespaces=(world.namespace,),
        host="127.0.0.1",
        port=part.port,
        **{"status_interval": 0.2, **settings},
    )
    stop = asyncio.Event()
    work = run_controller(
        chosen,
        planners or built_in_planners(0),
        manager=MANAGER_SERVICE,
        selects=selects,
        follows=follows,
        clock=world.clock,
        stop=stop,
    )
    async with _within(work, stop):
        yield part


@asynccontextmanager
async def program(
    *arguments: str, kubeconfig: Path, log: Path
) -> AsyncIterator[tuple[Part, asyncio.subprocess.Process]]:
    """`tender` as a process, killed in the end if it has not been before."""
    part = Part(free_port())
    command = [str(PROGRAM), *arguments, f"--kubeconfig={kubeconfig}", "--host=127.0.0.1", f"--port={part.port}"]
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(*command, stdout=output, stderr=output)
        try:
            yield part, process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@asynccontextmanager
async def _within(work: Coroutine[Any, Any, None], stop: asyncio.Event) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        stop.set()
        async with asyncio.timeout(30):
            await task
