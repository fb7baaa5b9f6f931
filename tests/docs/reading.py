"""What is on a page: headings with their anchors, links, and fenced blocks with the mark that stands before them.

A mark is a comment of its own line before a block: `<!-- run -->` (its commands are run on a cluster with Tender),
`<!-- simulate -->` (they are run without one), `<!-- file: NAME -->` (the block is saved under that name first).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from cluster.layout import REPOSITORY

PAGES = sorted(
    [
        *(REPOSITORY / "docs").rglob("*.md"),
        *(REPOSITORY / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")),
        *REPOSITORY.glob("SECURITY.md"),
        REPOSITORY / "charts" / "tender" / "README.md",
        REPOSITORY / "tests" / "scenarios" / "FORMAT.md",
    ]
)

_BLOCK = re.compile(
    r"^(?P<indent> *)(?P<fence>```+)(?P<language>[\w{}-]*)\n(?P<text>.*?)^(?P=indent)(?P=fence) *$",
    re.MULTILINE | re.DOTALL,
)
_MARK = re.compile(r"<!-- (?P<mark>[^>]*?) -->\n$")
_HEADING = re.compile(r"^(#+) (.*?) *#*$", re.MULTILINE)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\[(?:[^\]\[]|\[[^\]]*\])*\]\(\s*([^)\s]+)\s*\)")


@dataclass(frozen=True)
class Block:
    """A fenced block. `mark` is what the comment before it says, empty without one."""

    page: Path
    line: int
    language: str
    text: str
    mark: str

    @property
    def place(self) -> str:
        """Where it is, for people."""
        return f"{self.page.relative_to(REPOSITORY)}:{self.line}"

    @property
    def file(self) -> str | None:
        """The name under which the reader is told to save it."""
        kind, _, name = self.mark.partition(": ")
        return name if kind == "file" else None

    def documents(self) -> list[Any]:
        """What is in a block of YAML."""
        return [document for document in yaml.safe_load_all(self.text) if document]


@dataclass(frozen=True)
class Page:
    """One Markdown file."""

    path: Path

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def blocks(self) -> list[Block]:
        return [self._block(found) for found in _BLOCK.finditer(self.text)]

    @cached_property
    def prose(self) -> str:
        """The text without its blocks."""
        return _BLOCK.sub("", self.text)

    @cached_property
    def headings(self) -> list[str]:
        return [title for _, title in _HEADING.findall(self.prose)]

    @cached_property
    def anchors(self) -> set[str]:
        """What links may end in after the `#`, as GitHub and the site make it of headings."""
        found: set[str] = set()
        for heading in self.headings:
            anchor, number = anchor_of(heading), 0
            while (name := f"{anchor}-{number}" if number else anchor) in found:
                number += 1
            found.add(name)
        return found

    def links(self) -> Iterator[str]:
        """The targets of links and pictures."""
        yield from _LINK.findall(_CODE.sub("", self.prose))

    def _block(self, found: re.Match[str]) -> Block:
        before = self.text[: found.start()]
        mark = _MARK.search(before)
        indent = len(found["indent"])
        text = "".join(line[indent:] for line in found["text"].splitlines(keepends=True))
        line = before.count("\n") + 1
        return Block(self.path, line, found["language"], text, mark["mark"].strip() if mark else "")


def anchor_of(heading: str) -> str:
    """The anchor of a heading: lower case, spaces as `-`, and only letters, digits, `-` and `_`."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").strip().lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def blocks(*languages: str) -> list[Block]:
    """All blocks of these languages on all pages."""
    return [block for path in PAGES for block in Page(path).blocks if block.language in languages]
