"""Custom reasons for the cancellation of subscriptions.

https://docs.stripe.com/customer-management/configure-portal
"""

from __future__ import annotations

from pinstripe.emulator.operations._crud import find
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.validation.errors import wrong_state


@operation("billing.feedback_options.create")
def create(context: OperationContext) -> Object:
    """Create a reason that customers can choose."""
    return context.state.create("billing.feedback_option", context.params, status="active")


@operation("billing.feedback_options.deactivate")
def deactivate(context: OperationContext) -> Object:
    """Deactivate a reason; subscriptions for which it was chosen keep it."""
    state, option = context.state, find(context)
    if option["status"] != "active":
        raise wrong_state(option, "deactivate")
    transitions = {**option["status_transitions"], "deactivated_at": state.clock.now()}
    state.objects.update(option, status="inactive", status_transitions=transitions)
    return option
