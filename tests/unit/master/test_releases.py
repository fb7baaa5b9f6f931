"""When reservations end with their node."""

from tests.builders import NOON, node, reservation, timestamp

from tender.allocation import Ledger
from tender.api.reservation import Reservation
from tender.master.reading import read_node
from tender.master.releases import due_releases

HOUR = 3600.0


def lost(since: float | None = NOON, **fields) -> Reservation:
    """A reservation that is released an hour after its node is lost."""
    status = {} if since is None else {"nodeLostAt": timestamp(since)}
    return reservation(on="gone", status=status, **{"nodeLostTimeout": "1h", **fields})


def is_released(one: Reservation, now: float, *nodes: str) -> bool:
    ledger = Ledger()
    for name in nodes:
        ledger.put_node(read_node(node(name)))
    return due_releases([one], ledger, now) == [one]


class TestAReservationOnALostNode:
    def test_is_released_when_its_time_is_up_and_not_before(self):
        assert not is_released(lost(), NOON + HOUR - 1)
        assert is_released(lost(), NOON + HOUR)
        assert is_released(lost(), NOON + 30 * HOUR)

    def test_is_kept_for_ever_without_a_timeout(self):
        assert not is_released(reservation(on="gone", status={"nodeLostAt": timestamp(NOON)}), NOON + 10_000 * HOUR)

    def test_is_kept_until_its_status_has_told_of_the_loss(self):
        assert not is_released(lost(since=None), NOON + 10_000 * HOUR)

    def test_is_kept_when_the_node_is_back_though_its_status_is_late(self):
        assert not is_released(lost(), NOON + HOUR, "gone")

    def test_is_released_once(self):
        assert not is_released(lost(deleted=NOON + HOUR), NOON + HOUR)

    def test_may_be_released_at_once(self):
        assert is_released(lost(nodeLostTimeout="0s"), NOON)


def test_other_nodes_have_no_part_in_it():
    ledger = Ledger()
    ledger.put_node(read_node(node("here")))
    here, gone = reservation(on="here", nodeLostTimeout="1h"), lost()
    assert due_releases([here, gone], ledger, NOON + HOUR) == [gone]
