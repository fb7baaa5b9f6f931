"""Who may lead: the decisions on a Lease, and that at no time two processes can write."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tender.cluster.fence import Fence
from tender.cluster.lease import (
    Create,
    ElectionSettings,
    Record,
    Sighting,
    Step,
    Wait,
    Write,
    decide,
    observe,
    read,
)

ELECTION = ElectionSettings("tender-master", "tender-system", 15, 10.0, 2.0)


def record(holder: str = "other", *, term: int = 3, version: str = "7", seconds: float = 15.0) -> Record:
    return Record(holder, seconds, term, version)


def decision(*looks: tuple[Record | None, float], at: float) -> Step:
    """What "me" decides after having seen these records at these times."""
    seen = None
    for found, when in looks:
        seen = observe(seen, found, when)
    assert seen is not None
    return decide(seen, "me", at)


class TestACandidate:
    def test_waits_for_as_long_as_the_record_says_from_when_it_saw_it(self):
        assert decision((record(), 100.0), at=114.0) == Wait(1.0)
        assert decision((record(seconds=60), 100.0), at=114.0) == Wait(46.0)

    def test_waits_anew_whenever_the_record_has_changed(self):
        assert decision((record(version="7"), 100.0), (record(version="8"), 110.0), at=116.0) == Wait(9.0)

    def test_takes_over_with_the_next_term_when_the_record_has_not_changed_for_so_long(self):
        looks = [(record(), when) for when in (100.0, 107.0, 114.0)]
        assert decision(*looks, at=115.0) == Write("7", 4, is_new=True)

    def test_takes_over_at_once_what_was_released(self):
        assert decision((record(holder=""), 100.0), at=100.0) == Write("7", 4, is_new=True)

    def test_creates_the_record_where_there_has_never_been_one(self):
        assert decision((None, 100.0), at=100.0) == Create()

    def test_waits_for_the_holder_of_a_record_that_was_deleted_who_may_have_renewed_it_just_before(self):
        looks = [(record(), 100.0), (None, 114.0)]
        assert decision(*looks, at=115.0) == Wait(14.0)
        assert decision(*looks, (None, 128.0), at=129.0) == Create()

    def test_waits_also_when_the_record_was_released_before_since_somebody_may_have_taken_it(self):
        assert decision((record(holder=""), 100.0), (None, 101.0), at=102.0) == Wait(14.0)

    def test_renews_in_its_term_what_it_holds(self):
        assert decision((record(holder="me"), 100.0), at=500.0) == Write("7", 3, is_new=False)


class TestARecord:
    def test_is_read_as_the_api_server_sends_it(self):
        spec = {"holderIdentity": "me", "leaseDurationSeconds": 15, "leaseTransitions": 2}
        lease = {"metadata": {"resourceVersion": "7", "uid": "u"}, "spec": spec}
        assert read(lease) == Record("me", 15.0, 2, "7", "u")

    def test_that_says_nothing_is_free(self):
        assert read({"metadata": {"resourceVersion": "7", "uid": "u"}}) == Record("", 0.0, 0, "7", "u")


class TestTheTimes:
    def test_leave_a_write_time_to_end_before_the_next_leader_begins(self):
        assert ELECTION.renew_deadline + ELECTION.grace < ELECTION.lease_duration

    @pytest.mark.parametrize(
        ("duration", "deadline", "period"), [(10, 10.0, 2.0), (15, 2.4, 2.0), (15, 10.0, 0.0), (1, 2.0, 0.5)]
    )
    def test_have_to_fit_each_other(self, duration: int, deadline: float, period: float):
        with pytest.raises(ValueError, match="must be"):
            ElectionSettings("any", None, duration, deadline, period)


@dataclass
class Process:
    """A candidate whose clock is its own; it makes one request at a time, and may be stopped between any two steps."""

    name: str
    world: "World"
    ahead: float
    seen: Sighting | None = None
    asks: Step | None = None
    sent: float = 0.0
    answer: tuple[Record | None, bool] | None = None

    def __post_init__(self) -> None:
        self.fence = Fence(ELECTION.renew_deadline, ELECTION.grace, self.clock)

    def clock(self) -> float:
        return self.world.now + self.ahead

    def step(self) -> None:
        """Go on by one step: decide and send, or take in an answer."""
        if self.answer is not None:
            found, is_mine = self.answer
            self.answer = None
            self.seen = observe(self.seen, found, self.clock())
            if is_mine:
                self.fence.renewed(self.sent)
        elif self.asks is None:
            self.asks = Wait(0.0) if self.seen is None else decide(self.seen, self.name, self.clock())
            self.sent = self.clock()

    def arrive(self) -> None:
        """The API server gets what was sent: a look, or a compare-and-swap; the answer is on its way."""
        step, store = self.asks, self.world
        self.asks = None
        match step:
            case Create() if store.record is None:
                store.put(Record(self.name, 15.0, 0, ""))
                self.answer = (store.record, True)
            case Write(version, term) if store.record is not None and store.record.version == version:
                store.put(Record(self.name, 15.0, term, ""))
                self.answer = (store.record, True)
            case None:
                return
            case _:
                self.answer = (store.record, False)

    def turn(self) -> None:
        """Ask and be answered at once."""
        self.step()
        self.arrive()
        self.step()

    def lose(self) -> None:
        """The answer never comes."""
        self.answer = None

    @property
    def may_write(self) -> bool:
        """Whether a write of this process may still take effect."""
        return self.fence.seconds + self.fence.grace > 0


@dataclass
class World:
    """The true time, and the Lease."""

    now: float = 0.0
    record: Record | None = None
    writes: int = 0
    terms: list[tuple[str, int]] = field(default_factory=list)

    def put(self, found: Record) -> None:
        self.writes += 1
        self.record = Record(found.holder, found.seconds, found.transitions, str(self.writes))
        if found.holder:
            self.terms.append((found.holder, found.transitions))


WHO = st.integers(0, 2)
SECONDS = st.sampled_from([0.01, 0.5, 2.0, 3.0, 5.0, 9.5, 11.0, 13.0])
EVENTS = st.lists(
    st.one_of(
        *[st.tuples(st.just("turn"), WHO)] * 4,
        *[st.tuples(st.just("pass"), SECONDS)] * 3,
        st.tuples(st.just("step"), WHO),
        st.tuples(st.just("arrive"), WHO),
        st.tuples(st.sampled_from(["lose", "release", "delete"]), WHO),
    ),
    min_size=20,
    max_size=60,
)
"""What happens: a whole turn of a process or a part of it, time that passes, an answer lost, the Lease given back or
deleted.
"""


class TestWhateverHappens:
    """Three processes, with clocks that differ, are stopped and cut off for any time, and lose answers; the Lease is
    deleted after it was seen by all.
    """

    @settings(max_examples=600, deadline=None)
    @given(EVENTS, st.tuples(*[st.sampled_from([0.0, 3600.0, -1e6])] * 3))
    def test_at_most_one_can_write_and_a_term_has_one_leader(self, events, clocks):
        world = World()
        processes = [Process(f"p{number}", world, ahead) for number, ahead in enumerate(clocks)]
        for what, argument in events:
            if what == "pass":
                world.now += argument
            elif what == "release":
                release(processes[argument], world)
            elif what == "delete":
                delete(world, processes)
            else:
                getattr(processes[argument], what)()
            writers = [one.name for one in processes if one.may_write]
            assert len(writers) <= 1, f"{writers} may write at {world.now}"
        leaders = dict.fromkeys(world.terms)
        deleted = any(what == "delete" for what, _ in events)
        assert deleted or len({term for _, term in leaders}) == len(leaders)

    def test_somebody_leads_again_when_the_leader_is_gone(self):
        world = World()
        gone, other = Process("p0", world, 0.0), Process("p1", world, 1e6)
        for _ in range(3):
            gone.turn()
        other.turn()
        assert gone.fence.is_open
        world.now += ELECTION.lease_duration
        for _ in range(2):
            other.turn()
        assert (other.fence.is_open, gone.fence.is_open) == (True, False)


def release(process: Process, world: World) -> None:
    """A leader ends in order: its writes are over, then it gives the Lease back."""
    held = world.record
    if process.fence.is_open and held is not None and held.holder == process.name:
        process.fence = Fence(ELECTION.renew_deadline, ELECTION.grace, process.clock)
        process.seen = process.asks = process.answer = None
        process.name += "'"
        world.put(Record("", held.seconds, held.transitions, ""))


def delete(world: World, processes: list[Process]) -> None:
    """Somebody deletes the Lease. Who has never seen it cannot know that it was there."""
    if all(one.seen is not None and one.seen.record is not None for one in processes):
        world.record = None
