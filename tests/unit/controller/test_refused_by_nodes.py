"""Pods that kubelets do not take are failed launches; pods that fail at their work are not."""

import msgspec
from tests.builders import pod

from tender.api.core import ContainerStatus, Pod
from tender.controller.refusals import refused_by_node

WAITING = pod(phase="Pending", ready=False)
REFUSED = pod(phase="Failed", ready=False, reason="OutOfcpu")


def test_a_pod_that_fails_before_anything_started_was_refused():
    assert refused_by_node(WAITING, REFUSED)


def test_each_is_counted_once_and_not_again_after_a_restart():
    assert not refused_by_node(REFUSED, REFUSED)
    assert not refused_by_node(None, REFUSED)
    assert not refused_by_node(REFUSED, None)


def test_a_pod_whose_containers_were_started_was_taken():
    status = msgspec.structs.replace(REFUSED.status, container_statuses=(ContainerStatus(name="app"),))
    evicted: Pod = msgspec.structs.replace(REFUSED, status=status)
    assert not refused_by_node(WAITING, evicted)


def test_a_pod_that_fails_without_a_reason_or_runs_was_taken():
    assert not refused_by_node(WAITING, pod(phase="Failed", ready=False))
    assert not refused_by_node(WAITING, pod(phase="Running"))
