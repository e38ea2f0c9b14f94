"""Parameters that few accounts could use are gone. Requests of older versions may have them, without an effect.

https://docs.stripe.com/api
"""

from __future__ import annotations

from pinstripe.emulator.state.json_values import JSON, Object
from pinstripe.emulator.versions._change import Change

REMOVED: dict[str, tuple[str, ...]] = {
    "accounts.create": ("documents", "proof_of_registration"),
    "checkout.sessions.create": ("line_items", "*", "dynamic_tax_rates"),
    "payment_methods.update": ("payto",),
}
"""The paths of the parameters, by operation; ``*`` are the items of a list."""


def _request(operation: str, params: Object) -> None:
    _remove(params, REMOVED.get(operation, ()))


def _remove(value: JSON, path: tuple[str, ...]) -> None:
    if not path:
        return
    if path[0] == "*":
        for item in value.values() if isinstance(value, dict) else value or []:
            _remove(item, path[1:])
    elif isinstance(value, dict) and len(path) == 1:
        value.pop(path[0], None)
    elif isinstance(value, dict):
        _remove(value.get(path[0]), path[1:])


CHANGE = Change("2026-09-30.endive", _request)
