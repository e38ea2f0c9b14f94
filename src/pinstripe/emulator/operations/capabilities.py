"""Capabilities of connected accounts, which are active as soon as they are requested.

https://docs.stripe.com/connect/account-capabilities
"""

from __future__ import annotations

from pinstripe.emulator.operations._pagination import paginate
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.state.tables import StoredObject
from pinstripe.emulator.validation.errors import missing_object

NO_REQUIREMENTS: Object = {
    "alternatives": [],
    "current_deadline": None,
    "currently_due": [],
    "disabled_reason": None,
    "errors": [],
    "eventually_due": [],
    "past_due": [],
    "pending_verification": [],
}


def get_capability(state: AccountState, account: Object, name: str) -> Object:
    """Return a capability of an account; create it when it is new."""
    stored = state.tables.capabilities.get((account["id"], name))
    if stored is None:
        capability = {
            **state.draft("capability"),
            "id": name,
            "account": account["id"],
            "requested": True,
            "requested_at": state.clock.now(),
            "requirements": NO_REQUIREMENTS,
            "future_requirements": NO_REQUIREMENTS,
            "status": "active",
        }
        stored = StoredObject(capability)
        state.tables.capabilities.set((account["id"], name), stored)
    return stored.value


@operation("accounts.capabilities.list")
def list_capabilities(context: OperationContext) -> Object:
    """Return a page of the capabilities of an account."""
    account = context.state.objects.get("account", context.path["account"])
    return paginate(context, [get_capability(context.state, account, name) for name in account["capabilities"]])


@operation("accounts.capabilities.retrieve")
def retrieve(context: OperationContext) -> Object:
    """Return a capability that an account has requested."""
    account = context.state.objects.get("account", context.path["account"])
    name = context.path["capability"]
    if name not in account["capabilities"]:
        raise missing_object("capability", name)
    return get_capability(context.state, account, name)


@operation("accounts.capabilities.update")
def update(context: OperationContext) -> Object:
    """Request a capability of an account, or withdraw the request."""
    state, name = context.state, context.path["capability"]
    account = state.objects.get("account", context.path["account"])
    requested = context.params.get("requested", True)
    status = "active" if requested else "inactive"
    capability = {**get_capability(state, account, name), "requested": requested, "status": status}
    state.tables.capabilities.set((account["id"], name), StoredObject(capability))
    statuses = {**account["capabilities"], name: status}
    state.events.emit("updated", account, state.objects.update(account, capabilities=statuses))
    return capability
