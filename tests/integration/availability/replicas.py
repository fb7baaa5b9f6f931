"""Replicas of a program that stand for election, each started anew when it ends by itself, as a kubelet does."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.integration.running.parts import PROGRAM, Part, free_port
from tests.integration.running.waiting import until

from tender.cluster.client import Client
from tender.cluster.resources import LEASES

LEASE_SECONDS = 4
SHORT = (f"--lease-duration={LEASE_SECONDS}", "--lease-renew-deadline=3", "--lease-retry-period=0.5")
"""The times of elections in tests."""
CLOCK = Path(__file__).parent / "clock"


@dataclass
class Replica:
    """One replica. `codes` are the exit codes of those of its lives that ended by themselves."""

    name: str
    command: tuple[str, ...]
    log: Path
    clock: Path
    codes: list[int] = field(default_factory=list)
    lives: int = 0
    part: Part = field(default_factory=lambda: Part(free_port()))
    _is_wanted: bool = True

    async def live(self) -> None:
        """Run until cancelled, life after life."""
        while True:
            environment = os.environ | {
                "PYTHONPATH": os.pathsep.join([str(CLOCK), os.environ.get("PYTHONPATH", "")]),
                "TENDER_TEST_CLOCK": str(self.clock),
            }
            with self.log.open("ab") as output:
                command = [*self.command, f"--port={self.part.port}"]
                self.process = await asyncio.create_subprocess_exec(
                    *command, stdout=output, stderr=output, env=environment
                )
                self.lives += 1
                try:
                    code = await self.process.wait()
                finally:
                    if self.process.returncode is None:
                        self.process.kill()
                        await self.process.wait()
            if not self._is_wanted:
                await asyncio.Event().wait()
            self.part = Part(free_port())
            self.codes.append(code)
            await asyncio.sleep(0.5)

    def kill(self) -> None:
        """End it at once and for good."""
        self._is_wanted = False
        self.process.kill()

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def set_clock(self, seconds: float) -> None:
        """Have its clock show so many seconds more than the right time."""
        aside = self.clock.with_suffix(".new")
        aside.write_text(str(seconds))
        aside.rename(self.clock)

    async def leads(self) -> bool:
        code, text = await self.part.get("/metrics")
        return code == 200 and any(
            line.startswith("tender_leader{") and line.endswith(" 1.0") for line in text.splitlines()
        )


@dataclass
class Replicas:
    """All replicas of one program."""

    members: list[Replica]

    async def leader(self, *, but: Replica | None = None) -> Replica:
        """The one that leads, once one does."""

        async def found() -> Replica | None:
            for one in self.members:
                if one is not but and await one.leads():
                    return one
            return None

        leader: Replica = await until(found, "a leader")
        return leader

    async def standby(self) -> Replica:
        """One that does not lead."""
        leader = await self.leader()
        return next(one for one in self.members if one is not leader)


@contextlib.asynccontextmanager
async def replicas(
    program: str, kubeconfigs: list[Path], folder: Path, namespace: str, *arguments: str, times: tuple[str, ...] = SHORT
) -> AsyncIterator[Replicas]:
    """One replica for each kubeconfig. They have just been started."""
    election = ("--leader-elect", f"--lease-namespace={namespace}", f"--lease-name=tender-{program}", *times)
    members = []
    for number, kubeconfig in enumerate(kubeconfigs):
        name = f"{program}-{number}"
        where = (f"--kubeconfig={kubeconfig}", "--host=127.0.0.1")
        command = (str(PROGRAM), program, *where, *election, *arguments)
        members.append(Replica(name, command, folder / f"{name}.log", folder / f"{name}.clock"))
        members[-1].set_clock(0)
    lives = [asyncio.create_task(one.live()) for one in members]
    try:
        yield Replicas(members)
    except BaseException:
        for one in members:
            print(f"the end of what {one.name} logged:", *one.log.read_text().splitlines()[-25:], sep="\n")
        raise
    finally:
        for life in lives:
            life.cancel()
        await asyncio.gather(*lives, return_exceptions=True)


async def term_of(client: Client, namespace: str, program: str = "master") -> int:
    """The term that the Lease is in."""
    lease = await client.get(LEASES, f"tender-{program}", namespace=namespace)
    return int(lease["spec"]["leaseTransitions"])


def seconds_since(moment: float) -> float:
    return time.monotonic() - moment
