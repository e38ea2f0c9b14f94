"""Faults: errors of the next requests, for tests of how an application handles them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal, TypeAlias, get_args

from pinstripe._endpoint import Endpoint
from pinstripe.errors import InvalidArgumentError

FaultKind: TypeAlias = Literal["error", "rate_limit", "timeout", "reset_before", "reset_after", "slow"]
STATUSES = {"error": 500, "rate_limit": 429}


@dataclass
class Fault:
    """A fault, the requests that it applies to, and the number of times it is left."""

    match: str
    kind: FaultKind
    times: int = 1
    status: int = 500
    seconds: float = 0.0

    def matches(self, endpoint: Endpoint) -> bool:
        """Return whether an endpoint matches: by operation (``charges.create``, ``invoices.*``), or by verb and path."""
        operation, route = f"{endpoint.service}.{endpoint.method}", f"{endpoint.verb} {endpoint.path}"
        return fnmatchcase(operation, self.match) or fnmatchcase(route, self.match)

    def check(self, endpoints: Iterable[Endpoint]) -> None:
        """Raise `InvalidArgumentError` for a fault that matches no operation or has invalid values."""
        if not any(self.matches(endpoint) for endpoint in endpoints):
            raise InvalidArgumentError(
                f"match: no operation matches {self.match!r}; pass one such as charges.create, invoices.* or POST /v1/charges.",
                param="match",
            )
        if self.kind not in get_args(FaultKind):
            raise InvalidArgumentError(
                f"fault: {self.kind!r} is not one of {', '.join(get_args(FaultKind))}.", param="fault"
            )
        if self.times < 1:
            raise InvalidArgumentError(f"times: {self.times} is not 1 or more.", param="times")
        if not 400 <= self.status <= 599:
            raise InvalidArgumentError(f"status: {self.status} is not from 400 to 599.", param="status")
        if self.seconds < 0:
            raise InvalidArgumentError(f"seconds: {self.seconds} is negative.", param="seconds")


def take_fault(faults: list[Fault], endpoint: Endpoint) -> Fault | None:
    """Return the first fault that matches an endpoint, and count it; or return ``None``."""
    for fault in faults:
        if fault.matches(endpoint):
            fault.times -= 1
            if not fault.times:
                faults.remove(fault)
            return fault
    return None
