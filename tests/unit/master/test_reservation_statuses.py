"""What the master tells people of reservations."""

import pytest
from tests.builders import node

from tender.allocation import Ledger
from tender.api.reservation import Reservation
from tender.master.reading import read_node, read_reservation
from tender.master.reservation_statuses import reservation_status


class TestAReservation:
    def reserve(self, node_name: str = "node-1", cpu: str = "1") -> Reservation:
        return Reservation.model_validate(
            {
                "metadata": {"name": "kept", "namespace": "shop", "uid": "kept", "generation": 1},
                "spec": {"role": "a", "node": node_name, "resources": {"cpu": cpu}},
            }
        )

    def ledger(self, reservation: Reservation) -> Ledger:
        ledger = Ledger()
        ledger.put_node(read_node(node(cpu="4")))
        ledger.put_reservation("shop/kept", read_reservation(reservation))
        return ledger

    @pytest.mark.parametrize(
        ("node_name", "cpu", "state", "why"),
        [
            ("node-1", "4", "Ready", "kept for role a"),
            ("node-1", "5", "Stalled", "node node-1 lacks 1 cpu"),
            ("gone", "1", "Stalled", "spec.node: there is no node gone"),
        ],
    )
    def test_says_whether_it_is_kept(self, node_name: str, cpu: str, state: str, why: str):
        reservation = self.reserve(node_name, cpu)
        status = reservation_status(reservation, self.ledger(reservation), 0.0)
        told = {condition["type"]: condition for condition in status["conditions"]}
        assert told[state]["status"] == "True"
        assert why in told[state]["message"]
