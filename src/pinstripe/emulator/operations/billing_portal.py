"""The customer portal: its configurations, sessions, and reasons for cancellations. https://docs.stripe.com/customer-management"""

from __future__ import annotations

from pinstripe.emulator.operations._crud import find
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object, clone
from pinstripe.emulator.validation.errors import missing_param, wrong_state

FLOWS = ("subscription_cancel", "subscription_update", "subscription_update_confirm")


@operation("billing_portal.configurations.create")
def create_configuration(context: OperationContext) -> Object:
    """Create a configuration, which determines what customers can do in the portal."""
    return _create_configuration(context.state, context.params, default=False)


def _create_configuration(state: AccountState, params: Object, *, default: bool) -> Object:
    configuration = state.draft("billing_portal.configuration", params)
    configuration.update(
        active=True,
        business_profile={
            "headline": None,
            "privacy_policy_url": None,
            "terms_of_service_url": None,
            **(params.get("business_profile") or {}),
        },
        features=_features(configuration["features"], params.get("features") or {}, default=default),
        is_default=default,
        login_page={"enabled": False, "url": None},
        updated=state.clock.now(),
    )
    state.objects.add(configuration)
    state.events.emit("created", configuration)
    return configuration


def _features(current: Object, params: Object, *, default: bool) -> Object:
    """Return the features of a configuration; those that were not passed are enabled in the default one."""
    features: Object = {
        name: {**(feature or {}), "enabled": bool((params.get(name) or {}).get("enabled", default))}
        for name, feature in current.items()
    }
    allowed_updates = (params.get("customer_update") or {}).get("allowed_updates") or []
    features["customer_update"]["allowed_updates"] = allowed_updates
    if default:
        features["subscription_update"]["default_allowed_updates"] = ["quantity"]
    cancel = clone(params.get("subscription_cancel") or {})
    features["subscription_cancel"] |= {
        "mode": cancel.get("mode", "at_period_end"),
        "proration_behavior": cancel.get("proration_behavior", "none"),
        "cancellation_reason": {"enabled": False, "options": []},
    }
    return features


@operation("billing_portal.configurations.update")
def update_configuration(context: OperationContext) -> Object:
    """Update a configuration."""
    return context.state.apply_update(find(context), context.params, updated=context.state.clock.now())


@operation("billing_portal.sessions.create")
def create_session(context: OperationContext) -> Object:
    """Create a session; ``url`` is the portal of the customer."""
    state, params = context.state, dict(context.params)
    if not params.get("customer"):
        raise missing_param("customer")
    state.objects.get("customer", params["customer"], "customer")
    configuration = _configuration(state, params.pop("configuration", None))
    flow = params.pop("flow_data", None)
    session = state.draft("billing_portal.session", params)
    if flow:
        session["flow"] = {
            "type": flow["type"],
            "after_completion": {"type": "portal_homepage", "hosted_confirmation": None, "redirect": None},
            **{name: flow.get(name) for name in FLOWS},
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


def _configuration(state: AccountState, configuration_id: str | None) -> Object:
    """Return a configuration, or the default one, which is created when it is first needed."""
    if configuration_id:
        return state.objects.get("billing_portal.configuration", configuration_id, "configuration")
    for configuration in state.objects.all("billing_portal.configuration"):
        if configuration["is_default"]:
            return configuration
    return _create_configuration(state, {}, default=True)


@operation("billing.feedback_options.create")
def create_feedback_option(context: OperationContext) -> Object:
    """Create a reason that customers can choose."""
    return context.state.create("billing.feedback_option", context.params, status="active")


@operation("billing.feedback_options.deactivate")
def deactivate_feedback_option(context: OperationContext) -> Object:
    """Deactivate a reason; subscriptions for which it was chosen keep it."""
    state, option = context.state, find(context)
    if option["status"] != "active":
        raise wrong_state(option, "deactivate")
    transitions = {**option["status_transitions"], "deactivated_at": state.clock.now()}
    state.objects.update(option, status="inactive", status_transitions=transitions)
    return option
