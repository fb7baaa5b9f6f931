"""Pods that people want exchanged, as when their node is drained, go as in an update: within its bounds."""

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import template
from tests.unit.frameworks.world import ServiceWorld, running

from tender.api.names import LABEL_EXCHANGE
from tender.frameworks.service.update import bounds_of

OLD, NEW = template(image="app:1"), template(image="app:2")


class TestExchange:
    def test_a_marked_pod_goes_once_another_is_ready_in_its_place(self):
        world = running(3, OLD)
        world.mark(LABEL_EXCHANGE, "web-2")
        assert world.step().stops == ()
        assert len(world.live) == 4
        world.start_one()
        (stop,) = world.step().stops
        assert (stop.pod, stop.why) == ("web-2", "exchanged, as label tender.dev/exchange asks")

    def test_a_service_that_may_lack_one_lets_it_go_first(self):
        world = running(3, OLD, updateStrategy={"minimumHealth": 2, "maximumOver": 0})
        world.mark(LABEL_EXCHANGE, "web-2")
        assert [stop.pod for stop in world.step().stops] == ["web-2"]

    def test_a_marked_pod_that_is_not_ready_goes_at_once(self):
        world = running(3, OLD)
        world.mark(LABEL_EXCHANGE, "web-2")
        world.set_unready("web-2")
        assert [stop.pod for stop in world.step().stops] == ["web-2"]

    def test_people_are_told_what_goes_on(self):
        world = running(3, OLD)
        world.mark(LABEL_EXCHANGE, "web-2")
        state, reason, message = world.step().state
        assert (state, reason) == ("Reconciling", "RollingOut")
        assert message.startswith("exchanging pods as label tender.dev/exchange asks; 2 of 3 pods are new and ready")
        assert "1 pod to be exchanged" in message

    def test_nothing_goes_while_the_service_is_paused(self):
        world = running(3, OLD, paused=True)
        world.mark(LABEL_EXCHANGE, "web-2")
        assert world.settle().stops == ()
        assert set(world.pods) >= {"web-2"}

    def test_a_marked_pod_goes_first_when_there_are_too_many(self):
        world = running(3, OLD)
        world.mark(LABEL_EXCHANGE, "web-2")
        world.change(replicas=2)
        assert [stop.pod for stop in world.step().stops] == ["web-2"]

    def test_during_an_update_each_pod_is_exchanged_once(self):
        world = running(3, OLD)
        world.change(template=NEW)
        world.mark(LABEL_EXCHANGE, "web-1", "web-3")
        world.settle()
        assert world.made == 6
        assert len(world.live) == world.ready == 3

    @settings(max_examples=60, deadline=None)
    @given(
        replicas=st.integers(1, 6),
        health=st.integers(0, 6),
        over=st.integers(0, 3),
        marked=st.sets(st.integers(1, 6)),
    )
    def test_whichever_are_marked_the_bounds_hold_and_it_ends(self, replicas, health, over, marked):
        world = running(replicas, OLD, updateStrategy={"minimumHealth": health, "maximumOver": over})
        chosen = [f"web-{number}" for number in marked if number <= replicas]
        world.mark(LABEL_EXCHANGE, *chosen)
        bounds = bounds_of(replicas, world.spec.update_strategy)

        def within_bounds(one: ServiceWorld) -> None:
            assert len(one.live) <= bounds.most
            assert not one.acting or one.ready >= min(bounds.least_ready, replicas)

        world.check = within_bounds
        world.settle()
        assert len(world.live) == world.ready == replicas
        assert not set(chosen) & set(world.pods)
        assert world.made == replicas + len(chosen)
