"""How Sphinx makes the site out of the Markdown in the repository: `make docs`.

The repository is the source folder, so that a link from one file to another is the same here as where people read the
files themselves. A link to a file that is no page (an example, code) lets the reader download it.
"""

import tomllib
from pathlib import Path

_PROJECT = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]

project = "Tender"
version = release = _PROJECT["version"]
project_copyright = "the Tender authors, Apache-2.0"

extensions = ["myst_parser"]
myst_heading_anchors = 4
root_doc = "docs/index"
include_patterns = [
    "docs/**",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "charts/tender/README.md",
    "tests/scenarios/FORMAT.md",
]
exclude_patterns = [".*", "build", "operator", "hack", "examples"]

html_theme = "furo"
html_title = f"Tender {release}"
html_extra_path = ["front"]
html_static_path = ["static"]
html_css_files = ["tender.css"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#1f5f99", "color-brand-content": "#1f5f99"},
    "dark_css_variables": {"color-brand-primary": "#7db8ec", "color-brand-content": "#7db8ec"},
}
