"""Breaking changes of the API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from pinstripe.emulator.state.json_values import Object

UpgradeRequest: TypeAlias = Callable[[str, Object], None]
"""Changes the parameters of an older request in place, before they are validated; the first argument is the operation."""
DowngradeObject: TypeAlias = Callable[[Object, Object], None]
"""Changes an object of a response or event in place; the second argument are the parameters of the request as sent, if any."""
CheckRequest: TypeAlias = Callable[[str, Object], None]
"""Raises `ErrorResponse` for the parameters of a request of a version that has the change."""


def _nothing(_: object, __: object) -> None:
    """Change nothing."""


@dataclass(frozen=True)
class Change:
    """A breaking change: how an older request becomes one of the new version, and a new object an older one."""

    version: str
    """The first version that has the change."""
    request: UpgradeRequest = _nothing
    response: DowngradeObject = _nothing
    check: CheckRequest = _nothing
    names: Mapping[str, str] = field(default_factory=dict)
    """The older names of parameters in errors, by their new names."""


def part(value: Object, *names: str) -> Object:
    """Return an object inside another one, by the names of the fields that lead to it; empty if there is none."""
    for name in names:
        inner = value.get(name)
        value = inner if isinstance(inner, dict) else {}
    return value
