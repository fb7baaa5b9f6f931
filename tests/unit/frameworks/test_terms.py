"""Which open offers are void, since a master that led before made them too late."""

import pytest
from tests.builders import NOON, claim_of, offer

from tender.api.offer import ResourceOffer
from tender.frameworks.sdk.terms import late_offers


def made(name: str, version: int, term: int | None) -> ResourceOffer:
    return offer(name=name, version=version, term=term)


class TestAnOfferOfAnEarlierTerm:
    def test_is_void_when_it_came_after_one_of_a_later_term(self):
        assert late_offers([made("new", 7, 4), made("late", 8, 3)]) == {"late"}

    def test_is_as_good_as_any_when_it_was_there_before(self):
        assert late_offers([made("old", 6, 3), made("new", 7, 4)]) == frozenset()

    def test_is_told_from_others_of_its_term_by_when_it_came(self):
        offers = [made("old", 6, 3), made("new", 7, 4), made("late", 8, 3), made("newer", 9, 4)]
        assert late_offers(offers) == {"late"}

    def test_is_void_also_when_the_later_one_has_been_claimed_before_it_came(self):
        claimed = offer(name="new", version=7, term=4, claims=[claim_of(0)], answered=NOON)
        assert late_offers([claimed, made("late", 8, 3)]) == {"late"}

    @pytest.mark.parametrize("term", [None, 3])
    def test_is_none_where_there_is_no_later_term(self, term: int | None):
        assert late_offers([made("one", 7, term), made("other", 8, term)]) == frozenset()

    def test_is_none_that_says_no_term(self):
        assert late_offers([made("new", 7, 4), made("unnumbered", 8, None)]) == frozenset()
