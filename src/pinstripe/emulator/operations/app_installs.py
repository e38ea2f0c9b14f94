"""Installs of Stripe apps, which are granted their permissions immediately.

https://docs.stripe.com/stripe-apps
"""

from __future__ import annotations

from pinstripe.emulator.operations._crud import find
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.accounts import PLATFORM_ACCOUNT_ID
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.validation.errors import ErrorResponse

NO_POLICY: Object = {"connect_src": [], "image_src": []}


@operation("apps.installs.create")
def create(context: OperationContext) -> Object:
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
def update(context: OperationContext) -> Object:
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
