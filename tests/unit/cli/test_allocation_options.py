"""The options of `tender master` that say how it allocates: what they are read as, and what is refused."""

import click
import pytest
from click.testing import CliRunner

from tender.allocation import Settings
from tender.cli import main
from tender.cli.allocation import allocation_options

MI = 1024**2


def read(*arguments: str, **environment: str) -> Settings:
    """The settings of a cycle that a command gets."""
    given: list[Settings] = []

    @click.command()
    @allocation_options
    def command(cycle: Settings) -> None:
        given.append(cycle)

    result = CliRunner().invoke(command, arguments, env=environment, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return given[0]


class TestTheSettings:
    def test_are_the_usual_ones_without_options(self):
        assert read() == Settings()

    def test_say_who_is_served_next(self):
        assert read("--sorter=random").sorter == "random"

    def test_name_the_resources_that_do_not_count_in_shares(self):
        assert read("--unshared-resources=pods, ephemeral-storage").unshared_resources == {"pods", "ephemeral-storage"}

    def test_name_the_scarce_resources(self):
        assert read("--scarce-resources=nvidia.com/gpu,amd.com/gpu").scarce_resources == {
            "nvidia.com/gpu",
            "amd.com/gpu",
        }

    def test_name_the_sets_of_which_an_offer_holds_one(self):
        minimum = read("--minimum-offer=cpu=500m,memory=1Gi", "--minimum-offer", "nvidia.com/gpu=1").minimum_offer
        assert minimum == ({"cpu": 500, "memory": 1024 * MI}, {"nvidia.com/gpu": 1})

    def test_come_from_the_environment_too(self):
        assert read(
            TENDER_SORTER="random",
            TENDER_UNSHARED_RESOURCES="ephemeral-storage",
            TENDER_SCARCE_RESOURCES="amd.com/gpu",
            TENDER_MINIMUM_OFFER="cpu=1,memory=1Gi memory=4Gi",
        ) == Settings(
            sorter="random",
            unshared_resources=frozenset({"ephemeral-storage"}),
            scarce_resources=frozenset({"amd.com/gpu"}),
            minimum_offer=({"cpu": 1000, "memory": 1024 * MI}, {"memory": 4096 * MI}),
        )

    def test_of_the_command_line_come_before_those_of_the_environment(self):
        assert read("--scarce-resources=a/b", TENDER_SCARCE_RESOURCES="c/d").scarce_resources == {"a/b"}


class TestNothing:
    """An empty value switches a rule off, and is not the same as none."""

    OFF = Settings(minimum_offer=(), unshared_resources=frozenset(), scarce_resources=frozenset())

    def test_can_be_said_on_the_command_line(self):
        assert read("--minimum-offer=", "--unshared-resources=", "--scarce-resources=") == self.OFF

    def test_can_be_said_in_the_environment(self):
        names = ("TENDER_MINIMUM_OFFER", "TENDER_UNSHARED_RESOURCES", "TENDER_SCARCE_RESOURCES")
        assert read(**dict.fromkeys(names, "")) == self.OFF

    def test_is_enough_as_one_of_several_minimums(self):
        assert read("--minimum-offer=cpu=1", "--minimum-offer=").minimum_offer == ()


class TestAMistake:
    @pytest.mark.parametrize(
        ("argument", "message"),
        [
            ("--sorter=fifo", "Invalid value for '--sorter': 'fifo' is not one of 'drf', 'random'"),
            (
                "--minimum-offer=cpu=10x",
                "Invalid value for '--minimum-offer': cpu: '10x' is no quantity: write a number",
            ),
            ("--minimum-offer=cpu=", "Invalid value for '--minimum-offer': cpu: '' is no quantity"),
            ("--minimum-offer=cpu=-1", "Invalid value for '--minimum-offer': cpu: '-1' is negative: write 0 or more"),
            ("--minimum-offer=cpu", "'cpu' is no amount of a resource: write such as cpu=10m or memory=32Mi"),
            ("--minimum-offer=cpu=1,,", "'' is no amount of a resource: write such as"),
            ("--minimum-offer=cpu=1,cpu=2", "'cpu=1,cpu=2' names cpu twice"),
            ("--scarce-resources=a gpu", "Invalid value for '--scarce-resources': 'a gpu' is no name of a resource"),
            ("--unshared-resources=pods,", "Invalid value for '--unshared-resources': '' is no name of a resource"),
        ],
    )
    def test_is_refused_before_anything_runs(self, argument: str, message: str):
        result = CliRunner().invoke(main, ["master", argument])
        assert result.exit_code == 2
        assert message in " ".join(result.output.split())

    def test_in_the_environment_is_refused_too(self):
        result = CliRunner().invoke(main, ["master"], env={"TENDER_SORTER": "fifo"})
        assert result.exit_code == 2
        assert "'fifo' is not one of" in result.output
