"""What the master knows of the custom resources: the newest of each, whatever the order in which it hears of them."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import framework, offer

from tender.api.framework import Framework
from tender.api.offer import ResourceOffer
from tender.master.registry import Registry

Change = tuple[Any, Any]


class Observed:
    """A registry of frameworks, the changes that it told of and the objects that it could not read."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.invalid: list[tuple[str, str]] = []
        self.registry = Registry(
            Framework,
            lambda old, new: self.changes.append((old, new)),
            lambda key, message: self.invalid.append((key, message)),
        )

    def put(self, one: Framework) -> Framework | None:
        return self.registry.put(one.manifest())

    def version(self, key: str = "shop/web") -> str | None:
        known = self.registry.objects.get(key)
        return None if known is None else known.metadata.resource_version


@pytest.fixture
def observed() -> Observed:
    return Observed()


def unreadable(version: int = 2) -> dict[str, Any]:
    manifest = framework(version=version).manifest()
    manifest["spec"]["service"]["replicas"] = "many"
    return manifest


class TestVersions:
    def test_what_comes_changes_and_goes_is_told(self, observed):
        first, second = framework(version=1), framework(version=2)
        observed.put(first)
        observed.put(second)
        observed.registry.drop("shop/web", "uid-of-web")
        assert observed.changes == [(None, first), (first, second), (second, None)]

    def test_the_same_or_an_older_version_changes_nothing(self, observed):
        observed.put(framework(version=2))
        observed.put(framework(version=2))
        observed.put(framework(version=1, replicas=9))
        assert len(observed.changes) == 1
        assert observed.version() == "2"

    def test_news_of_an_object_that_was_deleted_do_not_bring_it_back(self, observed):
        observed.put(framework(version=1))
        observed.registry.drop("shop/web", "uid-of-web")
        assert observed.put(framework(version=2)) is None
        assert observed.registry.objects == {}

    def test_a_deletion_may_be_heard_of_before_the_object(self, observed):
        observed.registry.drop("shop/web", "uid-of-web")
        observed.put(framework(version=1))
        assert observed.changes == []


class TestReplacement:
    """An object of the same name and another uid."""

    def test_takes_the_place_of_the_former_one(self, observed):
        first, second = framework(uid="first", version=1), framework(uid="second", version=2)
        observed.put(first)
        observed.put(second)
        assert observed.changes == [(None, first), (first, second)]

    def test_is_not_undone_by_late_news_of_the_former_one(self, observed):
        observed.put(framework(uid="first", version=1))
        observed.put(framework(uid="second", version=5))
        observed.put(framework(uid="first", version=3))
        assert observed.version() == "5"

    def test_nor_by_the_late_news_of_its_deletion(self, observed):
        observed.put(framework(uid="first", version=1))
        observed.put(framework(uid="second", version=5))
        observed.registry.drop("shop/web", "first")
        assert observed.version() == "5"


class TestUnreadableObjects:
    def test_count_as_absent_and_are_reported_with_the_field(self, observed):
        observed.put(framework(version=1))
        observed.registry.put(unreadable())
        assert observed.registry.objects == {}
        ((key, message),) = observed.invalid
        assert key == "shop/web"
        assert message.startswith("spec.service.replicas: ")

    def test_are_reported_once_for_each_version(self, observed):
        observed.registry.put(unreadable(2))
        observed.registry.put(unreadable(2))
        observed.registry.put(unreadable(3))
        assert len(observed.invalid) == 2

    def test_are_back_when_they_are_mended(self, observed):
        observed.registry.put(unreadable(2))
        observed.put(framework(version=3))
        assert observed.version() == "3"

    def test_are_not_replaced_by_an_older_version(self, observed):
        observed.registry.put(unreadable(2))
        observed.put(framework(version=1))
        assert observed.registry.objects == {}

    def test_that_were_deleted_leave_their_name_to_others(self, observed):
        observed.registry.put(unreadable(7))
        observed.registry.drop("shop/web", "uid-of-web")
        observed.put(framework(uid="second", version=6))
        assert observed.version() == "6"


class TestCensus:
    """A complete list finds what the watch did not tell of."""

    def test_what_is_not_listed_is_gone(self, observed):
        observed.put(framework("web", version=1))
        observed.put(framework("shop", version=2))
        assert observed.registry.replace([framework("web", version=1).manifest()], "5") == ["shop/shop"]
        assert set(observed.registry.objects) == {"shop/web"}

    def test_what_is_newer_than_the_list_stays(self, observed):
        observed.put(framework(version=9))
        assert observed.registry.replace([], "5") == []
        assert observed.version() == "9"

    def test_what_is_listed_is_taken_note_of(self, observed):
        observed.registry.replace([framework(version=4).manifest()], "5")
        assert observed.version() == "4"

    def test_what_is_listed_older_than_it_is_known_stays_as_it_is(self, observed):
        observed.put(framework(version=9))
        observed.registry.replace([framework(version=4).manifest()], "5")
        assert observed.version() == "9"

    def test_what_it_found_gone_is_not_brought_back_by_late_news(self, observed):
        observed.put(framework(version=1))
        observed.registry.replace([], "5")
        observed.put(framework(version=2))
        assert observed.registry.objects == {}


class TestExpectedObjects:
    """Offers are charged before they are created, so that the next cycle builds on them."""

    def expecting(self) -> tuple[Registry[ResourceOffer], list[Change]]:
        changes: list[Change] = []
        registry = Registry(ResourceOffer, lambda old, new: changes.append((old, new)), lambda *_: None)
        made = offer()
        expected = made.model_copy(
            update={"metadata": made.metadata.model_copy(update={"uid": None, "resource_version": None})}
        )
        registry.expect(expected)
        return registry, changes

    def test_are_known_at_once(self):
        registry, changes = self.expecting()
        assert list(registry.objects) == ["shop/web-bcdfghjk"]
        assert len(changes) == 1

    def test_get_their_uid_when_the_api_server_answers(self):
        registry, _ = self.expecting()
        registry.put(offer(version=3).manifest())
        assert registry.objects["shop/web-bcdfghjk"].metadata.uid == "uid-of-web-bcdfghjk"

    def test_are_gone_when_the_api_server_refuses_them(self):
        registry, changes = self.expecting()
        registry.forsake("shop/web-bcdfghjk")
        assert registry.objects == {}
        assert changes[-1][1] is None

    def test_that_exist_after_all_are_not_forsaken(self):
        registry, _ = self.expecting()
        registry.put(offer(version=3).manifest())
        registry.forsake("shop/web-bcdfghjk")
        assert "shop/web-bcdfghjk" in registry.objects

    def test_on_their_way_survive_a_census_that_does_not_list_them(self):
        registry, _ = self.expecting()
        assert registry.replace([], "5") == []
        assert "shop/web-bcdfghjk" in registry.objects

    def test_whose_creation_is_in_doubt_are_decided_by_the_next_census(self):
        registry, _ = self.expecting()
        registry.doubt("shop/web-bcdfghjk")
        assert registry.replace([], "5") == ["shop/web-bcdfghjk"]
        assert registry.objects == {}

    def test_whose_creation_was_in_doubt_stay_when_the_census_lists_them(self):
        registry, _ = self.expecting()
        registry.doubt("shop/web-bcdfghjk")
        assert registry.replace([offer(version=3).manifest()], "5") == []
        assert registry.objects["shop/web-bcdfghjk"].metadata.uid is not None

    def test_a_doubt_that_comes_after_the_news_is_none(self):
        registry, _ = self.expecting()
        registry.put(offer(version=9).manifest())
        registry.doubt("shop/web-bcdfghjk")
        assert registry.replace([], "5") == []


histories = st.lists(st.tuples(st.sampled_from(["first", "second"]), st.booleans()), min_size=1, max_size=6).map(
    lambda steps: sorted(steps, key=lambda step: step[0])
)


@settings(deadline=None)
@given(histories, st.randoms(use_true_random=False))
def test_the_newest_version_wins_whatever_the_order_of_the_news(history, random):
    """Each step is a version of the object, readable or not; the second uid comes after the first one."""
    manifests = []
    for version, (uid, readable) in enumerate(history, start=1):
        manifest = framework(uid=uid, version=version, replicas=version).manifest()
        if not readable:
            manifest["spec"]["service"]["replicas"] = "many"
        manifests.append((manifest, readable))
    newest, readable = manifests[-1]
    random.shuffle(manifests)
    observed = Observed()
    for manifest, _ in manifests:
        observed.registry.put(manifest)
    assert observed.version() == (newest["metadata"]["resourceVersion"] if readable else None)
