"""Nodes and pods as they come from the API server."""

from typing import Any

import msgspec
import pytest

from tender.api.core import Node, Pod, decode_node, decode_pod


def pod(**parts: Any) -> Pod:
    return decode_pod(msgspec.json.encode({"metadata": {"name": "p", "namespace": "n"}} | parts))


def node(**parts: Any) -> Node:
    return decode_node(msgspec.json.encode({"metadata": {"name": "n"}} | parts))


def condition(kind: str, status: str) -> dict[str, str]:
    return {"type": kind, "status": status}


class TestPod:
    def test_fields_that_are_not_read_may_hold_anything(self):
        assert pod(spec={"volumes": [{"name": 3}], "nodeName": "a"}, status={"qosClass": None}).spec.node_name == "a"

    @pytest.mark.parametrize(("phase", "ended"), [("Running", False), ("Succeeded", True), ("Failed", True)])
    def test_is_terminated_when_its_phase_is_final(self, phase, ended):
        assert pod(status={"phase": phase}).terminated is ended

    @pytest.mark.parametrize(("status", "ready"), [("True", True), ("False", False), ("Unknown", False)])
    def test_is_ready_when_its_condition_says_so(self, status, ready):
        conditions = [condition("Initialized", "True"), condition("Ready", status)]
        assert pod(status={"conditions": conditions}).ready is ready

    def test_its_controller_is_the_owner_that_manages_it(self):
        owners = [
            {"apiVersion": "v1", "kind": "ConfigMap", "name": "other", "uid": "1"},
            {
                "apiVersion": "tender.dev/v1alpha1",
                "kind": "Framework",
                "name": "f",
                "uid": "2",
                "controller": True,
            },
        ]
        controller = pod(metadata={"name": "p", "ownerReferences": owners}).controller
        assert controller is not None
        assert (controller.kind, controller.name, controller.uid) == ("Framework", "f", "2")

    def test_may_have_no_controller(self):
        assert pod().controller is None

    def test_tells_how_its_containers_fare(self):
        statuses = [
            {"name": "a", "restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}}},
            {"name": "b", "state": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}},
            {"name": "c", "ready": True, "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}},
        ]
        first, second, third = pod(status={"containerStatuses": statuses}).status.container_statuses
        assert first.state.waiting is not None
        assert (first.restart_count, first.state.waiting.reason) == (3, "CrashLoopBackOff")
        assert second.state.terminated is not None
        assert (second.state.terminated.exit_code, second.state.terminated.reason) == (137, "OOMKilled")
        assert third.ready

    def test_its_address_keeps_its_spelling(self):
        assert pod(status={"podIP": "10.0.0.7"}).status.pod_ip == "10.0.0.7"


class TestNode:
    def test_is_ready_when_its_kubelet_says_so(self):
        assert node(status={"conditions": [condition("Ready", "True")]}).ready
        assert not node(status={"conditions": [condition("Ready", "Unknown")]}).ready
        assert not node().ready

    def test_tells_what_keeps_pods_away(self):
        taint = {"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}
        found = node(spec={"unschedulable": True, "taints": [taint]})
        assert found.spec.unschedulable
        assert found.spec.taints[0].key == "dedicated"

    def test_is_leaving_once_it_is_deleted(self):
        assert node(metadata={"name": "n", "deletionTimestamp": "2026-01-01T00:00:00Z"}).leaving

    def test_what_it_can_give_is_kept_as_text(self):
        assert node(status={"allocatable": {"cpu": "3920m"}}).status.allocatable == {"cpu": "3920m"}
