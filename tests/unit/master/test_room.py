"""Whether nodes have room for what is on offer: looked at where something changed, with the result of a full look."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import NOON, demand, external, node, offer, pod, pod_spec, reservation, role, slice_on

from tender.allocation import Ledger, Settings, take_back
from tender.api.offer import ResourceOffer
from tender.master import room as room_module
from tender.master.intake import Intake
from tender.master.offerbook import OfferBook
from tender.master.room import Room

NODES = ("node-1", "node-2")
TAINT = {"key": "gpu", "value": "", "effect": "NoSchedule"}


def on(name: str, *nodes: str, cpu: str = "1", of: str = "spark", **fields: Any) -> ResourceOffer:
    """An open offer of so much of each of these nodes."""
    return offer(*(slice_on(one, cpu=cpu, memory="1Gi", pods="1", a=1) for one in nodes), of=of, name=name, **fields)


class Master:
    """Nodes of 4 CPU, and all that comes and goes on them."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.book = OfferBook(self.ledger)
        self.intake = Intake(self.ledger, self.book.pod_changed, self.book.room)
        self.known: dict[tuple[str, str], Any] = {}
        for name in NODES:
            self.tell("node", name, node(name))

    def tell(self, kind: str, name: str, new: Any) -> None:
        """What is there now under this name; None: nothing."""
        old = self.known.pop((kind, name), None)
        if new is not None:
            self.known[kind, name] = new
        if old is None and new is None:
            return
        if kind == "offer":
            self.intake.offer_changed(old, new, self.book.seen_of)
            self.book.offer_changed(old, new, NOON)
        else:
            getattr(self.intake, f"{kind}_changed")(old, new)

    def lacking(self) -> dict[str, str]:
        return self.book.room.lacking()

    def lacking_at_a_full_look(self) -> dict[str, str]:
        room = Room(self.ledger, Settings())
        for (kind, _), one in self.known.items():
            if kind == "offer" and one.status.phase == "Offered":
                for part in one.spec.slices:
                    room.offered(f"shop/{one.metadata.name}", one.framework_key, part.node)
        return room.lacking()


@pytest.fixture
def master() -> Master:
    return Master()


@pytest.fixture
def looks(monkeypatch) -> list[str]:
    """The nodes that are looked at from now on."""
    looked: list[str] = []

    class Noted:
        @staticmethod
        def on_node(ledger: Ledger, settings: Settings, name: str) -> Any:
            looked.append(name)
            return take_back.on_node(ledger, settings, name)

    monkeypatch.setattr(room_module, "take_back", Noted)
    return looked


class TestANode:
    def test_is_looked_at_when_an_offer_opens_on_it_and_then_not_again(self, master, looks):
        master.tell("offer", "o-1", on("o-1", *NODES))
        assert (master.lacking(), looks) == ({}, ["node-1", "node-2"])
        assert (master.lacking(), looks) == ({}, ["node-1", "node-2"])

    def test_is_looked_at_again_when_something_takes_its_room(self, master, looks):
        master.tell("offer", "o-1", on("o-1", *NODES))
        master.lacking()
        looks.clear()
        master.tell("pod", "stranger", pod("stranger", of=None, node="node-2"))
        assert (master.lacking(), looks) == ({}, ["node-2"])

    def test_is_not_looked_at_for_a_heartbeat(self, master, looks):
        master.tell("offer", "o-1", on("o-1", *NODES))
        master.lacking()
        looks.clear()
        master.tell("node", "node-1", node("node-1"))
        assert (master.lacking(), looks) == ({}, [])

    def test_is_not_looked_at_when_nothing_is_on_offer_there(self, master, looks):
        master.tell("pod", "stranger", pod("stranger", of=None))
        master.tell("offer", "o-1", on("o-1", "node-1"))
        master.tell("offer", "o-1", None)
        assert (master.lacking(), looks) == ({}, [])

    def test_is_looked_at_until_what_is_too_much_has_been_taken_back(self, master, looks):
        master.tell("offer", "o-1", on("o-1", *NODES, cpu="2"))
        master.tell("pod", "stranger", pod("stranger", of=None, spec=pod_spec(cpu="3")))
        for _ in range(2):
            assert master.lacking() == {"shop/o-1": "node node-1 has less to give"}
        master.tell("offer", "o-1", None)
        looks.clear()
        assert (master.lacking(), looks) == ({}, [])

    def test_is_looked_at_when_a_framework_does_not_tolerate_its_taints_any_more(self, master):
        master.tell("node", "node-1", node("node-1", taints=[TAINT]))
        master.tell("framework", "spark", external(tolerations=[{"operator": "Exists"}]))
        master.tell("offer", "o-1", on("o-1", "node-1"))
        assert master.lacking() == {}
        master.tell("framework", "spark", external())
        assert master.lacking() == {"shop/o-1": "node node-1 has less to give"}


class TestANodeOfWhichSomeIsReserved:
    """Of its 4 CPU, 3 are reserved for the role batch; spark uses 2 of these, and 1 CPU is on offer to flink."""

    SPARK = external("spark", role="adhoc")

    @pytest.fixture
    def reserved(self, master: Master) -> Master:
        master.tell("role", "batch", role("batch"))
        master.tell("role", "adhoc", role("adhoc", parent="batch"))
        master.tell("reservation", "kept", reservation(for_role="batch", resources={"cpu": "3"}))
        master.tell("framework", "spark", self.SPARK)
        master.tell("framework", "flink", external("flink"))
        master.tell("pod", "spark-1", pod("spark-1", of="spark", spec=pod_spec(cpu="2")))
        master.tell("offer", "o-1", on("o-1", "node-1", of="flink"))
        assert master.lacking() == {}
        return master

    @pytest.mark.parametrize(
        ("kind", "name", "after"),
        [
            pytest.param("role", "adhoc", role("adhoc"), id="a-role-has-another-parent"),
            pytest.param("role", "adhoc", None, id="a-role-is-gone"),
            pytest.param("framework", "spark", external("spark"), id="a-framework-has-another-role"),
            pytest.param("framework", "spark", None, id="a-framework-is-gone"),
        ],
    )
    def test_is_looked_at_when_others_may_use_what_is_reserved(self, reserved, kind, name, after):
        reserved.tell(kind, name, after)
        assert reserved.lacking() == {"shop/o-1": "node node-1 has less to give"}


EVENTS: dict[tuple[str, str], list[Any]] = {
    ("node", "node-1"): [None, node("node-1"), node("node-1", cpu="2"), node("node-1", taints=[TAINT])],
    ("node", "node-2"): [None, node("node-2"), node("node-2", cordoned=True), node("node-2", memory="1Gi")],
    ("pod", "stranger"): [None, *(pod("stranger", of=None, spec=pod_spec(cpu=cpu)) for cpu in ("1", "3"))],
    ("pod", "spark-1"): [None, pod("spark-1", of="spark", spec=pod_spec(cpu="1"))],
    ("offer", "o-1"): [None, on("o-1", *NODES), on("o-1", *NODES, phase="Rescinded")],
    ("offer", "o-2"): [None, on("o-2", "node-1", cpu="2", of="flink")],
    ("offer", "o-3"): [None, on("o-3", "node-2", role="adhoc", version=1)],
    ("framework", "spark"): [
        None,
        external(),
        external(role="batch", roles=["adhoc"]),
        external(tolerations=[{"operator": "Exists"}]),
        external(demand=[demand("a", 2, tolerations=[{"operator": "Exists"}])]),
    ],
    ("framework", "flink"): [None, external("flink"), external("flink", role="adhoc")],
    ("role", "batch"): [None, role("batch")],
    ("role", "adhoc"): [None, role("adhoc"), role("adhoc", parent="batch")],
    ("reservation", "kept"): [
        None,
        reservation(for_role="batch", resources={"cpu": "2"}),
        reservation(on="node-2", for_role="adhoc", resources={"cpu": "3"}),
    ],
    ("reservation", "named"): [
        None,
        reservation("named", for_role="default", framework="flink", resources={"cpu": "1"}),
    ],
}


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.sampled_from(sorted(EVENTS)).flatmap(lambda of: st.tuples(st.just(of), st.sampled_from(EVENTS[of]))))
)
def test_what_is_found_where_something_changed_is_all_that_is_to_be_found(events):
    master = Master()
    for number, ((kind, name), new) in enumerate(events):
        master.tell(kind, name, new)
        if number % 3:
            assert master.lacking() == master.lacking_at_a_full_look()
