"""A role that changes takes offers back through the master: exactly those that have to go, and nobody else's."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from tests.builders import NOON, demand, external, node, role
from tests.unit.master.bench import Master
from tests.unit.memory import MemoryApi

from tender.cluster.resources import FRAMEWORK_ROLES, FRAMEWORKS, RESOURCE_OFFERS

Roles = Mapping[str, dict[str, Any]]
"""Parent and quota of roles, by name."""
BESIDE_EACH_OTHER: Roles = {"company": {}, "shops": {"parent": "company"}, "apart": {}}


class Bench:
    """A master with nodes of 4 CPU, and frameworks that are offered one task each, of so many cores."""

    def __init__(self, tasks: asyncio.TaskGroup, nodes: int, roles: Roles) -> None:
        self.now = NOON
        self.api = MemoryApi()
        for name, spec in roles.items():
            self.put_role(name, **spec)
        self._tasks = tasks
        self.start(nodes)

    def start(self, nodes: int, *, complete: bool = True) -> None:
        """A master that has just started, in place of the one before."""
        self.master = Master(self.api, self._tasks, lambda: self.now, nodes=nodes, complete=complete)

    def put_role(self, name: str, *, parent: str | None = None, weight: float = 1, **quota: Any) -> None:
        self.api.put(FRAMEWORK_ROLES, role(name, parent=parent, weight=weight, quota=quota).manifest())

    async def offer(self, in_role: str, **cores: int) -> None:
        """Frameworks of a role, by name, that want one task of so many cores, and are offered it."""
        for name, cpu in cores.items():
            entry = demand("a", 1, requests={"cpu": str(cpu)})
            self.api.put(FRAMEWORKS, external(name, role=in_role, demand=[entry]).manifest())
        await self.master.tick()
        assert self.open() >= cores.keys()

    async def tick(self) -> None:
        self.now += 1
        await self.master.tick()

    def open(self) -> set[str]:
        """Who has an open offer."""
        return self._of("Offered")

    def rescinded(self) -> set[str]:
        """Whose offer was taken back."""
        return self._of("Rescinded")

    def slices(self) -> dict[str, int]:
        """How many nodes everybody has on offer."""
        offers = [one for one in self.api.read(RESOURCE_OFFERS).values() if one.status.phase == "Offered"]
        counts = Counter[str]()
        for one in offers:
            counts[one.spec.framework] += len(one.spec.slices)
        return dict(counts)

    def why(self) -> set[str]:
        """What is said of the offers that were taken back."""
        offers = self.api.read(RESOURCE_OFFERS).values()
        return {one.status.message for one in offers if one.status.phase == "Rescinded"}

    def _of(self, phase: str) -> set[str]:
        offers = self.api.read(RESOURCE_OFFERS).values()
        return {one.spec.framework for one in offers if one.status.phase == phase}


@asynccontextmanager
async def bench(roles: Roles = BESIDE_EACH_OTHER, nodes: int = 3) -> AsyncIterator[Bench]:
    async with asyncio.TaskGroup() as tasks:
        yield Bench(tasks, nodes, roles)


class TestALoweredLimit:
    async def test_takes_back_just_enough_of_the_role_s_offers(self):
        async with bench() as it:
            await it.offer("shops", one=1, two=2, three=3)
            await it.offer("apart", other=1)
            it.put_role("shops", parent="company", limit={"cpu": "5"})
            await it.tick()
            assert (it.rescinded(), it.open()) == ({"one"}, {"two", "three", "other"})

    async def test_takes_the_smallest_back_that_will_do(self):
        async with bench() as it:
            await it.offer("shops", one=1, two=2, three=3)
            it.put_role("shops", parent="company", limit={"cpu": "4"})
            await it.tick()
            assert (it.rescinded(), it.open()) == ({"two"}, {"one", "three"})

    async def test_of_a_role_above_binds_those_below_it(self):
        async with bench() as it:
            await it.offer("shops", one=1, two=2)
            await it.offer("company", above=3)
            it.put_role("company", limit={"cpu": "5"})
            await it.tick()
            assert (it.rescinded(), it.open()) == ({"one"}, {"two", "above"})

    async def test_takes_back_only_once(self):
        async with bench() as it:
            await it.offer("shops", one=1, two=2)
            it.put_role("shops", parent="company", limit={"cpu": "2"})
            for _ in range(3):
                await it.tick()
            assert (it.rescinded(), it.open()) == ({"one"}, {"two"})

    async def test_that_still_holds_everything_takes_nothing_back(self):
        async with bench() as it:
            await it.offer("shops", one=1, two=2)
            it.put_role("shops", parent="company", limit={"cpu": "3"})
            await it.tick()
            assert (it.rescinded(), it.open()) == (set(), {"one", "two"})


class TestARaisedGuarantee:
    async def test_takes_back_just_enough_of_others_offers(self):
        async with bench(nodes=1) as it:
            await it.offer("apart", one=1, three=3)
            it.put_role("shops", parent="company", guarantee={"cpu": "1"})
            await it.tick()
            assert (it.rescinded(), it.open()) == ({"one"}, {"three"})

    async def test_takes_nothing_back_while_enough_is_free(self):
        async with bench() as it:
            await it.offer("apart", one=1, three=3)
            it.put_role("shops", parent="company", guarantee={"cpu": "8"})
            await it.tick()
            assert (it.rescinded(), it.open()) == (set(), {"one", "three"})

    async def test_leaves_to_the_role_what_it_is_offered_itself(self):
        async with bench(nodes=1) as it:
            await it.offer("shops", own=2)
            await it.offer("apart", other=2)
            it.put_role("shops", parent="company", guarantee={"cpu": "4"})
            await it.tick()
            assert (it.rescinded(), it.open()) == ({"other"}, {"own"})


class TestANewParent:
    async def test_brings_its_limit_and_those_above_it(self):
        roles: Roles = {
            "tight": {"limit": {"cpu": "4"}},
            "middle": {"parent": "tight", "limit": {"cpu": "9"}},
            "shops": {},
        }
        async with bench(roles) as it:
            await it.offer("shops", one=1, two=2, three=3)
            it.put_role("shops", parent="middle")
            await it.tick()
            assert (it.rescinded(), it.open()) == ({"two"}, {"one", "three"})

    async def test_binds_every_level_by_its_own_limit(self):
        roles: Roles = {
            "tight": {"limit": {"cpu": "5"}},
            "middle": {"parent": "tight", "limit": {"cpu": "3"}},
            "shops": {},
        }
        async with bench(roles) as it:
            await it.offer("shops", three=3, one=1)
            await it.offer("tight", two=2)
            it.put_role("shops", parent="middle")
            await it.tick()
            assert (it.rescinded(), it.open()) == ({"one"}, {"three", "two"})

    async def test_that_is_made_later_binds_the_roles_that_named_it_before(self):
        async with bench({"shops": {"parent": "company"}}) as it:
            await it.offer("shops", one=1, two=2)
            it.put_role("company", limit={"cpu": "2"})
            await it.tick()
            assert (it.rescinded(), it.open()) == ({"one"}, {"two"})


class TestAChangedWeight:
    async def test_takes_back_what_would_go_to_others_now_and_offers_it_to_them(self):
        async with bench({"gold": {}, "iron": {}}, nodes=10) as it:
            for name in ("gold", "iron"):
                it.api.put(FRAMEWORKS, external(name, role=name).manifest())
            await it.tick()
            assert it.slices() == {"gold": 5, "iron": 5}
            it.put_role("gold", weight=4)
            await it.tick()
            await it.tick()
            assert (it.rescinded(), it.slices()) == ({"iron"}, {"gold": 8, "iron": 2})
            assert it.why() == {"the weight of role gold changed"}

    async def test_takes_nothing_back_while_nobody_waits(self):
        async with bench() as it:
            await it.offer("shops", one=1, two=2)
            await it.offer("apart", other=1)
            it.put_role("apart", weight=9)
            await it.tick()
            assert (it.rescinded(), it.open()) == (set(), {"one", "two", "other"})


class TestARoleThatIsDeleted:
    async def test_takes_back_what_a_guarantee_needs_that_its_limit_held_back(self):
        roles: Roles = {"company": {"limit": {"cpu": "0"}}, "shops": {"parent": "company", "guarantee": {"cpu": "1"}}}
        async with bench(roles, nodes=1) as it:
            await it.offer("apart", one=1, three=3)
            it.api.remove(FRAMEWORK_ROLES, "company")
            await it.tick()
            assert (it.rescinded(), it.open()) == ({"one"}, {"three"})
            assert it.why() == {"role company was deleted"}

    async def test_takes_its_weight_with_it(self):
        async with bench({"gold": {"weight": 4}, "iron": {}}, nodes=10) as it:
            for name in ("gold", "iron"):
                it.api.put(FRAMEWORKS, external(name, role=name).manifest())
            await it.tick()
            assert it.slices() == {"gold": 8, "iron": 2}
            it.api.remove(FRAMEWORK_ROLES, "gold")
            await it.tick()
            await it.tick()
            assert (it.rescinded(), it.slices()) == ({"gold"}, {"gold": 5, "iron": 5})

    async def test_takes_no_offer_with_it(self):
        async with bench() as it:
            await it.offer("shops", one=1, two=2)
            it.api.remove(FRAMEWORK_ROLES, "shops")
            await it.tick()
            assert (it.rescinded(), it.open()) == (set(), {"one", "two"})

    async def test_takes_its_limit_with_it(self):
        async with bench({"company": {"limit": {"cpu": "1"}}, "shops": {"parent": "company"}}) as it:
            await it.offer("shops", one=1)
            it.api.put(FRAMEWORKS, external("two", role="shops", demand=[demand("a", 1)]).manifest())
            await it.tick()
            assert it.open() == {"one"}
            it.api.remove(FRAMEWORK_ROLES, "company")
            await it.tick()
            assert it.open() == {"one", "two"}

    async def test_frees_what_was_kept_for_its_guarantee(self):
        async with bench({"shops": {"guarantee": {"cpu": "4"}}}, nodes=1) as it:
            it.api.put(FRAMEWORKS, external("other", role="apart", demand=[demand("a", 1)]).manifest())
            await it.tick()
            assert it.open() == set()
            it.api.remove(FRAMEWORK_ROLES, "shops")
            await it.tick()
            assert it.open() == {"other"}


class TestAMasterThatStarts:
    async def test_takes_back_what_a_limit_does_not_allow_that_was_lowered_while_none_ran(self):
        async with bench() as it:
            await it.offer("shops", one=1, two=2, three=3)
            it.put_role("company", limit={"cpu": "5"})
            it.start(nodes=3)
            await it.tick()
            assert (it.rescinded(), it.open()) == ({"one"}, {"two", "three"})

    async def test_takes_nothing_back_for_a_guarantee_before_it_knows_all_nodes(self):
        async with bench({"shops": {"guarantee": {"cpu": "3"}}}, nodes=2) as it:
            await it.offer("apart", other=2)
            it.start(nodes=0, complete=False)
            for name in [one.spec.slices[0].node for one in it.api.read(RESOURCE_OFFERS).values()]:
                it.master.facts.node_changed(None, node(name))
            it.put_role("shops", guarantee={"cpu": "4"})
            it.master.cache.catch_up()
            it.master.facts.node_changed(None, node("another"))
            it.master.facts.start_complete()
            await it.tick()
            assert (it.rescinded(), it.open()) == (set(), {"other"})
