"""Objects without an id, of which an account or another object has exactly one: settings, cash balances, features."""

from __future__ import annotations

from pinstripe._registry import registry
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.defaults import fit
from pinstripe.emulator.state.json_values import JSON, Object
from pinstripe.emulator.state.tables import StoredObject


def get_singleton(state: AccountState, object_type: str, owner_id: str = "", **fields: JSON) -> Object:
    """Return the only object of a type that the account, or an owner, has; create it with ``fields`` when it is missing."""
    row = state.tables.singletons.get((object_type, owner_id))
    if row is not None:
        return row.value
    return set_singleton(state, {**state.draft(object_type), **fields}, owner_id)


def set_singleton(state: AccountState, value: Object, owner_id: str = "") -> Object:
    """Store an object as the only one of its type that the account, or an owner, has."""
    state.tables.singletons.set((value["object"], owner_id), StoredObject(value))
    return value


def update_singleton(
    state: AccountState, object_type: str, params: Object, owner_id: str = "", **fields: JSON
) -> Object:
    """Change the only object of a type as the parameters say, and return it."""
    current = get_singleton(state, object_type, owner_id, **fields)
    changes = fit(registry().objects[object_type], params, state.default_values, current)
    return set_singleton(state, {**current, **changes}, owner_id)
