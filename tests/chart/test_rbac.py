"""Rights: few, explained where they are given, and written down as they are."""

import itertools
import re
from collections.abc import Iterator

import pytest
from tests.chart.helm import CHART, COMPONENTS, REPOSITORY, Helm, Manifest, Rendered
from tests.chart.permissions import Right, granted

DOCUMENT = (REPOSITORY / "docs" / "rbac.md").read_text()
SECTIONS = {
    "## The master": "tender-master",
    "## The controller": "tender-controller",
    "## Frameworks of your own": "tender-framework",
    "## Who may reserve": "tender-reservations",
}
LEASE_ROLES = ("tender-master-lease", "tender-controller-lease")


@pytest.fixture(scope="module")
def rendered(helm: Helm) -> Rendered:
    return helm.template()


def documented(section: str) -> Iterator[Right]:
    """The rights of the table in a section: API group, resources, verbs and why."""
    text = DOCUMENT.split(section)[1].split("\n## ")[0]
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
            assert all(rule.keys() - {"resourceNames"} == {"apiGroups", "resources", "verbs"} for rule in role["rules"])

    def test_grants_nothing_that_leads_to_more(self, rendered: Rendered):
        for right in granted(roles(rendered)):
            assert right.group in {"", "tender.dev", "events.k8s.io", "apps", "coordination.k8s.io"}
            assert right.group != "apps" or right.resource == "controllerrevisions"
            assert right.group != "coordination.k8s.io" or right.resource == "leases"
            assert right.resource not in {"secrets", "serviceaccounts", "serviceaccounts/token"}
            assert right.verb not in {"bind", "escalate", "impersonate"}

    @pytest.mark.parametrize("template", ["master-rbac", "controller-rbac", "leases", "user-roles"])
    def test_says_why_at_every_rule(self, template: str):
        lines = (CHART / "templates" / f"{template}.yaml").read_text().splitlines()
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
    @pytest.mark.parametrize(("section", "role"), SECTIONS.items())
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
        aggregated = {
            role["metadata"]["name"]: {
                label.rpartition("-")[2] for label in role["metadata"]["labels"] if "aggregate-to" in label
            }
            for role in roles(rendered)
        }
        assert aggregated["tender-view"] == {"view", "edit", "admin"}
        assert aggregated["tender-edit"] == {"edit", "admin"}
        for name in ("tender-master", "tender-framework", "tender-reservations"):
            assert aggregated[name] == set()

    def test_can_be_left_out(self, helm: Helm):
        names = {role["metadata"]["name"] for role in roles(helm.template("rbac.aggregateToDefaultRoles=false"))}
        assert names == {
            *("tender-master", "tender-controller", "tender-framework", "tender-reservations"),
            *LEASE_ROLES,
        }


class TestNoRoles:
    def test_are_created_where_others_give_the_rights(self, helm: Helm):
        rendered = helm.template("rbac.create=false")
        assert not roles(rendered)
        assert not rendered.of("ClusterRoleBinding")
