"""``payment_method_types`` is no longer a parameter; ``allowed_payment_method_types`` takes its place.

https://docs.stripe.com/changelog/endive/2026-09-30/removes-the-payment-method-types-parameter-from-payment-intents-and-setup-intents
"""

from __future__ import annotations

from pinstripe.emulator.operations._payment_method_types import check_currency
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.validation.errors import ErrorResponse
from pinstripe.emulator.versions._change import Change

OLD, NEW = "payment_method_types", "allowed_payment_method_types"
INTENT_OPERATIONS = {
    "payment_intents.confirm",
    "payment_intents.create",
    "payment_intents.update",
    "setup_intents.create",
    "setup_intents.update",
}


def _request(operation: str, params: Object) -> None:
    if (operation in INTENT_OPERATIONS or operation == "checkout.sessions.create") and OLD in params:
        if NEW in params:
            raise ErrorResponse(f"You may only specify one of these parameters: {NEW}, {OLD}.", param=OLD)
        types = params[NEW] = params.pop(OLD)
        currency = params.get("currency")
        if operation == "payment_intents.create" and isinstance(currency, str):  # others are refused, not left out
            for index, name in enumerate(types.values() if isinstance(types, dict) else types or []):
                check_currency(str(name), currency.lower(), f"{OLD}[{index}]")


def _response(value: Object, _: Object) -> None:
    if value["object"] in ("payment_intent", "setup_intent", "checkout.session"):
        value.pop(NEW, None)


def _check(operation: str, params: Object) -> None:
    if operation in INTENT_OPERATIONS and OLD in params:
        raise ErrorResponse(
            f"`{OLD}` is no longer supported. Leave it out, or pass `{NEW}` or `excluded_{OLD}`.",
            code="payment_method_types_no_longer_supported",
            param=OLD,
        )


CHANGE = Change("2026-09-30.endive", _request, _response, _check, {NEW: OLD})
