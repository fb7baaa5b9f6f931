"""The laws of stateful services: whatever befalls one, and wherever its controller dies, it ends as its spec says."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.frameworks.stateful.world import World, never_two_of_one, phase, pod_set, task, template

from tender.api.names import LABEL_INSTANCE

PLANS = [
    {"name": "deploy", "phases": [phase(task="init", indexes=[0]), phase()]},
    {"name": "backup", "phases": [phase(task="backup")]},
    {"name": "hook", "phases": [phase(task="announce", indexes=[0])], "parameters": {"POD": ""}},
]
UNIQUE = [{"key": "metadata.name", "operator": "Unique"}]
Event = tuple[Any, ...]


def spec(image: int, count: int) -> Any:
    return pod_set(
        count=count,
        template=template(f"db:{image}", cpu=f"{400 + 100 * (image % 3)}m"),
        config={"me": "${pod.name}", "all": "${pods.node.count}", "former": "${pod.replaced}"},
        constraints=UNIQUE,
        tasks=[task("init", "Once", image="init:1"), task("backup"), task("announce")],
        onReplace="hook",
        allowDecommission=True,
    )


class Life:
    """A service to which things happen; its laws are checked after every change."""

    def __init__(self) -> None:
        self.world = World().with_nodes(6)
        self.world.check = self.hold
        self.image, self.count = 1, 3
        self.initialised: set[str] = set()
        self.apply()

    def apply(self) -> None:
        known = self.world.frameworks.get("db")
        requests: dict[str, Any] = {}
        if known is not None:
            stateful = known.spec.manifest()["stateful"]
            requests = {name: stateful[name] for name in ("planRequests", "podRequests") if name in stateful}
        self.world.apply(spec(self.image, self.count), plans=PLANS, recovery={"replaceAfter": "30m"}, **requests)

    def hold(self, world: World) -> None:
        never_two_of_one(world)
        for pod in world.pods.values():
            if pod.metadata.name.endswith("-init") and pod.status.phase == "Succeeded":
                self.initialised.add(pod.metadata.uid)
        assert len(self.initialised) <= 1, "initialised twice"

    def happen(self, event: Event) -> None:
        kind, number = event
        world, pod = self.world, f"db-node-{number % 4}"
        nodes = sorted(world.nodes)
        if kind == "steps":
            for _ in range(number):
                world.step()
        elif kind == "crash":
            world.serve()
            world.turn(writes=number)
            world.run()
        elif kind == "later":
            world.step(seconds=60.0 * number)
        elif kind == "fail" and pod in world.live:
            world.fail(pod)
        elif kind == "lose" and pod in world.live:
            world.lose_pod(pod)
        elif kind == "silence":
            world.silence(nodes[number % len(nodes)])
        elif kind == "restore":
            world.restore(nodes[number % len(nodes)])
        elif kind in ("Restart", "Replace", "Pause", "Resume"):
            world.request(kind, pod=f"node-{number % 4}")
        elif kind == "backup":
            world.request("Start", plan="backup")
        elif kind == "again":
            world.request("Restart", plan="deploy", phase="node")
        elif kind == "change":
            self.image = number
            self.apply()
        elif kind == "scale":
            self.count = 1 + number % 4
            self.apply()
        elif kind == "break":
            world.broken ^= {f"db:{number}", "task:1"}

    def end(self) -> None:
        """Nothing more happens: nodes and images are well, and pods that were paused are resumed."""
        world = self.world
        world.broken.clear()
        for name in world.nodes:
            if not world.nodes[name].ready:
                world.restore(name)
        for number in range(4):
            world.request("Resume", pod=f"node-{number}")
        world.settle(steps=1500)


EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("steps"), st.integers(1, 12)),
        st.tuples(st.just("crash"), st.integers(0, 4)),
        st.tuples(st.just("later"), st.integers(1, 20)),
        st.tuples(st.sampled_from(["fail", "lose", "Restart", "Replace", "Pause", "Resume"]), st.integers(0, 3)),
        st.tuples(st.sampled_from(["silence", "restore"]), st.integers(0, 5)),
        st.tuples(st.sampled_from(["change", "scale", "break"]), st.integers(1, 5)),
        st.tuples(st.sampled_from(["backup", "again"]), st.just(0)),
    ),
    max_size=30,
)


class TestConvergence:
    @settings(max_examples=60, deadline=None)
    @given(EVENTS)
    def test_it_comes_to_what_the_spec_says_once_nothing_happens_any_more(self, events: list[Event]) -> None:
        life = Life()
        for event in events:
            life.happen(event)
        life.end()
        world = life.world
        assert world.state() == ("Ready", "AsSpecified"), (world.message(), world.words())
        names = [f"db-node-{number}" for number in range(life.count)]
        assert sorted(world.pods) == names
        assert set(world.images().values()) == {f"db:{life.image}"}
        assert all(pod.ready for pod in world.pods.values())
        instances = [f"node-{number}" for number in range(life.count)]
        assert sorted(one.metadata.labels[LABEL_INSTANCE] for one in world.reservations.values()) == instances
        assert sorted(world.volume_claims) == [f"data-{name}" for name in names]
        assert sorted(world.config_maps) == names
        assert all(world.place(pod[3:]).spec.node == world.node_of(pod) for pod in names)
        assert len({world.node_of(pod) for pod in names}) == life.count

    @settings(max_examples=25, deadline=None)
    @given(EVENTS, st.data())
    def test_also_when_the_controller_dies_in_every_turn(self, events: list[Event], data: st.DataObject) -> None:
        life = Life()
        world = life.world
        for event in events:
            if event[0] not in ("steps", "later"):
                life.happen(event)
            for _ in range(4):
                world.now += 1
                world.serve()
                world.turn(writes=data.draw(st.integers(0, 3)))
                world.run()
        life.end()
        assert world.state() == ("Ready", "AsSpecified"), (world.message(), world.words())
        assert sorted(world.pods) == [f"db-node-{number}" for number in range(life.count)]
        assert len(world.reservations) == len(world.volume_claims) == life.count
