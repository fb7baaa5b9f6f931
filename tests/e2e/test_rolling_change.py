"""A changed template is rolled out one pod for one: never too many pods, never too few that are ready."""

from tests.e2e.pod_history import PodHistory
from tests.e2e.release import Release
from tests.e2e.rolling import NAME, Roll
from tests.e2e.services import Namespace, web
from tests.e2e.web_answer import fetch


def test_a_changed_template_replaces_every_pod_and_the_new_ones_answer(
    tender: Release, namespace: Namespace, history: PodHistory
):
    roll = Roll(namespace, history, 3, web("before"), web("after"))
    assert {fetch(f"http://{pod.address}:8080/") for pod in history.pods()} == {"before\n"}

    roll.begin()
    roll.finish()

    assert [fetch(f"http://{pod.address}:8080/") for pod in history.pods()] == ["after\n"] * 3
    status = namespace.get("framework", NAME)["status"]
    assert {pod.revision for pod in history.pods()} == {status["revision"]}
