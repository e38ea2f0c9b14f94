"""Run the command line: ``python -m pinstripe``."""

from __future__ import annotations

import sys

from pinstripe.cli import main

if __name__ == "__main__":
    sys.exit(main())
