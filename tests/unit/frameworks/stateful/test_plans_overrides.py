"""What people asked for, in the status and back."""

from tests.unit.frameworks.stateful.courses import course, phase

from tender.api.stateful import StatefulStatus
from tender.frameworks.stateful.overrides import MOST_FORCED, MOST_PAUSED, MOST_RESUMED, Overrides

ASKED = Overrides(
    paused=frozenset({"deploy", "backup/nodes"}),
    paused_pods=frozenset({"node-1"}),
    resumed={"deploy/nodes@v1": 1, "deploy/others@v1": None},
    forced=frozenset({"deploy/nodes/node-0@v1"}),
)


class TestRecording:
    def test_the_status_keeps_what_was_asked_for(self):
        fields = ASKED.fields()
        assert fields == {
            "paused": ["backup/nodes", "deploy", "pod/node-1"],
            "resumed": ["deploy/nodes@v1=1", "deploy/others@v1=all"],
            "forced": ["deploy/nodes/node-0@v1"],
        }
        assert Overrides.read(StatefulStatus.model_validate(fields)) == ASKED

    def test_nothing_asked_for_leaves_nothing_in_the_status(self):
        assert Overrides().fields() == {}
        assert Overrides.read(StatefulStatus()) == Overrides.read(None) == Overrides()

    def test_entries_that_are_none_are_ignored(self):
        status = StatefulStatus(resumed=("deploy/nodes@v1", "deploy/nodes@v1=soon"))
        assert Overrides.read(status).resumed == {}

    def test_as_many_entries_as_the_status_takes_are_no_excess(self):
        full = Overrides(
            paused=frozenset(f"p{number}" for number in range(MOST_PAUSED)),
            resumed={f"p/{number}@v1": 1 for number in range(MOST_RESUMED)},
            forced=frozenset(f"p/q/{number}@v1" for number in range(MOST_FORCED)),
        )
        assert full.excess == ""
        StatefulStatus.model_validate(full.fields())
        assert "status.stateful.paused would have 129 entries" in full.pause("one", "more").excess
        assert "status.stateful.resumed would have 129 entries" in full.release("p", "more", "v1", 1).excess
        assert "status.stateful.forced would have 257 entries" in full.force("p", [("q", "more")], "v1").excess


class TestForgetting:
    def test_what_is_about_another_revision_is_forgotten(self):
        kept = ASKED.of([course(phase("..", strategy="SerialCanary"), token="v2")])
        assert kept == Overrides(paused=frozenset({"deploy"}), paused_pods=frozenset({"node-1"}))

    def test_what_is_about_the_same_revision_is_kept(self):
        backup = course(name="backup", token=None)
        assert ASKED.of([course(phase("."), phase(".", name="others")), backup]) == ASKED

    def test_what_is_about_steps_and_phases_that_are_gone_is_forgotten(self):
        kept = ASKED.of([course(phase(".", name="other"))])
        assert kept == Overrides(paused=frozenset({"deploy"}), paused_pods=frozenset({"node-1"}))
