"""Coupons, promotion codes, and the discounts they become. https://docs.stripe.com/billing/subscriptions/coupons"""

from __future__ import annotations

from typing import Any

from pinstripe.emulator.billing import periods
from pinstripe.emulator.operations._crud import check_free, find, life
from pinstripe.emulator.operations._lists import filtered
from pinstripe.emulator.state.account import Ask, Object, World
from pinstripe.emulator.validation.errors import Refusal, missing_object, missing_param


@life("coupons.create")
def create_coupon(ask: Ask) -> Object:
    """A coupon: a part of an amount, or an amount in a currency."""
    world, params = ask.world, dict(ask.params)
    if ("percent_off" in params) == ("amount_off" in params):
        raise Refusal("Pass percent_off or amount_off, one of the two.", code="parameter_missing", param="percent_off")
    if "amount_off" in params and "currency" not in params:
        raise missing_param("currency")
    if "percent_off" in params and not 0 < params["percent_off"] <= 100:
        raise Refusal("percent_off is more than 0 and at most 100.", param="percent_off")
    if params.get("duration") == "repeating" and not params.get("duration_in_months"):
        raise missing_param("duration_in_months")
    check_free(world, "coupon", params)
    coupon = world.draft("coupon", params)
    if "id" not in params:
        coupon["id"] = world.new_id("coupon", 8)
    coupon.update(duration=params.get("duration", "once"), valid=True, times_redeemed=0)
    world.keep(coupon)
    world.emit("created", coupon)
    return coupon


@life("promotion_codes.create")
def create_promotion_code(ask: Ask) -> Object:
    """A code that customers type to get a coupon."""
    world, params = ask.world, dict(ask.params)
    promotion = params.pop("promotion")
    if not promotion.get("coupon"):
        raise missing_param("promotion[coupon]")
    coupon = world.get("coupon", promotion["coupon"], "promotion[coupon]")
    code = params.get("code") or "".join(world.random.choices("ABCDEFGHJKLMNPQRSTUVWXYZ23456789", k=8))
    if any(one["active"] and one["code"].lower() == code.lower() for one in world.every("promotion_code")):
        raise Refusal(
            "An active promotion code with that code already exists.", code="resource_already_exists", param="code"
        )
    made = world.draft("promotion_code", params)
    made.update(code=code, active=params.get("active", True), promotion={"type": "coupon", "coupon": coupon["id"]})
    made["restrictions"] = {
        "first_time_transaction": False, "minimum_amount": None, "minimum_amount_currency": None,
        **(params.get("restrictions") or {}),
    }  # fmt: skip
    world.keep(made)
    world.emit("created", made)
    return made


@filtered("promotion_code", "coupon")
def _is_for(code: Object, coupon: str) -> bool:
    return bool(code["promotion"].get("coupon") == coupon)


@filtered("promotion_code", "code")
def _is_typed(code: Object, typed: str) -> bool:
    return bool(code["code"].lower() == typed.lower())


def coupon_of(world: World, discount: Object) -> Object:
    """The coupon of a discount, also where it was deleted since."""
    identifier = discount["source"]["coupon"]
    found: Object = world.hidden.get(f"coupon:{identifier}") or world.objects[identifier]
    return found


def redeem(world: World, given: Object, where: str, **owner: Any) -> Object:  # Any: JSON
    """The discount that a coupon, a promotion code or a discount becomes for somebody; kept."""
    if identifier := given.get("discount"):
        return world.get("discount", identifier, f"{where}[discount]")
    code = None
    if identifier := given.get("promotion_code"):
        code = world.get("promotion_code", identifier, f"{where}[promotion_code]")
        _check_code(world, code, owner.get("customer"), f"{where}[promotion_code]")
        coupon = world.get("coupon", code["promotion"]["coupon"])
        world.change(code, times_redeemed=code["times_redeemed"] + 1)
    elif identifier := given.get("coupon"):
        coupon = world.get("coupon", identifier, f"{where}[coupon]")
    else:
        raise missing_param(f"{where}[coupon]")
    now = world.now()
    if not coupon["valid"] or (coupon["redeem_by"] and coupon["redeem_by"] < now):
        raise Refusal(f"Coupon expired: {coupon['id']}", code="coupon_expired", param=f"{where}[coupon]")
    redeemed = coupon["times_redeemed"] + 1
    full = coupon["max_redemptions"] is not None and redeemed >= coupon["max_redemptions"]
    world.change(coupon, times_redeemed=redeemed, valid=not full)
    months = coupon["duration_in_months"]
    discount = world.draft("discount")
    discount.update(
        source={"type": "coupon", "coupon": coupon["id"]},
        promotion_code=code["id"] if code else None,
        start=now,
        end=periods.add(now, "month", months) if coupon["duration"] == "repeating" and months else None,
        **owner,
    )
    return world.keep(discount)


def _check_code(world: World, code: Object, customer: str | None, where: str) -> None:
    now = world.now()
    spent = code["max_redemptions"] is not None and code["times_redeemed"] >= code["max_redemptions"]
    if not code["active"] or spent or (code["expires_at"] and code["expires_at"] < now):
        raise Refusal(
            f"This promotion code is no longer active: {code['code']}", code="promotion_code_inactive", param=where
        )
    if code["customer"] and code["customer"] != customer:
        raise Refusal("This promotion code belongs to another customer.", param=where)
    if (
        code["restrictions"]["first_time_transaction"]
        and customer
        and next(world.every("invoice", customer=customer), None)
    ):
        raise Refusal("This promotion code is for customers without earlier transactions.", param=where)


def holds(world: World, discount: Object, at: int) -> bool:
    """Whether a discount still takes something off."""
    if discount.get("deleted") or (discount["end"] is not None and discount["end"] <= at):
        return False
    once = coupon_of(world, discount)["duration"] == "once"
    return not (once and world.hidden.get(f"used:{discount['id']}"))


def spent(world: World, identifiers: list[str]) -> None:
    """Discounts were on an invoice: those that hold once are used up."""
    for identifier in identifiers:
        found = world.objects[identifier]
        if not found.get("deleted") and found["invoice"] is None and coupon_of(world, found)["duration"] == "once":
            world.hide(f"used:{identifier}", True)


def _remove(world: World, owner: Object, discount: Object) -> Object:
    world.emit("deleted", discount)
    rest = [one for one in owner.get("discounts", []) if one != discount["id"]]
    if "discounts" in owner:
        world.change(owner, discounts=rest)
    else:
        world.change(owner, discount=None)
    gone = {**discount, "deleted": True}
    gone.pop("end", None)
    world.keep(gone)
    return gone


@life("customers.delete_discount")
def delete_of_customer(ask: Ask) -> Object:
    """Take a customer's discount away."""
    customer = ask.world.get("customer", ask.path["customer"])
    if not customer.get("discount"):
        raise missing_object("discount", customer["id"])
    return _remove(ask.world, customer, ask.world.objects[customer["discount"]["id"]])


@life("customers.discount.retrieve")
def of_customer(ask: Ask) -> Object:
    """A customer's discount."""
    customer = ask.world.get("customer", ask.path["customer"])
    if not customer.get("discount"):
        raise missing_object("discount", customer["id"])
    found: Object = customer["discount"]
    return found


@life(
    "subscriptions.delete_discount",
    "customers.subscriptions.delete_discount",
    "customers.subscriptions.discount.retrieve",
)
def of_subscription(ask: Ask) -> Object:
    """A subscription's discount: show it, or take it away."""
    subscription = ask.world.get("subscription", ask.path["subscription_exposed_id"])
    if not subscription["discounts"]:
        raise missing_object("discount", subscription["id"])
    discount = ask.world.objects[subscription["discounts"][0]]
    return discount if ask.row.verb == "GET" else _remove(ask.world, subscription, discount)


@life("coupons.delete")
def delete_coupon(ask: Ask) -> Object:
    """Delete a coupon: discounts that it became stay."""
    world, coupon = ask.world, find(ask)
    world.emit("deleted", coupon)
    world.hide(f"coupon:{coupon['id']}", coupon)
    return world.bury(coupon)
