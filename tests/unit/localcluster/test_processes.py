"""Programs outlive the command that started them, are found again, and end when told to."""

import os
import signal
from pathlib import Path

import pytest

from cluster import ClusterError
from cluster.processes import Processes, Program, started_at


def sleeper(*inputs: Path, seconds: int = 60) -> Program:
    return Program("sleeper", ("sleep", str(seconds)), ready=lambda: True, inputs=inputs)


@pytest.fixture
def processes(tmp_path: Path):
    found = Processes(tmp_path / "records", tmp_path / "logs")
    yield found
    for name in found.names():
        found.stop(name)


def test_a_program_that_runs_is_not_started_again(processes: Processes):
    assert processes.start(sleeper())
    pid = processes.pid("sleeper")

    assert not processes.start(sleeper())
    assert processes.pid("sleeper") == pid


def test_a_program_that_died_is_started_again(processes: Processes):
    processes.start(sleeper())
    first = processes.pid("sleeper")
    assert first is not None
    os.kill(first, signal.SIGKILL)
    os.waitpid(first, 0)

    assert processes.pid("sleeper") is None
    assert processes.start(sleeper())
    assert processes.pid("sleeper") not in (None, first)


def test_another_command_line_restarts_it(processes: Processes):
    processes.start(sleeper())
    first = processes.pid("sleeper")

    assert processes.start(sleeper(seconds=61))
    assert processes.pid("sleeper") != first


def test_a_changed_input_file_restarts_it(processes: Processes, tmp_path: Path):
    configuration = tmp_path / "configuration"
    configuration.write_text("one")
    processes.start(sleeper(configuration))

    configuration.write_text("two")

    assert processes.start(sleeper(configuration))


def test_a_stopped_program_is_gone(processes: Processes):
    processes.start(sleeper())
    pid = processes.pid("sleeper")
    assert pid is not None

    processes.stop("sleeper")

    assert started_at(pid) is None
    assert processes.names() == []


def test_a_program_that_ignores_the_polite_signal_is_ended_by_force(processes: Processes, tmp_path: Path):
    deaf = tmp_path / "deaf"
    heard = f"trap '' TERM; touch {deaf}; while :; do sleep 0.1; done"
    processes.run(Program("deaf", ("sh", "-c", heard), ready=deaf.exists))
    pid = processes.pid("deaf")
    assert pid is not None

    processes.stop("deaf", grace=0.2)

    assert started_at(pid) is None


def test_a_program_that_ends_at_once_shows_its_last_words(processes: Processes):
    with pytest.raises(ClusterError, match=r"(?s)brief ended at once:.*no such luck"):
        processes.run(Program("brief", ("sh", "-c", "echo no such luck; exit 1"), ready=lambda: False))


def test_a_process_id_that_is_used_again_is_not_mistaken_for_ours(processes: Processes, tmp_path: Path):
    processes.start(sleeper())
    pid = processes.pid("sleeper")
    record = tmp_path / "records" / "sleeper.json"
    ours = record.read_text()
    record.write_text(ours.replace(f'"pid": {pid}', f'"pid": {os.getpid()}'))

    assert processes.pid("sleeper") is None

    record.write_text(ours)
