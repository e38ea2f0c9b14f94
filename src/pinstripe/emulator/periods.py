"""Billing periods: a month after the 31st is the last day of the next. https://docs.stripe.com/billing/subscriptions/billing-cycle"""

from __future__ import annotations

from calendar import monthrange
from datetime import datetime, timezone

DAY = 86_400
DAYS = {"day": 1, "week": 7}
MONTHS = {"month": 1, "year": 12}


def add(start: int, interval: str, count: int) -> int:
    """Unix seconds, ``count`` intervals after ``start``, in UTC."""
    if interval in DAYS:
        return start + DAYS[interval] * count * DAY
    moment = datetime.fromtimestamp(start, timezone.utc)
    months = moment.month - 1 + MONTHS[interval] * count
    year, month = moment.year + months // 12, months % 12 + 1
    day = min(moment.day, monthrange(year, month)[1])
    return int(moment.replace(year=year, month=month, day=day).timestamp())
