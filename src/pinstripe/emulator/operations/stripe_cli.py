"""Endpoints that Stripe's CLI uses and the API reference does not describe.

They are not in the endpoint table. Their responses have only what the CLI and its fixtures read.
https://docs.stripe.com/cli
"""

from typing_extensions import NotRequired, TypedDict

from pinstripe._endpoint import Endpoint
from pinstripe.emulator.operations import checkout_completion, issuing
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.payment_methods import resolve_payment_method
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.validation.errors import ErrorResponse, missing_object
from pinstripe.emulator.validation.parameters import UNDESCRIBED

SERVICE = "stripe_cli"


class RetryEventParams(TypedDict):
    """Parameters of ``stripe events resend``."""

    account: NotRequired[str]
    for_stripecli: NotRequired[bool]
    webhook_endpoint: NotRequired[str]


class ConfirmPaymentPageParams(TypedDict):
    """Parameters of the completion of a checkout session."""

    expected_amount: NotRequired[int]
    payment_method: str


class CreateTestAuthorizationParams(TypedDict):
    """Parameters of a test authorization of a card."""

    authorization_method: NotRequired[str]
    held_amount: int
    held_currency: NotRequired[str]


UNDESCRIBED.update(
    {params.__name__: params for params in (RetryEventParams, ConfirmPaymentPageParams, CreateTestAuthorizationParams)}
)
ENDPOINTS = [
    Endpoint("POST", "/v1/events/{event}/retry", "Event", "RetryEventParams", service=SERVICE, method="retry_event"),
    Endpoint("GET", "/v1/payment_pages/{session}", None, None, service=SERVICE, method="retrieve_payment_page"),
    Endpoint(
        "POST",
        "/v1/payment_pages/{session}/confirm",
        None,
        "ConfirmPaymentPageParams",
        service=SERVICE,
        method="confirm_payment_page",
    ),
    Endpoint(
        "POST",
        "/v1/issuing/cards/{card}/test/authorizations",
        "IssuingAuthorization",
        "CreateTestAuthorizationParams",
        service=SERVICE,
        method="create_test_authorization",
    ),
]


@operation("stripe_cli.retry_event")
def retry_event(context: OperationContext) -> Object:
    """Deliver an event again: to one endpoint, or else to those that receive it."""
    state, params = context.state, context.params
    owner = state.other(params["account"]) if "account" in params else state
    stored = owner.events.by_id.get(context.target_id)
    if stored is None:
        raise missing_object("event", context.target_id)
    endpoint_id = params.get("webhook_endpoint")
    if endpoint_id and state.objects.find(("webhook_endpoint", "v2.core.event_destination"), endpoint_id) is None:
        raise missing_object("webhook_endpoint", endpoint_id, "webhook_endpoint")
    owner.events.resend(context.target_id, endpoint_id)
    return stored.object


@operation("stripe_cli.retrieve_payment_page")
def retrieve_payment_page(context: OperationContext) -> Object:
    """Return what the page of a checkout session shows."""
    return _payment_page(context.state.objects.get("checkout.session", context.target_id))


def _payment_page(session: Object) -> Object:
    shown = ("amount_total", "currency", "livemode", "mode", "payment_status", "status", "url")
    page_id = "ppage_" + session["id"].rpartition("_")[2]
    return {"id": page_id, "object": "payment_page", "session_id": session["id"]} | {
        name: session[name] for name in shown
    }


@operation("stripe_cli.confirm_payment_page")
def confirm_payment_page(context: OperationContext) -> Object:
    """Complete a checkout session with a payment method, as its page does."""
    state, params = context.state, context.params
    session = state.objects.get("checkout.session", context.target_id)
    if params.get("expected_amount", session["amount_total"]) != session["amount_total"]:
        raise ErrorResponse(
            f"The amount of the session is {session['amount_total']}, not {params['expected_amount']}.",
            code="checkout_amount_mismatch",
            param="expected_amount",
        )
    method = resolve_payment_method(state, params["payment_method"])
    checkout_completion.complete(state, session, method["billing_details"], method)
    return _payment_page(session)


@operation("stripe_cli.create_test_authorization")
def create_test_authorization(context: OperationContext) -> Object:
    """Authorize a payment with a card."""
    params: Object = {name.removeprefix("held_"): value for name, value in context.params.items()}
    return issuing.create_authorization(context.state, {"card": context.target_id, **params})
