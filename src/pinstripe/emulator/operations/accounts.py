"""Connected accounts, which have no requirements and are onboarded at once.

https://docs.stripe.com/connect
"""

from __future__ import annotations

from pinstripe.emulator.operations._pagination import embedded_list
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.capabilities import NO_REQUIREMENTS, get_capability
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.accounts import PLATFORM
from pinstripe.emulator.state.json_values import Object, clone
from pinstripe.emulator.validation.errors import ErrorResponse

PLATFORM_ACCOUNT_ID = "acct_1Platform0000000"


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


@operation("accounts.reject")
def reject(context: OperationContext) -> Object:
    """Reject an account, which can neither charge nor be paid out any more."""
    state, reason = context.state, context.params["reason"]
    account = state.objects.get("account", context.target_id)
    cause = "fraud" if reason.startswith("fraud_") else "other" if reason == "credit" else reason
    return _set_disabled_reason(state, account, f"rejected.{cause}")


@operation("accounts.unreject")
def unreject(context: OperationContext) -> Object:
    """Take back the rejection of an account, which can charge and be paid out again."""
    state = context.state
    account = state.objects.get("account", context.target_id)
    if not str(account["requirements"]["disabled_reason"]).startswith("rejected."):
        raise ErrorResponse(f"Account {account['id']} is not rejected.", code="account_invalid")
    return _set_disabled_reason(state, account, None)


def _set_disabled_reason(state: AccountState, account: Object, reason: str | None) -> Object:
    """Disable charges and payouts of an account for a reason, or enable them if there is none."""
    enabled = reason is None
    requirements = {**account["requirements"], "disabled_reason": reason}
    previous = state.objects.update(
        account, charges_enabled=enabled, payouts_enabled=enabled, requirements=requirements
    )
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
