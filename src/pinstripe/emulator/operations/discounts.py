"""Coupons, promotion codes, and the discounts they become. https://docs.stripe.com/billing/subscriptions/coupons"""

from __future__ import annotations

from typing import Any

from pinstripe.emulator.billing import periods
from pinstripe.emulator.operations._crud import check_id_is_free, find
from pinstripe.emulator.operations._filters import list_filter
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.state.tables import Flag, StoredObject
from pinstripe.emulator.validation.errors import ErrorResponse, missing_object, missing_param


@operation("coupons.create")
def create_coupon(context: OperationContext) -> Object:
    """A coupon: a part of an amount, or an amount in a currency."""
    state, params = context.state, dict(context.params)
    if ("percent_off" in params) == ("amount_off" in params):
        raise ErrorResponse(
            "Pass percent_off or amount_off, one of the two.", code="parameter_missing", param="percent_off"
        )
    if "amount_off" in params and "currency" not in params:
        raise missing_param("currency")
    if "percent_off" in params and not 0 < params["percent_off"] <= 100:
        raise ErrorResponse("percent_off is more than 0 and at most 100.", param="percent_off")
    if params.get("duration") == "repeating" and not params.get("duration_in_months"):
        raise missing_param("duration_in_months")
    check_id_is_free(state, "coupon", params)
    coupon = state.draft("coupon", params)
    if "id" not in params:
        coupon["id"] = state.new_id("coupon", 8)
    coupon.update(duration=params.get("duration", "once"), valid=True, times_redeemed=0)
    state.objects.add(coupon)
    state.events.emit("created", coupon)
    return coupon


@operation("promotion_codes.create")
def create_promotion_code(context: OperationContext) -> Object:
    """A code that customers type to get a coupon."""
    state, params = context.state, dict(context.params)
    promotion = params.pop("promotion")
    if not promotion.get("coupon"):
        raise missing_param("promotion[coupon]")
    coupon = state.objects.get("coupon", promotion["coupon"], "promotion[coupon]")
    code = params.get("code") or "".join(state.random.choices("ABCDEFGHJKLMNPQRSTUVWXYZ23456789", k=8))
    if any(one["active"] and one["code"].lower() == code.lower() for one in state.objects.all("promotion_code")):
        raise ErrorResponse(
            "An active promotion code with that code already exists.", code="resource_already_exists", param="code"
        )
    made = state.draft("promotion_code", params)
    made.update(code=code, active=params.get("active", True), promotion={"type": "coupon", "coupon": coupon["id"]})
    made["restrictions"] = {
        "first_time_transaction": False,
        "minimum_amount": None,
        "minimum_amount_currency": None,
        **(params.get("restrictions") or {}),
    }
    state.objects.add(made)
    state.events.emit("created", made)
    return made


@list_filter("promotion_code", "coupon")
def _is_for(code: Object, coupon: str) -> bool:
    return bool(code["promotion"].get("coupon") == coupon)


@list_filter("promotion_code", "code")
def _is_typed(code: Object, typed: str) -> bool:
    return bool(code["code"].lower() == typed.lower())


def coupon_of(state: AccountState, discount: Object) -> Object:
    """The coupon of a discount, also where it was deleted since."""
    identifier = discount["source"]["coupon"]
    deleted = state.tables.deleted_coupons.get(identifier)
    return deleted.value if deleted else state.objects["coupon", identifier]


def redeem(state: AccountState, given: Object, where: str, **owner: Any) -> Object:  # Any: JSON
    """The discount that a coupon, a promotion code or a discount becomes for somebody; kept."""
    if identifier := given.get("discount"):
        return state.objects.get("discount", identifier, f"{where}[discount]")
    code = None
    if identifier := given.get("promotion_code"):
        code = state.objects.get("promotion_code", identifier, f"{where}[promotion_code]")
        _check_code(state, code, owner.get("customer"), f"{where}[promotion_code]")
        coupon = state.objects.get("coupon", code["promotion"]["coupon"])
        state.objects.update(code, times_redeemed=code["times_redeemed"] + 1)
    elif identifier := given.get("coupon"):
        coupon = state.objects.get("coupon", identifier, f"{where}[coupon]")
    else:
        raise missing_param(f"{where}[coupon]")
    now = state.clock.now()
    if not coupon["valid"] or (coupon["redeem_by"] and coupon["redeem_by"] < now):
        raise ErrorResponse(f"Coupon expired: {coupon['id']}", code="coupon_expired", param=f"{where}[coupon]")
    redeemed = coupon["times_redeemed"] + 1
    full = coupon["max_redemptions"] is not None and redeemed >= coupon["max_redemptions"]
    state.objects.update(coupon, times_redeemed=redeemed, valid=not full)
    months = coupon["duration_in_months"]
    discount = state.draft("discount")
    discount.update(
        source={"type": "coupon", "coupon": coupon["id"]},
        promotion_code=code["id"] if code else None,
        start=now,
        end=periods.add(now, "month", months) if coupon["duration"] == "repeating" and months else None,
        **owner,
    )
    return state.objects.add(discount)


def _check_code(state: AccountState, code: Object, customer: str | None, where: str) -> None:
    now = state.clock.now()
    spent = code["max_redemptions"] is not None and code["times_redeemed"] >= code["max_redemptions"]
    if not code["active"] or spent or (code["expires_at"] and code["expires_at"] < now):
        raise ErrorResponse(
            f"This promotion code is no longer active: {code['code']}", code="promotion_code_inactive", param=where
        )
    if code["customer"] and code["customer"] != customer:
        raise ErrorResponse("This promotion code belongs to another customer.", param=where)
    if (
        code["restrictions"]["first_time_transaction"]
        and customer
        and next(state.objects.all("invoice", customer=customer), None)
    ):
        raise ErrorResponse("This promotion code is for customers without earlier transactions.", param=where)


def holds(state: AccountState, discount: Object, at: int) -> bool:
    """Whether a discount still takes something off."""
    if discount.get("deleted") or (discount["end"] is not None and discount["end"] <= at):
        return False
    once = coupon_of(state, discount)["duration"] == "once"
    return not (once and discount["id"] in state.tables.used_discounts)


def spent(state: AccountState, identifiers: list[str]) -> None:
    """Discounts were on an invoice: those that hold once are used up."""
    for identifier in identifiers:
        found = state.objects["discount", identifier]
        if not found.get("deleted") and found["invoice"] is None and coupon_of(state, found)["duration"] == "once":
            state.tables.used_discounts.set(identifier, Flag())


def _remove(state: AccountState, owner: Object, discount: Object) -> Object:
    state.events.emit("deleted", discount)
    rest = [one for one in owner.get("discounts", []) if one != discount["id"]]
    if "discounts" in owner:
        state.objects.update(owner, discounts=rest)
    else:
        state.objects.update(owner, discount=None)
    gone = {**discount, "deleted": True}
    gone.pop("end", None)
    state.objects.add(gone)
    return gone


@operation("customers.delete_discount")
def delete_of_customer(context: OperationContext) -> Object:
    """Take a customer's discount away."""
    customer = context.state.objects.get("customer", context.path["customer"])
    if not customer.get("discount"):
        raise missing_object("discount", customer["id"])
    return _remove(context.state, customer, context.state.objects["discount", customer["discount"]["id"]])


@operation("customers.discount.retrieve")
def of_customer(context: OperationContext) -> Object:
    """A customer's discount."""
    customer = context.state.objects.get("customer", context.path["customer"])
    if not customer.get("discount"):
        raise missing_object("discount", customer["id"])
    found: Object = customer["discount"]
    return found


@operation(
    "subscriptions.delete_discount",
    "customers.subscriptions.delete_discount",
    "customers.subscriptions.discount.retrieve",
)
def of_subscription(context: OperationContext) -> Object:
    """A subscription's discount: show it, or take it away."""
    subscription = context.state.objects.get("subscription", context.path["subscription"])
    if not subscription["discounts"]:
        raise missing_object("discount", subscription["id"])
    discount = context.state.objects["discount", subscription["discounts"][0]]
    return discount if context.endpoint.verb == "GET" else _remove(context.state, subscription, discount)


@operation("coupons.delete")
def delete_coupon(context: OperationContext) -> Object:
    """Delete a coupon: discounts that it became stay."""
    state, coupon = context.state, find(context)
    state.events.emit("deleted", coupon)
    state.tables.deleted_coupons.set(coupon["id"], StoredObject(coupon))
    return state.objects.mark_deleted(coupon)
