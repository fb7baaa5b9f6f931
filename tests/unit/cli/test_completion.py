"""Completion, in shells and for kubectl."""

import pytest
from click.testing import CliRunner

from tender.cli import main
from tender.cli.completion import completions, kubectl_complete


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_is_printed_for_each_shell(shell: str):
    result = CliRunner().invoke(main, ["completion", shell])
    assert result.exit_code == 0
    assert f"{shell}_complete" in result.stdout


def test_kubectl_is_told_commands_and_options():
    assert [item.value for item in completions(["fra"])] == ["frameworks"]
    assert [item.value for item in completions(["quota", ""])] == ["set", "show"]
    assert "--all-namespaces" in [item.value for item in completions(["frameworks", "--a"])]
    assert [item.value for item in completions(["frameworks", "-o", "y"])] == ["yaml"]


def test_names_that_no_cluster_gives_are_not_completed(monkeypatch, tmp_path):
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "missing"))
    assert completions(["why", "w"]) == []


def test_kubectl_is_told_not_to_complete_names_of_files(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["kubectl_complete-tender", "vers"])
    kubectl_complete()
    first, last = capsys.readouterr().out.splitlines()
    assert first.startswith("version\tPrint the versions")
    assert last == ":4"
