"""The commands of a block, each with what the page says that it prints.

A command begins with `$ ` and may go on behind `\\` at the end of a line or while a quote is open, with or without the
prompt `> `. In a block without a prompt each line is one.
"""

import re
import shlex
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from tests.docs.reading import Block, Page

_OPERATOR = re.compile(r"[|&;()]+")
_REDIRECTION = re.compile(r"[<>]+")
_INLINE = re.compile(r"(?<!`)`([a-z0-9-]+ [^`]+)`(?!`)")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*")


@dataclass(frozen=True)
class Command:
    """One command line and what it is said to print; None if the page shows nothing."""

    line: str
    printed: str

    def calls(self) -> Iterator[list[str]]:
        """The programs that it calls, as lists of arguments; those inside `$(…)` too."""
        for inner in re.findall(r"\$\((.*?)\)", self.line):
            yield from Command(inner, "").calls()
        lexer = shlex.shlex(self.line, posix=True, punctuation_chars="|&;<>()")
        lexer.whitespace_split = True
        lexer.commenters = "#"
        words: list[str] = []
        skip = False
        for word in lexer:
            if skip:
                skip = False
            elif _OPERATOR.fullmatch(word):
                if words:
                    yield words
                words = []
            elif _REDIRECTION.fullmatch(word):
                skip = True
            elif words or not _ASSIGNMENT.fullmatch(word):
                words.append(word)
        if words:
            yield words


def inline_commands(page: Page, programs: Collection[str]) -> list[Command]:
    """The commands of these programs within the text of a page; those with `…`, which are not whole, are left out."""
    found = (" ".join(line.split()) for line in _INLINE.findall(page.prose))
    return [Command(line, "") for line in found if line.split()[0] in programs and "…" not in line]


def commands(block: Block) -> list[Command]:
    """The commands of a block of console or shell."""
    prompted = any(text.startswith("$ ") for text in block.text.splitlines())
    found: list[Command] = []
    line, printed = "", ""
    for text in block.text.splitlines():
        if line and _is_open(line):
            line = _continued(line) + text.removeprefix("> ")
        elif not prompted or text.startswith("$ "):
            if line:
                found.append(Command(line, printed))
            line, printed = text.removeprefix("$ "), ""
        else:
            printed += text + "\n"
    if line:
        found.append(Command(line, printed))
    return [command for command in found if command.line.strip()]


def _is_open(line: str) -> bool:
    if line.endswith("\\"):
        return True
    try:
        shlex.split(line, comments=True)
    except ValueError:
        return True
    return False


def _continued(line: str) -> str:
    return line.removesuffix("\\") + (" " if line.endswith("\\") else "\n")
