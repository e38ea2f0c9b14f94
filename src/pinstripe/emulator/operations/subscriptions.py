"""Subscriptions: start, cancel, resume, list. https://docs.stripe.com/billing/subscriptions/overview"""

from __future__ import annotations

from pinstripe.emulator.billing import subscription_invoices
from pinstripe.emulator.billing.periods import HOUR
from pinstripe.emulator.billing.proration import credit_unused
from pinstripe.emulator.operations import customers, invoices
from pinstripe.emulator.operations._filters import filter_objects, list_filter, matches
from pinstripe.emulator.operations._pagination import paginate
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations._subscription_params import add_subscription, build_subscription
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.invoice_payments import default_method, pay, requires_action
from pinstripe.emulator.operations.pending_setup_intents import prepare_payment_method
from pinstripe.emulator.operations.transfers import check_connect
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import JSON, Object
from pinstripe.emulator.state.tables import Flag
from pinstripe.emulator.state.timer_handlers import timer_handler
from pinstripe.emulator.validation.errors import DECLINED, ErrorResponse, missing_param

ENDED = ("canceled", "incomplete_expired")
MAX_SUBSCRIPTIONS_OF_CLOCK = 3
INCOMPLETE_EXPIRY = 23 * HOUR
"""Seconds until a subscription expires whose first invoice was not paid."""


@operation("subscriptions.create", "customers.subscriptions.create")
def create(context: OperationContext) -> Object:
    """Create a subscription and its first invoice, and pay the invoice."""
    owner = {"customer": context.path["customer"]} if "customer" in context.path else {}
    params = {**context.params, **owner}
    _check_test_clock(context.state, params.get("customer"))
    return start_subscription(context.state, params)


def start_subscription(state: AccountState, params: Object, *, scheduled: bool = False) -> Object:
    """Start a subscription with the parameters of ``subscriptions.create``.

    One that a schedule starts is not refused for want of a payment method: its invoice is collected an hour later.
    """
    if not params.get("customer"):
        raise missing_param("customer")
    customer = state.objects.get("customer", params["customer"], "customer")
    if not params.get("items"):
        raise missing_param("items")
    behavior = params.get("payment_behavior", "allow_incomplete")
    if behavior == "pending_if_incomplete":
        raise ErrorResponse("pending_if_incomplete can only be used for updates.", param="payment_behavior")
    check_connect(state, params, "application_fee_percent")
    savepoint = state.transaction.savepoint()
    subscription = build_subscription(state, params, customer)
    add_subscription(state, subscription, params)
    prorate_first = params.get("proration_behavior") != "none"
    invoice = subscription_invoices.create_first_invoice(state, subscription, prorate_first=prorate_first)
    if invoice is None:
        state.objects.update(subscription, status="active")
    elif subscription["collection_method"] == "charge_automatically" and not (
        scheduled and default_method(state, subscription) is None
    ):
        off_session = bool(params.get("off_session"))
        if behavior != "default_incomplete":
            check_payment_method(state, subscription, invoice)
        _pay_first_invoice(state, subscription, invoice, behavior, savepoint, off_session=off_session)
    else:
        state.objects.update(subscription, status="trialing" if subscription["status"] == "trialing" else "active")
        if invoice["amount_due"]:
            invoices.schedule_finalization(state, invoice)
        else:
            invoices.finalize(state, invoice)
    prepare_payment_method(state, subscription)
    state.events.emit("created", subscription)
    state.tables.announced_subscriptions.set(subscription["id"], Flag())
    subscription_invoices.schedule_timers(state, subscription)
    return subscription


def _check_test_clock(state: AccountState, customer_id: str | None) -> None:
    """Raise `ErrorResponse` when a customer of a test clock has as many subscriptions as Stripe allows."""
    customer = state.objects.find("customer", customer_id)
    if customer is None or not customer.get("test_clock"):
        return
    existing = [
        other for other in state.objects.all("subscription", customer=customer["id"]) if other["status"] not in ENDED
    ]
    if len(existing) >= MAX_SUBSCRIPTIONS_OF_CLOCK:
        raise ErrorResponse(
            f"A customer of a test clock can have at most {MAX_SUBSCRIPTIONS_OF_CLOCK} subscriptions.",
            param="customer",
        )


def check_payment_method(state: AccountState, subscription: Object, invoice: Object) -> None:
    """Raise `ErrorResponse` when an invoice of a subscription is to be charged now, and there is no payment method."""
    if invoice["amount_due"] and default_method(state, subscription) is None:
        raise ErrorResponse(
            "This customer has no attached payment source or default payment method: add one to the customer first.",
            code="resource_missing",
        )


def _pay_first_invoice(
    state: AccountState, subscription: Object, invoice: Object, behavior: str, savepoint: int, *, off_session: bool
) -> None:
    """Finalize and pay the first invoice; ``payment_behavior`` decides what a decline does."""
    invoices.finalize(state, invoice)
    if invoice["status"] != "paid" and behavior != "default_incomplete":
        try:
            pay(state, invoice, default_method(state, subscription), off_session=off_session)
            if behavior == "error_if_incomplete" and subscription["status"] == "incomplete":
                raise requires_action("subscription")
        except ErrorResponse as error:
            if error.status != DECLINED:
                raise
            if behavior == "error_if_incomplete":
                state.transaction.rollback(savepoint)
                error.error.pop("payment_intent", None)
                error.error.pop("charge", None)
                raise
    if subscription["status"] == "incomplete":
        state.clock.schedule(state.clock.now() + INCOMPLETE_EXPIRY, "subscription.expire", subscription)


@timer_handler("subscription.expire")
def _expire(state: AccountState, subscription: Object) -> None:
    if subscription["status"] == "incomplete":
        previous = state.objects.update(subscription, status="incomplete_expired", ended_at=state.clock.now())
        invoice = state.objects["invoice", subscription["latest_invoice"]]
        if invoice["status"] == "open":
            invoices.void(state, invoice)
        state.events.emit("updated", subscription, previous)


@operation("subscriptions.cancel", "customers.subscriptions.cancel")
def cancel(context: OperationContext) -> Object:
    """End a subscription now; ``prorate`` and ``invoice_now`` credit the rest of the period."""
    state, params = context.state, context.params
    subscription = state.objects.get("subscription", context.target_id)
    if subscription["status"] in ENDED:
        raise ErrorResponse(
            f"No such subscription: '{context.target_id}'; it is canceled.",
            code="resource_missing",
            param="id",
            status=404,
        )
    if params.get("prorate"):
        credit_unused(state, subscription)
    if params.get("invoice_now"):
        subscription_invoices.invoice_pending(state, subscription)
    return end_subscription(state, subscription, params.get("cancellation_details"))


def end_subscription(
    state: AccountState, subscription: Object, details: Object | None = None, reason: str = "cancellation_requested"
) -> Object:
    """End a subscription and its schedule, emit the events, and stop collecting its open invoices."""
    now = state.clock.now()
    canceled_at = subscription["canceled_at"] if subscription["cancel_at_period_end"] else now
    state.objects.update(
        subscription,
        status="incomplete_expired" if subscription["status"] == "incomplete" else "canceled",
        canceled_at=canceled_at or now,
        ended_at=now,
        cancellation_details={
            "comment": None,
            "feedback": None,
            "feedback_option": None,
            "reason": reason,
            **(details or {}),
        },
    )
    for invoice in list(state.objects.all("invoice", customer=subscription["customer"])):
        if invoice["status"] in ("draft", "open") and subscription_invoices.is_for_subscription(invoice, subscription):
            state.objects.update(invoice, auto_advance=False, next_payment_attempt=None)
    state.events.emit("deleted", subscription)
    schedule = state.objects.find("subscription_schedule", subscription["schedule"])
    if schedule is not None and schedule["status"] == "active":
        state.objects.update(schedule, status="canceled", canceled_at=now, current_phase=None)
        state.events.emit("aborted" if reason == "payment_failed" else "canceled", schedule)
    return subscription


def _end_all(state: AccountState, customer: Object) -> None:
    for subscription in list(state.objects.all("subscription", customer=customer["id"])):
        if subscription["status"] not in ENDED:
            end_subscription(state, subscription)


customers.DELETION_HOOKS.append(_end_all)


@operation("subscriptions.migrate")
def migrate(context: OperationContext) -> Object:
    """Change the billing mode of a subscription."""
    state = context.state
    mode_type = (context.params.get("billing_mode") or {}).get("type", "flexible")
    subscription = state.objects.get("subscription", context.target_id)
    billing_mode = {"type": mode_type, "updated_at": state.clock.now()}
    state.events.emit("updated", subscription, state.objects.update(subscription, billing_mode=billing_mode))
    return subscription


@list_filter("subscription", "current_period_start")
def _period_starts(subscription: Object, wanted: JSON) -> bool:
    return any(matches(item, "current_period_start", wanted) for item in subscription["items"]["data"])


@list_filter("subscription", "current_period_end")
def _period_ends(subscription: Object, wanted: JSON) -> bool:
    return any(matches(item, "current_period_end", wanted) for item in subscription["items"]["data"])


@operation("subscriptions.list", "customers.subscriptions.list")
def list_subscriptions(context: OperationContext) -> Object:
    """List subscriptions; canceled ones only when ``status`` selects them."""
    status, customer = context.params.get("status"), context.path.get("customer")
    price_id = context.params.get("price") or context.params.get("plan")
    matching = (
        subscription
        for subscription in filter_objects(
            context, context.state.objects.all("subscription"), "status", "price", "plan"
        )
        if _has_status(subscription, status)
        and _has_price(subscription, price_id)
        and customer in (None, subscription["customer"])
    )
    return paginate(context, matching)


def _has_status(subscription: Object, status: str | None) -> bool:
    if status == "all":
        return True
    if status == "ended":
        return subscription["status"] in ENDED
    return bool(subscription["status"] == status if status else subscription["status"] != "canceled")


def _has_price(subscription: Object, price_id: str | None) -> bool:
    return price_id is None or any(item["price"]["id"] == price_id for item in subscription["items"]["data"])
