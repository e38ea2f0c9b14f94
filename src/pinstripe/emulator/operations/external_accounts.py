"""External accounts: the bank accounts and cards to which connected accounts are paid out.

https://docs.stripe.com/api/external_accounts
"""

from __future__ import annotations

from pinstripe.emulator.operations._pagination import paginate
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.payment_sources import find_source, resolve_source
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.validation.errors import missing_param


@operation("accounts.external_accounts.create", "accounts.bank_accounts.create")
def create(context: OperationContext) -> Object:
    """Add a bank account or a card to a connected account."""
    state = context.state
    account = state.objects.get("account", context.path["account"])
    source = context.params.get("external_account") or context.params.get("bank_account")
    if source is None:
        raise missing_param("external_account")
    external = resolve_source(state, source, None, account=account["id"])
    state.objects.update(
        external, account=account["id"], available_payout_methods=["standard"], default_for_currency=True
    )
    accounts = account["external_accounts"]
    state.objects.update(account, external_accounts={**accounts, "data": [external, *accounts["data"]]})
    state.events.emit("account.external_account.created", external)
    return external


@operation("accounts.external_accounts.list")
def list_external_accounts(context: OperationContext) -> Object:
    """Return a page of the bank accounts and cards of a connected account."""
    objects = context.state.objects
    account = objects.get("account", context.path["account"])
    types = [context.params["object"]] if context.params.get("object") else ["bank_account", "card"]
    return paginate(
        context, [external for object_type in types for external in objects.all(object_type, account=account["id"])]
    )


@operation("accounts.external_accounts.retrieve", "accounts.bank_accounts.retrieve")
def retrieve(context: OperationContext) -> Object:
    """Return a bank account or a card of a connected account."""
    return find_source(context, "account")


@operation("accounts.external_accounts.update", "accounts.bank_accounts.update", "external_accounts.update")
def update(context: OperationContext) -> Object:
    """Change a bank account or a card of a connected account."""
    return context.state.apply_update(find_source(context, "account"), context.params)


@operation("accounts.external_accounts.delete", "accounts.bank_accounts.delete")
def delete(context: OperationContext) -> Object:
    """Delete a bank account or a card of a connected account."""
    state, external = context.state, find_source(context, "account")
    account = state.objects.get("account", context.path["account"])
    accounts = account["external_accounts"]
    others = [other for other in accounts["data"] if other["id"] != external["id"]]
    state.objects.update(account, external_accounts={**accounts, "data": others})
    state.events.emit("account.external_account.deleted", external)
    return state.objects.mark_deleted(external)
