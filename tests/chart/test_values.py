"""Values: the schema refuses what the chart does not understand, and the README explains the rest."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.chart.helm import CHART, Helm

from chart_readme import Value, read_values, updated

SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text())
VALUES = read_values()
NOT_OURS = {"global"}
"""What Helm itself sets."""


def described(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """The dotted names that the schema knows down to where values are explained as a whole, and what it says."""
    whole = {row.name for value in VALUES for row in value.rows()}
    for name, found in schema.get("properties", {}).items():
        key = f"{path}{name}"
        yield key, found.get("description", "")
        if key not in whole:
            inner = SCHEMA["$defs"][found["$ref"].rpartition("/")[2]] if "$ref" in found else found
            yield from described(inner, f"{key}.")


def all_names(values: list[Value] | tuple[Value, ...]) -> Iterator[str]:
    """The names of values and of the mappings that they are in."""
    for value in values:
        yield value.name
        yield from all_names(value.children)


class TestTheSchemaRefuses:
    @pytest.mark.parametrize(
        ("setting", "message"),
        [
            ("replicas=2", "at '': additional properties 'replicas' not allowed"),
            ("master.replica=2", "at '/master': additional properties 'replica' not allowed"),
            ("master.replicas=two", "at '/master/replicas': got string, want integer"),
            ("master.strategy.type=Rolling", "at '/master/strategy/type': value must be one of 'Recreate'"),
            ("master.podDisruptionBudget.maxUnavailable=half", "'half' does not match pattern"),
            ("master.extraEnv[0].value=a", "at '/master/extraEnv/0': missing property 'name'"),
            ("master.extraVolumes[0].secret.secretName=a", "missing property 'name'"),
            ("master.probes.startup.failureTreshold=1", "additional properties 'failureTreshold' not allowed"),
            ("master.topologySpreadConstraints[0].maxSkew=0", "minimum: got 0, want 1"),
            ("priorityClass.value=2000000000", "at '/priorityClass/value': maximum"),
            ("controller.namespaces=shop", "at '/controller/namespaces': got string, want array"),
            ("controller.namespaces[0]=Shop_1", "at '/controller/namespaces/0': 'Shop_1' does not match pattern"),
            ("image.tag=1", "at '/image/tag': got number, want string"),
            ("image.digest=latest", "at '/image/digest': 'latest' does not match pattern"),
            ("image.repository=", "at '/image/repository': minLength: got 0, want 1"),
            ("image.pullPolicy=Sometimes", "at '/image/pullPolicy': value must be one of 'Always'"),
            ("master.logLevel=loud", "at '/master/logLevel': value must be one of 'debug', 'info'"),
            ("master.allocation.sorter=fifo", "at '/master/allocation/sorter': value must be one of 'drf', 'random'"),
            (
                "master.allocation.scarceResources=gpu",
                "at '/master/allocation/scarceResources': got string, want array",
            ),
            ("master.allocation.scarceResources[0]=a gpu", "'a gpu' does not match pattern"),
            ("master.allocation.minimumOffer[0].cpu=10x", "'10x' does not match pattern"),
            ("master.allocation.minimumOffer[0].cpu=-1", "at '/master/allocation/minimumOffer/0/cpu': minimum: got -1"),
            ("controller.enabled=yes", "at '/controller/enabled': got string, want boolean"),
            ("crds.install=maybe", "at '/crds/install': got string, want boolean"),
            ("controller.extraArgs=--port", "at '/controller/extraArgs': got string, want array"),
            ("controller.reserveDiscipline=-1", "at '/controller/reserveDiscipline': minimum: got -1, want 0"),
            ("controller.namespace=Shop_1", "at '/controller/namespace': 'Shop_1' does not match pattern"),
            ("master.resources.request.cpu=1", "at '/master/resources': additional properties 'request' not allowed"),
            ("imagePullSecrets[0]=registry", "at '/imagePullSecrets/0': got string, want object"),
            ("master.tolerations[0].efect=NoSchedule", "additional properties 'efect' not allowed"),
        ],
    )
    def test_what_the_chart_does_not_understand(self, helm: Helm, setting: str, message: str):
        assert message in helm.refusal(setting)

    def test_a_service_account_without_a_name(self, helm: Helm):
        message = "controller.serviceAccount.name is needed when controller.serviceAccount.create is false"
        assert message in helm.refusal("controller.serviceAccount.create=false")


class TestTheSchemaAccepts:
    def test_values_for_all_charts_of_a_parent(self, helm: Helm):
        helm.template("global.region=north")

    @pytest.mark.parametrize("amount", ["1", "500m", "0.5"])
    def test_quantities_as_numbers_and_as_text(self, helm: Helm, amount: str):
        rendered = helm.template(f"master.resources.limits.cpu={amount}")
        assert str(rendered.container("master")["resources"]["limits"]["cpu"]) == amount


class TestTheSchema:
    def test_knows_every_value_and_no_other(self):
        assert {name for name, _ in described(SCHEMA)} - NOT_OURS == set(all_names(VALUES))

    def test_says_what_each_is_for(self):
        assert [name for name, description in described(SCHEMA) if not description] == []


class TestTheReadme:
    def test_explains_every_value_as_the_comment_above_it_does(self):
        readme = (CHART / "README.md").read_text()
        assert readme == updated(readme, VALUES), "run `make chart-docs`"

    def test_finds_a_comment_above_every_value(self):
        explained = [row for value in VALUES for row in value.rows()] + VALUES
        assert [value.name for value in explained if not value.comment] == []
