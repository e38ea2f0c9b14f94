"""Terminal: refunds on a reader. Other actions of readers are in `TRANSITIONS`.

https://docs.stripe.com/terminal
"""

from __future__ import annotations

from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.json_values import Object


@operation("terminal.refunds.create")
def create_refund(context: OperationContext) -> Object:
    """Return an empty object: the API description has no fields for these refunds."""
    return {}
