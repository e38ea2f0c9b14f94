"""The retry policy: whether to retry a request, and after how long. https://docs.stripe.com/error-low-level"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timezone

__all__ = ["MAX_RETRY_AFTER", "retry_after", "retry_delay", "should_retry"]

INITIAL_DELAY = 0.5
"""The minimum delay before the first retry, in seconds."""
MAX_DELAY = 8.0
"""The maximum delay before a retry, in seconds, unless ``Retry-After`` is longer."""
MAX_RETRY_AFTER = 60.0
"""The longest ``Retry-After`` to wait for, in seconds. If it is longer, the error is raised at once."""

_RETRIED_STATUSES = frozenset({409, 429})
_SHOULD_RETRY = {"true": True, "false": False}


def should_retry(status: int | None, headers: Mapping[str, str]) -> bool:
    """Return whether to retry after this outcome; ``status`` is ``None`` if there was no readable response."""
    decided = _SHOULD_RETRY.get(headers.get("stripe-should-retry", "").strip().lower())
    if decided is not None:
        return decided
    return status is None or status in _RETRIED_STATUSES or status >= 500


def retry_after(headers: Mapping[str, str], now: datetime) -> float:
    """Parse `Retry-After`, a number of seconds or an HTTP date; return the seconds from now, 0 if absent or invalid."""
    text = headers.get("retry-after", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        from email.utils import parsedate_to_datetime  # here, since dates are rare and the import is slow

        try:
            date = parsedate_to_datetime(text)
        except (TypeError, ValueError, IndexError, OverflowError):
            return 0.0
        date = date if date.tzinfo else date.replace(tzinfo=timezone.utc)
        seconds = (date - now).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else 0.0


def retry_delay(retries: int, minimum: float, random: float) -> float:
    """Return the seconds to wait before the next retry, after ``retries`` earlier ones: exponential, with jitter.

    ``random`` is a number from 0 to 1 that decides up to half of the delay.
    """
    longest = min(MAX_DELAY, 2 * INITIAL_DELAY * 2.0 ** min(retries, 10))
    return max(longest * (0.5 + 0.5 * random), minimum)
