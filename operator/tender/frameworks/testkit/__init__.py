"""A test kit for authors of frameworks: a planner walked through offers, failures and restarts, without a cluster.

A `Stage` holds one framework and what an API server would hold of it. A test sends what happens (an offer, a pod that
fails, a node that falls silent), the stage takes turns until nothing more happens, and the test says what it expects.
The model is the ServiceTestRunner of the DC/OS SDK, with its Send and Expect.

    def test_a_lost_pod_is_asked_for_again() -> None:
        stage = Stage(plan, framework("workers", external={}))
        stage.offer("node-1", cpu="4", memory="8Gi")
        stage.expect_claimed("node-1", tasks={"worker": 2})
        first, second = stage.expect_launched(2)
        stage.pods_run()
        stage.node_lost("node-1")
        stage.expect_demand(worker=2)
        stage.offer("node-2", cpu="4", memory="8Gi")
        stage.expect_launched(2, on="node-2")

What happens and what is expected takes turns, in paragraphs: an expectation looks at all that was written since the
last paragraph ended, and the first thing that happens after an expectation begins a new one. A failure says what was
expected, what was written instead, and how things stand.

`stage.restart()` is a controller that comes back knowing only what the API server holds; `stage.crash_after(writes)`
one that ends in the middle of its work. Where a script ends in the same state for every number of writes, a crash
loses and doubles nothing.
"""

from tender.frameworks.testkit.manifests import MEMORY, NAMESPACE, NOON, framework, pod_template
from tender.frameworks.testkit.objects import Manifest
from tender.frameworks.testkit.stage import Crash, Stage
from tender.frameworks.testkit.verdicts import BrokenRule, Unmet, Unrest
from tender.frameworks.testkit.writes import Verb, Write

__all__ = [
    "MEMORY",
    "NAMESPACE",
    "NOON",
    "BrokenRule",
    "Crash",
    "Manifest",
    "Stage",
    "Unmet",
    "Unrest",
    "Verb",
    "Write",
    "framework",
    "pod_template",
]
