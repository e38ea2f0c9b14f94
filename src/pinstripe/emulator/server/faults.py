"""Faults by rule: what goes wrong with the next requests, so that people can test their own retries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal, TypeAlias, get_args

from pinstripe._endpoint import Row
from pinstripe.errors import InvalidArgumentError

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

    def check(self, rows: Iterable[Row]) -> None:
        """Raise `InvalidArgumentError` for a fault that could never come true."""
        if not any(self.fits(row) for row in rows):
            raise InvalidArgumentError(
                f"No operation matches {self.match!r}: name one as charges.create, invoices.* or POST /v1/charges.",
                param="match",
            )
        if self.trouble not in get_args(Trouble):
            raise InvalidArgumentError(f"trouble is one of {', '.join(get_args(Trouble))}.", param="trouble")
        if self.times < 1:
            raise InvalidArgumentError(f"times is 1 or more, not {self.times}.", param="times")
        if not 400 <= self.status <= 599:
            raise InvalidArgumentError(f"status is an error's, 400 to 599, not {self.status}.", param="status")
        if self.seconds < 0:
            raise InvalidArgumentError(f"seconds is 0 or more, not {self.seconds}.", param="seconds")


def take(faults: list[Fault], row: Row) -> Fault | None:
    """The first fault that fits a request, used up by one."""
    for fault in faults:
        if fault.fits(row):
            fault.times -= 1
            if not fault.times:
                faults.remove(fault)
            return fault
    return None
