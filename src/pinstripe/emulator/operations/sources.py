"""Sources, which are chargeable at once.

https://docs.stripe.com/sources
"""

from __future__ import annotations

from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.test_cards import card_name
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.state.tables import Instrument
from pinstripe.emulator.validation.errors import missing_object


@operation("sources.create")
def create(context: OperationContext) -> Object:
    """Create a source of a type, or of a card token."""
    state, params = context.state, context.params
    token = params.get("token")
    source_type = "card" if token else params.get("type") or "card"
    source = state.draft("source", {name: value for name, value in params.items() if name not in ("token", "receiver")})
    source.update(
        type=source_type,
        status="chargeable",
        usage=params.get("usage", "reusable"),
        flow=params.get("flow", "none"),
    )
    name = _card_of_token(state, token) if source_type == "card" and isinstance(token, str) else "visa"
    state.tables.instruments.set(source["id"], Instrument(name))
    return state.objects.add(source)


def _card_of_token(state: AccountState, token: str) -> str:
    contents = state.tables.token_contents.get(token)
    if contents is None and not token.startswith("tok_"):
        raise missing_object("token", token, "token")
    return (contents.card if contents else None) or card_name({"token": token})
