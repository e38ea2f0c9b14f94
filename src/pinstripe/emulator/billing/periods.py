"""Billing periods: a month after the 31st is the last day of the next. https://docs.stripe.com/billing/subscriptions/billing-cycle"""

from __future__ import annotations

from calendar import monthrange
from datetime import datetime, timezone
from typing import Any

DAY = 86_400
DAYS = {"day": 1, "week": 7}
MONTHS = {"month": 1, "year": 12}


def add(start: int, interval: str, count: int) -> int:
    """Unix seconds, ``count`` intervals after ``start``, in UTC; before it where the count is negative."""
    if interval in DAYS:
        return start + DAYS[interval] * count * DAY
    moment = datetime.fromtimestamp(start, timezone.utc)
    months = moment.month - 1 + MONTHS[interval] * count
    year, month = moment.year + months // 12, months % 12 + 1
    day = min(moment.day, monthrange(year, month)[1])
    return int(moment.replace(year=year, month=month, day=day).timestamp())


def around(anchor: int, recurring: dict[str, Any], at: int) -> tuple[int, int]:  # Any: a price's ``recurring``
    """The period that a moment falls into, of those that an anchor begins: its start, and its end."""
    interval, step = recurring["interval"], recurring["interval_count"]
    length = add(anchor, interval, step) - anchor
    count = (at - anchor) // length
    while add(anchor, interval, step * count) > at:
        count -= 1
    while add(anchor, interval, step * (count + 1)) <= at:
        count += 1
    return add(anchor, interval, step * count), add(anchor, interval, step * (count + 1))


def date(moment: int) -> str:
    """A day as people write it: 15 Jan 2026."""
    found = datetime.fromtimestamp(moment, timezone.utc)
    return f"{found.day} {found:%b %Y}"
