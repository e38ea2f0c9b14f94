"""Stripe Tax: calculations without tax, as the account is registered nowhere, and the transactions they become. https://docs.stripe.com/tax"""

from __future__ import annotations

from pinstripe.emulator.billing import line_items
from pinstripe.emulator.billing.periods import DAY
from pinstripe.emulator.operations import _crud
from pinstripe.emulator.operations._crud import life
from pinstripe.emulator.state.account import Ask, Object, clone, merged
from pinstripe.emulator.validation.errors import Refusal, missing_object


@life("tax.calculations.create")
def calculate(ask: Ask) -> Object:
    """The tax on line items, which is none."""
    world, params = ask.world, ask.params
    made = world.draft("tax.calculation", {name: params[name] for name in ("customer", "currency") if name in params})
    items = []
    for at, given in enumerate(params["line_items"]):
        item = world.draft("tax.calculation_line_item", given)
        item.update(amount_tax=0, quantity=given.get("quantity", 1), reference=given.get("reference") or f"L{at + 1}")
        item.update(
            tax_behavior=given.get("tax_behavior", "exclusive"),
            tax_code=given.get("tax_code") or "txcd_99999999",
            tax_breakdown=[],
        )
        items.append(item)
    details = world.draft_part("tax.calculation", "customer_details")
    known = params.get("customer_details") or {}
    address = {
        "city": None,
        "line1": None,
        "line2": None,
        "postal_code": None,
        "state": None,
        "country": "US",
        **(known.get("address") or {}),
    }
    details.update(
        address=address, address_source=known.get("address_source", "billing"), tax_ids=known.get("tax_ids") or []
    )
    shipping = (params.get("shipping_cost") or {}).get("amount", 0)
    made.update(
        amount_total=sum(one["amount"] for one in items) + shipping, currency=params["currency"].lower(),
        customer_details=details,
        expires_at=world.now() + 90 * DAY, tax_breakdown=[], tax_date=params.get("tax_date") or world.now(),
    )  # fmt: skip
    world.hide(f"items:{made['id']}", items)
    return world.keep(made)


line_items.show("tax.calculation", "/v1/tax/calculations", "tax.calculations.line_items.list")
line_items.show("tax.transaction", "/v1/tax/transactions", "tax.transactions.line_items.list")


@life("tax.transactions.create_from_calculation")
def commit(ask: Ask) -> Object:
    """A calculation becomes a transaction, once."""
    world, params = ask.world, ask.params
    calculation = world.get("tax.calculation", params["calculation"], "calculation")
    if any(True for _ in world.every("tax.transaction", reference=params["reference"])):
        raise Refusal(
            "A transaction with that reference exists already.", code="resource_already_exists", param="reference"
        )
    shared = ("currency", "customer", "customer_details", "tax_date")
    made = world.draft("tax.transaction", {})
    made.update({name: clone(calculation[name]) for name in shared})
    made.update(
        type="transaction", reference=params["reference"], posted_at=params.get("posted_at") or world.now(), reversal=None,
        metadata=merged({}, params.get("metadata") or {}),
    )  # fmt: skip
    items = []
    for one in line_items.kept(world, calculation):
        item = world.draft("tax.transaction_line_item")
        item.update(
            {
                name: one[name]
                for name in ("amount", "amount_tax", "product", "quantity", "reference", "tax_behavior", "tax_code")
                if name in one
            }
        )
        item.update(type="transaction", reversal=None)
        items.append(item)
    world.hide(f"items:{made['id']}", items)
    return world.keep(made)


@life("tax.transactions.create_reversal")
def reverse(ask: Ask) -> Object:
    """Take a transaction back, all of it or a part."""
    world, params = ask.world, ask.params
    original = world.get("tax.transaction", params["original_transaction"], "original_transaction")
    made = {**clone(original), "id": world.new_id("tax.transaction")}
    made.update(
        type="reversal", reference=params["reference"], reversal={"original_transaction": original["id"]}, created=world.now(),
        metadata=merged({}, params.get("metadata") or {}),
    )  # fmt: skip
    items = []
    for one in line_items.kept(world, original):
        part = next((part for part in params.get("line_items") or [] if part["original_line_item"] == one["id"]), None)
        if params["mode"] == "full" or part is not None:
            amounts = (
                {"amount": part["amount"], "amount_tax": part["amount_tax"]}
                if part
                else {"amount": -one["amount"], "amount_tax": -one["amount_tax"]}
            )
            items.append(
                {
                    **one,
                    **amounts,
                    "id": world.new_id("tax.transaction_line_item"),
                    "type": "reversal",
                    "reversal": {"original_line_item": one["id"]},
                }
            )
    world.hide(f"items:{made['id']}", items)
    return world.keep(made)


@life("tax.associations.find")
def association(ask: Ask) -> Object:
    """What ties a payment to a calculation."""
    for found in ask.world.every("tax.association", payment_intent=ask.params["payment_intent"]):
        return found
    raise missing_object("tax association", ask.params["payment_intent"], "payment_intent")


@life("tax_rates.create")
def create_rate(ask: Ask) -> Object:
    """A rate, in percent. https://docs.stripe.com/billing/taxes/tax-rates"""
    if not 0 <= ask.params["percentage"] <= 100:
        raise Refusal("percentage is from 0 to 100.", param="percentage")
    return _crud.create(ask)
