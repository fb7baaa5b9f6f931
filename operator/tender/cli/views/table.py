"""Tables as kubectl prints them: upper-case titles, three blanks between columns. Columns are values."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")

NONE = "<none>"
"""What stands in a cell for something that is not there, as in kubectl's tables."""
UNSEEN = "?"
"""What stands for something that the user may not see, or that nobody has said."""
_GAP = "   "
_UNPRINTABLE = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True)
class Column(Generic[T]):
    """A column: its title, and the text of a row. `wide` ones are shown only on demand.

    `colours` gives the colour of a cell by its first word.
    """

    title: str
    text: Callable[[T], str]
    wide: bool = False
    colours: Mapping[str, str] = field(default_factory=dict)


Paint = Callable[[str, str], str]
"""Gives a text a colour."""


class Layout(Generic[T]):
    """Columns with widths that the first rows need; rows that come later are put under the same titles."""

    def __init__(
        self, columns: Sequence[Column[T]], rows: Sequence[T], *, wide: bool = False, paint: Paint | None = None
    ) -> None:
        self._shown = [column for column in columns if wide or not column.wide]
        self._paint = paint
        cells = [self._cells(row) for row in rows]
        self._widths = [
            max([len(column.title), *(len(row[at]) for row in cells)]) for at, column in enumerate(self._shown)
        ]

    def titles(self) -> str:
        """The first line."""
        return _GAP.join(
            column.title.ljust(width) for column, width in zip(self._shown, self._widths, strict=True)
        ).rstrip()

    def line(self, row: T) -> str:
        """The line of a row."""
        return _GAP.join(
            _painted(cell, column.colours, self._paint) + " " * (width - len(cell))
            for cell, column, width in zip(self._cells(row), self._shown, self._widths, strict=True)
        ).rstrip()

    def _cells(self, row: T) -> list[str]:
        return [printable(column.text(row)) or NONE for column in self._shown]


def printable(text: str) -> str:
    """The text without characters that steer a terminal: others may have written what is shown here."""
    return "".join(one if one.isprintable() else _UNPRINTABLE for one in text)


def table(
    columns: Sequence[Column[T]], rows: Sequence[T], *, wide: bool = False, paint: Paint | None = None
) -> Iterator[str]:
    """The lines of a table."""
    layout = Layout(columns, rows, wide=wide, paint=paint)
    yield layout.titles()
    yield from map(layout.line, rows)


def _painted(cell: str, colours: Mapping[str, str], paint: Paint | None) -> str:
    colour = colours.get(cell.split(" ")[0])
    return paint(cell, colour) if paint and colour else cell
