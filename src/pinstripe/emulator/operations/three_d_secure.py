"""3D Secure authentications apart from a payment. https://docs.stripe.com/payments/3d-secure"""

from __future__ import annotations

from pinstripe.emulator.operations._crud import find
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.validation.errors import wrong_state

OPEN = ("requires_challenge", "requires_submission")


@operation("three_d_secure.authentications.create")
def create(context: OperationContext) -> Object:
    """Create an authentication, which waits to be submitted."""
    state = context.state
    authentication = state.draft("three_d_secure.authentication", context.params)
    authentication.update(status="requires_submission")
    state.objects.add(authentication)
    state.events.emit("requires_submission", authentication)
    return authentication


@operation("three_d_secure.authentications.submit")
def submit(context: OperationContext) -> Object:
    """Submit an authentication; the bank authenticates the cardholder at once, without a challenge."""
    state, authentication = context.state, find(context)
    if authentication["status"] not in OPEN:
        raise wrong_state(authentication, "submit")
    state.objects.update(authentication, status="succeeded", outcome="authenticated")
    state.events.emit("succeeded", authentication)
    return authentication


@operation("three_d_secure.authentications.cancel")
def cancel(context: OperationContext) -> Object:
    """Cancel an authentication that is not over."""
    state, authentication = context.state, find(context)
    if authentication["status"] not in OPEN:
        raise wrong_state(authentication, "cancel")
    state.objects.update(authentication, status="canceled", outcome="canceled")
    state.events.emit("canceled", authentication)
    return authentication
