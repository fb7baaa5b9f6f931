"""The options of `tender controller` that say whose frameworks it runs."""

from collections.abc import Mapping
from typing import Any

import pytest
from click.testing import CliRunner

from tender.cli import main
from tender.controller.settings import ControllerSettings
from tender.frameworks.sdk import Planner


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[ControllerSettings]:
    """The settings of the controllers that were started, none of which does anything."""
    settings: list[ControllerSettings] = []

    async def run(given: ControllerSettings, planners: Mapping[str, Planner], **others: Any) -> None:
        settings.append(given)

    monkeypatch.setattr("tender.cli.parts.run_controller", run)
    monkeypatch.setattr("tender.cluster.logs.configure", lambda **options: None)
    return settings


class TestTheNamespaces:
    @pytest.mark.parametrize(
        ("arguments", "namespaces"),
        [
            ([], ()),
            (["--namespace=shop"], ("shop",)),
            (["-n", "shop", "--namespace=bank"], ("shop", "bank")),
            (["--namespace=shop", "--namespace=bank", "--namespace=shop"], ("shop", "bank")),
        ],
    )
    def test_are_all_or_those_that_are_named_each_once(
        self, started: list[ControllerSettings], arguments: list[str], namespaces: tuple[str, ...]
    ):
        result = CliRunner().invoke(main, ["controller", *arguments], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        assert started == [ControllerSettings(namespaces=namespaces)]
