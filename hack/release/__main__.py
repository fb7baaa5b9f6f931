"""Lets `python hack/release` run the package: the parent folder becomes the import path."""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent.parent)

from release.cli import main  # noqa: E402  # after the path is set

if __name__ == "__main__":
    sys.exit(main())
