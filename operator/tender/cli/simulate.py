"""`tender simulate`: plays allocation scenarios through the allocator that the master runs.

For people first (what would this quota do to my cluster?), and for conformance: a scenario says what it expects.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random

import click
import yaml

from tender.allocation.scenario import Play, Record, ScenarioError, play, read_scenario
from tender.api.quantities import Resources, format_resources


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print what every step did, as JSON.")
@click.option("--trace", is_flag=True, help="Print what every step did, and why frameworks were not offered more.")
def simulate(files: tuple[Path, ...], as_json: bool, trace: bool) -> None:
    """Play allocation scenarios: steps on a virtual clock, with what each is expected to do.

    Prints one line for every expectation that does not hold; the exit code is 1 if any did not.

    \b
    Example:
      tender simulate --trace tests/scenarios/100-drf-paper-example.yaml
    """
    plays = [_play(file) for file in files]
    if as_json:
        click.echo(json.dumps([_document(one) for one in plays], indent=2))
    else:
        for one in plays:
            for line in _lines(one, trace=trace):
                click.echo(line)
    if any(one.failures() for one in plays):
        raise click.exceptions.Exit(1)


def _play(file: Path) -> Play:
    try:
        scenario = read_scenario(yaml.safe_load(file.read_text()), str(file))
        return play(scenario, Random(scenario.seed))
    except ScenarioError as error:
        raise click.ClickException(str(error)) from None
    except yaml.YAMLError as error:
        raise click.ClickException(f"{file}: {error}") from None


def _document(one: Play) -> dict[str, object]:
    return {
        "file": one.scenario.file,
        "name": one.scenario.name,
        "steps": [record.document() for record in one.records],
        "failures": one.failures(),
    }


def _lines(one: Play, *, trace: bool) -> Iterator[str]:
    if trace:
        yield f"{one.scenario.name}: {one.scenario.about.strip()}"
        for record in one.records:
            yield from _trace(record)
    failures = one.failures()
    yield from failures
    if not failures:
        yield f"{one.scenario.file}: {len(one.records)} steps, as expected"


def _trace(record: Record) -> Iterator[str]:
    yield f"{record.step.number:4} {record.clock:8.1f} s  {record.step.action} {_brief(record.step.value)}"
    if record.refused:
        yield f"{'':16}refused: {record.refused}"
    for framework, by_node in sorted(record.offers.items()):
        for node, amounts in sorted(by_node.items()):
            yield f"{'':16}{framework} is offered {_amounts(amounts)} on {node}"
    for framework, count in sorted(record.rescinded.items()):
        yield f"{'':16}{count} offers to {framework} are taken back"
    for framework, reasons in sorted(record.not_offered.items()):
        for one in reasons:
            what = (
                f"is not offered {one.nodes} node{'s' if one.nodes > 1 else ''}" if one.nodes else "is offered nothing"
            )
            yield f"{'':16}{framework} {what} ({one.reason.value}): {one.message}"


def _amounts(amounts: Resources) -> str:
    return ", ".join(f"{amount} {resource}" for resource, amount in format_resources(amounts).items())


def _brief(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
