"""The customer portal: a page on which customers look after their subscriptions. https://docs.stripe.com/customer-management"""

from __future__ import annotations

from pinstripe.emulator.operations._crud import find, life
from pinstripe.emulator.state.account import Ask, Object, World, clone
from pinstripe.emulator.validation.errors import Refusal


@life("billing_portal.configurations.create")
def create_configuration(ask: Ask) -> Object:
    """What the portal lets customers do."""
    return _configuration(ask.world, ask.params, default=False)


def _configuration(world: World, params: Object, *, default: bool) -> Object:
    made = world.draft("billing_portal.configuration", params)
    features = params.get("features") or {}
    on = {name: bool((features.get(name) or {}).get("enabled", default)) for name in made["features"]}
    made["features"] = {name: {**(part or {}), "enabled": on[name]} for name, part in made["features"].items()}
    made["features"]["customer_update"]["allowed_updates"] = (features.get("customer_update") or {}).get(
        "allowed_updates"
    ) or []
    cancel = {"mode": "at_period_end", "proration_behavior": "none", **clone(features.get("subscription_cancel") or {})}
    made["features"]["subscription_cancel"] |= {name: cancel[name] for name in ("mode", "proration_behavior")}
    made["features"]["subscription_cancel"]["cancellation_reason"] = {"enabled": False, "options": []}
    made.update(active=True, is_default=default, updated=world.now(), login_page={"enabled": False, "url": None})
    made["business_profile"] = {
        "headline": None,
        "privacy_policy_url": None,
        "terms_of_service_url": None,
        **(params.get("business_profile") or {}),
    }
    world.keep(made)
    world.emit("created", made)
    return made


@life("billing_portal.configurations.update")
def update_configuration(ask: Ask) -> Object:
    """Change what the portal lets customers do."""
    return ask.world.update(find(ask), ask.params, updated=ask.world.now())


@life("billing_portal.sessions.create")
def create(ask: Ask) -> Object:
    """A page for a customer, for a while."""
    world, params = ask.world, dict(ask.params)
    if not params.get("customer"):
        raise Refusal("You must provide a customer.", code="parameter_missing", param="customer")
    world.get("customer", params["customer"], "customer")
    chosen = params.pop("configuration", None)
    configuration = (
        world.get("billing_portal.configuration", chosen, "configuration")
        if chosen
        else next((one for one in world.every("billing_portal.configuration") if one["is_default"]), None)
    ) or _configuration(world, {}, default=True)
    flow = params.pop("flow_data", None)
    session = world.draft("billing_portal.session", params)
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
        url=f"{world.base}/portal/{session['id']}",
    )
    world.keep(session)
    world.emit("created", session)
    return session
