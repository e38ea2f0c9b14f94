"""The customer portal: a page on which customers look after their subscriptions. https://docs.stripe.com/customer-management"""

from __future__ import annotations

from pinstripe.emulator.operations._crud import find
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object, clone
from pinstripe.emulator.validation.errors import ErrorResponse


@operation("billing_portal.configurations.create")
def create_configuration(context: OperationContext) -> Object:
    """What the portal lets customers do."""
    return _configuration(context.state, context.params, default=False)


def _configuration(state: AccountState, params: Object, *, default: bool) -> Object:
    made = state.draft("billing_portal.configuration", params)
    features = params.get("features") or {}
    on = {name: bool((features.get(name) or {}).get("enabled", default)) for name in made["features"]}
    made["features"] = {name: {**(part or {}), "enabled": on[name]} for name, part in made["features"].items()}
    made["features"]["customer_update"]["allowed_updates"] = (features.get("customer_update") or {}).get(
        "allowed_updates"
    ) or []
    cancel = {"mode": "at_period_end", "proration_behavior": "none", **clone(features.get("subscription_cancel") or {})}
    made["features"]["subscription_cancel"] |= {name: cancel[name] for name in ("mode", "proration_behavior")}
    made["features"]["subscription_cancel"]["cancellation_reason"] = {"enabled": False, "options": []}
    made.update(active=True, is_default=default, updated=state.clock.now(), login_page={"enabled": False, "url": None})
    made["business_profile"] = {
        "headline": None,
        "privacy_policy_url": None,
        "terms_of_service_url": None,
        **(params.get("business_profile") or {}),
    }
    state.objects.add(made)
    state.events.emit("created", made)
    return made


@operation("billing_portal.configurations.update")
def update_configuration(context: OperationContext) -> Object:
    """Change what the portal lets customers do."""
    return context.state.apply_update(find(context), context.params, updated=context.state.clock.now())


@operation("billing_portal.sessions.create")
def create(context: OperationContext) -> Object:
    """A page for a customer, for a while."""
    state, params = context.state, dict(context.params)
    if not params.get("customer"):
        raise ErrorResponse("You must provide a customer.", code="parameter_missing", param="customer")
    state.objects.get("customer", params["customer"], "customer")
    chosen = params.pop("configuration", None)
    configuration = (
        state.objects.get("billing_portal.configuration", chosen, "configuration")
        if chosen
        else next((one for one in state.objects.all("billing_portal.configuration") if one["is_default"]), None)
    ) or _configuration(state, {}, default=True)
    flow = params.pop("flow_data", None)
    session = state.draft("billing_portal.session", params)
    if flow:
        parts = {
            name: flow.get(name)
            for name in ("subscription_cancel", "subscription_update", "subscription_update_confirm")
        }
        session["flow"] = {
            "type": flow["type"],
            "after_completion": {"type": "portal_homepage", "hosted_confirmation": None, "redirect": None},
            **parts,
        }
    session.update(
        configuration=configuration["id"],
        customer=params["customer"],
        return_url=params.get("return_url") or configuration["default_return_url"],
        url=f"{state.base_url}/portal/{session['id']}",
    )
    state.objects.add(session)
    state.events.emit("created", session)
    return session
