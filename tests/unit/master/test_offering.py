"""From grants to offers: bundled by framework, named, dated and owned."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import NOON, demand, external, owner_of

from tender.allocation import Grant
from tender.api.framework import Framework
from tender.api.offer import ResourceOffer
from tender.master.offering import make_offers

AMOUNTS = {"cpu": 1500, "memory": 2 * 1024**3, "pods": 3}


def grants(count: int, to: str = "shop/spark", role: str = "batch", **fields: dict[str, int]) -> list[Grant]:
    return [Grant(to, role, f"node-{number:04}", AMOUNTS, **fields) for number in range(count)]


def offers(*given_grants: Grant, frameworks: tuple[Framework, ...] = (), now: float = NOON) -> list[ResourceOffer]:
    known = {f"shop/{one.metadata.name}": one for one in frameworks or (external(),)}
    return make_offers(given_grants, known, now, Random(7))


class TestBundles:
    def test_no_grants_make_no_offers(self):
        assert offers() == []

    def test_grants_of_a_framework_are_slices_of_one_offer(self):
        (one,) = offers(*grants(3))
        assert [part.node for part in one.spec.slices] == ["node-0000", "node-0001", "node-0002"]

    def test_an_offer_has_128_slices_at_most(self):
        assert [len(one.spec.slices) for one in offers(*grants(300))] == [128, 128, 44]

    def test_every_framework_gets_offers_of_its_own(self):
        frameworks = (external("spark"), external("flink"))
        mixed = [grant for pair in zip(grants(2), grants(2, "shop/flink"), strict=True) for grant in pair]
        made = offers(*mixed, frameworks=frameworks)
        assert [(one.spec.framework, len(one.spec.slices)) for one in made] == [("flink", 2), ("spark", 2)]

    def test_every_role_of_a_framework_gets_offers_of_its_own(self):
        mixed = [grant for pair in zip(grants(130), grants(130, role="adhoc"), strict=True) for grant in pair]
        made = offers(*mixed)
        assert [(one.spec.role, len(one.spec.slices)) for one in made] == [
            ("adhoc", 128),
            ("adhoc", 2),
            ("batch", 128),
            ("batch", 2),
        ]


class TestAnOffer:
    def test_carries_role_amounts_as_quantities_and_tasks(self):
        (one,) = offers(*grants(1, tasks={"a": 3}))
        (part,) = one.spec.slices
        assert one.spec.role == "batch"
        assert part.resources == {"cpu": "1500m", "memory": "2Gi", "pods": "3"}
        assert part.tasks == {"a": 3}

    def test_says_for_which_demand_it_was_made(self):
        asking = external(demand=[demand("a", 3)])
        (one,) = offers(*grants(1), frameworks=(asking,))
        assert one.spec.demand_revision == asking.status.demand_revision
        (other,) = offers(*grants(1))
        assert other.spec.demand_revision == external().status.demand_revision != one.spec.demand_revision

    def test_belongs_to_its_framework_and_goes_away_with_it(self):
        (one,) = offers(*grants(1))
        assert one.metadata.namespace == "shop"
        assert one.metadata.labels == {"tender.dev/framework": "spark"}
        assert [owner.manifest() for owner in one.metadata.owner_references] == [owner_of("spark")]

    def test_is_open_for_as_long_as_its_framework_asks(self):
        (one,) = offers(*grants(1), frameworks=(external(offers={"timeout": "90s"}),))
        assert one.spec.expires_at.timestamp() == NOON + 90

    def test_is_open_for_a_minute_otherwise(self):
        (one,) = offers(*grants(1))
        assert one.spec.expires_at.timestamp() == NOON + 60

    def test_is_open_for_an_hour_at_most(self):
        (one,) = offers(*grants(1), frameworks=(external(offers={"timeout": "99999999999999d"}),))
        assert one.spec.expires_at.timestamp() == NOON + 3600

    def test_is_never_open_for_less_than_that(self):
        (one,) = offers(*grants(1), frameworks=(external(offers={"timeout": "500ms"}),), now=NOON + 0.7)
        assert one.spec.expires_at.timestamp() == NOON + 2

    def test_is_one_that_the_master_reads_back_as_the_same(self):
        (one,) = offers(*grants(1, tasks={"a": 3}))
        assert ResourceOffer.read(one.manifest()) == one


class TestNames:
    def test_begin_with_the_framework_s(self):
        (one,) = offers(*grants(1))
        prefix, _, suffix = one.metadata.name.rpartition("-")
        assert prefix == "spark"
        assert len(suffix) == 8

    def test_differ(self):
        names = {one.metadata.name for one in offers(*grants(128 * 20))}
        assert len(names) == 20

    def test_are_short_enough_for_a_label_however_long_the_framework_s_is(self):
        long = external("f" * 53 + "-" + "f" * 9)
        (one,) = offers(*grants(1, f"shop/{long.metadata.name}"), frameworks=(long,))
        assert len(one.metadata.name) <= 63
        assert one.metadata.name.startswith("f" * 53 + "-")
        assert "--" not in one.metadata.name


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["shop/spark", "shop/flink", "shop/web"]), st.integers(1, 300)))
def test_every_grant_is_in_exactly_one_offer_of_its_framework(counts):
    frameworks = tuple(external(name.partition("/")[2]) for name in counts) or (external(),)
    made = offers(*(grant for name, count in counts.items() for grant in grants(count, name)), frameworks=frameworks)
    for name, count in counts.items():
        own = [one for one in made if f"shop/{one.spec.framework}" == name]
        assert sorted(part.node for one in own for part in one.spec.slices) == [f"node-{n:04}" for n in range(count)]
        assert all(1 <= len(one.spec.slices) <= 128 for one in own)
