"""A score of a payment evaluation that is not available is null; it was -1.

https://docs.stripe.com/changelog/endive/2026-09-30/payment-evaluations-nullable-score
"""

from __future__ import annotations

from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.versions._change import Change


def _response(value: Object, _: Object) -> None:
    if value["object"] == "radar.payment_evaluation":
        for signal in (value.get("signals") or {}).values():
            if isinstance(signal, dict) and signal.get("score") is None:
                signal["score"] = -1


CHANGE = Change("2026-09-30.endive", response=_response)
