"""Faults by rule: what goes wrong with the next requests, so that people can test their own retries."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal, TypeAlias

from pinstripe.endpoint import Row

Trouble: TypeAlias = Literal["error", "rate_limit", "timeout", "reset_before", "reset_after", "slow"]
STATUSES = {"error": 500, "rate_limit": 429}


@dataclass
class Fault:
    """What goes wrong, where, and how many times still."""

    match: str
    trouble: Trouble
    times: int = 1
    status: int = 500
    seconds: float = 0.0

    def fits(self, row: Row) -> bool:
        """Whether a request is one of those: by operation (``charges.create``, ``invoices.*``), or by verb and path."""
        return fnmatchcase(f"{row.service}.{row.method}", self.match) or fnmatchcase(
            f"{row.verb} {row.path}", self.match
        )


def take(faults: list[Fault], row: Row) -> Fault | None:
    """The first fault that fits a request, used up by one."""
    for fault in faults:
        if fault.fits(row):
            fault.times -= 1
            if not fault.times:
                faults.remove(fault)
            return fault
    return None
