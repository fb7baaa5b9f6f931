"""`kubectl tender …`: kubectl runs the program kubectl-tender, and asks kubectl_complete-tender what may follow."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.integration.cli.conftest import CommandLine
from tests.integration.conftest import ApiServer
from tests.integration.running.world import World


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A PATH with the programs as the package installs them."""
    programs = {
        "kubectl-tender": "from tender.cli import kubectl; kubectl()",
        "kubectl_complete-tender": "from tender.cli.completion import kubectl_complete; kubectl_complete()",
    }
    for name, text in programs.items():
        file = tmp_path / "bin" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"#!{sys.executable}\n{text}\n")
        file.chmod(0o755)
    return f"{tmp_path / 'bin'}:{os.environ['PATH']}"


async def test_kubectl_runs_and_completes_it(world: World, cli: CommandLine, api_server: ApiServer, path: str):
    await world.add_service("web", 3)
    kubectl = str(api_server.cluster.layout.programs / "kubectl")
    environment = {**os.environ, "PATH": path, "KUBECONFIG": str(cli.kubeconfig)}

    def run(*arguments: str) -> str:
        done = subprocess.run([kubectl, *arguments], env=environment, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    assert run("tender", "frameworks", "-o", "name") == "framework.tender.dev/web\n"
    assert run("tender", "frameworks", "--help").startswith("Usage: kubectl tender frameworks [OPTIONS]")
    assert run("__complete", "tender", "why", "w").splitlines()[0] == "web"
    assert run("__complete", "tender", "fra").splitlines()[0].startswith("frameworks\tList frameworks")
