"""Secrets of Stripe Apps, by name and scope.

https://docs.stripe.com/stripe-apps/store-secrets
"""

from __future__ import annotations

from pinstripe.emulator.operations._expansion import includable
from pinstripe.emulator.operations._filters import list_filter
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.state.tables import Secret
from pinstripe.emulator.validation.errors import missing_object


@operation("apps.secrets.create")
def create(context: OperationContext) -> Object:
    """Store a secret, in place of one with the same name and scope."""
    state, params = context.state, context.params
    scope = params["scope"]
    for existing in list(state.objects.all("apps.secret", name=params["name"])):
        if all(existing["scope"].get(name) == scope.get(name) for name in ("type", "user")):
            state.objects.remove(existing)
    secret = state.draft("apps.secret", {name: value for name, value in params.items() if name != "payload"})
    secret.pop("deleted", None)
    secret.pop("payload", None)
    state.tables.app_secrets.set(secret["id"], Secret(params["payload"]))
    return state.objects.add(secret)


@operation("apps.secrets.find")
def find(context: OperationContext) -> Object:
    """Return the secret with a name and scope, with its payload if ``expand`` contains it."""
    secret = _find_secret(context)
    if "payload" in (context.params.get("expand") or []):
        return {**secret, "payload": payload_of(context.state, secret)}
    return secret


@operation("apps.secrets.delete_where")
def delete(context: OperationContext) -> Object:
    """Delete the secret with a name and scope."""
    secret = _find_secret(context)
    context.state.objects.remove(secret)
    return {**secret, "deleted": True}


def _find_secret(context: OperationContext) -> Object:
    name, scope = context.params["name"], context.params["scope"]
    for secret in context.state.objects.all("apps.secret", name=name):
        if _is_in_scope(secret, scope):
            return secret
    raise missing_object("secret", name)


@includable("apps.secret", "payload")
def payload_of(state: AccountState, secret: Object) -> str | None:
    """Return the secret text."""
    row = state.tables.app_secrets.get(secret["id"])
    return row.text if row else None


@list_filter("apps.secret", "scope")
def _is_in_scope(secret: Object, scope: Object) -> bool:
    return all(secret["scope"].get(name) == value for name, value in scope.items() if value is not None)
