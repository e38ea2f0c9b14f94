"""Accounts of API v2, and those of their persons. https://docs.stripe.com/connect/accounts-v2"""

from __future__ import annotations

from pinstripe.emulator.operations._crud import find, life, owned
from pinstripe.emulator.state.account import Ask, Object
from pinstripe.emulator.state.defaults import rfc3339
from pinstripe.emulator.validation.errors import wrong_state

SHOWN = ("configuration", "identity", "defaults", "requirements", "future_requirements")
"""Parts of an account that are there only when ``include`` asks for them."""


def _url(account: Object) -> str:
    return f"/v2/core/accounts/{account['id']}"


def _shown(ask: Ask, account: Object) -> Object:
    include = [one.partition(".")[0] for one in ask.params.get("include") or []]
    return {name: value for name, value in account.items() if name not in SHOWN or name in include}


@life("v2.core.accounts.create")
def create(ask: Ask) -> Object:
    """An account; what it is asked to be, it is."""
    world, params = ask.world, ask.params
    account = world.draft("v2.core.account", params)
    asked = sorted(name for name, one in (params.get("configuration") or {}).items() if one is not None)
    account.update(applied_configurations=asked, closed=False, dashboard=params.get("dashboard", "none"))
    account["metadata"] = dict(params.get("metadata") or {})
    world.keep(account)
    world.emit_thin("v2.core.account.created", account, _url(account))
    return _shown(ask, account)


@life("v2.core.accounts.retrieve")
def retrieve(ask: Ask) -> Object:
    """An account, with the parts that were asked for."""
    return _shown(ask, find(ask))


@life("v2.core.accounts.update")
def update(ask: Ask) -> Object:
    """Change an account."""
    world, account, params = ask.world, find(ask), ask.params
    asked = {name for name, one in (params.get("configuration") or {}).items() if one is not None}
    world.update(account, params, applied_configurations=sorted(asked | set(account["applied_configurations"])))
    world.emit_thin("v2.core.account.updated", account, _url(account))
    for part in ("identity", "defaults"):
        if part in params:
            world.emit_thin(f"v2.core.account[{part}].updated", account, _url(account))
    for name in sorted(asked):
        world.emit_thin(f"v2.core.account[configuration.{name}].updated", account, _url(account))
    return _shown(ask, account)


@life("v2.core.accounts.close")
def close(ask: Ask) -> Object:
    """Close an account."""
    world = ask.world
    account = world.get("v2.core.account", ask.path["id"])
    if account.get("closed"):
        raise wrong_state(account, "close")
    world.change(account, closed=True)
    world.emit_thin("v2.core.account.closed", account, _url(account))
    return _shown(ask, account)


@life("v2.core.accounts.persons.create", "v2.core.accounts.persons.update")
def keep_person(ask: Ask) -> Object:
    """A person of an account, new or changed."""
    world, account = ask.world, ask.world.get("v2.core.account", ask.path["account_id"])
    if ask.row.method == "create":
        person = world.draft("v2.core.account_person", ask.params)
        person.update(account=account["id"], metadata=dict(ask.params.get("metadata") or {}))
        world.keep(person)
    else:
        person = find(ask)
        world.update(person, ask.params, updated=rfc3339(world.now()))
    word = "created" if ask.row.method == "create" else "updated"
    world.emit_thin(
        f"v2.core.account_person.{word}", person, f"{_url(account)}/persons/{person['id']}", account_id=account["id"]
    )
    return person


@life("v2.core.accounts.persons.delete", "v2.core.event_destinations.delete")
def delete(ask: Ask) -> Object:
    """Delete a person of an account, or a destination."""
    world, kind = ask.world, "v2.core.account_person" if "account_id" in ask.path else "v2.core.event_destination"
    found = world.get(kind, ask.target)
    list(owned(ask, [found]))
    if kind == "v2.core.account_person":
        place = f"/v2/core/accounts/{found['account']}"
        world.emit_thin(
            "v2.core.account_person.deleted", found, f"{place}/persons/{found['id']}", account_id=found["account"]
        )
    world.bury(found)
    return {"id": found["id"], "object": kind}


@life("v2.core.account_links.create")
def link(ask: Ask) -> Object:
    """A page on which an account would hand in what is missing."""
    world, params = ask.world, ask.params
    world.get("v2.core.account", params["account"], "account")
    made = world.draft("v2.core.account_link", params)
    made.update(url=f"{world.base}/onboarding/{params['account']}", expires_at=rfc3339(world.now() + 300))
    return made
