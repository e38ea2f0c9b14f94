"""Billing periods in UTC. A month after the 31st is the last day of the next month.

https://docs.stripe.com/billing/subscriptions/billing-cycle
"""

from __future__ import annotations

from calendar import monthrange
from datetime import datetime, timezone

from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.validation.errors import ErrorResponse

DAY = 86_400
HOUR = 3600
DAYS = {"day": 1, "week": 7}
MONTHS = {"month": 1, "year": 12}
MAX_YEAR = 9999
MAX_TIME = 253_402_300_799
"""The last second of the last year, in unix time."""


def add(start: int, interval: str, count: int) -> int:
    """Return the time ``count`` intervals after ``start``, in unix seconds; ``count`` may be negative.

    Raises `ErrorResponse` for a time after the year 9999.
    """
    if interval in DAYS:
        end = start + DAYS[interval] * count * DAY
        if end > MAX_TIME:
            raise _too_late()
        return end
    start_date = datetime.fromtimestamp(start, timezone.utc)
    months = start_date.month - 1 + MONTHS[interval] * count
    year, month = start_date.year + months // 12, months % 12 + 1
    if year > MAX_YEAR:
        raise _too_late()
    day = min(start_date.day, monthrange(year, month)[1])
    return int(start_date.replace(year=year, month=month, day=day).timestamp())


def _too_late() -> ErrorResponse:
    return ErrorResponse(f"Invalid timestamp: it must be in the year {MAX_YEAR} or before.")


def period_at(anchor: int, recurring: Object, at: int) -> tuple[int, int]:
    """Return the start and end of the period that contains a time.

    Periods start at the anchor and repeat in both directions; ``recurring`` is that of a price.
    """
    interval, step = recurring["interval"], recurring["interval_count"]
    length = add(anchor, interval, step) - anchor
    count = (at - anchor) // length
    while add(anchor, interval, step * count) > at:
        count -= 1
    while add(anchor, interval, step * (count + 1)) <= at:
        count += 1
    return add(anchor, interval, step * count), add(anchor, interval, step * (count + 1))


def format_date(seconds: int) -> str:
    """Format a date for people: ``15 Jan 2026``."""
    date = datetime.fromtimestamp(seconds, timezone.utc)
    return f"{date.day} {date:%b %Y}"
