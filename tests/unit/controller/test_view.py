"""What a turn looks at: the caches, with the controller's own writes on top."""

import msgspec
import pytest
from tests.builders import NOON, claim_of, framework, offer, owner_of, pod

from tender.api import core
from tender.api.framework import Framework
from tender.api.offer import ResourceOffer
from tender.cluster.resources import PODS
from tender.controller.view import View

WEB = framework("web")


class Watched:
    """A view, and the frameworks that it said are due for a turn."""

    def __init__(self, *frameworks: Framework) -> None:
        self.dirty: list[str] = []
        self.view = View(self.dirty.append)
        for one in frameworks:
            self.view.framework_changed(None, one)
        self.dirty.clear()

    def pods(self, of: Framework = WEB) -> list[str]:
        return [one.metadata.name for one in self.view.seen(of, NOON).pods]

    def offers(self, of: Framework = WEB) -> list[ResourceOffer]:
        return list(self.view.seen(of, NOON).offers)

    def launched(self, of: Framework = WEB) -> frozenset[str]:
        return self.view.seen(of, NOON).launched


@pytest.fixture
def watched() -> Watched:
    return Watched(WEB)


def renewed(one: core.Pod, version: int, **changes: object) -> core.Pod:
    return msgspec.structs.replace(
        one, metadata=msgspec.structs.replace(one.metadata, resource_version=str(version), **changes)
    )


class TestFrameworks:
    def test_are_known_by_namespace_and_name(self, watched):
        assert watched.view.framework("shop/web") == WEB
        assert watched.view.framework("shop/other") is None

    def test_every_change_makes_one_due(self, watched):
        watched.view.framework_changed(WEB, framework("web", version=2))
        assert watched.dirty == ["shop/web"]

    def test_the_answer_to_a_write_is_not_undone_by_older_news(self, watched):
        written, stale = framework("web", version=5, replicas=5), framework("web", version=4, replicas=4)
        watched.view.framework_written(written)
        watched.view.framework_changed(WEB, stale)
        assert watched.view.framework("shop/web") == written

    def test_one_that_was_deleted_is_due_to_be_forgotten(self, watched):
        watched.view.framework_changed(WEB, None)
        assert watched.view.framework("shop/web") is None
        assert watched.dirty == ["shop/web"]


class TestPods:
    def test_belong_to_the_framework_that_owns_them_whatever_their_labels_say(self, watched):
        watched.view.child_changed(PODS, None, pod("web-1"))
        watched.view.child_changed(PODS, None, pod("spoofed", owners=[]))
        watched.view.child_changed(PODS, None, pod("of-another", of="other"))
        assert watched.pods() == ["web-1"]

    def test_of_another_namespace_never_belong_to_it(self, watched):
        watched.view.child_changed(PODS, None, pod("web-1"))
        watched.view.child_changed(PODS, None, pod("web-1", namespace="elsewhere", uid="spoofed"))
        (seen,) = watched.view.seen(WEB, NOON).pods
        assert seen.metadata.uid == "uid-of-web-1"

    def test_make_their_framework_due_when_they_come_change_and_go(self, watched):
        one = pod("web-1")
        for old, new in ((None, one), (one, renewed(one, 2)), (renewed(one, 2), None)):
            watched.view.child_changed(PODS, old, new)
            assert set(watched.dirty) == {"shop/web"}
            watched.dirty.clear()
        assert watched.pods() == []

    def test_may_come_before_their_framework(self):
        watched = Watched()
        watched.view.child_changed(PODS, None, pod("web-1"))
        watched.view.framework_changed(None, WEB)
        assert watched.pods() == ["web-1"]

    def test_that_were_created_are_seen_before_the_watch_tells_of_them(self, watched):
        watched.view.pod_created(WEB, "web-x", pod("web-x-0-0"))
        assert watched.pods() == ["web-x-0-0"]

    def test_that_were_created_are_seen_once_when_the_watch_tells_too(self, watched):
        created = pod("web-x-0-0")
        watched.view.pod_created(WEB, "web-x", created)
        watched.view.child_changed(PODS, None, created)
        assert watched.pods() == ["web-x-0-0"]
        watched.view.child_changed(PODS, created, None)
        assert watched.pods() == []

    def test_that_came_and_went_before_the_answer_to_their_creation_are_gone(self, watched):
        created = pod("web-x-0-0")
        watched.view.child_changed(PODS, None, created)
        watched.view.child_changed(PODS, created, None)
        watched.view.pod_created(WEB, "web-x", created)
        assert watched.pods() == []
        assert watched.launched() == frozenset()

    def test_an_earlier_pod_of_the_name_does_not_take_the_created_one_with_it(self, watched):
        earlier = pod("web-x-0-0", uid="earlier")
        watched.view.child_changed(PODS, None, earlier)
        watched.view.child_gone(WEB, PODS, "earlier")
        watched.view.child_changed(PODS, earlier, None)
        watched.view.pod_created(WEB, "web-x", pod("web-x-0-0", uid="later"))
        watched.view.child_changed(PODS, earlier, None)
        assert watched.pods() == ["web-x-0-0"]

    def test_that_were_stopped_are_gone_although_the_watch_still_tells_of_them(self, watched):
        one = pod("web-1")
        watched.view.child_changed(PODS, None, one)
        watched.view.child_gone(WEB, PODS, one.metadata.uid)
        assert watched.pods() == []
        watched.view.child_changed(PODS, one, renewed(one, 2))
        assert watched.pods() == []

    def test_one_of_the_same_name_as_a_stopped_one_is_seen(self, watched):
        first, second = pod("web-1", uid="first"), pod("web-1", uid="second")
        watched.view.child_changed(PODS, None, first)
        watched.view.child_gone(WEB, PODS, "first")
        watched.view.child_changed(PODS, first, second)
        assert watched.pods() == ["web-1"]


class TestOffers:
    def test_make_their_framework_due(self, watched):
        watched.view.offer_changed(None, offer())
        assert watched.dirty == ["shop/web"]
        assert watched.offers() == [offer()]

    def test_an_answer_that_was_written_is_not_undone_by_older_news(self, watched):
        watched.view.offer_changed(None, offer(version=1))
        watched.view.offer_written(offer(version=3, refused=5))
        watched.view.offer_changed(offer(version=1), offer(version=2))
        assert watched.offers() == [offer(version=3, refused=5)]

    def test_that_are_gone_are_forgotten(self, watched):
        watched.view.offer_changed(None, offer())
        watched.view.offer_changed(offer(), None)
        assert watched.offers() == []
        watched.view.offer_changed(None, offer())
        watched.view.offer_gone("shop/web", offer().metadata.name)
        assert watched.offers() == []

    def test_the_end_of_a_claim_makes_its_framework_due_since_failed_pods_waited_for_it(self, watched):
        won = offer(claims=[claim_of(a=1)])
        watched.view.offer_changed(None, won)
        watched.dirty.clear()
        watched.view.offer_changed(won, None)
        assert watched.dirty == ["shop/web"]

    def test_pods_launched_from_one_are_known_by_name_for_as_long_as_it_stands(self, watched):
        won = offer(name="web-x", claims=[claim_of(a=1)])
        watched.view.offer_changed(None, won)
        watched.view.pod_launched(WEB, "web-x", "web-x-0-0")
        watched.view.pod_created(WEB, "web-x", pod("web-x-0-1"))
        assert watched.launched() == {"web-x-0-0", "web-x-0-1"}
        watched.view.offer_changed(won, None)
        assert watched.launched() == frozenset()


class TestAReplacedFramework:
    """One of the same name, and another uid."""

    def replaced(self) -> tuple[Watched, Framework]:
        watched, successor = Watched(WEB), framework("web", uid="another", version=9)
        watched.view.child_changed(PODS, None, pod("web-1"))
        watched.view.pod_created(WEB, "web-x", pod("web-x-0-0"))
        watched.view.offer_changed(None, offer(claims=[claim_of(a=1)]))
        watched.view.framework_changed(WEB, successor)
        return watched, successor

    def test_has_none_of_the_pods_of_the_former_one(self):
        watched, successor = self.replaced()
        assert watched.pods(successor) == []

    def test_has_none_of_its_offers_and_claims(self):
        watched, successor = self.replaced()
        assert watched.offers(successor) == []

    def test_has_its_own(self):
        watched, successor = self.replaced()
        watched.view.child_changed(PODS, None, pod("web-2", owners=[owner_of("web", "another")]))
        watched.view.offer_changed(None, offer(name="web-y", owner_uid="another"))
        assert watched.pods(successor) == ["web-2"]
        assert [one.metadata.name for one in watched.offers(successor)] == ["web-y"]
