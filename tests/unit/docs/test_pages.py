"""The pages fit together: links and anchors lead somewhere, generated pages are fresh, what exists is described."""

import re
import urllib.parse
from pathlib import Path

import pytest
import yaml
from tests.docs.reading import PAGES, Page, blocks

from cluster.layout import REPOSITORY
from reference.page import api_page
from tender.allocation import Reason

DOCS = REPOSITORY / "docs"
TROUBLESHOOTING = Page(DOCS / "troubleshooting.md")
MARKS = re.compile(r"|run|simulate|file: [\w.-]+")
ALERT_FOLDERS = (REPOSITORY / "charts" / "tender" / "files", REPOSITORY / "charts" / "tender" / "templates")


def name_of(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_links_lead_to_files_and_headings_that_are_there(path: Path):
    wrong = [link for link in Page(path).links() if not leads_somewhere(path, link)]
    assert wrong == []


def leads_somewhere(page: Path, link: str) -> bool:
    parts = urllib.parse.urlsplit(link)
    if parts.scheme:
        return parts.scheme == "https"
    target = (page.parent / urllib.parse.unquote(parts.path)).resolve() if parts.path else page
    if not target.exists():
        return False
    return not parts.fragment or parts.fragment in Page(target).anchors


def test_the_api_reference_is_what_the_models_make():
    assert (DOCS / "api.md").read_text() == api_page(), "run `make crds`"


def test_marks_are_those_that_tests_know():
    assert [block.place for path in PAGES for block in Page(path).blocks if not MARKS.fullmatch(block.mark)] == []


@pytest.mark.parametrize("block", blocks("yaml"), ids=lambda block: block.place)
def test_yaml_is_yaml(block):
    assert block.documents()


def test_every_reason_of_the_master_is_in_troubleshooting():
    told = set(re.findall(r"^\| `(\w+)` \|", TROUBLESHOOTING.text, re.MULTILINE))
    assert {reason.value for reason in Reason} <= told


def test_every_reason_to_be_stalled_is_in_troubleshooting():
    told = set(re.findall(r"`(\w+)`", TROUBLESHOOTING.text))
    planners = "\n".join(path.read_text() for path in (REPOSITORY / "operator/tender/frameworks").rglob("*.py"))
    assert set(re.findall(r'"Stalled", "(\w+)"', planners)) <= told


def test_every_alert_has_a_section_that_says_what_to_do():
    alerts = {name for folder in ALERT_FOLDERS for path in folder.rglob("*") for name in alerts_in(path)}
    assert alerts <= set(TROUBLESHOOTING.headings)


def alerts_in(path: Path) -> set[str]:
    """The names of alerts in a file of rules, rendered or not."""
    if not path.is_file() or path.suffix not in {".yaml", ".yml", ".tpl", ".json"}:
        return set()
    return set(re.findall(r"""\balert["']?: *["']?(\w+)""", path.read_text()))


@pytest.mark.parametrize("picture", sorted((DOCS / "images").glob("*.svg")), ids=lambda path: path.stem)
def test_a_picture_is_shown_and_says_in_words_what_it_shows(picture: Path):
    text = picture.read_text()
    assert "<title>" in text
    assert "<desc>" in text
    assert any(f"images/{picture.name}" in path.read_text() for path in PAGES)


def test_pictures_need_nothing_from_elsewhere():
    texts = [path.read_text() for path in (DOCS / "images").glob("*.svg")]
    assert [text for text in texts if "http" in text.replace("http://www.w3.org/2000/svg", "")] == []


def test_every_chart_value_in_the_pages_is_there():
    values = yaml.safe_load((REPOSITORY / "charts/tender/values.yaml").read_text())
    pages = [*DOCS.glob("*.md"), REPOSITORY / "charts" / "tender" / "README.md"]
    named = {name for path in pages for name in re.findall(r"`((?:master|controller)\.[\w.]+)`", Page(path).prose)}
    assert sorted(name for name in named if not is_value(values, name.split("."))) == []


def is_value(values: object, path: list[str]) -> bool:
    for step in path:
        if not isinstance(values, dict) or step not in values:
            return False
        values = values[step]
    return True
