"""The cryptogram of a payment record's 3-D Secure authentication is no longer returned.

https://docs.stripe.com/api/payment-record/object
"""

from __future__ import annotations

from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.versions._change import Change, part


def _response(value: Object, _: Object) -> None:
    if value["object"] in ("payment_record", "payment_attempt_record"):
        authentication = part(value, "payment_method_details", "card", "three_d_secure")
        if authentication:
            authentication.setdefault("cryptogram", None)


CHANGE = Change("2026-09-30.endive", response=_response)
