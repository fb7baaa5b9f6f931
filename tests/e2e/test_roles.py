"""Roles that are not there, or not in order, are told of where people look; nobody else is disturbed."""

import secrets
from collections.abc import Iterator

import pytest
from tests.e2e.release import Release
from tests.e2e.services import ON_FAKE_NODES, Manifest, Namespace, condition, role, service, template
from tests.e2e.waiting import eventually


@pytest.fixture
def distinct(namespace: Namespace) -> Iterator[str]:
    """A beginning for names of roles, which are deleted afterwards."""
    prefix = f"r{secrets.token_hex(4)}"
    yield prefix
    roles = namespace.kubectl("get", "frameworkroles", "-o", "name").split()
    ours = [name for name in roles if name.partition("/")[2].startswith(prefix)]
    if ours:
        namespace.kubectl("delete", *ours)


def _when_stalled(namespace: Namespace, name: str) -> str:
    """The message of a role's condition Stalled, as soon as it has it."""

    def stalled() -> Manifest | None:
        found = condition(namespace.get("frameworkrole", name), "Stalled")
        return found if found.get("status") == "True" else None

    return str(eventually(f"role {name} is stalled", stalled)["message"])


def _is_in_order(namespace: Namespace, name: str) -> bool:
    return bool(condition(namespace.get("frameworkrole", name), "Ready").get("status") == "True")


def test_a_role_that_only_a_framework_names_takes_part_and_an_event_says_so(
    tender: Release, namespace: Namespace, distinct: str
):
    namespace.apply(service("lonely", 1, template("here"), role=distinct, **ON_FAKE_NODES))
    namespace.wait_for("Ready", "framework/lonely")

    [event] = eventually("an event of the role", lambda: namespace.events("ImplicitRole"))
    assert event["involvedObject"]["name"] == "lonely"
    assert f"there is no FrameworkRole {distinct}" in event["message"]


def test_a_parent_that_is_missing_stalls_the_role_until_it_comes(tender: Release, namespace: Namespace, distinct: str):
    child, parent = f"{distinct}-child", f"{distinct}-parent"
    namespace.apply(role(child, parent=parent))

    message = _when_stalled(namespace, child)
    assert "spec.parent" in message
    assert parent in message

    namespace.apply(role(parent))
    eventually("the child is in order", lambda: _is_in_order(namespace, child))


def test_parents_in_a_circle_stall_their_roles_and_nobody_else(tender: Release, namespace: Namespace, distinct: str):
    one, other, sound = (f"{distinct}-{name}" for name in ("one", "other", "sound"))
    namespace.apply(
        role(one, parent=other),
        role(other, parent=one),
        role(sound),
        service("inside", 1, template("here"), role=one, **ON_FAKE_NODES),
        service("outside", 1, template("here"), role=sound, **ON_FAKE_NODES),
    )

    for name in (one, other):
        message = _when_stalled(namespace, name)
        assert "spec.parent" in message
        assert "circle" in message
    assert _is_in_order(namespace, sound)
    namespace.wait_for("Ready", "framework/inside", "framework/outside")
