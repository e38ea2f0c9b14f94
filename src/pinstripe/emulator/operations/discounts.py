"""Discounts: redeemed coupons. https://docs.stripe.com/api/discounts"""

from __future__ import annotations

from pinstripe.emulator.billing import periods
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.promotion_codes import check_promotion_code
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import JSON, Object
from pinstripe.emulator.state.tables import Flag
from pinstripe.emulator.validation.errors import ErrorResponse, missing_object, missing_param


def coupon_of(state: AccountState, discount: Object) -> Object:
    """Return the coupon of a discount, even when it was deleted since."""
    deleted = state.tables.deleted_coupons.get(discount["id"])
    return deleted.value if deleted else state.objects["coupon", discount["source"]["coupon"]]


def redeem_all(state: AccountState, params: list[Object] | None, path: str = "discounts", **owner: JSON) -> list[str]:
    """Redeem a list of coupons, promotion codes or discounts, and return the ids of the discounts."""
    return [redeem(state, discount, f"{path}[{index}]", **owner)["id"] for index, discount in enumerate(params or [])]


def redeem(state: AccountState, params: Object, path: str, **owner: JSON) -> Object:
    """Redeem a coupon or promotion code, and return the new discount; an existing discount is returned as it is.

    ``owner`` are the fields of the discount that say whose it is; ``path`` is the name of the parameter in errors.
    """
    if discount_id := params.get("discount"):
        return state.objects.get("discount", discount_id, f"{path}[discount]")
    promotion_code = None
    if promotion_code_id := params.get("promotion_code"):
        promotion_code = state.objects.get("promotion_code", promotion_code_id, f"{path}[promotion_code]")
        check_promotion_code(state, promotion_code, owner.get("customer"), f"{path}[promotion_code]")
        coupon = state.objects.get("coupon", promotion_code["promotion"]["coupon"])
        state.objects.update(promotion_code, times_redeemed=promotion_code["times_redeemed"] + 1)
    elif coupon_id := params.get("coupon"):
        coupon = state.objects.get("coupon", coupon_id, f"{path}[coupon]")
    else:
        raise missing_param(f"{path}[coupon]")
    _count_redemption(state, coupon, path)
    now, months = state.clock.now(), coupon["duration_in_months"]
    discount = state.draft("discount")
    discount.update(
        source={"type": "coupon", "coupon": coupon["id"]},
        promotion_code=promotion_code["id"] if promotion_code else None,
        start=now,
        end=periods.add(now, "month", months) if coupon["duration"] == "repeating" and months else None,
        **owner,
    )
    state.objects.add(discount)
    if owner.get("subscription"):
        state.events.emit("created", discount)
    return discount


def _count_redemption(state: AccountState, coupon: Object, path: str) -> None:
    if not coupon["valid"] or (coupon["redeem_by"] and coupon["redeem_by"] < state.clock.now()):
        raise ErrorResponse(f"Coupon expired: {coupon['id']}", code="coupon_expired", param=f"{path}[coupon]")
    redeemed, maximum = coupon["times_redeemed"] + 1, coupon["max_redemptions"]
    state.objects.update(coupon, times_redeemed=redeemed, valid=maximum is None or redeemed < maximum)


def release(state: AccountState, discount: Object) -> None:
    """Undo the redemption of a discount that nothing uses, such as that of a checkout session that expires."""
    coupon = coupon_of(state, discount)
    redeemed, maximum = coupon["times_redeemed"] - 1, coupon["max_redemptions"]
    in_time = not coupon["redeem_by"] or coupon["redeem_by"] >= state.clock.now()
    state.objects.update(coupon, times_redeemed=redeemed, valid=in_time and (maximum is None or redeemed < maximum))
    if promotion_code := state.objects.find("promotion_code", discount["promotion_code"]):
        state.objects.update(promotion_code, times_redeemed=promotion_code["times_redeemed"] - 1)


def is_active(state: AccountState, discount: Object, at: int) -> bool:
    """Return whether a discount applies to invoices at a time."""
    if discount.get("deleted") or (discount["end"] is not None and discount["end"] <= at):
        return False
    once = coupon_of(state, discount)["duration"] == "once"
    return not (once and discount["id"] in state.tables.used_discounts)


def mark_used(state: AccountState, discount_ids: list[str]) -> None:
    """Record that an invoice has used discounts; those with the duration ``once`` are no longer active."""
    for discount_id in discount_ids:
        discount = state.objects["discount", discount_id]
        if discount.get("deleted") or discount["invoice"] is not None:
            continue
        if coupon_of(state, discount)["duration"] == "once":
            state.tables.used_discounts.set(discount_id, Flag())


def _delete(state: AccountState, owner: Object, discount: Object) -> Object:
    state.events.emit("deleted", discount)
    if "discounts" in owner:
        state.objects.update(owner, discounts=[other for other in owner["discounts"] if other != discount["id"]])
    else:
        state.objects.update(owner, discount=None)
    deleted = {**discount, "deleted": True}
    deleted.pop("end", None)
    return state.objects.add(deleted)


@operation("customers.delete_discount", "customers.discount.retrieve")
def retrieve_or_delete_of_customer(context: OperationContext) -> Object:
    """Return or delete a customer's discount."""
    state = context.state
    customer = state.objects.get("customer", context.path["customer"])
    if not customer.get("discount"):
        raise missing_object("discount", customer["id"])
    discount: Object = customer["discount"]
    if context.endpoint.verb == "GET":
        return discount
    return _delete(state, customer, state.objects["discount", discount["id"]])


@operation(
    "subscriptions.delete_discount",
    "customers.subscriptions.delete_discount",
    "customers.subscriptions.discount.retrieve",
)
def retrieve_or_delete_of_subscription(context: OperationContext) -> Object:
    """Return or delete a subscription's discount."""
    subscription = context.state.objects.get("subscription", context.path["subscription"])
    if not subscription["discounts"]:
        raise missing_object("discount", subscription["id"])
    discount = context.state.objects["discount", subscription["discounts"][0]]
    return discount if context.endpoint.verb == "GET" else _delete(context.state, subscription, discount)
