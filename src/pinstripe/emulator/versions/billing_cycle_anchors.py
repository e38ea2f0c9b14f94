"""``billing_cycle_anchor`` of updates and previews is an object with a ``type``; it was ``now``, ``unchanged`` or a time.

https://docs.stripe.com/changelog/endive/2026-09-30/polymorphic-billing-cycle-anchor
"""

from __future__ import annotations

from pinstripe.emulator.state.json_values import JSON, Object
from pinstripe.emulator.validation.errors import ErrorResponse
from pinstripe.emulator.versions._change import Change, part

NAME = "billing_cycle_anchor"
UPDATES = {"customers.subscriptions.update", "subscriptions.resume", "subscriptions.update"}


def _request(operation: str, params: Object) -> None:
    if operation in UPDATES:
        _upgrade(params, NAME, timestamps=False)
    elif operation == "invoices.create_preview":
        _upgrade(part(params, "subscription_details"), f"subscription_details[{NAME}]", timestamps=True)


def _upgrade(params: Object, param: str, *, timestamps: bool) -> None:
    anchor: JSON = params.get(NAME)
    if NAME not in params:
        return
    if isinstance(anchor, (dict, list)):
        raise ErrorResponse("Invalid string: a hash", param=param)
    if timestamps and str(anchor).isdigit():
        params[NAME] = {"type": "timestamp", "timestamp": anchor}
    else:
        params[NAME] = {"type": anchor}


CHANGE = Change("2026-09-30.endive", _request, names={f"{NAME}[type]": NAME, f"{NAME}][type]": f"{NAME}]"})
