"""Stripe Apps: installs, which are granted their permissions immediately, and secrets by name and scope.

https://docs.stripe.com/stripe-apps
"""

from __future__ import annotations

from pinstripe.emulator.operations._crud import find
from pinstripe.emulator.operations._expansion import includable
from pinstripe.emulator.operations._filters import list_filter
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.accounts import PLATFORM_ACCOUNT_ID
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.state.tables import Secret
from pinstripe.emulator.validation.errors import ErrorResponse, missing_object

NO_POLICY: Object = {"connect_src": [], "image_src": []}


@operation("apps.secrets.create")
def create_secret(context: OperationContext) -> Object:
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
def find_secret(context: OperationContext) -> Object:
    """Return the secret with a name and scope, with its payload if ``expand`` contains it."""
    secret = _find_secret(context)
    if "payload" in (context.params.get("expand") or []):
        return {**secret, "payload": payload_of(context.state, secret)}
    return secret


@operation("apps.secrets.delete_where")
def delete_secret(context: OperationContext) -> Object:
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


@operation("apps.installs.create")
def create_install(context: OperationContext) -> Object:
    """Install an app, which can be installed once."""
    state, app = context.state, context.params["app"]
    if next(state.objects.all("apps.install", app=app), None):
        raise ErrorResponse(f"The app {app} is already installed.", code="resource_already_exists", param="app")
    install = state.create(
        "apps.install",
        account=state.id or PLATFORM_ACCOUNT_ID,
        app=app,
        approval_required=False,
        auth_code=state.new_id("secret", 32) if context.params.get("code_challenge") else None,
        channel=context.params.get("channel", "public"),
        content_security_policy_granted=NO_POLICY,
        content_security_policy_pending=NO_POLICY,
        status="installed",
    )
    state.events.emit("created", install)
    return install


@operation("apps.installs.update")
def update_install(context: OperationContext) -> Object:
    """Grant the permissions that a new version of the app needs."""
    state, install = context.state, find(context)
    fields: Object = {
        "approval_required": False,
        "content_security_policy_granted": {
            name: sorted({*urls, *install["content_security_policy_pending"][name]})
            for name, urls in install["content_security_policy_granted"].items()
        },
        "content_security_policy_pending": NO_POLICY,
    }
    for name in ("endpoints", "permissions"):
        fields[f"{name}_granted"] = sorted({*install[f"{name}_granted"], *install[f"{name}_pending"]})
        fields[f"{name}_pending"] = []
    if previous := state.objects.update(install, **fields):
        state.events.emit("updated", install, previous)
    return install


@operation("apps.installs.uninstall")
def uninstall(context: OperationContext) -> Object:
    """Uninstall an app; afterwards the install does not exist."""
    state, install = context.state, find(context)
    state.objects.update(install, status="uninstalling")
    state.events.emit("deleted", install)
    state.objects.remove(install)
    return install
