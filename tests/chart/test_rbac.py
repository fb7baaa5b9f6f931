"""Rights: few, explained where they are given, and written down as they are."""

import itertools
import re
from collections.abc import Iterator

import pytest
from tests.chart.helm import CHART, COMPONENTS, REPOSITORY, Helm, Manifest, Rendered
from tests.chart.permissions import Right, aggregated, granted

DOCUMENT = (REPOSITORY / "docs" / "rbac.md").read_text()
SECTIONS = {
    "## The master": "tender-master",
    "## The controller": "tender-controller",
    "## Frameworks of your own": "tender-framework",
    "## Who may reserve": "tender-reservations",
}
PEOPLE = {"### tender-view": "tender-view", "### tender-edit": "tender-edit", "### tender-operate": "tender-operate"}
LEASE_ROLES = ("tender-master-lease", "tender-controller-lease")


@pytest.fixture(scope="module")
def rendered(helm: Helm) -> Rendered:
    return helm.template()


def documented(section: str) -> Iterator[Right]:
    """The rights of the table in a section: API group, resources, verbs and why."""
    text = re.split(r"\n##+ ", DOCUMENT.split(f"{section}\n")[1])[0]
    for row in re.findall(r"^\| (.+?) \| (`.+?`) \| ([a-z, ]+) \| .+ \|$", text, re.MULTILINE):
        group, resources, verbs = (cell.replace("`", "") for cell in row)
        for resource, verb in itertools.product(resources.split(", "), verbs.split(", ")):
            yield Right("" if group == "core" else group, resource, verb)


def roles(rendered: Rendered) -> list[Manifest]:
    return rendered.of("ClusterRole") + rendered.of("Role")


class TestEveryRole:
    def test_names_what_it_grants(self, rendered: Rendered):
        for role in roles(rendered):
            assert "*" not in {word for right in granted([role]) for word in right}
            rules = role.get("rules", ())
            assert all(rule.keys() - {"resourceNames"} == {"apiGroups", "resources", "verbs"} for rule in rules)

    def test_grants_nothing_that_leads_to_more(self, rendered: Rendered):
        for right in granted(roles(rendered)):
            assert right.group in {"", "tender.dev", "events.k8s.io", "apps", "coordination.k8s.io"}
            assert right.group != "apps" or right.resource == "controllerrevisions"
            assert right.group != "coordination.k8s.io" or right.resource == "leases"
            assert right.resource not in {"secrets", "serviceaccounts", "serviceaccounts/token"}
            assert right.verb not in {"bind", "escalate", "impersonate"}

    @pytest.mark.parametrize(
        "template", ["master-rbac.yaml", "controller-rbac.yaml", "leases.yaml", "user-roles.yaml", "_admission.tpl"]
    )
    def test_says_why_at_every_rule(self, template: str):
        lines = (CHART / "templates" / template).read_text().splitlines()
        for above, line in itertools.pairwise(lines):
            if line.lstrip().startswith("- apiGroups:"):
                assert above.lstrip().startswith("# "), line


class TestEveryComponent:
    @pytest.mark.parametrize("component", COMPONENTS)
    def test_is_bound_to_its_own_roles_alone(self, rendered: Rendered, component: str):
        bindings = [
            each["roleRef"]["name"]
            for each in rendered.of("ClusterRoleBinding") + rendered.of("RoleBinding")
            if any(subject["name"] == f"tender-{component}" for subject in each["subjects"])
        ]
        assert bindings == [f"tender-{component}", f"tender-{component}-lease"]

    def test_of_the_first_level_cannot_make_pods_and_of_the_second_cannot_make_offers(self, rendered: Rendered):
        master = granted([rendered.one("ClusterRole", "tender-master")])
        controller = granted([rendered.one("ClusterRole", "tender-controller")])
        assert Right("", "pods", "create") in controller - master
        assert Right("tender.dev", "resourceoffers", "create") in master - controller

    def test_of_some_namespaces_has_the_same_rights_in_each_and_sees_nodes(self, helm: Helm, rendered: Rendered):
        everywhere = granted([rendered.one("ClusterRole", "tender-controller")])
        some = helm.template("controller.namespaces={shop,bank}")
        nodes = granted([some.one("ClusterRole", "tender-system-tender-controller-nodes")])
        assert nodes == {Right("", "nodes", "list"), Right("", "nodes", "watch")}
        of_work = [role for role in some.of("Role") if role["metadata"]["name"] == "tender-controller"]
        assert {role["metadata"]["namespace"] for role in of_work} == {"bank", "shop"}
        assert all(granted([role]) == everywhere - nodes for role in of_work)

    @pytest.mark.parametrize("component", COMPONENTS)
    def test_reads_and_writes_no_lease_but_its_own(self, helm: Helm, component: str):
        rendered = helm.template("controller.namespaces={shop,bank}")
        rules = rendered.one("Role", f"tender-{component}-lease")["rules"]
        [name] = [
            each.partition("=")[2] for each in rendered.container(component)["args"] if each.startswith("--lease-name=")
        ]
        assert name == f"tender-{component}"
        named = [rule for rule in rules if rule["resources"] == ["leases"] and rule["verbs"] != ["create"]]
        assert [rule["resourceNames"] for rule in named] == [[name]]

    def test_alone_touches_config_maps_if_it_is_the_controller(self, rendered: Rendered):
        for role in roles(rendered):
            touches = any(right.resource == "configmaps" for right in granted([role]))
            assert touches == (role["metadata"]["name"] == "tender-controller")


class TestTheDocument:
    @pytest.mark.parametrize(("section", "role"), (SECTIONS | PEOPLE).items())
    def test_lists_the_rights_of_each_role(self, rendered: Rendered, section: str, role: str):
        assert set(documented(section)) == granted([rendered.one("ClusterRole", role)])

    @pytest.mark.parametrize("role", LEASE_ROLES)
    def test_lists_the_rights_to_lead(self, rendered: Rendered, role: str):
        assert set(documented("## Leases")) == granted([rendered.one("Role", role)])

    def test_names_every_role(self, rendered: Rendered):
        for role in roles(rendered):
            assert f"`{role['metadata']['name']}`" in DOCUMENT


class TestTheRolesOfPeople:
    def test_extend_what_the_clusters_roles_hold(self, rendered: Rendered):
        assert extended(rendered, "tender-view") == {"view", "edit", "admin"}
        assert extended(rendered, "tender-edit") == {"edit", "admin"}
        for role in roles(rendered):
            if role["metadata"]["name"] not in {"tender-view", "tender-edit"}:
                assert extended(rendered, role["metadata"]["name"]) == set()

    def test_can_be_kept_out_of_them(self, helm: Helm, rendered: Rendered):
        apart = helm.template("rbac.aggregateToDefaultRoles=false")
        for role in roles(apart):
            assert extended(apart, role["metadata"]["name"]) == set()
        assert granted(roles(apart)) == granted(roles(rendered))

    def test_are_gathered_for_who_looks_who_runs_frameworks_and_who_decides(self, rendered: Rendered):
        view, edit, operate = [granted([rendered.one("ClusterRole", name)]) for name in PEOPLE.values()]
        assert aggregated(roles(rendered), "tender-viewer") == view
        assert aggregated(roles(rendered), "tender-editor") == view | edit
        assert aggregated(roles(rendered), "tender-operator") == view | operate

    def test_show_everything_of_tender_to_who_looks(self, rendered: Rendered):
        kinds = {crd["spec"]["names"]["plural"] for crd in rendered.of("CustomResourceDefinition")}
        seen = {right.resource for right in aggregated(roles(rendered), "tender-viewer")}
        assert seen == kinds
        assert {right.verb for right in aggregated(roles(rendered), "tender-viewer")} == {"get", "list", "watch"}

    def test_let_nobody_decide_about_shares_and_run_frameworks_at_once(self, rendered: Rendered):
        editor, operator = [aggregated(roles(rendered), f"tender-{who}") for who in ("editor", "operator")]
        assert {right.resource for right in writing(editor)} == {"frameworks", "frameworks/scale"}
        assert {right.resource for right in writing(operator)} == {"frameworkroles", "reservations"}

    def test_touch_no_offer_and_no_status(self, rendered: Rendered):
        for who in ("viewer", "editor", "operator"):
            rights = writing(aggregated(roles(rendered), f"tender-{who}"))
            assert not [right for right in rights if right.resource.startswith("resourceoffers")]
            assert not [right for right in rights if right.resource.endswith("/status")]

    def test_grow_by_roles_of_others_with_the_same_label(self, rendered: Rendered):
        other = {
            "metadata": {"name": "more", "labels": {"tender.dev/aggregate-to-viewer": "true"}},
            "rules": [{"apiGroups": ["example.com"], "resources": ["reports"], "verbs": ["get"]}],
        }
        assert Right("example.com", "reports", "get") in aggregated([*roles(rendered), other], "tender-viewer")


class TestThePolicies:
    def test_give_the_controller_what_they_ask_for_and_only_then(self, helm: Helm, rendered: Rendered):
        before = granted([rendered.one("ClusterRole", "tender-controller")])
        claim, use = Right("tender.dev", "frameworks", "claim"), Right("tender.dev", "frameworkroles", "use")
        for policy, needs in (("claim", claim), ("bind", claim), ("role", use)):
            under = helm.template(f"admission.{policy}Policy.enabled=true")
            assert granted([under.one("ClusterRole", "tender-controller")]) - before == {needs}
            alone = helm.template(f"admission.{policy}Policy.enabled=true", "controller.namespace=shop")
            assert needs in granted(alone.of("Role"))


def extended(rendered: Rendered, name: str) -> set[str]:
    """The cluster's own roles that a role is added to."""
    [labels] = [role["metadata"]["labels"] for role in roles(rendered) if role["metadata"]["name"] == name]
    return {label.rpartition("-")[2] for label in labels if label.startswith("rbac.authorization.k8s.io/aggregate-to-")}


def writing(rights: set[Right]) -> set[Right]:
    """Those that change something."""
    return {right for right in rights if right.verb not in {"get", "list", "watch"}}


class TestNoRoles:
    def test_are_created_where_others_give_the_rights(self, helm: Helm):
        rendered = helm.template("rbac.create=false")
        assert not roles(rendered)
        assert not rendered.of("ClusterRoleBinding")
