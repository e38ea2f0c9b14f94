"""Stripe Tax for an account that is registered nowhere: no tax is calculated.

https://docs.stripe.com/tax
"""

from __future__ import annotations

from pinstripe.emulator.billing import line_items
from pinstripe.emulator.billing.periods import DAY
from pinstripe.emulator.operations import _crud
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations._singletons import get_singleton, update_singleton
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.payment_methods import EMPTY_ADDRESS
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object, clone, merge_metadata
from pinstripe.emulator.validation.errors import ErrorResponse, missing_object

CALCULATION_SECONDS = 90 * DAY
DEFAULT_TAX_CODE = "txcd_99999999"
INITIAL_SETTINGS: Object = {"status": "active", "status_details": {"active": {}}}
SHARED_FIELDS = ("currency", "customer", "customer_details", "tax_date")
"""The fields that a transaction takes from its calculation."""
SHARED_LINE_FIELDS = ("amount", "amount_tax", "product", "quantity", "reference", "tax_behavior", "tax_code")

line_items.register_line_items("tax.calculation", "/v1/tax/calculations", "tax.calculations.line_items.list")
line_items.register_line_items("tax.transaction", "/v1/tax/transactions", "tax.transactions.line_items.list")


@operation("tax.calculations.create")
def calculate(context: OperationContext) -> Object:
    """Calculate the tax on line items."""
    state, params = context.state, context.params
    fields: Object = {name: params[name] for name in ("customer", "currency") if name in params}
    calculation = state.draft("tax.calculation", fields)
    lines = [_calculation_line(state, line, index) for index, line in enumerate(params["line_items"])]
    shipping = (params.get("shipping_cost") or {}).get("amount", 0)
    calculation.update(
        amount_total=sum(line["amount"] for line in lines) + shipping,
        currency=params["currency"].lower(),
        customer_details=_customer_details(state, params.get("customer_details") or {}),
        expires_at=state.clock.now() + CALCULATION_SECONDS,
        tax_breakdown=[],
        tax_date=params.get("tax_date") or state.clock.now(),
    )
    line_items.set_line_items(state, calculation, lines)
    return state.objects.add(calculation)


def _calculation_line(state: AccountState, params: Object, index: int) -> Object:
    line = state.draft("tax.calculation_line_item", params)
    line.update(
        amount_tax=0,
        quantity=params.get("quantity", 1),
        reference=params.get("reference") or f"L{index + 1}",
        tax_behavior=params.get("tax_behavior", "exclusive"),
        tax_code=params.get("tax_code") or DEFAULT_TAX_CODE,
        tax_breakdown=[],
    )
    return line


def _customer_details(state: AccountState, params: Object) -> Object:
    details: Object = state.draft_part("tax.calculation", "customer_details")
    details.update(
        address={**EMPTY_ADDRESS, "country": "US", **(params.get("address") or {})},
        address_source=params.get("address_source", "billing"),
        tax_ids=params.get("tax_ids") or [],
    )
    return details


@operation("tax.transactions.create_from_calculation")
def create_transaction(context: OperationContext) -> Object:
    """Record a calculation as a transaction; its reference must be unique."""
    state, params = context.state, context.params
    calculation = state.objects.get("tax.calculation", params["calculation"], "calculation")
    if next(state.objects.all("tax.transaction", reference=params["reference"]), None):
        raise ErrorResponse(
            "A transaction with that reference exists already.", code="resource_already_exists", param="reference"
        )
    transaction = state.draft("tax.transaction")
    transaction.update({name: clone(calculation[name]) for name in SHARED_FIELDS})
    transaction.update(
        type="transaction",
        reference=params["reference"],
        posted_at=params.get("posted_at") or state.clock.now(),
        reversal=None,
        metadata=merge_metadata({}, params.get("metadata") or {}),
    )
    lines = [_transaction_line(state, line) for line in line_items.line_items_of(state, calculation)]
    line_items.set_line_items(state, transaction, lines)
    return state.objects.add(transaction)


def _transaction_line(state: AccountState, calculated: Object) -> Object:
    line = state.draft("tax.transaction_line_item")
    line.update({name: calculated[name] for name in SHARED_LINE_FIELDS if name in calculated})
    line.update(type="transaction", reversal=None)
    return line


@operation("tax.transactions.create_reversal")
def reverse(context: OperationContext) -> Object:
    """Reverse a transaction, or some of its lines."""
    state, params = context.state, context.params
    original = state.objects.get("tax.transaction", params["original_transaction"], "original_transaction")
    reversal = {**clone(original), "id": state.new_id("tax.transaction")}
    reversal.update(
        type="reversal",
        reference=params["reference"],
        reversal={"original_transaction": original["id"]},
        created=state.clock.now(),
        metadata=merge_metadata({}, params.get("metadata") or {}),
    )
    requested = {line["original_line_item"]: line for line in reversed(params.get("line_items") or [])}
    lines = [
        _reversal_line(state, line, requested.get(line["id"]))
        for line in line_items.line_items_of(state, original)
        if params["mode"] == "full" or line["id"] in requested
    ]
    line_items.set_line_items(state, reversal, lines)
    return state.objects.add(reversal)


def _reversal_line(state: AccountState, original: Object, params: Object | None) -> Object:
    """Return the reversal of a line: of the amounts in the parameters, or of the complete line."""
    return {
        **original,
        "amount": params["amount"] if params else -original["amount"],
        "amount_tax": params["amount_tax"] if params else -original["amount_tax"],
        "id": state.new_id("tax.transaction_line_item"),
        "type": "reversal",
        "reversal": {"original_line_item": original["id"]},
    }


@operation("tax.associations.find")
def find_association(context: OperationContext) -> Object:
    """Return the association of a payment intent with a calculation."""
    intent_id = context.params["payment_intent"]
    association = next(context.state.objects.all("tax.association", payment_intent=intent_id), None)
    if association is None:
        raise missing_object("tax association", intent_id, "payment_intent")
    return association


@operation("tax.settings.retrieve")
def retrieve_settings(context: OperationContext) -> Object:
    """Return the tax settings of the account."""
    return get_singleton(context.state, "tax.settings", **INITIAL_SETTINGS)


@operation("tax.settings.update")
def update_settings(context: OperationContext) -> Object:
    """Change the tax settings of the account."""
    settings = update_singleton(context.state, "tax.settings", context.params, **INITIAL_SETTINGS)
    context.state.events.emit("updated", settings, {})
    return settings


@operation("tax_rates.create")
def create_rate(context: OperationContext) -> Object:
    """Create a tax rate, in percent.

    https://docs.stripe.com/billing/taxes/tax-rates
    """
    if not 0 <= context.params["percentage"] <= 100:
        raise ErrorResponse("percentage is from 0 to 100.", param="percentage")
    return _crud.create(context)
