"""Compares what a step did with what was expected of it."""

from collections.abc import Iterator, Mapping
from typing import Any

from tender.allocation.scenario.record import Record
from tender.allocation.scenario.values import Refused, read_amounts
from tender.allocation.shares import add_into
from tender.api.quantities import Resources, format_resources

TOLERANCE = 0.005
"""How far a share may be off."""


def unmet(record: Record, known: frozenset[str]) -> list[str]:
    """One line for every expectation that does not hold.

    `known` are the names that roles and frameworks have had so far: what is gone has a share of zero.
    """
    expect = record.step.expect
    if "error" in expect:
        if record.refused is None:
            return [f"error: expected the step to be refused with {expect['error']!r}, and it was not"]
        if expect["error"] not in record.refused:
            return [f"error: expected {expect['error']!r} in the refusal, got: {record.refused}"]
    elif record.refused is not None:
        return [f"the step was refused: {record.refused}"]
    try:
        return [line for key, value in expect.items() for line in _compare(key, value, record, known)]
    except Refused as error:
        return [f"the expectation cannot be read: {error}"]


def _compare(key: str, value: Any, record: Record, known: frozenset[str]) -> Iterator[str]:
    match key:
        case "offers":
            yield from _offers(value, record)
        case "total":
            yield from _total(value, record)
        case "nodes":
            nodes = {framework: len(by_node) for framework, by_node in record.offers.items()}
            yield from _counts("nodes", value, nodes)
        case "rescinded":
            yield from _counts("rescinded", value, record.rescinded)
        case "shares":
            yield from _shares(value, record, known)
        case "order":
            if [str(name) for name in value] != record.order:
                yield f"order: expected {value}, got {record.order}"


def _offers(expected: Mapping[str, Mapping[str, Mapping[str, Any]]], record: Record) -> Iterator[str]:
    for framework in sorted(expected.keys() | record.offers.keys()):
        wanted, made = expected.get(framework, {}), record.offers.get(framework, {})
        for node in sorted(wanted.keys() | made.keys()):
            amounts = read_amounts(wanted.get(node, {}), f"offers.{framework}.{node}")
            if (difference := _difference(amounts, made.get(node, {}))) or (node in wanted) != (node in made):
                yield f"offers: {framework} on {node}: {difference or 'an offer of nothing'}"


def _total(expected: Mapping[str, Mapping[str, Any]], record: Record) -> Iterator[str]:
    for framework in sorted(expected.keys() | record.offers.keys()):
        made: dict[str, int] = {}
        for amounts in record.offers.get(framework, {}).values():
            add_into(made, amounts)
        wanted = read_amounts(expected.get(framework, {}), f"total.{framework}")
        if difference := _difference(wanted, made):
            yield f"total: {framework}: {difference}"


def _counts(key: str, expected: Mapping[str, Any], actual: Mapping[str, int]) -> Iterator[str]:
    for framework in sorted(expected.keys() | actual.keys()):
        if expected.get(framework, 0) != actual.get(framework, 0):
            yield f"{key}: {framework}: expected {expected.get(framework, 0)}, got {actual.get(framework, 0)}"


def _shares(expected: Mapping[str, Any], record: Record, known: frozenset[str]) -> Iterator[str]:
    for name, wanted in expected.items():
        share = record.shares.roles.get(name, record.shares.frameworks.get(name, 0.0 if name in known else None))
        if share is None:
            yield f"shares: there is no role or framework {name}"
        elif abs(share - float(wanted)) > TOLERANCE:
            yield f"shares: {name}: expected {wanted}, got {share:.4f}"


def _difference(wanted: Resources, made: Resources) -> str:
    """Expected and actual amounts where they differ; the number of pods counts only where it is expected."""
    names = (wanted.keys() | made.keys()) - ({"pods"} - wanted.keys())
    if all(wanted.get(name, 0) == made.get(name, 0) for name in names):
        return ""
    return f"expected {format_resources(wanted) or 'nothing'}, got {format_resources(made) or 'nothing'}"
