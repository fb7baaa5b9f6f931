"""How long the master takes from its start to its first offer in a large cluster, and how much memory.

The cluster is a synthetic API server in a process of its own (`synthetic_server`): 10,000 nodes and 50,000 pods of the
usual size. The master is the real program.

Run: python -m tests.bench.startup [--pods N] [--nodes N] [--rounds N]
"""

import argparse
import asyncio
import json
import os
import re
import socket
import statistics
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any

from tests.bench.report import cpu_seconds, print_table, write_json
from tests.bench.tender_running import PROGRAM

PATIENCE_SECONDS = 120.0
BUDGET = {"seconds_to_first_offer": 20.0, "peak_rss_mib": 400.0}


async def run(nodes: int, pods: int, rounds: int) -> dict[str, Any]:
    """Start the master so many times; the figures."""
    port = _free_port()
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.synthetic_server", str(port), str(nodes), str(pods)), stdout=PIPE
    )
    try:
        await _line(server, "serving")
        results = [await _start_master(port, nodes, pods) for _ in range(rounds)]
    finally:
        server.terminate()
        await server.wait()
    return {
        **{name: statistics.median(result[name] for result in results) for name in results[0]},
        "nodes": nodes,
        "pods": pods,
        "rounds": results,
    }


async def _start_master(port: int, nodes: int, pods: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "kubeconfig"
        config.write_text(json.dumps(_kubeconfig(port)))
        metrics_port = _free_port()
        begun = time.monotonic()
        master = await asyncio.create_subprocess_exec(
            *(str(PROGRAM), "master", "--kubeconfig", str(config), "--host", "127.0.0.1"),
            *("--port", str(metrics_port), "--log-level", "warning"),
        )
        try:
            seconds = await _until_first_offer(metrics_port, begun)
            return {
                "seconds_to_first_offer": seconds,
                "peak_rss_mib": _peak_rss_mib(master.pid),
                "cpu_seconds": cpu_seconds(master.pid),
            }
        finally:
            master.terminate()
            await master.wait()


async def _until_first_offer(port: int, begun: float) -> float:
    """Seconds until the master's own counter says that an offer was made."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            text = await asyncio.to_thread(_metrics, port)
            made = re.findall(r'^tender_offers_total\{.*outcome="made".*\} ([0-9.]+)', text, re.MULTILINE)
            if sum(map(float, made)) >= 1:
                return time.monotonic() - begun
            await asyncio.sleep(0.05)


def _metrics(port: int) -> str:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(b"GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n")
            return b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    except OSError:
        return ""


def _peak_rss_mib(pid: int) -> float:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found.group(1)) / 1024 if found else 0.0


def _kubeconfig(port: int) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "bench",
        "contexts": [{"name": "bench", "context": {"cluster": "bench", "user": "bench"}}],
        "clusters": [{"name": "bench", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "bench", "user": {}}],
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _line(process: Process, text: str) -> None:
    if process.stdout is None:
        raise RuntimeError("the process has no standard output to read")
    async with asyncio.timeout(PATIENCE_SECONDS):
        while text not in (await process.stdout.readline()).decode():
            pass


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--nodes", type=int, default=10_000)
    parser.add_argument("--pods", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    os.environ.pop("KUBECONFIG", None)
    result = asyncio.run(run(arguments.nodes, arguments.pods, arguments.rounds))
    rows = [
        [
            f"{name.replace('_', ' ')}",
            f"{result[name]:.1f}",
            f"{budget:.0f}",
            *(f"{one[name]:.1f}" for one in result["rounds"]),
        ]
        for name, budget in BUDGET.items()
    ]
    print(f"start of the master with {arguments.nodes} nodes and {arguments.pods} pods")
    print_table(["figure", "median", "budget", *(f"round {number + 1}" for number in range(arguments.rounds))], rows)
    print(f"written to {write_json('startup', result)}")


if __name__ == "__main__":
    main()
