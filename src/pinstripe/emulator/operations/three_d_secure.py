"""3-D Secure apart from payments: the card of the payment method decides how an authentication ends.

https://docs.stripe.com/payments/3d-secure/standalone-three-d-secure
"""

from __future__ import annotations

from pinstripe.emulator.operations._crud import find
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.payment_methods import create_payment_method, resolve_payment_method
from pinstripe.emulator.operations.test_cards import card_of
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import JSON, Object, merge_metadata
from pinstripe.emulator.validation.errors import ErrorResponse, missing_param, wrong_state

OPEN = ("requires_submission", "requires_challenge")
DIRECTORY_SERVERS = {
    "amex": "american_express",
    "discover": "discover",
    "mastercard": "mastercard",
}
"""The directory server of each card brand; those of other brands use Visa's."""
TRANSACTION_STATUSES = {"authenticated": "Y", "denied": "N", "canceled": "N", "attempt_acknowledged": "A"}
COMMERCE_INDICATORS = {"authenticated": "05", "attempt_acknowledged": "06"}


@operation("three_d_secure.authentications.create")
def create(context: OperationContext) -> Object:
    """Create an authentication; ``submit`` submits it, too, since no bank here fingerprints devices."""
    state, params = context.state, dict(context.params)
    if data := params.pop("payment_method_data", None):
        card = {**data["card"], "exp_month": data["card"].get("exp_month", 12)}
        method = create_payment_method(state, {**data, "card": card if card.get("number") else data["card"]})
    elif method_id := params.pop("payment_method", None):
        method = resolve_payment_method(state, method_id)
    else:
        raise missing_param("payment_method")
    if params["message_category"] == "payment_authentication":
        for name in ("amount", "currency"):
            if params.get(name) is None:
                raise missing_param(name)
    submitted = params.pop("submit", "never") != "never"
    authentication = state.create(
        "three_d_secure.authentication",
        params,
        directory_server=params.get("directory_server") or DIRECTORY_SERVERS.get(method["card"]["brand"], "visa"),
        payment_method=method["id"],
        status="requires_submission",
    )
    if submitted or params["channel"]["type"] == "three_r_i":
        return _submit(state, authentication)
    state.events.emit("requires_submission", authentication)
    return authentication


@operation("three_d_secure.authentications.submit")
def submit(context: OperationContext) -> Object:
    """Submit an authentication to the card's bank, which decides it or requires a challenge."""
    state, authentication = context.state, find(context)
    if authentication["status"] != "requires_submission":
        raise wrong_state(authentication, "submit")
    _set_metadata(context, authentication)
    return _submit(state, authentication)


def _submit(state: AccountState, authentication: Object) -> Object:
    card = card_of(state, authentication["payment_method"])
    preference = (authentication.get("flow_preference") or {}).get("type")
    if preference == "data_share":
        return _end(state, authentication, "succeeded", "informational")
    browser = authentication["channel"]["type"] == "browser"
    if browser and (card.authentication != "never" or preference == "challenge"):
        url = f"{state.base_url}/authenticate/{authentication['id']}"
        state.objects.update(authentication, status="requires_challenge", challenge_url=url)
        state.events.emit("requires_challenge", authentication)
        return authentication
    if card.decline_code is not None:
        return _end(state, authentication, "failed", "denied")
    return _end(state, authentication, "succeeded", "authenticated")


@operation("three_d_secure.authentications.cancel")
def cancel(context: OperationContext) -> Object:
    """Cancel an authentication that is not complete."""
    authentication = find(context)
    if authentication["status"] not in OPEN:
        raise wrong_state(authentication, "cancel")
    _set_metadata(context, authentication)
    return _end(context.state, authentication, "canceled", "canceled")


def finish_challenge(state: AccountState, authentication_id: str, *, success: bool) -> Object:
    """Let the cardholder pass or fail the challenge of an authentication."""
    authentication = state.objects.get("three_d_secure.authentication", authentication_id)
    if authentication["status"] != "requires_challenge":
        raise ErrorResponse(f"The authentication {authentication_id} does not wait for a challenge.")
    state.events.emit("challenge_started", authentication)
    if success:
        return _end(state, authentication, "succeeded", "authenticated")
    return _end(state, authentication, "failed", "denied")


def _set_metadata(context: OperationContext, authentication: Object) -> None:
    if "metadata" in context.params:
        metadata = merge_metadata(authentication["metadata"] or {}, context.params["metadata"])
        context.state.objects.update(authentication, metadata=metadata)


def _end(state: AccountState, authentication: Object, status: str, outcome: str) -> Object:
    state.objects.update(
        authentication,
        status=status,
        outcome=outcome,
        outcome_details=_outcome_details(state, authentication, outcome),
        challenge_url=None,
    )
    state.events.emit(status, authentication)
    return authentication


def _outcome_details(state: AccountState, authentication: Object, outcome: str) -> Object:
    details: dict[str, JSON] = {
        "protocol_version": "2.2.0",
        "three_ds_server_transaction_id": state.new_id("secret", 32),
        "ds_transaction_id": state.new_id("secret", 32),
    }
    if outcome in COMMERCE_INDICATORS:
        details["cryptogram"] = state.new_id("secret", 28)
        details["eci"] = COMMERCE_INDICATORS[outcome]
    if outcome in TRANSACTION_STATUSES:
        if authentication["challenge_url"]:
            details |= {"ares_trans_status": "C", "rreq_trans_status": TRANSACTION_STATUSES[outcome]}
        else:
            details["ares_trans_status"] = TRANSACTION_STATUSES[outcome]
    return details
