"""docs/writing-a-framework.md shows what is so: its code is that of the files that it names, its objects are valid, and
its tables name all that the test kit has.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tender.api.framework import Framework, FrameworkStatus
from tender.api.offer import ResourceOffer, ResourceOfferStatus
from tender.frameworks.testkit import Stage

REPOSITORY = Path(__file__).parents[4]
PAGE = REPOSITORY / "docs" / "writing-a-framework.md"
TEXT = PAGE.read_text()
SCRIPT = REPOSITORY / "examples" / "third-party" / "run-copies.sh"
LINTERS = {"sh": ["sh", "-n"], "shellcheck": ["shellcheck"]}

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((\.\./[^)#]+)\)")


def blocks(language: str) -> list[tuple[str, str]]:
    """The blocks of a language, each with the text before it."""
    return [(TEXT[: found.start()], found[2]) for found in BLOCK.finditer(TEXT) if found[1] == language]


def named_before(text: str) -> Path:
    """The file that the last link before a block leads to."""
    last: str = LINK.findall(text)[-1]
    return (PAGE.parent / last).resolve()


@pytest.mark.parametrize(("before", "block"), blocks("python"))
def test_the_python_code_is_that_of_the_file_it_names(before: str, block: str):
    assert block in named_before(before).read_text()


@pytest.mark.parametrize(("before", "block"), blocks("sh"))
def test_the_shell_code_is_that_of_the_script_or_calls_the_examples(before: str, block: str):
    if block in named_before(before).read_text():
        return
    for line in block.splitlines():
        [file] = re.findall(r"examples/third-party/\S+", line)
        assert (REPOSITORY / file).is_file(), line


def test_the_objects_are_valid():
    read = [yaml.safe_load(block) for _, block in blocks("yaml")]
    framework, demand, offer, claim = read
    assert Framework.read(framework).spec.external is not None
    [entry] = FrameworkStatus.model_validate(demand["status"]).demand or ()
    assert ResourceOffer.read(offer).spec.slices[0].tasks == {entry.name: 2}
    [claimed] = ResourceOfferStatus.model_validate(claim["status"]).claims
    assert claimed.amounts == ResourceOffer.read(offer).spec.slices[0].amounts


def test_the_tables_name_all_that_a_stage_has():
    told = set(re.findall(r"`(\w+)`", TEXT[TEXT.index("| to send") :]))
    looked_up = {"demand", "framework", "object", "pod", "pods"}
    assert told == {name for name in dir(Stage) if not name.startswith("_")} - looked_up


def test_links_lead_somewhere():
    assert [link for link in LINK.findall(TEXT) if not (PAGE.parent / link).exists()] == []


@pytest.mark.parametrize("linter", [name for name in LINTERS if shutil.which(name)])
def test_the_script_is_clean(linter: str):
    done = subprocess.run([*LINTERS[linter], str(SCRIPT)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
