"""The test kit is for others to use: what it offers stays."""

import doctest
import inspect

from tender.frameworks import testkit
from tender.frameworks.testkit import Stage, manifests


class TestThePublicSurface:
    def test_has_these_names(self):
        assert testkit.__all__ == [
            "MEMORY",
            "NAMESPACE",
            "NOON",
            "BrokenRule",
            "Crash",
            "Manifest",
            "Stage",
            "Unmet",
            "Unrest",
            "Verb",
            "Write",
            "framework",
            "pod_template",
        ]
        assert all(hasattr(testkit, name) for name in testkit.__all__)

    def test_has_a_stage_with_these_members(self):
        assert [name for name in dir(Stage) if not name.startswith("_")] == [
            "after",
            "apply",
            "at_once",
            "container_restarts",
            "crash_after",
            "demand",
            "expect_claimed",
            "expect_declined",
            "expect_demand",
            "expect_event",
            "expect_kept",
            "expect_launched",
            "expect_nothing",
            "expect_pods",
            "expect_removed",
            "expect_state",
            "expect_status",
            "expect_stopped",
            "framework",
            "losing_answers",
            "node",
            "node_lost",
            "node_silent",
            "object",
            "offer",
            "offer_rescinded",
            "pod",
            "pod_fails",
            "pod_runs",
            "pod_succeeds",
            "pod_vanishes",
            "pods",
            "pods_run",
            "put",
            "refusing_pods",
            "remove",
            "restart",
        ]

    def test_shows_every_method_in_use(self):
        methods = [value for name, value in inspect.getmembers(Stage, inspect.isfunction) if not name.startswith("_")]
        assert [method.__name__ for method in methods if ">>> " not in (method.__doc__ or "")] == []

    def test_shows_examples_that_are_so(self):
        assert doctest.testmod(manifests).failed == 0
