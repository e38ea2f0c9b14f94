"""Coupons. https://docs.stripe.com/billing/subscriptions/coupons"""

from __future__ import annotations

from pinstripe.emulator.operations._crud import check_id_is_free, find
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.state.tables import StoredObject
from pinstripe.emulator.validation.errors import ErrorResponse, missing_param


@operation("coupons.create")
def create(context: OperationContext) -> Object:
    """Create a coupon that takes off a percentage, or an amount in one currency."""
    state, params = context.state, context.params
    _check(params)
    check_id_is_free(state, "coupon", params)
    coupon = state.draft("coupon", params)
    if "id" not in params:
        coupon["id"] = state.new_id("coupon", 8)
    coupon.update(duration=params.get("duration", "once"), valid=True, times_redeemed=0)
    state.objects.add(coupon)
    state.events.emit("created", coupon)
    return coupon


def _check(params: Object) -> None:
    if ("percent_off" in params) == ("amount_off" in params):
        raise ErrorResponse(
            "Pass either percent_off or amount_off, not both.", code="parameter_missing", param="percent_off"
        )
    if "amount_off" in params and "currency" not in params:
        raise missing_param("currency")
    if "percent_off" in params and not 0 < params["percent_off"] <= 100:
        raise ErrorResponse("percent_off must be more than 0 and at most 100.", param="percent_off")
    if params.get("duration") == "repeating" and not params.get("duration_in_months"):
        raise missing_param("duration_in_months")


@operation("coupons.delete")
def delete(context: OperationContext) -> Object:
    """Delete a coupon; its discounts remain active, its promotion codes do not."""
    state, coupon = context.state, find(context)
    state.events.emit("deleted", coupon)
    for discount in state.objects.all("discount"):
        if discount["source"].get("coupon") == coupon["id"] and discount["id"] not in state.tables.deleted_coupons:
            state.tables.deleted_coupons.set(discount["id"], StoredObject(coupon))
    for promotion_code in state.objects.all("promotion_code"):
        if promotion_code["promotion"].get("coupon") == coupon["id"]:
            state.objects.update(promotion_code, active=False)
    return state.objects.mark_deleted(coupon)
