"""What a user is told when the cluster says no, and in which namespace commands work."""

from datetime import UTC, datetime
from pathlib import Path

import click
import pytest
import yaml
from click.testing import CliRunner

from tender.cli import main
from tender.cli.connection import Cluster, Session, Surroundings, in_a_line, with_session
from tender.cluster.errors import ApiError, Unreachable, from_status

KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "shop",
    "clusters": [{"name": "one", "cluster": {"server": "http://127.0.0.1:1"}}],
    "users": [{"name": "me", "user": {}}],
    "contexts": [
        {"name": "shop", "context": {"cluster": "one", "user": "me", "namespace": "shop"}},
        {"name": "plain", "context": {"cluster": "one", "user": "me"}},
    ],
}


@pytest.fixture
def kubeconfig(tmp_path: Path) -> str:
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(KUBECONFIG))
    return str(path)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (Unreachable("connection refused"), "does not answer (connection refused)"),
        (from_status(401, {"message": "Unauthorized"}), "log in again"),
        (from_status(404, None, "404 page not found", where="list frameworks"), "is Tender installed on it?"),
        (from_status(404, {"message": 'x "web" not found', "details": {"name": "web"}}), 'x "web" not found'),
        (from_status(409, {"reason": "Conflict", "message": "it has changed"}), "it has changed; somebody else"),
        (from_status(422, {"reason": "Invalid", "message": "spec.weight: too small"}), "spec.weight: too small"),
    ],
)
def test_what_went_wrong_is_told_in_a_line(error: ApiError, text: str):
    assert text in in_a_line(error)


@pytest.mark.parametrize(
    ("arguments", "seen"),
    [
        ([], ("shop", "shop")),
        (["-n", "other"], ("other", "other")),
        (["--context", "plain"], ("default", "default")),
        (["-A"], ("shop", None)),
    ],
)
def test_the_namespace_is_that_of_the_options_or_the_context(
    kubeconfig: str, arguments: list[str], seen: tuple[str, str | None]
):
    found: list[Cluster] = []

    @click.command()
    @with_session(all_namespaces=True)
    def command(session: Session) -> None:
        async def look(cluster: Cluster) -> None:
            found.append(cluster)

        session.run(look)

    result = CliRunner().invoke(command, [*arguments, "--kubeconfig", kubeconfig], catch_exceptions=False)
    assert result.exit_code == 0
    assert [(one.namespace, one.scope) for one in found] == [seen]


def test_a_command_has_the_clock_that_it_is_given():
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)

    @click.command()
    @with_session(formats=())
    def command(session: Session) -> None:
        click.echo(session.now().isoformat())

    result = CliRunner().invoke(command, obj=Surroundings(clock=lambda: noon))
    assert result.output == "2026-01-01T12:00:00+00:00\n"


def test_a_cluster_that_does_not_answer_is_an_error_of_one_line(kubeconfig: str):
    result = CliRunner().invoke(main, ["frameworks", "--kubeconfig", kubeconfig])
    assert result.exit_code == 1
    [line] = result.output.splitlines()
    assert line.startswith("Error: the API server does not answer (")


@pytest.mark.parametrize("content", ["{ nothing: [", "words", "a: 1", ""])
def test_a_kubeconfig_that_is_none_is_an_error_of_one_line(tmp_path: Path, content: str):
    broken = tmp_path / "broken"
    broken.write_text(content)
    result = CliRunner().invoke(main, ["frameworks", "--kubeconfig", str(broken)])
    assert result.exit_code == 1
    [line] = result.output.splitlines()
    assert line.startswith(f"Error: kubeconfig {broken}: ")
