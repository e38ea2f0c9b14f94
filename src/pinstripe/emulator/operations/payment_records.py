"""Payment records: reports of payments that were not processed by Stripe.

https://docs.stripe.com/payments/payment-records
"""

from __future__ import annotations

from pinstripe.emulator.operations._filters import list_filter
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.json_values import Object, clone
from pinstripe.emulator.validation.errors import missing_object

AMOUNTS = ("amount_authorized", "amount_canceled", "amount_failed", "amount_guaranteed", "amount_refunded")
SHOWN = (
    "customer_details",
    "customer_presence",
    "description",
    "metadata",
    "processor_details",
    "shipping_details",
)
"""The parameters that are fields of the record."""
OUTCOMES = ("guaranteed", "canceled", "failed")


@operation("payment_records.report_payment")
def report_payment(context: OperationContext) -> Object:
    """Create the record of a payment."""
    state, params = context.state, context.params
    record = state.draft("payment_record", {name: params[name] for name in SHOWN if name in params})
    record["amount_requested"] = clone(params["amount_requested"])
    outcome = "guaranteed" if params.get("guaranteed") else params.get("outcome")
    record.update(_amounts(record["amount_requested"], outcome))
    return state.objects.add(record)


def _amounts(requested: Object, outcome: str | None) -> Object:
    """Return the amounts of a record; the amount of its outcome, if any, is the requested one."""
    zero = {"currency": requested["currency"], "value": 0}
    amounts = {"amount": dict(requested), **{name: dict(zero) for name in AMOUNTS}}
    if outcome in OUTCOMES:
        amounts[f"amount_{outcome}"] = dict(requested)
    return amounts


@list_filter("payment_record", "created_after")
def _is_later(record: Object, bound: int) -> bool:
    return bool(record["created"] > bound)


@list_filter("payment_record", "created_before")
def _is_earlier(record: Object, bound: int) -> bool:
    return bool(record["created"] < bound)


def _find_record(context: OperationContext) -> Object:
    record = context.state.objects.find("payment_record", context.path["id"])
    if record is None:
        raise missing_object("payment_record", context.path["id"])
    return record


@operation("payment_records.report_payment_attempt")
def report_attempt(context: OperationContext) -> Object:
    """Report a new attempt, and its outcome if it is known."""
    record = _find_record(context)
    context.state.objects.update(record, **_amounts(record["amount_requested"], context.params.get("outcome")))
    return record


@operation(
    "payment_records.report_payment_attempt_canceled",
    "payment_records.report_payment_attempt_failed",
    "payment_records.report_payment_attempt_guaranteed",
)
def report_outcome(context: OperationContext) -> Object:
    """Report the outcome of the latest attempt."""
    record = _find_record(context)
    outcome = context.endpoint.method.removeprefix("report_payment_attempt_")
    context.state.objects.update(record, **_amounts(record["amount_requested"], outcome))
    return record


@operation("payment_records.report_payment_attempt_informational")
def report_informational(context: OperationContext) -> Object:
    """Report details of the customer, or another description."""
    return context.state.apply_update(_find_record(context), context.params)


@operation("payment_records.report_refund")
def report_refund(context: OperationContext) -> Object:
    """Report a full or partial refund."""
    record = _find_record(context)
    value = (context.params.get("amount") or record["amount"])["value"]
    refunded = record["amount_refunded"]
    context.state.objects.update(record, amount_refunded={**refunded, "value": refunded["value"] + value})
    return record
