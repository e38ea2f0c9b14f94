"""Entitlements: the features of products, and of the customers who subscribe to them.

https://docs.stripe.com/billing/entitlements
"""

from __future__ import annotations

from pinstripe.emulator.operations._pagination import paginate
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.state.tables import Reference

ENTITLING_STATUSES = ("active", "trialing", "past_due")
"""The statuses of subscriptions whose customers have the features of their products."""


@operation("products.features.create")
def attach_feature(context: OperationContext) -> Object:
    """Attach a feature to a product."""
    state, params = context.state, context.params
    product = state.objects.get("product", context.path["product"])
    feature = state.objects.get("entitlements.feature", params["entitlement_feature"], "entitlement_feature")
    product_feature = state.draft("product_feature")
    product_feature["entitlement_feature"] = feature
    state.objects.add(product_feature)
    state.tables.owners.set(product_feature["id"], Reference(product["id"]))
    return product_feature


@operation("entitlements.active_entitlements.list")
def list_active_entitlements(context: OperationContext) -> Object:
    """Return a page of the features of the products to which a customer subscribes."""
    state = context.state
    customer = state.objects.get("customer", context.params["customer"], "customer")
    products = _subscribed_products(state, customer)
    entitlements: dict[str, Object] = {}
    for product_feature in state.objects.all("product_feature"):
        product = state.tables.owners.get(product_feature["id"])
        if product is not None and product.id in products:
            feature = product_feature["entitlement_feature"]
            entitlements[feature["id"]] = _entitlement(state, customer, feature)
    for entitlement in entitlements.values():
        if (entitlement["object"], entitlement["id"]) not in state.objects:
            state.objects.add(entitlement)
    return paginate(context, entitlements.values())


def _subscribed_products(state: AccountState, customer: Object) -> set[str]:
    return {
        item["price"]["product"]
        for subscription in state.objects.all("subscription", customer=customer["id"])
        if subscription["status"] in ENTITLING_STATUSES
        for item in subscription["items"]["data"]
    }


def _entitlement(state: AccountState, customer: Object, feature: Object) -> Object:
    """Return the active entitlement of a customer to a feature; its id stays the same."""
    key = (customer["id"], feature["id"])
    reference = state.tables.entitlements.get(key)
    if reference is None:
        reference = Reference(state.new_id("entitlements.active_entitlement"))
        state.tables.entitlements.set(key, reference)
    return {
        "id": reference.id,
        "object": "entitlements.active_entitlement",
        "feature": feature["id"],
        "livemode": False,
        "lookup_key": feature["lookup_key"],
    }
