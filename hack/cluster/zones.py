"""Where nodes are said to stand, so that placement over zones can be tried: real and fake nodes alike, in three
zones of one region, in turn.
"""

_ZONES = 3


def zone_labels(number: int) -> dict[str, str]:
    """The labels of node `number`, counted from 1."""
    zone = (number - 1) % _ZONES + 1
    return {"topology.kubernetes.io/region": "region-1", "topology.kubernetes.io/zone": f"zone-{zone}"}
