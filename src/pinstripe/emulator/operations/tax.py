"""Stripe Tax: calculations without tax, as the account is registered nowhere, and the transactions they become. https://docs.stripe.com/tax"""

from __future__ import annotations

from pinstripe.emulator.billing import line_items
from pinstripe.emulator.billing.periods import DAY
from pinstripe.emulator.operations import _crud
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.json_values import Object, clone, merge_metadata
from pinstripe.emulator.validation.errors import ErrorResponse, missing_object


@operation("tax.calculations.create")
def calculate(context: OperationContext) -> Object:
    """The tax on line items, which is none."""
    state, params = context.state, context.params
    made = state.draft("tax.calculation", {name: params[name] for name in ("customer", "currency") if name in params})
    items = []
    for at, given in enumerate(params["line_items"]):
        item = state.draft("tax.calculation_line_item", given)
        item.update(amount_tax=0, quantity=given.get("quantity", 1), reference=given.get("reference") or f"L{at + 1}")
        item.update(
            tax_behavior=given.get("tax_behavior", "exclusive"),
            tax_code=given.get("tax_code") or "txcd_99999999",
            tax_breakdown=[],
        )
        items.append(item)
    details = state.draft_part("tax.calculation", "customer_details")
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
        amount_total=sum(one["amount"] for one in items) + shipping,
        currency=params["currency"].lower(),
        customer_details=details,
        expires_at=state.clock.now() + 90 * DAY,
        tax_breakdown=[],
        tax_date=params.get("tax_date") or state.clock.now(),
    )
    line_items.set_line_items(state, made, items)
    return state.objects.add(made)


line_items.register_line_items("tax.calculation", "/v1/tax/calculations", "tax.calculations.line_items.list")
line_items.register_line_items("tax.transaction", "/v1/tax/transactions", "tax.transactions.line_items.list")


@operation("tax.transactions.create_from_calculation")
def commit(context: OperationContext) -> Object:
    """A calculation becomes a transaction, once."""
    state, params = context.state, context.params
    calculation = state.objects.get("tax.calculation", params["calculation"], "calculation")
    if any(True for _ in state.objects.all("tax.transaction", reference=params["reference"])):
        raise ErrorResponse(
            "A transaction with that reference exists already.", code="resource_already_exists", param="reference"
        )
    shared = ("currency", "customer", "customer_details", "tax_date")
    made = state.draft("tax.transaction", {})
    made.update({name: clone(calculation[name]) for name in shared})
    made.update(
        type="transaction",
        reference=params["reference"],
        posted_at=params.get("posted_at") or state.clock.now(),
        reversal=None,
        metadata=merge_metadata({}, params.get("metadata") or {}),
    )
    items = []
    for one in line_items.line_items_of(state, calculation):
        item = state.draft("tax.transaction_line_item")
        item.update(
            {
                name: one[name]
                for name in ("amount", "amount_tax", "product", "quantity", "reference", "tax_behavior", "tax_code")
                if name in one
            }
        )
        item.update(type="transaction", reversal=None)
        items.append(item)
    line_items.set_line_items(state, made, items)
    return state.objects.add(made)


@operation("tax.transactions.create_reversal")
def reverse(context: OperationContext) -> Object:
    """Take a transaction back, all of it or a part."""
    state, params = context.state, context.params
    original = state.objects.get("tax.transaction", params["original_transaction"], "original_transaction")
    made = {**clone(original), "id": state.new_id("tax.transaction")}
    made.update(
        type="reversal",
        reference=params["reference"],
        reversal={"original_transaction": original["id"]},
        created=state.clock.now(),
        metadata=merge_metadata({}, params.get("metadata") or {}),
    )
    items = []
    for one in line_items.line_items_of(state, original):
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
                    "id": state.new_id("tax.transaction_line_item"),
                    "type": "reversal",
                    "reversal": {"original_line_item": one["id"]},
                }
            )
    line_items.set_line_items(state, made, items)
    return state.objects.add(made)


@operation("tax.associations.find")
def association(context: OperationContext) -> Object:
    """What ties a payment to a calculation."""
    for found in context.state.objects.all("tax.association", payment_intent=context.params["payment_intent"]):
        return found
    raise missing_object("tax association", context.params["payment_intent"], "payment_intent")


@operation("tax_rates.create")
def create_rate(context: OperationContext) -> Object:
    """A rate, in percent. https://docs.stripe.com/billing/taxes/tax-rates"""
    if not 0 <= context.params["percentage"] <= 100:
        raise ErrorResponse("percentage is from 0 to 100.", param="percentage")
    return _crud.create(context)
