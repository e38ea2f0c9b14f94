"""The reason ``fraud`` of a rejected account is divided into several reasons.

https://docs.stripe.com/changelog/endive/2026-09-30/updated-reject-reason-codes
"""

from __future__ import annotations

from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.versions._change import Change


def _request(operation: str, params: Object) -> None:
    if operation == "accounts.reject" and params.get("reason") == "fraud":
        params["reason"] = "fraud_other"


CHANGE = Change("2026-09-30.endive", _request)
