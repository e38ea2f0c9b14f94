"""Promotion codes. https://docs.stripe.com/billing/subscriptions/coupons#promotion-codes"""

from __future__ import annotations

from pinstripe.emulator.operations._filters import list_filter
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.validation.errors import ErrorResponse, missing_param

CODE_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


@operation("promotion_codes.create")
def create(context: OperationContext) -> Object:
    """Create a code that customers enter to redeem a coupon."""
    state, params = context.state, dict(context.params)
    promotion = params.pop("promotion")
    if not promotion.get("coupon"):
        raise missing_param("promotion[coupon]")
    coupon = state.objects.get("coupon", promotion["coupon"], "promotion[coupon]")
    _check_restrictions(state, params, coupon)
    code = params.get("code") or "".join(state.random.choices(CODE_ALPHABET, k=8))
    for other in state.objects.all("promotion_code"):
        if other["active"] and other["code"].lower() == code.lower():
            raise ErrorResponse(
                "An active promotion code with that code already exists.", code="resource_already_exists", param="code"
            )
    promotion_code = state.draft("promotion_code", params)
    promotion_code.update(
        code=code,
        active=params.get("active", True),
        promotion={"type": "coupon", "coupon": coupon["id"]},
        restrictions={
            "first_time_transaction": False,
            "minimum_amount": None,
            "minimum_amount_currency": None,
            **(params.get("restrictions") or {}),
        },
    )
    state.objects.add(promotion_code)
    state.events.emit("created", promotion_code)
    return promotion_code


def _check_restrictions(state: AccountState, params: Object, coupon: Object) -> None:
    """Raise `ErrorResponse` for an expiry that has passed or is after that of the coupon, and an incomplete minimum."""
    restrictions = params.get("restrictions") or {}
    for name, other in (
        ("minimum_amount", "minimum_amount_currency"),
        ("minimum_amount_currency", "minimum_amount"),
    ):
        if restrictions.get(name) is not None and restrictions.get(other) is None:
            raise missing_param(f"restrictions[{other}]")
    if (expires_at := params.get("expires_at")) is None:
        return
    if expires_at <= state.clock.now():
        raise ErrorResponse("This value must be in the future.", param="expires_at")
    if coupon["redeem_by"] and expires_at > coupon["redeem_by"]:
        raise ErrorResponse("expires_at cannot be later than the redeem_by of the coupon.", param="expires_at")


def check_minimum(state: AccountState, discounts: list[Object], amount: int, currency: str) -> None:
    """Raise `ErrorResponse` when an amount is less than a promotion code requires, or has another currency."""
    for index, discount in enumerate(discounts):
        promotion_code = state.objects.find("promotion_code", discount["promotion_code"])
        restrictions = promotion_code["restrictions"] if promotion_code else {}
        minimum = restrictions.get("minimum_amount")
        if minimum and (amount < minimum or restrictions["minimum_amount_currency"] != currency):
            raise ErrorResponse(
                "This promotion code cannot be redeemed because the amount is less than its minimum.",
                param=f"discounts[{index}][promotion_code]",
            )


@list_filter("promotion_code", "coupon")
def _is_for_coupon(promotion_code: Object, coupon: str) -> bool:
    return bool(promotion_code["promotion"].get("coupon") == coupon)


@list_filter("promotion_code", "code")
def _has_code(promotion_code: Object, code: str) -> bool:
    return bool(promotion_code["code"].lower() == code.lower())


def check_promotion_code(state: AccountState, promotion_code: Object, customer: str | None, param: str) -> None:
    """Raise `ErrorResponse` when a customer cannot redeem a promotion code."""
    now, maximum = state.clock.now(), promotion_code["max_redemptions"]
    used_up = maximum is not None and promotion_code["times_redeemed"] >= maximum
    expired = promotion_code["expires_at"] and promotion_code["expires_at"] <= now
    if not promotion_code["active"] or used_up or expired:
        raise ErrorResponse(
            f"This promotion code is no longer active: {promotion_code['code']}",
            code="promotion_code_inactive",
            param=param,
        )
    if promotion_code["customer"] and promotion_code["customer"] != customer:
        raise ErrorResponse("This promotion code belongs to another customer.", param=param)
    if not promotion_code["restrictions"]["first_time_transaction"] or not customer:
        return
    if next(state.objects.all("invoice", customer=customer), None):
        raise ErrorResponse("This promotion code is for customers without earlier transactions.", param=param)
