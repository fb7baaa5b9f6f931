"""`python hack/reference [FILE]` writes the page to the file, `docs/api.md` by default."""

import sys
from pathlib import Path

HACK = Path(__file__).resolve().parent.parent
sys.path[0] = str(HACK)

from reference.page import api_page  # noqa: E402  # after the path is set

if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else HACK.parent / "docs" / "api.md"
    target.write_text(api_page(), encoding="utf-8")
