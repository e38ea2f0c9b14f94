"""Accounts of API v2, and those of their persons. https://docs.stripe.com/connect/accounts-v2"""

from __future__ import annotations

from pinstripe.emulator.operations._crud import find, owned
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.defaults import rfc3339
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.validation.errors import wrong_state

SHOWN = ("configuration", "identity", "defaults", "requirements", "future_requirements")
"""Parts of an account that are there only when ``include`` asks for them."""


def _url(account: Object) -> str:
    return f"/v2/core/accounts/{account['id']}"


def _shown(context: OperationContext, account: Object) -> Object:
    include = [one.partition(".")[0] for one in context.params.get("include") or []]
    return {name: value for name, value in account.items() if name not in SHOWN or name in include}


@operation("v2.core.accounts.create")
def create(context: OperationContext) -> Object:
    """An account; what it is asked to be, it is."""
    state, params = context.state, context.params
    account = state.draft("v2.core.account", params)
    asked = sorted(name for name, one in (params.get("configuration") or {}).items() if one is not None)
    account.update(applied_configurations=asked, closed=False, dashboard=params.get("dashboard", "none"))
    account["metadata"] = dict(params.get("metadata") or {})
    state.objects.add(account)
    state.events.emit_thin("v2.core.account.created", account, _url(account))
    return _shown(context, account)


@operation("v2.core.accounts.retrieve")
def retrieve(context: OperationContext) -> Object:
    """An account, with the parts that were asked for."""
    return _shown(context, find(context))


@operation("v2.core.accounts.update")
def update(context: OperationContext) -> Object:
    """Change an account."""
    state, account, params = context.state, find(context), context.params
    asked = {name for name, one in (params.get("configuration") or {}).items() if one is not None}
    state.apply_update(account, params, applied_configurations=sorted(asked | set(account["applied_configurations"])))
    state.events.emit_thin("v2.core.account.updated", account, _url(account))
    for part in ("identity", "defaults"):
        if part in params:
            state.events.emit_thin(f"v2.core.account[{part}].updated", account, _url(account))
    for name in sorted(asked):
        state.events.emit_thin(f"v2.core.account[configuration.{name}].updated", account, _url(account))
    return _shown(context, account)


@operation("v2.core.accounts.close")
def close(context: OperationContext) -> Object:
    """Close an account."""
    state = context.state
    account = state.objects.get("v2.core.account", context.path["id"])
    if account.get("closed"):
        raise wrong_state(account, "close")
    state.objects.update(account, closed=True)
    state.events.emit_thin("v2.core.account.closed", account, _url(account))
    return _shown(context, account)


@operation("v2.core.accounts.persons.create", "v2.core.accounts.persons.update")
def keep_person(context: OperationContext) -> Object:
    """A person of an account, new or changed."""
    state, account = context.state, context.state.objects.get("v2.core.account", context.path["account_id"])
    if context.endpoint.method == "create":
        person = state.draft("v2.core.account_person", context.params)
        person.update(account=account["id"], metadata=dict(context.params.get("metadata") or {}))
        state.objects.add(person)
    else:
        person = find(context)
        state.apply_update(person, context.params, updated=rfc3339(state.clock.now()))
    word = "created" if context.endpoint.method == "create" else "updated"
    state.events.emit_thin(
        f"v2.core.account_person.{word}", person, f"{_url(account)}/persons/{person['id']}", account_id=account["id"]
    )
    return person


@operation("v2.core.accounts.persons.delete", "v2.core.event_destinations.delete")
def delete(context: OperationContext) -> Object:
    """Delete a person of an account, or a destination."""
    state, kind = (
        context.state,
        "v2.core.account_person" if "account_id" in context.path else "v2.core.event_destination",
    )
    found = state.objects.get(kind, context.target_id)
    list(owned(context, [found]))
    if kind == "v2.core.account_person":
        place = f"/v2/core/accounts/{found['account']}"
        state.events.emit_thin(
            "v2.core.account_person.deleted", found, f"{place}/persons/{found['id']}", account_id=found["account"]
        )
    state.objects.mark_deleted(found)
    return {"id": found["id"], "object": kind}


@operation("v2.core.account_links.create")
def link(context: OperationContext) -> Object:
    """A page on which an account would hand in what is missing."""
    state, params = context.state, context.params
    state.objects.get("v2.core.account", params["account"], "account")
    made = state.draft("v2.core.account_link", params)
    made.update(url=f"{state.base_url}/onboarding/{params['account']}", expires_at=rfc3339(state.clock.now() + 300))
    return made
