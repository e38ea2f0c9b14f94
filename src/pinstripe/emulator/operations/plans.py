"""Plans, the older form of recurring prices. https://docs.stripe.com/api/plans"""

from __future__ import annotations

from pinstripe.emulator.operations._crud import check_id_is_free, find
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.prices import create_price, create_product
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.validation.errors import missing_param

PRICE_FIELDS = ("active", "billing_scheme", "created", "currency", "metadata", "nickname", "product", "tiers_mode")
"""The fields that a price and its plan share."""
UPDATED_WITH_PRICE = ("active", "metadata", "nickname")
SHARED_WITH_PRICE = ("tiers", "tiers_mode", "nickname", "billing_scheme", "metadata")


@operation("plans.create")
def create(context: OperationContext) -> Object:
    """Create a plan, and the price with the same id that bills it."""
    state, params = context.state, dict(context.params)
    for object_type in ("plan", "price"):
        check_id_is_free(state, object_type, params)
    product = params.pop("product", None)
    if isinstance(product, dict):
        product = create_product(state, product)["id"]
    if product is None:
        raise missing_param("product")
    state.objects.get("product", product, "product")
    plan = state.draft("plan", params)
    plan.update(
        active=params.get("active", True),
        amount=params.get("amount"),
        billing_scheme=params.get("billing_scheme", "per_unit"),
        currency=params["currency"].lower(),
        interval=params["interval"],
        interval_count=params.get("interval_count", 1),
        product=product,
        usage_type=params.get("usage_type", "licensed"),
    )
    create_price(state, _price_params(plan, params))
    state.objects.add(plan)
    state.events.emit("created", plan)
    return plan


def _price_params(plan: Object, params: Object) -> Object:
    price: Object = {name: params[name] for name in SHARED_WITH_PRICE if name in params}
    if "amount" in params:
        price["unit_amount"] = params["amount"]
    else:
        price["unit_amount_decimal"] = params.get("amount_decimal", "0")
    recurring = {name: plan[name] for name in ("interval", "interval_count", "trial_period_days", "usage_type")}
    return {**price, "id": plan["id"], "currency": plan["currency"], "product": plan["product"], "recurring": recurring}


@operation("plans.update")
def update(context: OperationContext) -> Object:
    """Update a plan and its price."""
    state, params, plan = context.state, context.params, find(context)
    price = state.objects.find("price", plan["id"])
    if price is not None:
        state.apply_update(price, {name: params[name] for name in UPDATED_WITH_PRICE if name in params})
    return state.apply_update(plan, params)


@operation("plans.delete")
def delete(context: OperationContext) -> Object:
    """Delete a plan and its price; subscriptions to it go on."""
    state, plan = context.state, find(context)
    price = state.objects.find("price", plan["id"])
    if price is not None:
        state.events.emit("deleted", price)
        state.objects.mark_deleted(price)
    state.events.emit("deleted", plan)
    return state.objects.mark_deleted(plan)


def plan_of(state: AccountState, price: Object) -> Object:
    """Return a recurring price in its older form: the plan that it was made for, or a plan of the same id."""
    plan = state.objects.find("plan", price["id"])
    if plan is not None and not plan.get("deleted"):
        return plan
    recurring = price["recurring"]
    return {
        **state.draft("plan", {"id": price["id"]}),
        **{name: price[name] for name in PRICE_FIELDS},
        **{name: recurring[name] for name in ("interval", "interval_count", "trial_period_days", "usage_type")},
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "meter": recurring["meter"],
    }


def item_fields(subscription: Object, items: list[Object]) -> Object:
    """Return the fields of a subscription that show its items; with a single item, its plan and quantity, too."""
    only = items[0] if len(items) == 1 else {}
    return {
        "items": {**subscription["items"], "data": items},
        "plan": only.get("plan"),
        "quantity": only.get("quantity"),
    }
