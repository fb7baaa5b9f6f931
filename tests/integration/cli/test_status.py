"""`tender status` and `tender version` on a real API server."""

from tests.integration.cli.conftest import CommandLine
from tests.integration.cli.masterpod import add_master_pod, own_address
from tests.integration.cli.telling import holds, tell
from tests.integration.running.world import World, template

from tender.api.names import API_VERSION
from tender.cluster.resources import FRAMEWORK_ROLES, NODES, RESERVATIONS

READING = {"apiGroups": ["tender.dev"], "resources": ["frameworkroles", "frameworks"], "verbs": ["list"]}


async def fill(world: World, cli: CommandLine) -> None:
    """Two nodes, one of them cordoned, a role, two frameworks, a reservation, and a pod outside of frameworks."""
    await world.client.delete_collection(NODES)
    first, second = await world.add_nodes(2)
    await world.cordon(second)
    await world.add_role("shop", weight=2, quota={"limit": {"cpu": "6"}})
    await world.client.patch_status(
        FRAMEWORK_ROLES,
        "shop",
        {
            "dominantShare": "0.2500",
            "frameworks": 1,
            "quota": [{"resource": "cpu", "limit": "6", "consumed": "1500m", "offered": "500m"}],
        },
    )
    await world.add_framework("web", role="shop", service={"replicas": 3, "template": template()})
    await world.add_framework("batch")
    ready = holds(cli, "Ready", "AsSpecified", "3 of 3 pods are ready")
    allocation = {
        "dominantShare": "0.2500",
        "allocated": {"cpu": "1500m", "memory": "3Gi", "pods": "3"},
        "offered": {"cpu": "500m", "memory": "1Gi", "pods": "1"},
    }
    await tell(world, "web", conditions=[ready], readyReplicas=3, allocation=allocation)
    kept = {"node": first, "role": "shop", "resources": {"cpu": "1"}}
    reservation = {"apiVersion": API_VERSION, "kind": "Reservation", "metadata": {"name": "kept"}, "spec": kept}
    await world.client.create(RESERVATIONS, reservation, namespace=world.namespace)
    await world.client.patch_status(RESERVATIONS, "kept", {"unused": {"cpu": "1"}}, namespace=world.namespace)
    await world.add_pod("other", first, {"cpu": "250m", "memory": "512Mi"})


async def test_the_cluster_is_shown_at_a_glance(world: World, cli: CommandLine):
    await fill(world, cli)
    await cli.run("status")
    await cli.run("status", "-o", "yaml")
    await cli.of_user(READING).run("status")
    cli.matches("status")


async def test_who_sees_one_namespace_only_is_shown_that(world: World, cli: CommandLine):
    await fill(world, cli)
    await cli.of_user(READING, within=world.namespace).run("status")
    cli.matches("status-of-a-namespace")


async def test_versions_are_told_of_this_program_the_master_and_kubernetes(world: World, cli: CommandLine):
    await add_master_pod(world, own_address(), 8080)
    await cli.run("version", "--client")
    await cli.run("version", "--tender-namespace", world.namespace)
    await cli.run("version", "--tender-namespace", world.namespace, "-o", "json")
    await cli.of_user().run("version")
    await cli.run("version", "--kubeconfig", "/nowhere")
    cli.matches("version")
