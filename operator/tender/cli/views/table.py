"""Tables as kubectl prints them: upper-case titles, three blanks between columns. Columns are values."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")

NONE = "<none>"
"""What stands in a cell for something that is not there, as in kubectl's tables."""
_GAP = "   "


@dataclass(frozen=True)
class Column(Generic[T]):
    """A column: its title, and the text of a row. `wide` ones are shown only on demand.

    `colours` gives the colour of a cell by its first word.
    """

    title: str
    text: Callable[[T], str]
    wide: bool = False
    colours: Mapping[str, str] = field(default_factory=dict)


def table(
    columns: Sequence[Column[T]],
    rows: Sequence[T],
    *,
    wide: bool = False,
    paint: Callable[[str, str], str] | None = None,
) -> Iterator[str]:
    """The lines of a table; `paint` gives a text its colour."""
    shown = [column for column in columns if wide or not column.wide]
    cells = [[column.text(row) or NONE for column in shown] for row in rows]
    widths = [
        max(len(column.title), *(len(row[at]) for row in cells)) if cells else len(column.title)
        for at, column in enumerate(shown)
    ]
    yield _GAP.join(column.title.ljust(width) for column, width in zip(shown, widths, strict=True)).rstrip()
    for row in cells:
        yield _GAP.join(
            _painted(cell, column.colours, paint) + " " * (width - len(cell))
            for cell, column, width in zip(row, shown, widths, strict=True)
        ).rstrip()


def _painted(cell: str, colours: Mapping[str, str], paint: Callable[[str, str], str] | None) -> str:
    colour = colours.get(cell.split(" ")[0])
    return paint(cell, colour) if paint and colour else cell
