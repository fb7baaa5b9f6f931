"""From cluster objects to the ledger: what nodes have, what pods hold, and whom it is charged to."""

from typing import Any

import pytest
from tests.builders import NOON, demand, external, framework, node, owner_of, pod, reservation, role

from tender.allocation import Demand, Ledger, Settings, Toleration
from tender.api import core
from tender.master.intake import Intake
from tender.master.reading import read_framework, read_node, read_reservation, read_role
from tender.master.room import Room

POD = {"cpu": 500, "memory": 128 * 1024**2, "pods": 1}


class Master:
    """A ledger with one node, fed by an intake that takes note of the frameworks' pods."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.told: list[tuple[str, str | None, str | None]] = []
        self.intake = Intake(self.ledger, self._told, Room(self.ledger, Settings()))
        self.intake.node_changed(None, node())

    def _told(self, framework: str, old: core.Pod | None, new: core.Pod | None) -> None:
        name = {id(one): one.metadata.name for one in (old, new) if one is not None}
        self.told.append((framework, name.get(id(old)), name.get(id(new))))

    def add(self, *objects: Any) -> None:
        for one in objects:
            change = self.intake.pod_changed if isinstance(one, core.Pod) else self.intake.framework_changed
            change(None, one)

    def held(self, framework: str = "shop/web") -> dict[str, int]:
        return dict(self.ledger.held(framework))

    def free_cpu(self, of: str = "node-1") -> int:
        return self.ledger.free(of)["cpu"]

    def tasks(self, task: str = "a", framework: str = "shop/web") -> dict[str, int]:
        return dict(self.ledger.tasks(framework, task))


@pytest.fixture
def master() -> Master:
    return Master()


class TestPods:
    def test_take_their_requests_from_their_node_whoever_made_them(self, master):
        master.add(pod(of=None))
        assert master.free_cpu() == 3500
        assert master.ledger.free("node-1")["pods"] == 109
        assert master.held() == {}

    def test_are_charged_to_the_framework_that_owns_them(self, master):
        master.add(framework(), pod(task="a"))
        assert master.held() == POD
        assert master.tasks() == {"node-1": 1}

    def test_that_are_not_bound_hold_nothing(self, master):
        master.add(framework(), pod(node=""))
        assert (master.held(), master.free_cpu()) == ({}, 4000)

    @pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
    def test_that_have_ended_hold_nothing(self, master, phase):
        running = pod(task="a")
        master.add(framework(), running)
        master.intake.pod_changed(running, pod(task="a", phase=phase))
        assert (master.held(), master.tasks(), master.free_cpu()) == ({}, {}, 4000)

    def test_that_are_gone_hold_nothing(self, master):
        running = pod(task="a")
        master.add(framework(), running)
        master.intake.pod_changed(running, None)
        assert (master.held(), master.tasks(), master.free_cpu()) == ({}, {}, 4000)

    def test_that_are_being_deleted_hold_their_resources_and_are_no_tasks_any_more(self, master):
        running = pod(task="a")
        master.add(framework(), running)
        master.intake.pod_changed(running, pod(task="a", deleted=NOON))
        assert (master.held(), master.tasks()) == (POD, {})

    def test_that_are_bound_later_are_charged_from_then_on(self, master):
        master.add(framework(), pod(node=""))
        master.intake.pod_changed(pod(node=""), pod())
        assert master.free_cpu() == 3500

    def test_told_twice_count_once(self, master):
        master.add(framework(), pod(), pod())
        assert master.held() == POD

    def test_of_a_name_that_were_replaced_unseen_count_once(self, master):
        first, second = pod(uid="first"), pod(uid="second", node="node-2")
        master.intake.node_changed(None, node("node-2"))
        master.add(framework(), first)
        master.intake.pod_changed(first, second)
        assert (master.free_cpu("node-1"), master.free_cpu("node-2")) == (4000, 3500)

    def test_of_frameworks_are_told_onward(self, master):
        running = pod()
        master.add(framework(), running, pod("other", of=None))
        master.intake.pod_changed(running, None)
        assert master.told == [("shop/web", None, "web-1"), ("shop/web", "web-1", None)]


class TestWhoIsCharged:
    """The owner, never somebody whom only a label names: anybody who may create a pod may write labels."""

    @pytest.mark.parametrize(
        "owners",
        [
            [],
            [{**owner_of("web"), "controller": False}],
            [{**owner_of("web"), "kind": "Deployment"}],
            [{**owner_of("web"), "apiVersion": "example.com/v1"}],
            [{**owner_of("web"), "uid": "of-another-web"}],
            [{**owner_of("web"), "name": "another"}],
        ],
        ids=["labels alone", "no controller", "another kind", "another group", "another uid", "another name"],
    )
    def test_a_pod_of_nobody_s_is_charged_to_nobody(self, master, owners):
        labels = {"tender.dev/framework": "web", "tender.dev/task": "a", "tender.dev/offer": "web-x"}
        master.add(framework(), pod(owners=owners, labels=labels))
        assert (master.held(), master.tasks(), master.told) == ({}, {}, [])
        assert master.free_cpu() == 3500

    def test_nor_is_a_pod_of_another_namespace_that_names_the_framework_as_its_owner(self, master):
        master.add(framework(), pod(namespace="elsewhere", task="a"))
        assert (master.held(), master.tasks(), master.told) == ({}, {}, [])
        assert master.free_cpu() == 3500


class TestFrameworks:
    def test_that_come_after_their_pods_are_charged_for_them(self, master):
        master.add(pod(task="a"))
        assert (master.held(), master.told) == ({}, [])
        master.add(framework())
        assert (master.held(), master.tasks()) == (POD, {"node-1": 1})
        assert master.told == [("shop/web", None, "web-1")]

    def test_that_go_leave_their_pods_charged_to_nobody(self, master):
        master.add(framework(), pod(task="a"))
        master.intake.framework_changed(framework(), None)
        assert (master.held(), master.tasks(), master.free_cpu()) == ({}, {}, 3500)
        assert "shop/web" not in master.ledger.frameworks

    def test_that_replace_another_of_their_name_are_not_charged_for_its_pods(self, master):
        master.add(framework(), pod(task="a"))
        successor = framework(uid="second", version=2)
        master.intake.framework_changed(framework(), successor)
        assert (master.held(), master.tasks(), master.free_cpu()) == ({}, {}, 3500)
        master.add(pod("web-2", owners=[owner_of("web", "second")], task="a"))
        assert (master.held(), master.tasks()) == (POD, {"node-1": 1})

    def test_that_change_keep_what_they_are_charged_for(self, master):
        master.add(framework(), pod(task="a"))
        master.intake.framework_changed(framework(), framework(version=2, role="shops"))
        assert master.held() == POD
        assert master.ledger.frameworks["shop/web"].role == "shops"


class TestNodes:
    def test_that_come_after_their_pods_have_less_free(self, master):
        master.add(framework(), pod(node="node-2"))
        master.intake.node_changed(None, node("node-2"))
        assert (master.free_cpu("node-2"), master.held()) == (3500, POD)

    def test_that_go_take_what_is_held_there_with_them(self, master):
        master.add(framework(), pod(task="a"))
        master.intake.node_changed(node(), None)
        assert (master.held(), master.tasks(), master.ledger.totals) == ({}, {}, {})

    @pytest.mark.parametrize(
        ("state", "why"),
        [
            ({}, ""),
            ({"ready": "False"}, "the node is not ready"),
            ({"ready": "Unknown"}, "the node is not ready"),
            ({"cordoned": True}, "the node is cordoned"),
            ({"deleted": NOON}, "the node is leaving the cluster"),
            ({"deleted": NOON, "ready": "False"}, "the node is leaving the cluster"),
        ],
    )
    def test_say_why_nothing_new_may_start_there(self, state, why):
        assert read_node(node(**state)).unavailable == why

    def test_are_read_in_integers_with_labels_and_taints(self):
        taint = {"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}
        read = read_node(node(cpu="3920m", memory="1Gi", pods="10", labels={"disk": "ssd"}, taints=[taint]))
        assert read.allocatable == {"cpu": 3920, "memory": 1024**3, "pods": 10}
        assert read.labels == {"disk": "ssd"}
        assert [(one.key, one.value, one.effect) for one in read.taints] == [("dedicated", "gpu", "NoSchedule")]


class TestWhatAFrameworkAsksFor:
    def test_a_task_counts_as_one_pod_of_its_node(self):
        asked = read_framework(external(demand=[demand("a", 3, nodeSelector={"disk": "ssd"}, maxPerNode=2)]))
        assert asked.demand == (
            Demand("a", {"pods": 1, "cpu": 500, "memory": 128 * 1024**2}, 3, {"disk": "ssd"}, (), 2),
        )

    def test_no_demand_and_an_empty_one_differ(self):
        assert read_framework(external(demand=None)).demand is None
        assert read_framework(external(demand=[])).demand == ()

    def test_a_service_whose_controller_has_not_spoken_yet_takes_no_part(self):
        assert "not declared a demand yet" in read_framework(framework(status={})).inactive
        assert read_framework(framework(status={"demand": []})).inactive == ""

    def test_its_preferences_and_tolerations_are_read(self):
        asked = read_framework(
            external(
                role="batch",
                nodeSelector={"disk": "ssd"},
                tolerations=[{"operator": "Exists"}, {"key": "x", "value": "y"}],
                offers={"minimum": [{"cpu": "1"}, {"memory": "1Gi"}]},
            )
        )
        assert (asked.name, asked.role, asked.node_selector) == ("shop/spark", "batch", {"disk": "ssd"})
        assert asked.minimum == ({"cpu": 1000}, {"memory": 1024**3})
        assert asked.tolerations == (Toleration("", "Exists", "", ""), Toleration("x", "Equal", "y", ""))
        assert asked.inactive == ""

    def test_all_its_roles_and_its_capabilities_are_read(self):
        asked = read_framework(external(role="batch", roles=["adhoc", "gold"], capabilities=["nvidia.com/gpu"]))
        assert (asked.role, asked.further_roles) == ("batch", ("adhoc", "gold"))
        assert asked.capabilities == {"nvidia.com/gpu"}
        assert read_framework(external()).roles == ("default",)

    def test_one_that_is_being_deleted_takes_no_part(self):
        assert read_framework(external(deleted=NOON)).inactive == "the framework is being deleted"


class TestRoles:
    def test_are_read_with_their_quota_in_integers(self):
        read = read_role(role(parent="all", weight=2.5, quota={"guarantee": {"cpu": "1"}, "limit": {"cpu": "2500m"}}))
        assert (read.name, read.parent, read.weight) == ("shops", "all", 2.5)
        assert (read.guarantee, read.limit) == ({"cpu": 1000}, {"cpu": 2500})

    def test_come_change_and_go(self, master):
        master.intake.role_changed(None, role(weight=1))
        master.intake.role_changed(role(weight=1), role(weight=3))
        assert master.ledger.role_of("shops").weight == 3
        master.intake.role_changed(role(weight=3), None)
        assert "shops" not in master.ledger.roles


class TestWhatChangesNothing:
    """Heartbeats, probes and figures come by the thousand: none of them is worth a cycle."""

    def test_a_node_that_only_beats_its_heart(self, master):
        assert not master.intake.node_changed(node(), node())
        assert master.intake.node_changed(node(), node(cpu="8"))
        assert master.intake.node_changed(node(), None)
        assert not master.intake.node_changed(node(), None)

    def test_a_pod_that_only_becomes_ready(self, master):
        assert master.intake.pod_changed(None, pod(of=None, ready=False))
        assert not master.intake.pod_changed(pod(of=None, ready=False), pod(of=None, ready=True))
        assert master.intake.pod_changed(pod(of=None), pod(of=None, phase="Succeeded"))

    def test_a_framework_of_which_only_figures_changed(self, master):
        assert master.intake.framework_changed(None, external(demand=[demand("a", 1)]))
        assert not master.intake.framework_changed(external(demand=[demand("a", 1)]), external(demand=[demand("a", 1)]))
        assert master.intake.framework_changed(external(demand=[demand("a", 1)]), external(demand=[demand("a", 2)]))

    def test_a_role_of_which_only_figures_changed(self, master):
        assert master.intake.role_changed(None, role())
        assert not master.intake.role_changed(role(), role(version=2))
        assert master.intake.role_changed(role(version=2), role(weight=2))


class TestReservations:
    def test_are_kept_until_they_are_deleted(self, master):
        kept = reservation(for_role="a", framework="web")
        master.intake.reservation_changed(None, kept)
        assert dict(master.ledger.unused("node-1")) == {("a", "shop/web"): {"cpu": 1000}}
        master.intake.reservation_changed(kept, None)
        assert dict(master.ledger.unused("node-1")) == {}

    def test_that_are_told_of_with_new_figures_change_nothing(self, master):
        before, after = reservation(), reservation(version=2, status={"used": {"cpu": "1"}})
        assert master.intake.reservation_changed(None, before)
        assert not master.intake.reservation_changed(before, after)
        assert master.intake.reservation_changed(after, reservation(version=3, resources={"cpu": "2"}))

    def test_are_a_part_of_those_that_they_refine(self):
        assert read_reservation(reservation("part", refines="whole")).refines == "shop/whole"

    def test_leave_what_runs_in_them_as_ordinary_use_when_they_are_deleted(self, master):
        kept = reservation(for_role="default", resources={"cpu": "2"})
        master.intake.framework_changed(None, framework())
        master.intake.reservation_changed(None, kept)
        master.intake.pod_changed(None, pod())
        held, free = dict(master.ledger.held("shop/web")), master.ledger.free("node-1")
        assert master.ledger.role_holdings()["default"]["cpu"] == 2000
        master.intake.reservation_changed(kept, None)
        assert (dict(master.ledger.held("shop/web")), master.ledger.free("node-1")) == (held, free)
        assert master.ledger.role_holdings()["default"] == POD


class TestAFrameworkWhoseNameNoOfferCanCarry:
    @pytest.mark.parametrize("name", ["web.shop", "a" * 64])
    def test_takes_no_part_and_is_told_so(self, name: str):
        told = read_framework(external(name)).inactive
        assert told.startswith(f"metadata.name {name} is no name of a label")
