"""The counts of the heavy tests."""

from __future__ import annotations

import os


def scale(count: int) -> int:
    """Return the count for this run: all of it with ``PINSTRIPE_TORTURE=1``, else a hundredth."""
    return count if os.environ.get("PINSTRIPE_TORTURE") == "1" else max(1, count // 100)
