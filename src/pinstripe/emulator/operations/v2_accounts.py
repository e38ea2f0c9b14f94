"""Accounts of API v2, and their persons.

https://docs.stripe.com/connect/accounts-v2
"""

from __future__ import annotations

from pinstripe.emulator.operations._crud import find, owned
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.defaults import rfc3339
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.validation.errors import wrong_state

LINK_SECONDS = 300
INCLUDABLE_FIELDS = ("configuration", "identity", "defaults", "requirements", "future_requirements")
"""The fields of an account that are in a response only when ``include`` names them."""


def _included(context: OperationContext, account: Object) -> Object:
    include = [path.partition(".")[0] for path in context.params.get("include") or []]
    return {name: value for name, value in account.items() if name not in INCLUDABLE_FIELDS or name in include}


def _configurations(params: Object) -> set[str]:
    return {name for name, value in (params.get("configuration") or {}).items() if value is not None}


@operation("v2.core.accounts.create")
def create(context: OperationContext) -> Object:
    """Create an account; its configurations are applied at once."""
    state, params = context.state, context.params
    account = state.draft("v2.core.account", params)
    account.update(
        applied_configurations=sorted(_configurations(params)),
        closed=False,
        dashboard=params.get("dashboard", "none"),
        metadata=dict(params.get("metadata") or {}),
    )
    state.objects.add(account)
    state.events.emit_thin("v2.core.account.created", account)
    return _included(context, account)


@operation("v2.core.accounts.retrieve")
def retrieve(context: OperationContext) -> Object:
    """Return an account, with the fields that ``include`` names."""
    return _included(context, find(context))


@operation("v2.core.accounts.update")
def update(context: OperationContext) -> Object:
    """Change an account; there is an event for each part of it that changes."""
    state, account, params = context.state, find(context), context.params
    configurations = _configurations(params)
    applied = sorted(configurations | set(account["applied_configurations"]))
    state.apply_update(account, params, applied_configurations=applied)
    changed = [f"[{part}]" for part in ("identity", "defaults") if part in params]
    changed += [f"[configuration.{name}]" for name in sorted(configurations)]
    for part in ("", *changed):
        state.events.emit_thin(f"v2.core.account{part}.updated", account)
    return _included(context, account)


@operation("v2.core.accounts.close")
def close(context: OperationContext) -> Object:
    """Close an account."""
    state = context.state
    account = state.objects.get("v2.core.account", context.path["id"])
    if account.get("closed"):
        raise wrong_state(account, "close")
    state.objects.update(account, closed=True)
    state.events.emit_thin("v2.core.account.closed", account)
    return _included(context, account)


@operation("v2.core.accounts.persons.create")
def create_person(context: OperationContext) -> Object:
    """Create a person of an account."""
    state = context.state
    account = state.objects.get("v2.core.account", context.path["account_id"])
    person = state.draft("v2.core.account_person", context.params)
    person.update(account=account["id"], metadata=dict(context.params.get("metadata") or {}))
    state.objects.add(person)
    _emit_person(state, "created", person)
    return person


@operation("v2.core.accounts.persons.update")
def update_person(context: OperationContext) -> Object:
    """Change a person of an account."""
    state = context.state
    state.objects.get("v2.core.account", context.path["account_id"])
    person = find(context)
    state.apply_update(person, context.params, updated=rfc3339(state.clock.now()))
    _emit_person(state, "updated", person)
    return person


@operation("v2.core.accounts.persons.delete")
def delete_person(context: OperationContext) -> Object:
    """Delete a person of an account."""
    state = context.state
    person = state.objects.get("v2.core.account_person", context.target_id)
    owned(context, [person])
    _emit_person(state, "deleted", person)
    state.objects.mark_deleted(person)
    return {"id": person["id"], "object": person["object"]}


def _emit_person(state: AccountState, action: str, person: Object) -> None:
    state.events.emit_thin(f"v2.core.account_person.{action}", person, account_id=person["account"])


@operation("v2.core.account_links.create")
def create_link(context: OperationContext) -> Object:
    """Create a link to an onboarding page of an account."""
    state, params = context.state, context.params
    state.objects.get("v2.core.account", params["account"], "account")
    link = state.draft("v2.core.account_link", params)
    url = f"{state.base_url}/onboarding/{params['account']}"
    link.update(url=url, expires_at=rfc3339(state.clock.now() + LINK_SECONDS))
    return link
