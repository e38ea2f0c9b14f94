"""Connected accounts, which have no requirements and are onboarded at once.

https://docs.stripe.com/connect
"""

from __future__ import annotations

from pinstripe.emulator.operations._pagination import embedded_list
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.balance_transactions import APPLICATION
from pinstripe.emulator.operations.capabilities import NO_REQUIREMENTS, get_capability
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.accounts import PLATFORM
from pinstripe.emulator.state.json_values import Object, clone
from pinstripe.emulator.validation.errors import ErrorResponse

PLATFORM_ACCOUNT_ID = "acct_1Platform0000000"
REJECTIONS = {
    "credit": "rejected.platform_other",
    "fraud_no_intent_to_fulfill": "rejected.platform_fraud",
    "fraud_other": "rejected.platform_fraud",
    "fraud_payment_method_casher": "rejected.platform_fraud",
    "fraud_payment_method_tester": "rejected.platform_fraud",
    "other": "rejected.platform_other",
    "terms_of_service": "rejected.platform_terms_of_service",
}
"""The ``requirements.disabled_reason`` of an account, by the reason of its rejection."""


@operation("accounts.create")
def create(context: OperationContext) -> Object:
    """Create a connected account that can charge and be paid out."""
    state, params = context.state, context.params
    account = state.draft("account", {name: value for name, value in params.items() if name != "capabilities"})
    requested = params.get("capabilities") or {}
    account.update(
        capabilities={name: "active" for name, entry in requested.items() if (entry or {}).get("requested")},
        charges_enabled=True,
        controller={"is_controller": True, "type": "application", **clone(params.get("controller") or {})},
        country=params.get("country", "US"),
        created=state.clock.now(),
        default_currency="usd",
        details_submitted=True,
        external_accounts=embedded_list([], f"/v1/accounts/{account['id']}/external_accounts"),
        payouts_enabled=True,
        requirements=NO_REQUIREMENTS,
        future_requirements=NO_REQUIREMENTS,
        type=params.get("type", "none"),
    )
    state.objects.add(account)
    connected = state.other(account["id"])
    if not connected.objects.types:
        connected.events.emit("account.updated", account, {})
    for name in account["capabilities"]:
        get_capability(state, account, name)
    return account


@operation("accounts.update")
def update(context: OperationContext) -> Object:
    """Change an account; capabilities that are requested are active at once."""
    state, params = context.state, dict(context.params)
    account = state.objects.get("account", context.target_id)
    fields: Object = {}
    if capabilities := params.pop("capabilities", None):
        statuses = {
            name: "active" if (entry or {}).get("requested") else "inactive" for name, entry in capabilities.items()
        }
        fields["capabilities"] = {**account["capabilities"], **statuses}
        for name in statuses:
            get_capability(state, account, name)
    return state.apply_update(account, params, **fields)


@operation("accounts.delete")
def delete(context: OperationContext) -> Object:
    """Delete a connected account, whose last event says that the platform no longer has access to it."""
    account = context.state.objects.get("account", context.target_id)
    application = {"id": APPLICATION, "object": "application", "name": None}
    context.state.other(account["id"]).events.emit("account.application.deauthorized", application)
    return context.state.objects.mark_deleted(account)


@operation("accounts.reject")
def reject(context: OperationContext) -> Object:
    """Reject an account, which cannot charge any more; ``payouts_action`` set to ``none`` leaves its payouts enabled."""
    state, reason = context.state, context.params["reason"]
    account = state.objects.get("account", context.target_id)
    requirements = {**account["requirements"], "disabled_reason": REJECTIONS[reason]}
    payouts = account["payouts_enabled"] and context.params.get("payouts_action") == "none"
    previous = state.objects.update(account, charges_enabled=False, payouts_enabled=payouts, requirements=requirements)
    state.events.emit("updated", account, previous)
    return account


@operation("accounts.unreject")
def unreject(context: OperationContext) -> Object:
    """Take the rejection of an account back."""
    state = context.state
    account = state.objects.get("account", context.target_id)
    if not str(account["requirements"]["disabled_reason"]).startswith("rejected.platform_"):
        raise ErrorResponse(f"The account {account['id']} is not rejected.")
    requirements = {**account["requirements"], "disabled_reason": None}
    previous = state.objects.update(account, charges_enabled=True, payouts_enabled=True, requirements=requirements)
    state.events.emit("updated", account, previous)
    return account


@operation("accounts.retrieve_current")
def retrieve_current(context: OperationContext) -> Object:
    """Return the account of the request; the platform's account is created when it is missing."""
    state = context.state
    if account := state.other(PLATFORM).objects.find("account", state.id):
        return account
    account_id = state.id or PLATFORM_ACCOUNT_ID
    if ("account", account_id) not in state.objects:
        _create_own_account(state, account_id)
    return state.objects["account", account_id]


def _create_own_account(state: AccountState, account_id: str) -> None:
    account = state.draft(
        "account", {"id": account_id, "country": "US", "email": "owner@example.com", "default_currency": "usd"}
    )
    account.update(
        charges_enabled=True,
        payouts_enabled=True,
        details_submitted=True,
        type="standard",
        requirements=NO_REQUIREMENTS,
        future_requirements=NO_REQUIREMENTS,
        capabilities={"card_payments": "active", "transfers": "active"},
    )
    state.objects.add(account)
