"""Ephemeral keys, with which a mobile app reads one customer or issuing card.

https://docs.stripe.com/issuing/elements
"""

from __future__ import annotations

from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.validation.errors import missing_object, missing_param

LIFETIME_SECONDS = 3600


@operation("ephemeral_keys.create")
def create(context: OperationContext) -> Object:
    """Create a key for a customer or an issuing card."""
    state, params = context.state, context.params
    if not params.get("customer") and not params.get("issuing_card"):
        raise missing_param("customer")
    key = state.draft("ephemeral_key")
    key.update(expires=state.clock.now() + LIFETIME_SECONDS, secret=f"ek_test_{state.new_id('secret', 32)}")
    key.pop("associated_objects", None)
    return state.objects.add(key)


@operation("ephemeral_keys.delete")
def delete(context: OperationContext) -> Object:
    """Delete a key, and return it as it was."""
    state = context.state
    key = state.objects.find("ephemeral_key", context.target_id)
    if key is None:
        raise missing_object("ephemeral_key", context.target_id)
    state.objects.remove(key)
    return key
