"""Whether to try again, and how long to wait: two tables and two functions. https://docs.stripe.com/error-low-level"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timezone

__all__ = ["MAX_RETRY_AFTER", "retry_after", "should_retry", "wait"]

FIRST_WAIT = 0.5
"""Seconds before the first retry, at least."""
MAX_WAIT = 8.0
"""Seconds before any retry, unless Stripe asks for more."""
MAX_RETRY_AFTER = 60.0
"""A longer ``Retry-After``, in seconds, is not waited for: the error is raised and says so."""

RETRIED_STATUSES = frozenset({409, 429})
SAID = {"true": True, "false": False}


def should_retry(status: int | None, headers: Mapping[str, str]) -> bool:
    """Whether an outcome is worth another attempt. No status means that no whole answer came."""
    if status is None:
        return True
    said = SAID.get(headers.get("stripe-should-retry", "").strip().lower())
    if said is not None:
        return said
    return status in RETRIED_STATUSES or status >= 500


def retry_after(headers: Mapping[str, str], now: datetime) -> float:
    """The seconds that ``Retry-After`` asks for, as a number or as an HTTP date; 0 where it asks for nothing."""
    text = headers.get("retry-after", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        from email.utils import parsedate_to_datetime  # here, since dates are rare and this import is not cheap

        try:
            moment = parsedate_to_datetime(text)
        except (TypeError, ValueError, IndexError, OverflowError):
            return 0.0
        moment = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
        seconds = (moment - now).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else 0.0


def wait(retries: int, asked: float, random: float) -> float:
    """Seconds to wait before retry number ``retries`` (from 0): exponential with jitter, never less than asked.

    ``random`` is a number from 0 to 1; half of the wait is left to it.
    """
    longest = min(MAX_WAIT, 2 * FIRST_WAIT * 2.0 ** min(retries, 10))
    return max(longest * (0.5 + 0.5 * random), asked)
