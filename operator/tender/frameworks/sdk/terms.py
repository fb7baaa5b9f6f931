"""Which open offers are void, since they come from a master that led before and arrived too late.

The API server numbers all writes in their order. So an offer of an earlier term that was made after one of a later term
was sent by a master that did not lead any more. One that was made before is as good as any: the new leader has adopted
it.
"""

from collections.abc import Iterable

from tender.api.offer import ResourceOffer


def late_offers(offers: Iterable[ResourceOffer]) -> frozenset[str]:
    """The names of the offers that came after one of a later term. An answer is a write too: of an offer that has one
    nobody knows any more when it was made, only by when.
    """
    versions = [
        (offer.spec.term, int(offer.metadata.resource_version or 0), offer.metadata.name)
        for offer in offers
        if offer.spec.term is not None
    ]
    if len({term for term, _, _ in versions}) < 2:
        return frozenset()
    return frozenset(
        name
        for term, version, name in versions
        if any(later > term and earlier < version for later, earlier, _ in versions)
    )
