"""The author of a framework of their own: a service account with the rights of ClusterRole tender-framework, and
programs that run in its name.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from tests.integration.conftest import ApiServer
from tests.integration.running.world import World

REPOSITORY = Path(__file__).parents[3]
EXAMPLES = REPOSITORY / "examples" / "third-party"
NAME = "author"
_USER_ROLES = REPOSITORY / "charts" / "tender" / "templates" / "user-roles.yaml"


@dataclass(frozen=True)
class Author:
    """Somebody who may run frameworks in the test's namespace."""

    api_server: ApiServer
    world: World
    kubeconfig: Path

    async def apply(self, manifest: str) -> None:
        """Apply one of the examples, as the administrator."""
        await self._kubectl("apply", f"--namespace={self.world.namespace}", "--filename", str(EXAMPLES / manifest))

    @asynccontextmanager
    async def running(self, *command: str, log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
        """A program in the author's name, killed in the end if it has not ended before."""
        programs = str(self.api_server.cluster.layout.programs)
        environment = {
            **os.environ,
            "KUBECONFIG": str(self.kubeconfig),
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.kubeconfig.parent),
        }
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(*command, stdout=output, stderr=output, env=environment)
            try:
                yield process
            except BaseException:
                _show_end_of(log)
                raise
            finally:
                if process.returncode is None:
                    process.kill()
                await process.wait()

    async def _kubectl(self, *arguments: str, manifest: Any = None) -> str:
        text = None if manifest is None else json.dumps(manifest)
        done = await asyncio.to_thread(self.api_server.kubectl, *arguments, input=text)
        return done.stdout


def _show_end_of(log: Path) -> None:
    print("the end of what it logged:", *log.read_text().splitlines()[-20:], sep="\n")


def rules() -> list[dict[str, Any]]:
    """The rules of the chart's ClusterRole tender-framework."""
    text = _USER_ROLES.read_text()
    rules: list[dict[str, Any]] = yaml.safe_load(text[text.index("rules:") : text.index("\n---")])["rules"]
    return rules


async def author_in(world: World, api_server: ApiServer, folder: Path) -> Author:
    """A new author for the namespace of the test."""
    author = Author(api_server, world, folder / "author.kubeconfig")
    rbac, namespace = "rbac.authorization.k8s.io", world.namespace
    role = {"apiVersion": f"{rbac}/v1", "kind": "ClusterRole", "metadata": {"name": "tender-framework"}}
    binding = {
        "apiVersion": f"{rbac}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": NAME, "namespace": namespace},
        "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": "tender-framework"},
        "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": namespace}],
    }
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": NAME, "namespace": namespace}}
    objects = [{**role, "rules": rules()}, account, binding]
    await author._kubectl(
        "apply", "--server-side", "-f", "-", manifest={"apiVersion": "v1", "kind": "List", "items": objects}
    )
    token = (await author._kubectl("create", "token", NAME, f"--namespace={namespace}")).strip()
    server = {"server": api_server.server, "certificate-authority": str(api_server.certificate_authority)}
    context = {"cluster": "local", "user": NAME, "namespace": namespace}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "local", "cluster": server}],
        "users": [{"name": NAME, "user": {"token": token}}],
        "contexts": [{"name": "local", "context": context}],
        "current-context": "local",
    }
    author.kubeconfig.write_text(yaml.safe_dump(content))
    return author
