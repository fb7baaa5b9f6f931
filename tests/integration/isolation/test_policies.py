"""The chart's admission policies: pods of a framework are made by those who may claim it, placed by those who may place
them, and roles are taken part in by those who may use them.
"""

from functools import partial
from pathlib import Path

import pytest
import yaml
from tests.builders import owner_of, template
from tests.integration.conftest import ApiServer
from tests.integration.isolation.tenants import AUTHOR, EDITS, Tenants, refused, waiting_pod
from tests.integration.running.kubelet import Kubelet
from tests.integration.running.parts import controller, master
from tests.integration.running.waiting import until
from tests.integration.running.world import World

from tender.api.names import LABEL_FRAMEWORK
from tender.cluster.errors import Invalid
from tender.cluster.resources import FRAMEWORKS, PODS, RESERVATIONS

COLLECTOR = "system:serviceaccount:kube-system:generic-garbage-collector"
MAY_NOT_CLAIM = "and you may not claim it"


async def make(world: World, name: str, labels: dict[str, str] | None = None, **metadata: object) -> None:
    await world.client.create(PODS, waiting_pod(name, world.namespace, labels, **metadata))


async def change(world: World, name: str, **metadata: object) -> None:
    await world.client.patch(PODS, name, {"metadata": metadata}, namespace=world.namespace)


def judged(api_server: ApiServer, policy: str) -> float:
    """How many requests the API server has put to a policy, going by its metrics."""
    text = api_server.kubectl("get", "--raw", "/metrics").stdout
    name = "apiserver_validating_admission_policy_check_total"
    lines = [line for line in text.splitlines() if line.startswith(name) and f'policy="{policy}"' in line]
    return sum(float(line.rpartition(" ")[2]) for line in lines)


class TestPodsOfAFramework:
    async def test_are_made_by_nobody_who_may_not_claim_it(self, world: World, guarded: Tenants):
        web = await world.add_framework("web")
        editor = await guarded.account("editor", EDITS)
        owner = owner_of("web", web.metadata.uid)
        message = await refused(make(editor, "a", {LABEL_FRAMEWORK: "web"}))
        assert (
            f"the pod is of framework web, by its label tender.dev/framework or its owner, {MAY_NOT_CLAIM}" in message
        )
        assert 'the verb "claim" on frameworks.tender.dev is needed' in message
        assert MAY_NOT_CLAIM in await refused(make(editor, "a", ownerReferences=[owner]))
        assert MAY_NOT_CLAIM in await refused(make(editor, "a", ownerReferences=[{**owner, "controller": False}]))

    async def test_are_not_made_of_others_afterwards(self, world: World, guarded: Tenants):
        web = await world.add_framework("web")
        editor = await guarded.account("editor", EDITS)
        await make(editor, "a", {"app": "a"})
        owner = owner_of("web", web.metadata.uid)
        assert MAY_NOT_CLAIM in await refused(change(editor, "a", labels={LABEL_FRAMEWORK: "web"}))
        assert MAY_NOT_CLAIM in await refused(change(editor, "a", ownerReferences=[owner]))

    async def test_are_taken_off_its_account_by_the_garbage_collector_alone(
        self, world: World, guarded: Tenants, api_server: ApiServer
    ):
        web = await world.add_framework("web")
        owner = owner_of("web", web.metadata.uid)
        await make(world, "a", {LABEL_FRAMEWORK: "web"}, ownerReferences=[owner])
        editor = await guarded.account("editor", EDITS)
        assert MAY_NOT_CLAIM in await refused(change(editor, "a", ownerReferences=None))
        assert MAY_NOT_CLAIM in await refused(change(editor, "a", labels={LABEL_FRAMEWORK: None}))
        assert MAY_NOT_CLAIM in await refused(change(editor, "a", ownerReferences=[{**owner, "controller": False}]))
        await change(editor, "a", labels={"app": "a"})
        where = f"--namespace={world.namespace}"
        patch = '--patch={"metadata": {"ownerReferences": null}}'
        api_server.kubectl("patch", "pod", "a", "--type=merge", patch, where, f"--as={COLLECTOR}")

    async def test_are_made_by_its_author(self, world: World, guarded: Tenants):
        web = await world.add_framework("web")
        author = await guarded.account("author", AUTHOR)
        await author.add_pod("a", "node-1", {"cpu": "1"}, owner=web)

    async def test_of_one_framework_are_made_by_who_may_claim_that_one(self, world: World, guarded: Tenants):
        web, store = [await world.add_framework(name) for name in ("web", "store")]
        editor = await guarded.account("editor", EDITS)
        guarded.allow("editor", "claim", "frameworks", "web")
        await editor.add_pod("a", "node-1", {"cpu": "1"}, owner=web)
        assert MAY_NOT_CLAIM in await refused(make(editor, "b", {LABEL_FRAMEWORK: "store"}))
        disguised = make(editor, "b", {LABEL_FRAMEWORK: "web"}, ownerReferences=[owner_of("store", store.metadata.uid)])
        with pytest.raises(Invalid, match=r"a pod is of one framework, and this one says .* of web and store"):
            await disguised

    async def test_are_all_that_the_policy_is_asked_about(self, world: World, guarded: Tenants, api_server: ApiServer):
        editor = await guarded.account("editor", EDITS)
        before = {policy: judged(api_server, policy) for policy in ("tender-claims", "tender-binding")}
        assert min(before.values()) > 0
        await make(editor, "a", {"app": "a"})
        await change(editor, "a", labels={"app": "b"})
        assert {policy: judged(api_server, policy) for policy in before} == before


class TestAPodThatNamesItsNode:
    async def test_is_made_by_nobody_who_may_not_place_pods(self, world: World, guarded: Tenants):
        editor = await guarded.account("editor", EDITS)
        message = await refused(editor.add_pod("a", "node-1", {"cpu": "1"}))
        assert "spec.nodeName: you may not place pods yourself: leave it to a scheduler" in message

    async def test_is_made_by_who_may_bind_pods(self, world: World, guarded: Tenants):
        editor = await guarded.account("editor", EDITS)
        guarded.allow("editor", "create", "pods/binding")
        await editor.add_pod("a", "node-1", {"cpu": "1"})


class TestARole:
    async def test_is_taken_part_in_by_nobody_who_may_not_use_it(self, world: World, guarded: Tenants):
        editor = await guarded.account("editor", EDITS)
        message = await refused(editor.add_framework("web", role="gold"))
        assert "spec: you may not use role gold in this namespace" in message
        assert 'the verb "use" on frameworkroles.tender.dev of this name is needed' in message
        assert "role default" in await refused(editor.add_framework("web"))

    async def test_is_taken_part_in_by_who_may_use_it_in_that_namespace(self, world: World, guarded: Tenants):
        editor = await guarded.account("editor", EDITS)
        guarded.allow("editor", "use", "frameworkroles", "gold")
        await editor.add_framework("web", role="gold")
        assert "role silver" in await refused(editor.add_framework("more", role="gold", roles=["silver"]))
        assert "role silver" in await refused(editor.change("web", {"role": "silver"}))
        assert "role silver" in await refused(editor.change("web", {"roles": ["silver"]}))

    async def test_is_asked_for_of_as_many_as_a_framework_may_name(self, world: World, guarded: Tenants):
        editor = await guarded.account("editor", EDITS)
        roles = [f"role-{number}" for number in range(16)]
        guarded.allow("editor", "use", "frameworkroles", "gold", *roles)
        await editor.add_framework("web", role="gold", roles=roles)
        others = [*roles[:15], "silver"]
        assert "role silver" in await refused(editor.add_framework("more", role="gold", roles=others))

    async def test_is_kept_by_frameworks_that_are_in_it(self, world: World, guarded: Tenants):
        await world.add_framework("web", role="gold", service={"replicas": 1, "template": template()})
        editor = await guarded.account("editor", EDITS)
        await editor.change("web", {"service": {"replicas": 2}})
        scale = {"spec": {"replicas": 3}}
        await editor.client.patch(FRAMEWORKS, "web", scale, namespace=world.namespace, subresource="scale")

    async def test_is_reserved_for_by_who_may_use_it(self, world: World, guarded: Tenants):
        keeper = await guarded.account("keeper", ("tender-reservations",))
        guarded.allow("keeper", "use", "frameworkroles", "gold")

        async def reserve(role: str) -> None:
            body = {
                "apiVersion": "tender.dev/v1alpha1",
                "kind": "Reservation",
                "metadata": {"name": role, "namespace": world.namespace},
                "spec": {"role": role, "node": "node-1", "resources": {"cpu": "1"}},
            }
            await keeper.client.create(RESERVATIONS, body)

        await reserve("gold")
        assert "role silver" in await refused(reserve("silver"))


class TestTheBuiltInController:
    async def test_runs_services_and_stateful_services_under_all_policies(
        self,
        world: World,
        guarded: Tenants,
        api_server: ApiServer,
        kubelet: Kubelet,
        tmp_path: Path,
        request: pytest.FixtureRequest,
    ):
        await world.add_nodes(2)
        await guarded.account("controller", ())
        account = f"{world.namespace}:controller"
        binding = ("clusterrolebinding", world.named("controller"))
        api_server.kubectl("create", *binding, "--clusterrole=tender-controller", f"--serviceaccount={account}")
        request.addfinalizer(partial(api_server.kubectl, "delete", *binding))
        kubeconfig = tmp_path / "kubeconfig"
        kubeconfig.write_text(yaml.safe_dump(kubeconfig_of(api_server, guarded.token("controller"))))
        await world.add_service("web", 2)
        pods = {"name": "node", "count": 2, "template": template("100m"), "allowDecommission": True}
        await world.add_framework("store", stateful={"pods": [pods]}, role="gold")
        async with master(world, api_server.kubeconfig), controller(world, kubeconfig):

            async def are_ready() -> bool:
                return all([(await world.framework(name)).status.ready_replicas == 2 for name in ("web", "store")])

            await until(are_ready, "two pods of each are ready")
        assert len(await world.client.list_all(RESERVATIONS, namespace=world.namespace)) == 2


def kubeconfig_of(api_server: ApiServer, token: str) -> dict[str, object]:
    server = {"server": api_server.server, "certificate-authority": str(api_server.certificate_authority)}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "here", "cluster": server}],
        "users": [{"name": "me", "user": {"token": token}}],
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
        "current-context": "here",
    }
