"""What comes from outside is read, or refused with an error for people: the corpus, and what Hypothesis draws."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fuzz import targets
from tests.fuzz.targets import TARGETS

CORPUS = Path(targets.__file__).parent / "corpus"
FILES = sorted(path for path in CORPUS.glob("*/*"))
NAMES = ["metadata", "spec", "status", "name", "namespace", "demand", "requests", "count", "cpu", "template", "service"]


def _objects(target: str) -> Iterator[Any]:
    for path in FILES:
        with contextlib.suppress(msgspec.DecodeError):
            if path.parent.name == target:
                yield msgspec.json.decode(path.read_bytes())


def mutated(target: str) -> st.SearchStrategy[bytes]:
    """An object of the corpus in which some values are others."""
    known = list(_objects(target))
    leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(NAMES)
    strange = st.recursive(
        leaves | st.sampled_from(["-1", "1e99", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z", "9" * 31 + "d"]),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
        max_leaves=5,
    )

    @st.composite
    def one(draw: st.DrawFn) -> bytes:
        manifest: Any = draw(st.sampled_from(known))

        def exchange(value: Any) -> Any:
            if draw(st.integers(0, 11)) == 0:
                return draw(strange)
            if isinstance(value, dict):
                return {name: exchange(part) for name, part in value.items()}
            if isinstance(value, list):
                return [exchange(part) for part in value]
            return value

        return msgspec.json.encode(exchange(manifest))

    return one()


class TestTheCorpus:
    @pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.name}")
    def test_breaks_nothing(self, path: Path):
        TARGETS[path.parent.name](path.read_bytes())

    def test_has_something_for_every_target(self):
        assert {path.parent.name for path in FILES} == TARGETS.keys()


class TestStrangeObjects:
    @pytest.mark.parametrize("target", ["framework", "offer", "role", "reservation", "kubernetes", "template"])
    def test_break_nothing(self, target: str):
        @settings(max_examples=60, deadline=None)
        @given(mutated(target))
        def check(data: bytes) -> None:
            TARGETS[target](data)

        check()


class TestStrangeTexts:
    @given(st.text("0123456789.+-eEmkKMGTPEinu ", max_size=40) | st.text(max_size=20))
    def test_that_are_quantities_are_those_of_the_kubernetes_client(self, text: str):
        TARGETS["quantity"](text.encode("utf-8", "replace"))

    @given(st.text("0123456789.msdh", max_size=40) | st.text(max_size=20))
    def test_that_are_durations_are_finite(self, text: str):
        TARGETS["duration"](text.encode("utf-8", "replace"))

    @given(
        st.sampled_from(["Like", "Unlike", "Is", "MaxPer", "GroupBy", "Cluster", "Unique"]),
        st.text(max_size=130) | st.from_regex(r"[\[\](){}*+?|a\\.^$0-9,]{0,40}"),
        st.text(max_size=20),
    )
    def test_in_constraints_are_expressions_or_mistakes(self, operator: str, value: str, label: str):
        TARGETS["constraint"](f"{operator} {value} {label}".encode("utf-8", "replace"))
