"""`tender drain`: take the pods of frameworks off a node, as their health allows."""

import asyncio
from dataclasses import dataclass, field
from time import monotonic

import click

from tender.api.names import LABEL_FRAMEWORK
from tender.cli.connection import Cluster, Session, with_session
from tender.cli.output import notes
from tender.cli.plan import ask, new_id
from tender.cli.pod import mark
from tender.cli.progress import Seen, Watched, wait_until, waiting_options
from tender.cli.views.draining import Scene, Stateful, Step, left_over, next_steps, standing
from tender.cli.views.standing import Standing
from tender.cluster.errors import ApiError, NotFound
from tender.cluster.resources import FRAMEWORKS, NODES, PODS

_REFUSED_SECONDS = 5.0
"""How long to wait after a disruption budget has refused an eviction."""


@click.command()
@click.argument("node")
@click.option(
    "--stateful",
    type=click.Choice(["stop", "replace"]),
    default="stop",
    show_default=True,
    help="Pods of stateful services: stop them until the node is back, or replace them, without their volumes.",
)
@waiting_options("0s")
@with_session(formats=(), namespaced=False)
def drain(session: Session, node: str, stateful: Stateful, wait: bool, timeout: float | None) -> None:
    """Cordon a node and take the pods of frameworks off it, as their health allows.

    A service exchanges its pods for others on other nodes within minimumHealth and maximumOver. Of a stateful service
    one pod goes after the other, while all those on other nodes are ready. Other frameworks' pods are evicted, and
    disruption budgets hold. Pods that belong to no framework are left: kubectl drain is for them.

    `kubectl uncordon NODE` opens the node again.

    \b
    Examples:
      tender drain node-1
      tender drain node-1 --timeout 10m
      tender drain node-1 --stateful replace
    """

    async def work(cluster: Cluster) -> None:
        await cluster.client.patch(NODES, node, {"spec": {"unschedulable": True}})
        click.echo(f"node/{node} cordoned")
        drain = Drain(cluster, node, stateful)
        if not wait:
            await drain.step()
            return
        await drain.run(timeout)
        on_node = await cluster.client.list_all(PODS, field_selector=f"spec.nodeName={node}")
        if others := left_over(on_node):
            named = f"{', '.join(others[:5])}{' and more' if len(others) > 5 else ''}"
            notes([f"left are pods of no framework ({named}): kubectl drain {node} --ignore-daemonsets"])

    session.run(work)


@dataclass
class Drain:
    """Drains one node: looks, does what can be done now, waits until there is something else to do."""

    cluster: Cluster
    node: str
    stateful: Stateful
    _asked: set[str] = field(default_factory=set)
    _done: bool = False

    async def run(self, timeout: float | None) -> None:
        """Go on until no pod of a framework is left. Raises click.ClickException after `timeout` seconds."""
        ends = None if timeout is None else monotonic() + timeout
        watched = [Watched(PODS, label_selector=LABEL_FRAMEWORK), Watched(FRAMEWORKS)]
        while True:
            left = None if ends is None else max(0.0, ends - monotonic())
            await wait_until(self.cluster.client, watched, self._judge, timeout=left)
            if self._done:
                return
            await self.step()

    async def step(self) -> None:
        """Do all that can be done now."""
        pods = await self.cluster.client.list_all(PODS, label_selector=LABEL_FRAMEWORK)
        frameworks = await self.cluster.client.list_all(FRAMEWORKS)
        by_name = {f"{one['metadata']['namespace']}/{one['metadata']['name']}": one for one in frameworks}
        refused = False
        for step in next_steps(Scene(self.node, pods, by_name), self.stateful, self._asked):
            refused |= not await self._take(step)
        if refused:
            await asyncio.sleep(_REFUSED_SECONDS)

    def _judge(self, seen: Seen) -> Standing:
        scene = Scene(self.node, list(seen[0].values()), seen[1])
        now = standing(scene)
        self._done = now.done
        return Standing(now.text, done=now.done or bool(next_steps(scene, self.stateful, self._asked)))

    async def _take(self, step: Step) -> bool:
        """Take a step; False if a disruption budget does not allow it now."""
        metadata = step.pod["metadata"]
        where = Cluster(self.cluster.client, metadata["namespace"], metadata["namespace"])
        try:
            if step.act == "mark":
                await mark(where, dict(step.pod))
            elif step.act == "replace":
                self._asked.add(metadata["uid"])
                request = {"id": new_id("Replace"), "pod": step.instance, "action": "Replace"}
                await ask(where, step.framework, "podRequests", request)
            else:
                await self.cluster.client.evict(metadata["name"], namespace=metadata["namespace"], uid=metadata["uid"])
        except NotFound:
            return True
        except ApiError as error:
            if error.status != 429:
                raise
            click.echo(f"pod {metadata['namespace']}/{metadata['name']}: its disruption budget forbids it now")
            return False
        return True
