"""Checks of the parameters of a new checkout session. https://docs.stripe.com/api/checkout/sessions/create"""

from __future__ import annotations

from pinstripe.emulator.billing.money import format_amount, minimum_charge
from pinstripe.emulator.billing.periods import DAY
from pinstripe.emulator.billing.pricing import is_metered
from pinstripe.emulator.operations._payment_method_types import check_types
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.validation.errors import ErrorResponse, check_url, missing_param

MIN_LIFETIME_SECONDS = 1800
EXCLUSIVE_PARAMS = (("allow_promotion_codes", "discounts"), ("customer", "customer_email"))
"""The pairs of parameters of which a session may have only one."""
MODE_PARAMS = {
    "payment_intent_data": "payment",
    "subscription_data": "subscription",
    "setup_intent_data": "setup",
    "customer_creation": "payment",
}
"""The parameters that belong to one mode."""


def check_params(params: Object, now: int) -> None:
    """Raise `ErrorResponse` for parameters that exclude each other or the mode, invalid URLs and times."""
    mode = params.get("mode")
    for names in EXCLUSIVE_PARAMS:
        if all(params.get(name) for name in names):
            raise ErrorResponse(f"You may only specify one of these parameters: {', '.join(names)}.", param=names[1])
    for name, its_mode in MODE_PARAMS.items():
        if params.get(name) and mode not in (None, its_mode) and not (name == "customer_creation" and mode == "setup"):
            raise ErrorResponse(f"You can not pass `{name}` in `{mode}` mode.", param=name)
    if mode == "setup" and params.get("line_items"):
        raise ErrorResponse("You can not pass `line_items` in `setup` mode.", param="line_items")
    for name in ("success_url", "cancel_url", "return_url"):
        if params.get(name):
            check_url(params[name], name)
    _check_expiry(params.get("expires_at"), now)
    for index, item in enumerate(params.get("line_items") or []):
        _check_quantity(item, f"line_items[{index}]")


def _check_expiry(expires_at: int | None, now: int) -> None:
    if expires_at is None:
        return
    if expires_at < now + MIN_LIFETIME_SECONDS:
        raise ErrorResponse(
            "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.", param="expires_at"
        )
    if expires_at > now + DAY:
        raise ErrorResponse(
            "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.", param="expires_at"
        )


def _check_quantity(item: Object, path: str) -> None:
    quantity = item.get("quantity")
    if quantity is not None and quantity < 1 and not item.get("adjustable_quantity"):
        raise ErrorResponse(
            "This value must be greater than or equal to 1.",
            code="parameter_invalid_integer",
            param=f"{path}[quantity]",
        )


def check_items(params: Object, items: list[Object]) -> None:
    """Raise `ErrorResponse` for an item without a quantity, unless its price is metered."""
    for index, (item_params, item) in enumerate(zip(params.get("line_items") or [], items, strict=True)):
        metered = is_metered(item["price"])
        path = f"line_items[{index}][quantity]"
        if not metered and item_params.get("quantity") is None:
            raise missing_param(path)
        if metered and item_params.get("quantity") is not None:
            raise ErrorResponse("Quantity should not be specified where usage_type is `metered`.", param=path)
    if items:
        check_types({"currency": items[0]["currency"], **params})


def check_total(mode: str, total: int, currency: str) -> None:
    """Raise `ErrorResponse` for a payment that is too small to charge; no payment at all is allowed."""
    if mode == "payment" and 0 < total < (least := minimum_charge(currency)):
        raise ErrorResponse(
            f"The Checkout Session's total amount due must add up to at least {format_amount(least, currency)}",
            code="amount_too_small",
        )
