"""Values: the schema refuses what the chart does not understand, and the README explains the rest."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from tests.chart.helm import CHART, Helm

VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
OPEN = {"podSecurityContext", "resources", "annotations"}
"""Values that the README explains as a whole."""


def keys(values: dict[str, Any], path: str = "") -> Iterator[str]:
    """The dotted keys that a user can set."""
    for name, value in values.items():
        if isinstance(value, dict) and value and name not in OPEN:
            yield from keys(value, f"{path}{name}.")
        else:
            yield f"{path}{name}"


class TestTheSchemaRefuses:
    @pytest.mark.parametrize(
        ("setting", "message"),
        [
            ("replicas=2", "at '': additional properties 'replicas' not allowed"),
            ("master.replicas=2", "at '/master': additional properties 'replicas' not allowed"),
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
            ("admission.claimPolicy=true", "at '/admission/claimPolicy': got boolean, want object"),
            ("admission.quotaPolicy.enabled=true", "additional properties 'quotaPolicy' not allowed"),
            ("networkPolicy.metricsFrom[0].namespace=a", "additional properties 'namespace' not allowed"),
            ("networkPolicy.apiServer.ports[0]=0", "at '/networkPolicy/apiServer/ports/0': minimum: got 0, want 1"),
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


class TestTheReadme:
    @pytest.mark.parametrize("key", list(keys(VALUES)))
    def test_explains_every_value(self, key: str):
        assert f"| `{key}` |" in (CHART / "README.md").read_text()

    def test_explains_no_value_that_is_not_there(self):
        rows = [line for line in (CHART / "README.md").read_text().splitlines() if line.startswith("| `")]
        assert {row.split("`")[1] for row in rows} == set(keys(VALUES))
