"""The mandate of a charge's card can be expanded; it was an id only.

https://docs.stripe.com/changelog/endive/2026-09-30/expand-mandate-on-card-payments-details
"""

from __future__ import annotations

from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.validation.errors import ErrorResponse
from pinstripe.emulator.versions._change import Change, part

PATH = "payment_method_details.card.mandate"


def _request(_: str, params: Object) -> None:
    paths = params.get("expand") or []
    for path in paths.values() if isinstance(paths, dict) else paths:
        if str(path).endswith(PATH):
            raise ErrorResponse(
                f"This property cannot be expanded ({path}).", code="property_cannot_be_expanded", param="expand"
            )


def _response(value: Object, _: Object) -> None:
    card = part(value, "payment_method_details", "card")
    if value["object"] == "charge" and isinstance(card.get("mandate"), dict):
        card["mandate"] = card["mandate"]["id"]


CHANGE = Change("2026-09-30.endive", _request, _response)
