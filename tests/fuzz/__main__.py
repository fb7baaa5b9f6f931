"""Feed the targets what libFuzzer thinks up, each for so many seconds and in a process of its own.

It starts from what is checked in under `corpus/` and keeps what it finds interesting under build/fuzz/. An input that
breaks a law is left there too; it becomes a file of the corpus, which the unit tests replay, and a test with a name.

Run: python -m tests.fuzz [--seconds N] [--target NAME ...]
"""

import argparse
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
WORK = FOLDER.parents[1] / "build" / "fuzz"
SLOWEST_SECONDS = 5
LARGEST_BYTES = 4096


def fuzz(target: str, seconds: int) -> None:
    """Fuzz one target in this process; libFuzzer ends it."""
    import atheris

    with atheris.instrument_imports(include=["tender", "tests.fuzz"]):
        from tests.fuzz.targets import TARGETS

    found = WORK / target
    found.mkdir(parents=True, exist_ok=True)
    options = [
        f"-max_total_time={seconds}",
        f"-timeout={SLOWEST_SECONDS}",
        f"-max_len={LARGEST_BYTES}",
        f"-dict={FOLDER / 'words.dict'}",
        f"-artifact_prefix={WORK}/{target}-",
        "-print_final_stats=1",
        "-verbosity=0",
    ]
    atheris.Setup([sys.argv[0], *options, str(found), str(FOLDER / "corpus" / target)], TARGETS[target])
    atheris.Fuzz()


def main() -> int:
    """Fuzz from the command line; the exit code is how many targets have a finding."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--target", action="append", help="only this one")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    targets = arguments.target or sorted(path.name for path in (FOLDER / "corpus").iterdir())
    if arguments.here:
        fuzz(targets[0], arguments.seconds)
        return 0
    WORK.mkdir(parents=True, exist_ok=True)
    failed = []
    for target in targets:
        print(f"--- {target}: {arguments.seconds} s", flush=True)
        command = [sys.executable, "-m", "tests.fuzz", "--here", f"--seconds={arguments.seconds}", f"--target={target}"]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        log = WORK / f"{target}.log"
        log.write_text(done.stdout + done.stderr)
        wanted = ("stat::number_of_executed_units", "stat::slowest_unit_time_sec", "stat::peak_rss_mb")
        print(", ".join(line.removeprefix("stat::") for line in done.stderr.splitlines() if line.startswith(wanted)))
        if done.returncode:
            failed.append(target)
            print(f"a finding, see {log}:", *done.stderr.splitlines()[-25:], sep="\n  ")
    print(f"{len(targets) - len(failed)} passed, {len(failed)} failed{': ' if failed else ''}{', '.join(failed)}")
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
