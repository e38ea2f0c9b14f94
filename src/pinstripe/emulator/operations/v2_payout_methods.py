"""Payout methods of API v2: bank accounts of recipients, how they are set up, and who owns them.

The payout methods of a recipient belong to its account: set them up with ``stripe_context`` or ``stripe_account``.
https://docs.stripe.com/global-payouts
"""

from __future__ import annotations

from pinstripe.emulator.billing.periods import DAY
from pinstripe.emulator.operations._crud import find
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.v2_financial_accounts import PREFIX, TEST_BANK, emit, timestamp
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import JSON, Object, clone
from pinstripe.emulator.validation.errors import ErrorResponse, missing_object, wrong_state

PAYOUT_METHOD = f"{PREFIX}payout_method"
SETUP_INTENT = f"{PREFIX}outbound_setup_intent"
VERIFICATION = f"{PREFIX}recipient_verification"
VERIFICATION_SECONDS = 7 * DAY
SEPA_COUNTRIES = {"AT", "BE", "DE", "ES", "FI", "FR", "IE", "IT", "LU", "NL", "PT"}
MATCH_MESSAGES = {
    "match": "The name matches the owner of the bank account.",
    "close_match": "The name is similar to that of the owner of the bank account.",
    "no_match": "The name does not match the owner of the bank account.",
    "unavailable": "The name could not be compared with the owner of the bank account.",
}
MATCHED_NAMES: dict[str, str | None] = {"close_match": "Jenny Rosen-Smith", "no_match": None, "unavailable": None}
"""The name that the bank knows, by the result of a verification; a matching one is the recipient's own."""
DEFAULT_NAME = "Jenny Rosen"
"""The name of a recipient whose account has none."""
BANK_FIELDS: dict[str, tuple[tuple[str, str, int, int], ...]] = {
    "US": (("routing_number", "Routing number", 9, 9), ("account_number", "Account number", 4, 17)),
    "GB": (("routing_number", "Sort code", 6, 6), ("account_number", "Account number", 8, 8)),
    "CA": (("routing_number", "Routing number", 8, 9), ("account_number", "Account number", 5, 12)),
    "AU": (("routing_number", "BSB", 6, 6), ("account_number", "Account number", 4, 9)),
    **dict.fromkeys(sorted(SEPA_COUNTRIES), (("account_number", "IBAN", 15, 34),)),
}
"""The details of a bank account in each country: parameter, local name, and shortest and longest value."""


def find_payout_method(state: AccountState, method_id: str, recipient: str | None, param: str) -> Object:
    """Return a payout method of the account or of a recipient, or raise `ErrorResponse`."""
    owner = state.other(recipient) if recipient else state
    method = owner.objects.find(PAYOUT_METHOD, method_id) or state.objects.find(PAYOUT_METHOD, method_id)
    if method is None:
        raise missing_object(PAYOUT_METHOD, method_id, param)
    return method


# Setup


@operation("v2.money_management.outbound_setup_intents.create")
def create_setup_intent(context: OperationContext) -> Object:
    """Set up a payout method, which is usable at once, or wait for one."""
    state, params = context.state, context.params
    intent = state.create(
        SETUP_INTENT, status="requires_payout_method", usage_intent=params.get("usage_intent", "payment")
    )
    return _set_up(state, intent, params)


@operation("v2.money_management.outbound_setup_intents.update")
def update_setup_intent(context: OperationContext) -> Object:
    """Give a setup intent its payout method."""
    intent = find(context)
    _check_open(intent, "update")
    return _set_up(context.state, intent, context.params)


@operation("v2.money_management.outbound_setup_intents.cancel")
def cancel_setup_intent(context: OperationContext) -> Object:
    """Cancel a setup intent that is not complete."""
    intent = find(context)
    _check_open(intent, "cancel")
    context.state.objects.update(intent, status="canceled")
    return intent


def _check_open(intent: Object, action: str) -> None:
    if intent["status"] in ("succeeded", "canceled"):
        raise wrong_state(intent, action)


def _set_up(state: AccountState, intent: Object, params: Object) -> Object:
    if params.get("payout_method"):
        method = find_payout_method(state, params["payout_method"], None, "payout_method")
        _change_method(state, method, intent)
    elif data := params.get("payout_method_data"):
        if data["type"] == "card" or not data.get("bank_account"):
            # The details of cards are collected in the browser.
            state.objects.update(intent, status="requires_action")
            return intent
        _create_method(state, intent, data["bank_account"])
    return intent


def _create_method(state: AccountState, intent: Object, details: Object) -> None:
    method = state.draft(PAYOUT_METHOD)
    method.update(
        archived=False,
        bank_account={
            "bank_account_type": details.get("bank_account_type", "checking"),
            "bank_name": TEST_BANK,
            "branch_number": details.get("branch_number"),
            "country": details["country"].upper(),
            "last4": details["account_number"][-4:],
            "routing_number": details.get("routing_number"),
            "supported_currencies": [details["currency"].lower()],
            "swift_code": details.get("swift_code"),
        },
        restricted=False,
        type="bank_account",
        usage_status={"payments": "requires_action", "transfers": "requires_action"},
    )
    state.objects.add(method)
    _make_usable(state, method, intent)
    emit(state, "created", method)


def _change_method(state: AccountState, method: Object, intent: Object) -> None:
    _make_usable(state, method, intent)
    emit(state, "updated", method)


def _make_usable(state: AccountState, method: Object, intent: Object) -> None:
    usage = {**method["usage_status"], f"{intent['usage_intent']}s": "eligible"}
    state.objects.update(method, latest_outbound_setup_intent=intent["id"], usage_status=usage)
    state.objects.update(intent, status="succeeded", payout_method=clone(method))


@operation("v2.money_management.payout_methods.archive")
def archive(context: OperationContext) -> Object:
    """Archive a payout method, which cannot be used any more."""
    return _set_archived(context, archived=True)


@operation("v2.money_management.payout_methods.unarchive")
def unarchive(context: OperationContext) -> Object:
    """Make an archived payout method usable again."""
    return _set_archived(context, archived=False)


def _set_archived(context: OperationContext, *, archived: bool) -> Object:
    state, method = context.state, find(context)
    if method["archived"] is archived:
        raise ErrorResponse(f"The payout method {method['id']} is {'already' if archived else 'not'} archived.")
    state.objects.update(method, archived=archived)
    intent = state.objects.find(SETUP_INTENT, method["latest_outbound_setup_intent"])
    if intent is not None:
        state.objects.update(intent, payout_method=clone(method))
    emit(state, "updated", method)
    return method


@operation("v2.money_management.payout_methods_bank_account_spec.retrieve")
def retrieve_bank_account_spec(context: OperationContext) -> Object:
    """Return the details that a bank account has in each country."""
    countries = [country.upper() for country in context.params.get("countries") or BANK_FIELDS]
    spec = context.state.draft(f"{PREFIX}payout_methods_bank_account_spec")
    spec["countries"] = {
        country: {"fields": [_spec_field(*field) for field in BANK_FIELDS[country]]}
        for country in countries
        if country in BANK_FIELDS
    }
    return spec


def _spec_field(name: str, local_name: str, shortest: int, longest: int) -> Object:
    key = local_name.lower().replace(" ", "_")
    return {
        "currencies": None,
        "local_name": key,
        "local_name_human": {"content": local_name, "localization_key": key},
        "max_length": longest,
        "min_length": shortest,
        "placeholder": "0" * shortest,
        "stripe_name": name,
        "validation_regex": f"^[0-9A-Z]{{{shortest},{longest}}}$",
    }


# Verification of the owner


@operation("v2.money_management.recipient_verifications.create")
def create_verification(context: OperationContext) -> Object:
    """Compare a recipient's name with the owner of a payout method: it matches, where banks of the country tell."""
    state, params = context.state, context.params
    method = find_payout_method(state, params["payout_method"], params.get("recipient"), "payout_method")
    return _verify(state, method, params.get("recipient"), expected_match(method))


@operation("v2.test_helpers.money_management.recipient_verifications")
def create_test_verification(context: OperationContext) -> Object:
    """Create a verification with the result that is passed."""
    state, params = context.state, context.params
    method = find_payout_method(state, params["payout_method"], params.get("recipient"), "payout_method")
    return _verify(state, method, params.get("recipient"), params["match_result"])


@operation("v2.money_management.recipient_verifications.acknowledge")
def acknowledge(context: OperationContext) -> Object:
    """Accept that the name does not match or could not be compared."""
    state, verification = context.state, find(context)
    if verification["status"] != "awaiting_acknowledgement":
        raise wrong_state(verification, "acknowledge")
    set_verification_status(state, verification, "acknowledged")
    return verification


def set_verification_status(state: AccountState, verification: Object, status: str, **fields: JSON) -> None:
    """Set the status of a verification and the time of it."""
    transitions = {**(verification["status_transitions"] or {}), f"{status}_at": timestamp(state)}
    state.objects.update(verification, status=status, status_transitions=transitions, **fields)
    emit(state, "updated", verification)


def expected_match(method: Object) -> str:
    """Return the result of comparing the right name with the owner of a payout method."""
    country = (method.get("bank_account") or {}).get("country")
    return "match" if country == "GB" or country in SEPA_COUNTRIES else "unavailable"


def match_fields(state: AccountState, recipient: str | None, result: str) -> Object:
    """Return the fields that tell the result of a comparison."""
    account = state.objects.find("v2.core.account", recipient) if recipient else None
    name = (account or {}).get("display_name") or DEFAULT_NAME
    details = {
        "matched_name": MATCHED_NAMES.get(result, name),
        "message": MATCH_MESSAGES[result],
        "provided_name": name,
    }
    return {"match_result": result, "match_result_details": details}


def _verify(state: AccountState, method: Object, recipient: str | None, result: str) -> Object:
    british = (method.get("bank_account") or {}).get("country") == "GB"
    verification = state.create(
        VERIFICATION,
        **match_fields(state, recipient, result),
        expires_at=timestamp(state, VERIFICATION_SECONDS),
        payout_method=method["id"],
        recipient=recipient,
        status="verified" if result == "match" else "awaiting_acknowledgement",
        verification_type="confirmation_of_payee" if british else "verification_of_payee",
    )
    emit(state, "created", verification)
    return verification
