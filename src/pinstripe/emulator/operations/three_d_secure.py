"""3D Secure authentications apart from a payment. https://docs.stripe.com/payments/3d-secure"""

from __future__ import annotations

from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.json_values import Object


@operation("three_d_secure.authentications.create")
def create(context: OperationContext) -> Object:
    """Create an authentication, which waits to be submitted."""
    state = context.state
    authentication = state.draft("three_d_secure.authentication", context.params)
    authentication.update(status="requires_submission")
    state.objects.add(authentication)
    state.events.emit("requires_submission", authentication)
    return authentication
