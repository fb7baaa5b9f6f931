"""Master and controller ended by SIGKILL in the middle of a roll: it goes on, and no pod is lost or doubled.

The moments are counted in events of the service's pods since the roll began, so they fall into it on a machine of any
speed.
"""

from functools import partial
from random import Random

import pytest
from tests.e2e.pod_history import PodHistory
from tests.e2e.release import COMPONENTS, Release
from tests.e2e.rolling import Roll
from tests.e2e.services import ON_FAKE_NODES, Namespace, template, web
from tests.e2e.waiting import eventually

VICTIMS = [("master",), ("controller",), COMPONENTS]


@pytest.mark.parametrize("victims", VICTIMS, ids="-and-".join)
def test_a_roll_of_running_containers_goes_on(
    tender: Release, namespace: Namespace, history: PodHistory, victims: tuple[str, ...]
):
    tender.wait_until_ready()
    restarts = {victim: tender.restarts(victim) for victim in victims}
    roll = Roll(namespace, history, 3, web("before"), web("after"))

    roll.begin()
    history.wait_for_events(roll.begun, 4)
    assert not roll.done
    tender.kill(*victims)

    roll.finish()
    for victim in victims:
        eventually(f"the {victim} was started again", partial(_was_restarted, tender, victim, restarts[victim]))


@pytest.mark.parametrize("seed", range(3))
def test_a_roll_goes_on_whenever_and_however_often_it_happens(
    tender: Release, namespace: Namespace, history: PodHistory, seed: int
):
    rng = Random(seed)
    tender.wait_until_ready()
    roll = Roll(namespace, history, 8, template("before"), template("after"), **ON_FAKE_NODES)
    mark = roll.begun

    roll.begin()
    for _ in range(3):
        history.wait_for_events(mark, rng.randint(1, 9))
        tender.kill(*rng.choice(VICTIMS))
        mark = history.now
        if roll.done:
            break

    roll.finish()


def _was_restarted(tender: Release, component: str, before: int) -> bool:
    return tender.restarts(component) > before
