"""The options that say who leads: what they are read as, and what is refused."""

import click
import pytest
from click.testing import CliRunner, Result

from tender.cli import main
from tender.cli.election import election_options
from tender.cluster.lease import ElectionSettings


def run(*arguments: str, **environment: str) -> tuple[Result, ElectionSettings | None]:
    given: list[ElectionSettings | None] = []

    @click.command()
    @click.option("--namespace")
    @election_options(lambda namespace: f"tender-{namespace}")
    def command(namespace: str, election: ElectionSettings | None) -> None:
        given.append(election)

    result = CliRunner().invoke(command, arguments, env=environment)
    return result, given[0] if given else None


class TestTheElection:
    def test_is_off_unless_it_is_asked_for(self):
        assert run()[1] is None
        assert run("--no-leader-elect", TENDER_LEADER_ELECT="true")[1] is None

    @pytest.mark.parametrize("environment", [{}, {"TENDER_LEADER_ELECT": "true"}])
    def test_has_the_usual_times_and_a_name_after_what_is_run(self, environment):
        arguments = [] if environment else ["--leader-elect"]
        expected = ElectionSettings("tender-shop", None, lease_duration=15, renew_deadline=10.0, retry_period=2.0)
        assert run(*arguments, "--namespace=shop", **environment)[1] == expected

    def test_has_the_name_namespace_and_times_that_are_given(self):
        times = ["--lease-duration=3", "--lease-renew-deadline=2", "--lease-retry-period=0.5"]
        found = run("--leader-elect", "--lease-name=one", "--lease-namespace=two", *times)[1]
        assert found == ElectionSettings("one", "two", 3, 2.0, 0.5)

    @pytest.mark.parametrize(
        ("argument", "says"),
        [
            ("--lease-duration=10", "the lease duration of 10 s must be longer than the renew deadline of 10 s"),
            ("--lease-renew-deadline=2", "the renew deadline of 2 s must be longer than 1.2 times the retry period"),
            ("--lease-retry-period=0", "0.0 is not in the range x>0"),
        ],
    )
    def test_is_refused_with_times_that_leave_two_leaders_or_none(self, argument, says):
        result, _ = run("--leader-elect", argument)
        assert result.exit_code == 2
        assert says in " ".join(result.output.split())

    @pytest.mark.parametrize("command", ["master", "controller"])
    def test_is_explained_by_both_programs(self, command):
        assert "--leader-elect / --no-leader-elect" in CliRunner().invoke(main, [command, "--help"]).output
