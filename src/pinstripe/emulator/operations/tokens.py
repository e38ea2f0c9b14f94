"""Tokens: what a front end sends instead of card or bank details.

https://docs.stripe.com/api/tokens
"""

from __future__ import annotations

from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.payment_sources import create_bank_account, create_card
from pinstripe.emulator.operations.test_cards import card_name, check_card_details
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.state.tables import TokenContents
from pinstripe.emulator.validation.errors import missing_param

TOKEN_TYPES = ("card", "bank_account", "pii", "account", "person", "cvc_update")


@operation("tokens.create")
def create(context: OperationContext) -> Object:
    """Create a token that can be used once."""
    state, params = context.state, context.params
    source_type = next((name for name in TOKEN_TYPES if params.get(name)), None)
    if source_type is None:
        raise missing_param("card")
    token = state.draft("token")
    token.update(type=source_type, used=False, client_ip=None)
    details: Object = params[source_type] if isinstance(params[source_type], dict) else {}
    if source_type == "card":
        check_card_details(state, details)
        name = card_name(details or {"token": params["card"]})
        token["card"] = create_card(state, name, details)
        state.tables.token_contents.set(token["id"], TokenContents(card=name))
    elif source_type == "bank_account":
        token["bank_account"] = create_bank_account(state, details)
        state.tables.token_contents.set(token["id"], TokenContents(bank_account=details))
    return state.objects.add(token)
