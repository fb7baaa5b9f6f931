"""`python hack/release`, from the virtual environment that `make install` makes."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from release.cli import main

sys.exit(main())
