"""Rights as sets of values: what a role grants, and what the audit log says was asked for."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from tests.chart.helm import Manifest


class Right(NamedTuple):
    """One verb on one resource ("pods", "frameworks/status") of an API group."""

    group: str
    resource: str
    verb: str


@dataclass(frozen=True)
class Request:
    """One request to the API server. `right` is None for paths that are no objects, such as discovery.

    `allowed` is RBAC's word: a code 403 may also come from a namespace that is ending, or a quota. `at` is when it
    came, in epoch seconds.
    """

    user: str
    right: Right | None
    namespace: str
    path: str
    code: int
    allowed: bool
    at: float

    @property
    def rights(self) -> set[Right]:
        """What it took: an object that an apply has made (code 201) takes the right to create it as well."""
        if self.right is None:
            return set()
        made = self.right.verb == "patch" and self.code == 201
        return {self.right, self.right._replace(verb="create")} if made else {self.right}


def granted(roles: Iterable[Manifest]) -> set[Right]:
    """All rights of these roles themselves; none of one that is aggregated from others."""
    return {
        Right(group, resource, verb)
        for role in roles
        for rule in role.get("rules", ())
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def aggregated(roles: Iterable[Manifest], name: str) -> set[Right]:
    """The rights that the cluster's controller manager gathers into an aggregated role."""
    roles = list(roles)
    [whole] = [role for role in roles if role["metadata"]["name"] == name]
    selectors = [selector["matchLabels"].items() for selector in whole["aggregationRule"]["clusterRoleSelectors"]]
    return granted(role for role in roles if any(one <= role["metadata"]["labels"].items() for one in selectors))


def requests(audit_log: Path, user: str) -> Iterator[Request]:
    """The requests of this user."""
    for line in audit_log.read_text().splitlines():
        event = json.loads(line)
        if event["user"]["username"] == user:
            yield _request(event)


def _request(event: dict[str, Any]) -> Request:
    target = event.get("objectRef") or {}
    right = None
    if "resource" in target:
        resource = "/".join(part for part in (target["resource"], target.get("subresource")) if part)
        right = Right(target.get("apiGroup", ""), resource, event["verb"])
    code = event.get("responseStatus", {}).get("code", 0)
    allowed = event.get("annotations", {}).get("authorization.k8s.io/decision") != "forbid"
    at = datetime.fromisoformat(event["requestReceivedTimestamp"]).timestamp()
    where = target.get("namespace", "")
    return Request(event["user"]["username"], right, where, event["requestURI"], code, allowed, at)
