"""What holds of all plans, whatever their strategies and wherever their steps stand."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.frameworks.stateful.courses import AT_LEISURE, STATES, ask, plan_request

from tender.api.stateful import PlanStatus, StatefulStatus
from tender.frameworks.stateful.course import Course, Phase, Run, Step
from tender.frameworks.stateful.following import follow_all, with_forced
from tender.frameworks.stateful.overrides import Overrides
from tender.frameworks.stateful.strategies import CANARIES, TOGETHER, in_order, mistake

PODS = [f"node-{index}" for index in range(4)]
PHASES = [f"p{index}" for index in range(3)]
PLANS = ["deploy", "backup"]
STRATEGIES = ["Serial", "Parallel", "SerialCanary", "ParallelCanary", "Random"]
OPEN = [state for state in STATES.values() if state != "Complete"]

states = st.sampled_from(list(STATES.values()))


@st.composite
def phases(draw, name, before, observed):
    pods = draw(st.lists(st.sampled_from(PODS), max_size=3, unique=True))
    return Phase(
        name,
        draw(st.sampled_from(STRATEGIES)),
        tuple(Step(pod, draw(observed)) for pod in pods),
        tuple(draw(st.lists(st.sampled_from(before), max_size=2, unique=True))) if before else (),
        draw(st.sampled_from([None, "backup"])),
    )


@st.composite
def courses(draw, name, observed=states):
    """A plan without circles in its dependencies, in which steps may stand anywhere."""
    count = draw(st.integers(0, len(PHASES)))
    parts = [draw(phases(PHASES[index], PHASES[:index], observed)) for index in range(count)]
    strategy = draw(st.sampled_from(["Serial", "Parallel", "Dependency"]))
    return Course(name, strategy, tuple(draw(st.permutations(parts))), draw(st.sampled_from(["v1", "v2"])))


def all_courses(observed=states):
    return st.tuples(*(courses(name, observed) for name in PLANS))


@st.composite
def asked(draw):
    """Anything people may have asked for."""
    places = [*PLANS, *(f"{plan}/{phase}" for plan in PLANS for phase in PHASES)]
    canaries = [f"{plan}/{phase}@{token}" for plan in PLANS for phase in PHASES for token in ("v1", "v2")]
    steps = [f"{plan}/{phase}/{pod}@v1" for plan in PLANS for phase in PHASES for pod in PODS]
    return Overrides(
        frozenset(draw(st.lists(st.sampled_from(places), max_size=3))),
        frozenset(draw(st.lists(st.sampled_from(PODS), max_size=2))),
        draw(st.dictionaries(st.sampled_from(canaries), st.sampled_from([1, 2, None]), max_size=6)),
        frozenset(draw(st.lists(st.sampled_from(steps), max_size=10))),
    )


def step_of(course: Course, phase: str, step: str) -> Step:
    part = course.phase(phase)
    assert part is not None
    return next(one for one in part.steps if one.name == step)


class TestEveryMoment:
    @AT_LEISURE
    @given(all_courses(), asked())
    def test_of_steps_that_go_one_after_the_other_at_most_one_is_active(self, plans, overrides):
        for course, progress in zip(plans, follow_all(plans, overrides), strict=True):
            for phase in course.phases:
                if phase.strategy not in TOGETHER:
                    assert sum(name == phase.name for name, _ in progress.active) <= 1

    @AT_LEISURE
    @given(all_courses(), asked())
    def test_no_pod_is_active_in_two_steps(self, plans, overrides):
        pods = [pod for progress in follow_all(plans, overrides) for _, pod in progress.active]
        assert len(pods) == len(set(pods))

    @AT_LEISURE
    @given(all_courses(), asked())
    def test_no_step_begins_before_its_turn(self, plans, overrides):
        for seen, progress in zip(plans, follow_all(plans, overrides), strict=True):
            course = with_forced(seen, overrides)
            complete = {phase.name for phase in course.phases if phase.complete}
            names = [phase.name for phase in course.phases]
            for name, pod in progress.active:
                phase = next(one for one in course.phases if one.name == name)
                if step_of(course, name, pod).state == "Starting":
                    continue
                if course.strategy == "Serial":
                    assert complete.issuperset(names[: names.index(name)])
                if course.strategy == "Dependency":
                    assert complete.issuperset(phase.depends_on)
                order = [step.name for step in in_order(phase, str(course.token))]
                if phase.strategy not in TOGETHER:
                    before = order[: order.index(pod)]
                    assert all(step_of(course, name, one).state == "Complete" for one in before)
                if phase.strategy in CANARIES:
                    released = overrides.released(course.name, name, str(course.token))
                    assert released is None or order.index(pod) < released

    @AT_LEISURE
    @given(all_courses(), asked())
    def test_a_forced_step_is_complete_and_never_active(self, plans, overrides):
        for course, progress in zip(plans, follow_all(plans, overrides), strict=True):
            for phase, shown in zip(course.phases, progress.status.phases, strict=True):
                for step, status in zip(phase.steps, shown.steps, strict=True):
                    if overrides.forces(course.name, phase.name, step.name, course.token):
                        assert status.status == "Complete"
                        assert (phase.name, step.name) not in progress.active

    @AT_LEISURE
    @given(all_courses(), asked())
    def test_what_is_paused_begins_nothing(self, plans, overrides):
        for course, progress in zip(plans, follow_all(plans, overrides), strict=True):
            for phase, pod in progress.active:
                if overrides.holds(course.name) or overrides.holds(course.name, phase):
                    assert step_of(course, phase, pod).state == "Starting"

    @AT_LEISURE
    @given(all_courses(), asked())
    def test_a_plan_is_complete_when_all_steps_are_and_in_error_when_any_is(self, plans, overrides):
        for seen, progress in zip(plans, follow_all(plans, overrides), strict=True):
            found = [step.state for phase in with_forced(seen, overrides).phases for step in phase.steps]
            assert (progress.state == "Complete") == (set(found) <= {"Complete"})
            assert (progress.state == "Error") == ("Error" in found)

    @AT_LEISURE
    @given(all_courses(), asked())
    def test_the_status_takes_what_people_are_told(self, plans, overrides):
        statuses = [progress.status for progress in follow_all(plans, overrides)]
        assert [PlanStatus.model_validate(status.manifest()) for status in statuses] == statuses

    @AT_LEISURE
    @given(asked())
    def test_what_people_asked_for_survives_the_status(self, overrides):
        recorded = StatefulStatus.model_validate(overrides.fields())
        assert Overrides.read(StatefulStatus.model_validate(recorded.manifest())) == overrides

    @AT_LEISURE
    @given(courses("deploy"), st.randoms(use_true_random=False))
    def test_phases_in_a_circle_are_found_however_they_are_written(self, course, random):
        assert mistake(replace(course, strategy="Dependency")) == ""
        names = [f"c{index}" for index in range(random.randint(1, 4))]
        circle = [Phase(name, "Serial", (), (names[index - 1],)) for index, name in enumerate(names)]
        parts = [*course.phases, *circle]
        random.shuffle(parts)
        assert "in a circle" in mistake(Course("deploy", "Dependency", tuple(parts), "v1"))


class TestTheWholeWay:
    @AT_LEISURE
    @given(all_courses(st.sampled_from(["Pending", "Starting", "Complete", "Delayed"])), st.data())
    def test_every_plan_ends_when_steps_complete_and_canaries_are_resumed(self, plans, data):
        """Whatever begins, fails and completes first: nobody waits for anybody for ever."""
        overrides = Overrides()
        runs = {"backup": Run("backup", plans[-1].token, 0.0)}
        for turn in range(200):
            progress = follow_all(plans, overrides)
            if all(one.state == "Complete" for one in progress):
                return
            chosen = [(one.plan, phase, pod) for one in progress for phase, pod in one.active]
            if not chosen:
                waiting = next(one.plan for one in progress if one.state == "Waiting")
                resume = plan_request(f"r{turn}", "Resume", waiting)
                overrides = ask(resume, courses=plans, overrides=overrides, runs=runs).overrides
                continue
            plan, phase, pod = data.draw(st.sampled_from(chosen))
            plans = tuple(moved(course, phase, pod, data) if course.name == plan else course for course in plans)
        raise AssertionError("the plans do not end")

    @AT_LEISURE
    @given(courses("deploy", st.sampled_from(["Starting", "Pending"])))
    def test_steps_that_have_begun_are_let_finish_although_the_plan_is_paused(self, course):
        begun = replace(course, strategy="Parallel")
        paused = Overrides(paused=frozenset({"deploy"}))
        total = sum(step.state == "Starting" for phase in begun.phases for step in phase.steps)
        for _ in range(total):
            (progress,) = follow_all((begun,), paused)
            phase, pod = progress.active[0]
            begun = set_state(begun, phase, pod, "Complete")
        assert follow_all((begun,), paused)[0].active == ()


def moved(course, phase, pod, data):
    """The course after the step has come nearer to its end."""
    state = step_of(course, phase, pod).state
    return set_state(
        course, phase, pod, data.draw(st.sampled_from(["Complete", "Delayed"])) if state == "Starting" else "Starting"
    )


def set_state(course, phase, pod, state):
    return replace(
        course,
        phases=tuple(
            replace(part, steps=tuple(replace(step, state=state) if step.name == pod else step for step in part.steps))
            if part.name == phase
            else part
            for part in course.phases
        ),
    )
