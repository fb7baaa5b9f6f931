"""The locks name everything that is installed, by hash, and nothing that pyproject.toml does not allow."""

import re
import tomllib
from collections.abc import Iterable, Iterator
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from cluster.layout import REPOSITORY
from locks.__main__ import FOLDER, sources

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
NAMES = [name for name, _ in sources()]
ENTRY = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^ ;]+)(?P<rest>.*(?:\n +--hash.*)*)", re.MULTILINE)
RENEW = "run `make locks`"


def locked(lock: str) -> dict[NormalizedName, Version]:
    return {canonicalize_name(entry["name"]): Version(entry["version"]) for entry in entries(lock)}


def entries(lock: str) -> Iterator[re.Match[str]]:
    return ENTRY.finditer((FOLDER / f"{lock}.txt").read_text())


def wanted(lock: str) -> Iterator[Requirement]:
    """What the sources of a lock ask for directly."""
    for _, source in [(name, source) for name, source in sources() if name == lock]:
        if "pyproject.toml" in source:
            yield from map(Requirement, PROJECT["dependencies"])
        if "hack/locks/build.in" in source:
            lines = (FOLDER / "build.in").read_text().splitlines()
            yield from (Requirement(line) for line in lines if not line.startswith("#"))
        for extra in [option.removeprefix("--extra=") for option in source if option.startswith("--extra=")]:
            yield from map(Requirement, PROJECT["optional-dependencies"][extra])


def with_what_they_need(requirements: Iterable[Requirement]) -> set[NormalizedName]:
    """The names of all that these requirements bring, going by what is installed here."""
    names: set[NormalizedName] = set()
    waiting = [(one, extra) for one in requirements for extra in ("", *one.extras)]
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        if name not in names:
            names.add(name)
            needs = [Requirement(text) for text in metadata.requires(name) or ()]
            waiting += [(one, chosen) for one in needs for chosen in ("", *requirement.extras)]
    return names


@pytest.mark.parametrize("lock", NAMES)
class TestALock:
    def test_names_versions_that_are_asked_for(self, lock: str):
        versions = locked(lock)
        for requirement in wanted(lock):
            found = versions.get(canonicalize_name(requirement.name))
            assert found is not None, f"{requirement.name} is not locked: {RENEW}"
            assert requirement.specifier.contains(found), f"{requirement} is locked as {found}: {RENEW}"

    def test_has_hashes_of_everything(self, lock: str):
        text = (FOLDER / f"{lock}.txt").read_text()
        assert len(re.findall(r"^[^\s#]", text, re.MULTILINE)) == len(list(entries(lock)))
        for entry in entries(lock):
            assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry["rest"]), entry["name"]

    def test_takes_its_versions_from_the_constraints(self, lock: str):
        lines = (REPOSITORY / "hack" / "constraints.txt").read_text().splitlines()
        constraints = {
            canonicalize_name(name): Version(version) for name, version in (one.split("==") for one in lines)
        }
        elsewhere = {canonicalize_name(entry["name"]) for entry in entries(lock) if " ; " in entry[0]}
        differing = {name: str(version) for name, version in locked(lock).items() if constraints.get(name) != version}
        assert not differing.keys() - elsewhere, f"{differing}: pin them in hack/constraints.txt, or {RENEW}"


@pytest.mark.parametrize("lock", ["runtime", "build", "dev"])
def test_a_lock_is_complete_without_asking_the_index(lock: str):
    assert with_what_they_need(wanted(lock)) <= locked(lock).keys(), RENEW


def test_the_image_holds_no_more_than_tender_needs():
    elsewhere = {canonicalize_name(entry["name"]) for entry in entries("runtime") if " ; " in entry[0]}
    assert locked("runtime").keys() - elsewhere == with_what_they_need(wanted("runtime")) - elsewhere
