"""T25: of two services that each fit alone but not together, one gets all of its places, and then the other."""

from tests.builders import NOON
from tests.unit.frameworks.stateful.world import World, pod_set, template

HALF = template(cpu="1500m")


def two(discipline: int) -> World:
    world = World(discipline=discipline).with_nodes(2, cpu="2")
    for name, created in (("one", NOON), ("two", NOON + 1)):
        plans = [{"name": "deploy", "phases": [{"name": "node", "pods": "node", "strategy": "Parallel"}]}]
        world.apply(pod_set(count=2, template=HALF, allowDecommission=True), name=name, created=created, plans=plans)
    return world


class TestReserveDiscipline:
    def test_t25_one_is_complete_and_the_other_waits_for_it(self):
        world = two(discipline=1)
        for _ in range(40):
            world.step()
        assert sorted(world.live) == ["one-node-0", "one-node-1"]
        assert world.state("one") == ("Ready", "AsSpecified")

    def test_t25_the_other_follows_when_there_is_room(self):
        world = two(discipline=1)
        for _ in range(40):
            world.step()
        world.apply(pod_set(count=0, template=HALF, allowDecommission=True), name="one")
        for _ in range(60):
            world.step()
        assert sorted(world.live) == ["two-node-0", "two-node-1"]
        assert world.state("two") == ("Ready", "AsSpecified")

    def test_t25_it_says_whom_it_waits_for(self):
        world = two(discipline=1)
        world.slow.add("db:1")
        for _ in range(3):
            world.step()
        assert world.state("two") == ("Reconciling", "WaitingForOthers")
        assert "waiting until one have their places" in world.message("two")

    def test_t25_one_that_holds_a_place_comes_before_an_older_one_that_holds_none(self):
        world = World(discipline=1).with_nodes(2, cpu="2")
        world.apply(pod_set(count=2, template=HALF), name="young", created=NOON + 100)
        world.until(lambda world: len(world.reservations) == 1)
        world.apply(pod_set(count=2, template=HALF), name="old", created=NOON)
        for _ in range(40):
            world.step()
        assert sorted(world.live) == ["young-node-0", "young-node-1"]

    def test_t25_one_that_never_fits_lets_others_pass_after_a_while(self):
        world = World(discipline=1).with_nodes(2, cpu="2")
        world.apply(pod_set(count=1, template=template(cpu="64")), name="huge", created=NOON)
        world.apply(pod_set(count=1, template=HALF), name="small", created=NOON + 1)
        for _ in range(70):
            world.step(seconds=10)
        assert sorted(world.live) == ["small-node-0"]

    def test_without_discipline_both_ask(self):
        world = two(discipline=0)
        for _ in range(5):
            world.step()
        assert all(world.frameworks[name].status.demand for name in ("one", "two"))
