"""Tender's master and controller as processes beside a benchmark, with service account tokens as in a cluster."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from cluster import LocalCluster

PROGRAM = Path(sys.executable).parent / "tender"
PARTS = ("master", "controller")
START_SECONDS = 5.0
END_SECONDS = 30.0


def token_kubeconfig(cluster: LocalCluster, name: str) -> Path:
    """A kubeconfig with the token of a service account of this name, which may do everything."""
    cluster.kubectl("create", "serviceaccount", name, check=False)
    binding = ("clusterrolebinding", name, "--clusterrole=cluster-admin", f"--serviceaccount=default:{name}")
    cluster.kubectl("create", *binding, check=False)
    token = cluster.kubectl("create", "token", name, "--duration=24h").stdout.strip()
    config = json.loads(cluster.kubeconfig.read_text())
    config["users"][0]["user"] = {"token": token}
    path = cluster.layout.root / f"{name}.kubeconfig"
    path.write_text(json.dumps(config))
    return path


@contextlib.asynccontextmanager
async def tender_running(cluster: LocalCluster, kubeconfig: Path) -> AsyncIterator[dict[str, int]]:
    """Master and controller run inside; gives their process ids."""
    processes: dict[str, asyncio.subprocess.Process] = {}
    try:
        for part in PARTS:
            with (cluster.layout.logs / f"tender-{part}.log").open("ab") as log:
                processes[part] = await asyncio.create_subprocess_exec(
                    *(str(PROGRAM), part, "--kubeconfig", str(kubeconfig), "--host", "127.0.0.1", "--port", "0"),
                    stdout=log,
                    stderr=log,
                )
        await asyncio.sleep(START_SECONDS)
        yield {part: process.pid for part, process in processes.items()}
    finally:
        for process in processes.values():
            process.terminate()
        for part, process in processes.items():
            try:
                await asyncio.wait_for(process.wait(), END_SECONDS)
            except TimeoutError:
                print(f"{part} has not ended within {END_SECONDS:.0f} s; it is killed", flush=True)
                process.kill()
                await process.wait()
