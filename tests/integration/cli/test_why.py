"""`tender why` on a real API server, with a real master where it matters."""

from datetime import timedelta
from typing import Any

from tests.integration.cli.conftest import CommandLine
from tests.integration.cli.masterpod import master_in_a_pod
from tests.integration.cli.telling import holds, tell
from tests.integration.conftest import ApiServer
from tests.integration.running.waiting import until
from tests.integration.running.world import World, demand

READING_FRAMEWORKS = {"apiGroups": ["tender.dev"], "resources": ["frameworks"], "verbs": ["get"]}
LISTING_PODS = {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}


async def test_the_master_tells_it_in_full(world: World, cli: CommandLine, api_server: ApiServer):
    role = world.named("ml")
    await world.add_role(role, quota={"limit": {"cpu": "3"}})
    await world.add_nodes(3, cpu="4", memory="8Gi")
    await world.add_node(world.named("full"), "1", "8Gi", {})
    await world.add_framework("trainer", role=role)
    await world.declare("trainer", demand("worker", 4, requests={"cpu": "2", "memory": "1Gi"}))
    async with master_in_a_pod(world, api_server.kubeconfig) as part:
        await world.an_offer("trainer")
        await part.cycles()
        await cli.run("why", "trainer", "--tender-namespace", world.namespace)
        await cli.run("why", "trainer", "-o", "wide", env={"TENDER_NAMESPACE": world.namespace})
        reader = cli.of_user(READING_FRAMEWORKS, LISTING_PODS)
        await until(lambda: of_trainer(world), "reasons in the status")
        await reader.run("why", "trainer", "--tender-namespace", world.namespace)
    cli.matches("why")


async def of_trainer(world: World) -> bool:
    allocation = (await world.framework("trainer")).status.allocation
    return allocation is not None and {one.reason for one in allocation.not_offered} == {"Quota", "Exhausted"}


async def test_without_the_master_the_statuses_tell_it(world: World, cli: CommandLine):
    await world.add_service("web", 3)
    since = (cli.now - timedelta(minutes=12)).isoformat()
    message = "node-1: constraint Unique on metadata.name: 'node-1' has 1 task already"
    allocation = {
        "notOffered": [
            {"reason": "Filtered", "nodes": 2, "message": "as much was refused a short time ago; it is offered again"},
            {"reason": "Tainted", "nodes": 1, "message": "taint a=b:NoSchedule is not tolerated; add a toleration"},
        ]
    }
    waiting = {
        "since": since,
        "tasks": 1,
        "reasons": [
            {"reason": "Constraint", "nodes": 2, "message": message},
            {"reason": "CPU", "nodes": 1, "message": "node-3: 1 of cpu is asked for, 500m is left"},
        ],
    }
    launching = holds(cli, "Reconciling", "Launching", "launching 3 pods as offers come")
    await tell(world, "web", readyReplicas=2, conditions=[launching], waiting=waiting, allocation=allocation)
    await cli.run("why", "web")
    await cli.of_user(READING_FRAMEWORKS).run("why", "web")
    await cli.run("why", "web", "-o", "json")
    await cli.run("why", "typo")
    cli.matches("why-by-statuses")


async def test_what_waits_for_no_place_is_told_what_else_it_waits_for(world: World, cli: CommandLine):
    for name in ("ready", "failing", "blocked", "new"):
        await world.add_service(name, 1)
    await world.add_framework("suppressed")
    until_then = (cli.now + timedelta(minutes=1)).isoformat()
    ready: dict[str, Any] = {"demand": [], "readyReplicas": 1}
    await tell(world, "ready", **ready, conditions=[holds(cli, "Ready", "AsSpecified", "1 of 1 pods are ready")])
    failing = holds(cli, "Reconciling", "BackingOff", "pods have failed 3 times in a row (web-1: exit code 1)")
    await tell(world, "failing", demand=[], conditions=[failing], backoff={"failures": 3, "until": until_then})
    blocked = holds(cli, "Stalled", "NotExposable", "spec.service.expose: no port has a name; name the ports")
    await tell(world, "blocked", demand=[], conditions=[blocked])
    await tell(world, "suppressed", demand=[])
    for name in ("ready", "failing", "blocked", "new", "suppressed"):
        await cli.run("why", name)
    cli.matches("why-not-for-a-place")
