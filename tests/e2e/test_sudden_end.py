"""Master and controller ended by SIGKILL in the middle of a change: it goes on, and no pod is lost or doubled.

The moments are counted in events of the service's pods since the change began, so they fall into it on a machine of
any speed.
"""

from functools import partial
from random import Random

import pytest
from tests.e2e.pod_history import PodHistory
from tests.e2e.release import COMPONENTS, Release
from tests.e2e.rolling import Roll
from tests.e2e.services import ON_FAKE_NODES, Namespace, service, template, web
from tests.e2e.sudden_end import Processes
from tests.e2e.waiting import eventually

VICTIMS = [("master",), ("controller",), COMPONENTS]


@pytest.mark.parametrize("victims", VICTIMS, ids="-and-".join)
def test_a_roll_of_running_containers_goes_on(
    tender: Release, namespace: Namespace, history: PodHistory, victims: tuple[str, ...]
):
    tender.wait_until_ready()
    processes = Processes(tender)
    restarts = {victim: tender.restarts(victim) for victim in victims}
    roll = Roll(namespace, history, 3, web("before"), web("after"))

    roll.begin()
    history.wait_for_events(roll.begun, 4)
    assert not roll.is_done()
    processes.kill(*victims)

    roll.finish()
    for victim in victims:
        eventually(f"the {victim} was started again", partial(_was_restarted, tender, victim, restarts[victim]))


@pytest.mark.parametrize("seed", range(3))
def test_a_roll_goes_on_whenever_and_however_often_it_happens(
    tender: Release, namespace: Namespace, history: PodHistory, seed: int
):
    rng = Random(seed)
    tender.wait_until_ready()
    processes = Processes(tender)
    roll = Roll(namespace, history, 8, template("before"), template("after"), **ON_FAKE_NODES)
    mark = roll.begun

    roll.begin()
    for number in range(3):
        history.wait_for_events(mark, rng.randint(1, 9), unless=roll.is_done)
        assert number or not roll.is_done()
        processes.kill(*rng.choice(VICTIMS))
        mark = history.now

    roll.finish()


@pytest.mark.parametrize("seed", range(2))
def test_a_burst_of_launches_goes_on(tender: Release, namespace: Namespace, history: PodHistory, seed: int):
    tender.wait_until_ready()
    processes = Processes(tender)

    namespace.apply(service("burst", 60, template("here"), **ON_FAKE_NODES))
    history.wait_for_events(0, Random(seed).randint(1, 30))
    processes.kill(*COMPONENTS)

    history.wait_until("60 pods are ready", lambda pods: sum(pod.ready for pod in pods) >= 60)
    namespace.wait_for("Ready", "framework/burst")
    history.catch_up()
    names = [pod.name for pod in history.created()]
    assert len(names) == len(set(names)) == 60, history.tail(80)


def _was_restarted(tender: Release, component: str, before: int) -> bool:
    return tender.restarts(component) > before
