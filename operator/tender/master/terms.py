"""The terms of leaders as offers tell them, for when the Lease that counts them is gone."""

from tender.cluster.client import Client
from tender.cluster.resources import RESOURCE_OFFERS


async def first_term(client: Client) -> int:
    """The least term that a new Lease may begin with: later than that of every offer; 0 if no offer has one."""
    terms = [0]
    for manifest in await client.list_all(RESOURCE_OFFERS):
        term = manifest["spec"].get("term")
        terms += [] if term is None else [term + 1]
    return max(terms)
