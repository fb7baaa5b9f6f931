"""What cannot be is refused with the field and the fix; what only turns out later is told by an event."""

import pytest
from tests.e2e.release import Release
from tests.e2e.services import ON_FAKE_NODES, Manifest, Namespace, role, service, template
from tests.e2e.waiting import eventually

_NO_WORKLOAD: Manifest = service("bad", 1, template("here"))
del _NO_WORKLOAD["spec"]["service"]
_NO_REQUESTS: Manifest = template("here")
del _NO_REQUESTS["spec"]["containers"][0]["resources"]


@pytest.mark.parametrize(
    ("manifest", "field", "fix"),
    [
        pytest.param(_NO_WORKLOAD, "spec", "set spec.service", id="no-workload"),
        pytest.param(service("bad", 1, template("here"), external={}), "spec", "set only one", id="two-workloads"),
        pytest.param(service("bad", 1, _NO_REQUESTS), "spec.service.template.spec", "needs", id="no-requests"),
        pytest.param(
            service("bad", 1, template("here", cpu="-1")),
            "spec.service.template.spec.containers[0].resources.requests",
            "0 or more",
            id="negative-request",
        ),
        pytest.param(role("bad", quota={"limit": {"cpu": "-1"}}), "spec.quota.limit", "0 or more", id="negative-limit"),
    ],
)
@pytest.mark.usefixtures("tender")
def test_the_api_server_refuses_it_and_says_what_to_do(namespace: Namespace, manifest: Manifest, field: str, fix: str):
    refusal = namespace.refusal(manifest)

    assert field in refusal
    assert fix in refusal


def test_a_template_that_no_pod_can_be_made_of_stalls_its_framework_alone_until_it_is_mended(
    tender: Release, namespace: Namespace
):
    broken = template("here")
    broken["spec"]["containers"][0]["volumeMounts"] = [{"name": "nowhere", "mountPath": "/data"}]
    namespace.apply(
        service("broken", 1, broken, **ON_FAKE_NODES), service("sound", 1, template("here"), **ON_FAKE_NODES)
    )

    [event] = eventually("an event of the refusal", lambda: namespace.events("WriteRefused"))
    assert event["involvedObject"]["name"] == "broken"
    assert "nowhere" in event["message"]
    namespace.wait_for("Stalled", "framework/broken")
    namespace.wait_for("Ready", "framework/sound")

    namespace.apply(service("broken", 1, template("here"), **ON_FAKE_NODES))
    namespace.wait_for("Ready", "framework/broken")
