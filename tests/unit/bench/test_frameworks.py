"""The benchmark of frameworks without a cluster: what it asks for, what it tells, and how it compares."""

import pytest
from tests.bench.frameworks import tables
from tests.bench.frameworks.__main__ import figures
from tests.bench.frameworks.measuring import Measured
from tests.bench.frameworks.published import PUBLISHED
from tests.bench.frameworks.shapes import GROUP_ROLE, SHAPES

from tender.api.framework import Framework


@pytest.mark.parametrize(
    ("shape", "frameworks", "role"), [("one", 1, "default"), ("many", 7, "default"), ("group", 7, GROUP_ROLE)]
)
def test_every_shape_asks_for_as_many_pods(shape, frameworks, role):
    asked = [Framework.model_validate(manifest) for manifest in SHAPES[shape].frameworks(7)]
    assert len({one.metadata.name for one in asked}) == frameworks
    assert sum(one.spec.service.replicas for one in asked if one.spec.service) == 7
    assert {one.spec.role for one in asked} == {role}


def test_figures_stand_beside_what_was_published():
    results = {"one": {100: Measured(0.5), 1000: Measured(3.0), 5000: Measured(20.0)}}
    found = figures(results)["one"]
    assert {size: (one["seconds"], one["published"], one["published_reached"]) for size, one in found.items()} == {
        "100": (0.5, 2.3, None),
        "1000": (3.0, 1247, 832),
        "5000": (20.0, None, None),
    }


def test_every_shape_has_been_published():
    assert PUBLISHED.keys() == SHAPES.keys()


class TestTheTable:
    @pytest.mark.parametrize(
        ("size", "measured", "cell"),
        [
            (100, Measured(0.5), "0.50 s  4.6 x (2.3 s)"),
            (1000, Measured(4.0), "4.00 s  > 311.8 x (failed at 832 after 1247 s)"),
            (5000, Measured(20.0), "20.00 s (never reached)"),
            (100, Measured(40.0, reached=93), "failed at 93 after 40 s (2.3 s)"),
        ],
    )
    def test_says_how_many_times_faster_it_was_or_that_it_failed(self, capsys, size, measured, cell):
        tables.print_times({"one": {size: measured}})
        assert cell in capsys.readouterr().out

    def test_says_which_loads_there_was_no_time_for(self, capsys):
        tables.print_times({"one": {100: Measured(0.5)}, "many": {}})
        assert "not measured (26.8 s)" in capsys.readouterr().out

    def test_shows_where_the_time_went(self, capsys):
        costs = Measured(0.5, cpu_seconds={"etcd": 0.2, "kubectl": 0.0}, writes_per_pod={"POST pods": 1.0})
        tables.print_costs({"one": {100: costs}})
        row = capsys.readouterr().out.splitlines()[-1]
        assert row.split() == ["one", "x", "100", "1.0", "etcd", "0.2", "POST", "pods", "1.0"]
