"""Taints and tolerations are read as Kubernetes reads them, and scarce resources are for who asks for them."""

import pytest
from tests.unit.allocation.builders import amounts, framework, wanting

from tender.allocation import Demand, Taint, Toleration
from tender.allocation.suitability import asks_for, tolerates, untolerated_taint, wants_of, wants_of_tasks

GPU = frozenset({"nvidia.com/gpu"})
TAINT = Taint("team", "a", "NoSchedule")
TOLERATED = Toleration("team", "Equal", "a")


class TestAToleration:
    @pytest.mark.parametrize(
        "toleration",
        [
            Toleration("team", "Equal", "a"),
            Toleration("team", "Equal", "a", "NoSchedule"),
            Toleration("team", "Exists"),
            Toleration("team", "Exists", effect="NoSchedule"),
            Toleration(operator="Exists"),
            Toleration(operator="Exists", effect="NoSchedule"),
        ],
    )
    def test_covers_a_taint_of_its_key_value_and_effect(self, toleration):
        assert tolerates(toleration, TAINT)

    @pytest.mark.parametrize(
        "toleration",
        [
            Toleration("team", "Equal", "b"),
            Toleration("other", "Equal", "a"),
            Toleration("team"),
            Toleration("team", "Equal", "a", "NoExecute"),
            Toleration("other", "Exists"),
            Toleration("team", "Exists", effect="NoExecute"),
            Toleration(operator="Exists", effect="NoExecute"),
            Toleration(value="a"),
        ],
    )
    def test_does_not_cover_another(self, toleration):
        assert not tolerates(toleration, TAINT)


class TestTaints:
    def test_are_in_the_way_if_no_toleration_covers_them(self):
        other = Taint("gpu", effect="NoExecute")
        assert untolerated_taint([TAINT, other], []) == TAINT
        assert untolerated_taint([TAINT, other], [TOLERATED]) == other
        assert untolerated_taint([TAINT, other], [TOLERATED, Toleration("gpu", "Exists")]) is None

    def test_that_only_advise_are_never_in_the_way(self):
        assert untolerated_taint([Taint("team", effect="PreferNoSchedule")], []) is None

    def test_may_be_covered_by_tolerations_that_come_one_by_one(self):
        assert untolerated_taint([TAINT, TAINT], iter([TOLERATED])) is None

    def test_are_told_as_kubectl_writes_them(self):
        wants = wants_of(framework(), GPU)
        assert wants.taint_in_the_way((TAINT,)) == "taint team=a:NoSchedule is not tolerated"
        assert wants.taint_in_the_way((Taint("team"),)) == "taint team:NoSchedule is not tolerated"
        assert wants.taint_in_the_way(()) is None


class TestScarceResources:
    def test_are_asked_for_by_demand_and_by_capability(self):
        scarce = GPU | {"fpga", "tpu"}
        one = wanting(gpu=1, capabilities=frozenset({"fpga", "unheard-of"}))
        assert asks_for(one, scarce) == {"nvidia.com/gpu", "fpga"}

    def test_are_asked_for_by_a_task_that_needs_a_single_one(self):
        assert asks_for(wanting(gpu=1), GPU) == GPU

    def test_are_not_asked_for_by_a_task_that_needs_none_of_them(self):
        one = framework(demand=(Demand("task", {"cpu": 1000, "nvidia.com/gpu": 0}, 1),))
        assert asks_for(one, GPU) == frozenset()

    def test_keep_those_off_who_do_not_ask(self):
        assert wants_of(framework(), GPU).unasked == GPU
        assert wants_of(wanting(gpu=1), GPU).unasked == frozenset()


class TestWhatTasksWant:
    def test_is_what_the_framework_wants_and_more(self):
        one = framework(
            node_selector={"zone": "x", "disk": "hdd"},
            tolerations=(TOLERATED,),
            demand=(
                Demand("a", amounts(cpu=1), 1, {"disk": "ssd"}, (Toleration("gpu", "Exists"),)),
                Demand("b", amounts(gpu=1), 1),
            ),
        )
        first, second = wants_of_tasks(one, GPU)
        assert first.node_selector == {"zone": "x", "disk": "ssd"}
        assert first.taint_in_the_way((TAINT, Taint("gpu"))) is None
        assert second.node_selector == {"zone": "x", "disk": "hdd"}
        assert second.taint_in_the_way((TAINT, Taint("gpu"))) == "taint gpu:NoSchedule is not tolerated"
        assert first.unasked == second.unasked == frozenset()

    def test_is_what_the_framework_wants_if_it_names_none(self):
        for one in (framework(tolerations=(TOLERATED,)), framework(tolerations=(TOLERATED,), demand=())):
            (only,) = wants_of_tasks(one, GPU)
            assert only.key == wants_of(one, GPU).key

    def test_has_one_key_for_what_is_the_same(self):
        one, other = (
            wanting("f1", node_selector={"a": "1", "b": "2"}),
            wanting("f2", node_selector={"b": "2", "a": "1"}),
        )
        assert wants_of(one, GPU).key == wants_of(other, GPU).key
        different = (
            framework(node_selector={"a": "1"}),
            framework(tolerations=(TOLERATED,)),
            framework(capabilities=GPU),
            framework(),
        )
        assert len({wants_of(each, GPU).key for each in different}) == 4
