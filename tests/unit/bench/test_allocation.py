"""The benchmark of the allocator at a hundredth of its sizes: that it runs and measures what it says, not how fast."""

import gc
import json

import pytest
from tests.bench import report
from tests.bench.allocation import __main__ as command
from tests.bench.allocation import multi_framework, tables
from tests.bench.allocation.alone import measure
from tests.bench.allocation.cases import CASES
from tests.bench.allocation.growth import exponents, slope
from tests.bench.allocation.measuring import Effort

TINY = Effort(scale=0.01, patience=0.2)


@pytest.fixture(autouse=True)
def garbage_is_collected_again():
    yield
    gc.unfreeze()


@pytest.mark.parametrize("name", CASES)
def test_every_case_reports_times_cpu_memory_budget_and_mesos(name):
    figures = measure(name, TINY)
    assert figures["p50_ms"] <= figures["p99_ms"] <= figures["max_ms"]
    assert figures["cpu_s"] >= 0
    assert figures["peak_rss_mib"] > 0
    assert figures["budget_ms"] > 0
    assert "mesos_ms" in figures
    assert figures["verdict"] in {"met", "at the median", "missed"}
    tables.print_cases({name: figures})
    tables.print_phases({name: figures})
    tables.print_further({name: figures})


class TestCasesMeasureWhatTheySay:
    def test_declines_offer_all_nodes_until_everybody_has_declined_everything(self):
        fewest = measure("decline_10k_1k", TINY)["fewest_offered"]
        assert fewest["first_rounds"] == 100
        assert fewest["half_refused"] > 90
        assert fewest["most_refused"] > 0
        assert fewest["all_declined"] == 0
        assert fewest["all_declined_1_percent_changed"] == 0

    def test_quotas_are_filled_by_the_first_cycle(self):
        figures = measure("quota_3k_idle", TINY)
        assert figures["offered_cpus"] == 25 * 1 + 5 * 4
        assert figures["offered_while_idle"] == 0

    def test_a_full_cycle_offers_every_node(self):
        assert measure("full_50k_6k", TINY)["fewest_offered"] == 500

    def test_all_tasks_of_the_three_kinds_of_frameworks_run(self):
        figures = measure("multi_framework", TINY)
        assert figures["tasks_running"] == figures["tasks"]
        assert figures["declared"]["tasks_running"] == figures["tasks"]

    def test_the_kinds_of_frameworks_are_those_of_mesos(self):
        kinds = multi_framework.KINDS
        assert sum(kind.frameworks for kind in kinds) == 554
        assert sum(kind.frameworks * kind.tasks for kind in kinds) == 19_500

    def test_a_changed_node_is_offered_when_it_has_more_than_was_refused(self):
        assert measure("one_node_10k_1k", TINY)["offered"] > 0

    def test_all_tasks_find_room_unless_the_cluster_is_contended(self):
        figures = measure("per_task_50k", TINY)
        assert figures["tasks_placed"] == figures["tasks_wanted"] == 500
        assert 0 < figures["contended_tasks_placed"] < figures["contended_tasks_wanted"]


class TestGrowth:
    def test_the_exponent_is_that_of_the_size(self):
        assert slope([(1, 3), (10, 300), (100, 30_000)]) == pytest.approx(2)

    def test_one_size_alone_has_no_exponent(self):
        assert slope([(10, 1)]) is None

    def test_exponents_go_along_nodes_and_along_frameworks(self):
        grid = [
            {"nodes": nodes, "frameworks": frameworks, "p50_ms": nodes * frameworks**2}
            for nodes in (1000, 5000)
            for frameworks in (100, 1000)
        ]
        found = exponents(grid)
        assert found["in_nodes"] == {"100": pytest.approx(1), "1000": pytest.approx(1)}
        assert found["in_frameworks"] == {"1000": pytest.approx(2), "5000": pytest.approx(2)}


class TestTheCommand:
    def test_it_measures_in_processes_of_their_own_and_writes_json(self, tmp_path, monkeypatch, capsys):
        monkeypatch.setattr(report, "FOLDER", tmp_path)
        monkeypatch.setattr(command, "NODES", (1000, 5000))
        monkeypatch.setattr(command, "FRAMEWORKS", (100,))
        command.main(["--case", "quota_3k_idle", "--case", "grid", "--quick", "--scale", "0.01"])
        written = json.loads((tmp_path / "allocation.json").read_text())
        assert written["cases"]["quota_3k_idle"]["budget_ms"] == 300
        assert [one["nodes"] for one in written["grid"]] == [1000, 5000]
        assert "quota_3k_idle" in capsys.readouterr().out

    def test_a_case_that_takes_too_long_is_stopped_and_said_not_to_be_finished(self, capsys):
        figures = command.measure_case("one_node_10k_1k", Effort(scale=0.01), seconds=0.01)
        assert figures["verdict"] == "not finished in 0 s"
        assert figures["p50_ms"] is None
        tables.print_cases({"one_node_10k_1k": figures})
        assert "not finished" in capsys.readouterr().out
