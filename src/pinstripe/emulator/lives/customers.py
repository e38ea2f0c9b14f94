"""Customers. https://docs.stripe.com/api/customers"""

from __future__ import annotations

from pinstripe.emulator.expand import includable
from pinstripe.emulator.generic import life
from pinstripe.emulator.lives.cards import attach_to, payment_method
from pinstripe.emulator.lives.subscriptions import end
from pinstripe.emulator.world import Ask, Object, World


@life("customers.create")
def create(ask: Ask) -> Object:
    """A customer, with the card that was passed saved for it."""
    world, params = ask.world, dict(ask.params)
    method = payment_method(world, params.pop("payment_method")) if "payment_method" in params else None
    settings = {"custom_fields": None, "default_payment_method": None, "footer": None, "rendering_options": None}
    customer = world.draft("customer", params)
    customer["invoice_settings"] = {**settings, **(params.get("invoice_settings") or {})}
    customer.update(
        balance=params.get("balance", 0),
        delinquent=False,
        invoice_prefix="".join(world.random.choices("0123456789ABCDEF", k=8)),
        next_invoice_sequence=1,
        tax_exempt=params.get("tax_exempt") or "none",
    )
    if default := customer["invoice_settings"]["default_payment_method"]:
        method = payment_method(world, default, "invoice_settings[default_payment_method]")
        customer["invoice_settings"]["default_payment_method"] = method["id"]
    if method is not None:
        attach_to(world, method, customer)
    world.keep(customer)
    world.emit("created", customer)
    return customer


@life("customers.update")
def update(ask: Ask) -> Object:
    """Change a customer; its invoice settings are changed one by one."""
    world, params = ask.world, dict(ask.params)
    customer = world.get("customer", ask.target)
    fields: Object = {}
    if isinstance(given := params.pop("invoice_settings", None), dict):
        if default := given.get("default_payment_method"):
            world.get("payment_method", default, "invoice_settings[default_payment_method]")
        fields["invoice_settings"] = {**customer["invoice_settings"], **given}
    return world.update(customer, params, **fields)


@life("customers.retrieve")
def retrieve(ask: Ask) -> Object:
    """A customer, or what is left of a deleted one."""
    found = ask.world.objects.get(ask.target)
    return found if found and found["object"] == "customer" else ask.world.get("customer", ask.target)


@life("customers.delete")
def delete(ask: Ask) -> Object:
    """Delete a customer: its subscriptions end."""
    world = ask.world
    customer = world.get("customer", ask.target)
    for subscription in list(world.every("subscription")):
        if subscription["customer"] == customer["id"] and subscription["status"] not in (
            "canceled",
            "incomplete_expired",
        ):
            end(world, subscription)
    world.emit("deleted", customer)
    left: Object = {"id": customer["id"], "object": "customer", "deleted": True}
    world.objects[customer["id"]] = left
    return left


@includable("customer", "subscriptions")
def subscriptions(world: World, customer: Object) -> Object:
    """A customer's subscriptions that have not ended."""
    data = [
        one for one in world.every("subscription") if one["customer"] == customer["id"] and one["status"] != "canceled"
    ]
    return {"object": "list", "data": data, "has_more": False, "url": f"/v1/customers/{customer['id']}/subscriptions"}
