"""Cards, bank accounts and sources of customers, the older payment methods.

https://docs.stripe.com/payments/older-apis
"""

from __future__ import annotations

from pinstripe.emulator.operations._pagination import paginate
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.test_cards import (
    CARDS,
    DEFAULT_DETAILS,
    card_name,
    card_of,
    check_card_details,
)
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.state.tables import Instrument
from pinstripe.emulator.validation.errors import ErrorResponse, missing_object, missing_param

SOURCE_TYPES = ("card", "bank_account", "source")
NOT_CARD_FIELDS = ("number", "cvc", "object", "token", "currency")
"""Parameters of a card that are not fields of its object."""
BRANDS = {"visa": "Visa", "mastercard": "MasterCard", "amex": "American Express", "discover": "Discover"}
"""The spelling of brands in card objects that differs from the one in payment methods."""
TEST_ACCOUNT_NUMBER = "000123456789"


def create_card(state: AccountState, name: str, details: Object, **owner: str | None) -> Object:
    """Create a card object for a test card; ``owner`` is its ``customer`` or ``account``."""
    test_card = CARDS[name]
    card = state.draft("card", {key: value for key, value in details.items() if key not in NOT_CARD_FIELDS})
    card.update(
        brand=BRANDS.get(test_card.brand, test_card.brand),
        country=test_card.country,
        cvc_check=test_card.cvc_check,
        exp_month=int(details.get("exp_month") or DEFAULT_DETAILS["exp_month"]),
        exp_year=int(details.get("exp_year") or DEFAULT_DETAILS["exp_year"]),
        fingerprint=test_card.number[::-1],
        funding=test_card.funding,
        last4=test_card.number[-4:],
        **{"customer": None, **owner},
    )
    state.objects.add(card)
    state.tables.instruments.set(card["id"], Instrument(name))
    return card


def create_bank_account(state: AccountState, details: Object, **owner: str | None) -> Object:
    """Create a bank account; ``owner`` is its ``customer`` or ``account``."""
    number = str(details.get("account_number", TEST_ACCOUNT_NUMBER))
    fields = {name: value for name, value in details.items() if name not in ("account_number", "object")}
    bank_account = state.draft("bank_account", fields)
    bank_account.update(
        bank_name="STRIPE TEST BANK",
        country=details.get("country", "US"),
        currency=str(details.get("currency", "usd")).lower(),
        fingerprint=number[::-1],
        last4=number[-4:],
        routing_number=details.get("routing_number", "110000000"),
        status="new",
        **{"customer": None, **owner},
    )
    return state.objects.add(bank_account)


def resolve_source(state: AccountState, source: str | Object, customer: Object | None, **owner: str | None) -> Object:
    """Return the object of a token, an id or a description; tokens and descriptions create one."""
    if customer is not None:
        owner["customer"] = customer["id"]
    if isinstance(source, dict):
        if source.get("object") == "bank_account" or "account_number" in source:
            return create_bank_account(state, source, **owner)
        check_card_details(state, source)
        return create_card(state, card_name(source), source, **owner)
    if token := state.objects.find("token", source):
        return _use_token(state, token, **owner)
    if existing := state.objects.find((*SOURCE_TYPES, "payment_method"), source):
        return existing
    if source.startswith("tok_") and source.removeprefix("tok_") in CARDS:
        return create_card(state, source.removeprefix("tok_"), {}, **owner)
    if source.startswith("btok_"):
        return create_bank_account(state, {}, **owner)
    raise missing_object("token", source, "source")


def _use_token(state: AccountState, token: Object, **owner: str | None) -> Object:
    if token["used"]:
        raise ErrorResponse(
            f"You cannot use a Stripe token more than once: {token['id']}.", code="token_already_used", param="source"
        )
    state.objects.update(token, used=True)
    contents = state.tables.token_contents[token["id"]]
    if contents.card is not None:
        return create_card(state, contents.card, token["card"], **owner)
    return create_bank_account(state, contents.bank_account or {}, **owner)


def default_source(state: AccountState, customer: Object) -> Object | None:
    """Return the default source of a customer, or its default payment method, or ``None``."""
    source_id = customer.get("default_source") or customer["invoice_settings"]["default_payment_method"]
    return state.objects.find((*SOURCE_TYPES, "payment_method"), source_id)


@operation("customers.payment_sources.create", "customers.cards.create", "customers.bank_accounts.create")
def create(context: OperationContext) -> Object:
    """Save a card or a bank account for a customer."""
    customer = context.state.objects.get("customer", context.path["customer"])
    source = context.params.get("source") or context.params.get("card") or context.params.get("bank_account")
    if source is None:
        raise missing_param("source")
    return save_source(context.state, customer, source, check=context.params.get("validate", True))


def save_source(state: AccountState, customer: Object, source: str | Object, *, check: bool = True) -> Object:
    """Save a card or a bank account for a customer; the first one becomes its default.

    ``check`` says whether the card's bank can decline it.
    """
    saved = resolve_source(state, source, customer)
    if saved["object"] == "card" and check:
        card = card_of(state, saved["id"])
        if not card.attaches and (error := card.decline()):
            raise error
    state.objects.update(saved, customer=customer["id"])
    if not customer.get("default_source"):
        state.objects.update(customer, default_source=saved["id"])
    state.events.emit("customer.source.created", saved)
    return saved


def sources_of(state: AccountState, customer_id: str, types: tuple[str, ...] = SOURCE_TYPES) -> list[Object]:
    """Return the cards, bank accounts and sources of a customer, by type, newest first."""
    return [source for object_type in types for source in state.objects.all(object_type, customer=customer_id)]


@operation("customers.payment_sources.list", "customers.cards.list", "customers.bank_accounts.list")
def list_sources(context: OperationContext) -> Object:
    """Return a page of the cards and bank accounts of a customer."""
    customer = context.state.objects.get("customer", context.path["customer"])
    types = {"cards": ("card",), "bank_accounts": ("bank_account",)}.get(
        context.endpoint.path.rpartition("/")[2], SOURCE_TYPES
    )
    if context.params.get("object"):
        types = (context.params["object"],)
    return paginate(context, sources_of(context.state, customer["id"], types))


def find_source(context: OperationContext, owner: str) -> Object:
    """Return the card, bank account or source that the path names; ``owner`` is ``customer`` or ``account``."""
    source = context.state.objects.find(SOURCE_TYPES, context.target_id)
    owner_id = context.path.get(owner)
    if source is None or source.get("deleted") or owner_id not in (None, source.get(owner)):
        raise missing_object("source", context.target_id)
    return source


@operation("customers.payment_sources.retrieve", "customers.cards.retrieve", "customers.bank_accounts.retrieve")
def retrieve(context: OperationContext) -> Object:
    """Return a card or a bank account of a customer."""
    return find_source(context, "customer")


@operation("customers.payment_sources.update", "customers.cards.update", "customers.bank_accounts.update")
def update(context: OperationContext) -> Object:
    """Change a card or a bank account of a customer."""
    source = find_source(context, "customer")
    previous = {name: source.get(name) for name in context.params}
    context.state.apply_update(source, context.params)
    context.state.events.emit("customer.source.updated", source, previous)
    return source


@operation("customers.bank_accounts.verify", "customers.payment_sources.verify")
def verify(context: OperationContext) -> Object:
    """Verify a bank account by its deposits of 32 and 45 cents."""
    bank_account = find_source(context, "customer")
    if bank_account["object"] != "bank_account":
        raise missing_object("bank account", context.target_id)
    if sorted(context.params.get("amounts") or [32, 45]) != [32, 45]:
        raise ErrorResponse(
            "The amounts provided do not match the amounts that were sent to the bank account.", param="amounts"
        )
    context.state.objects.update(bank_account, status="verified")
    return bank_account


@operation(
    "customers.payment_sources.delete", "customers.cards.delete", "customers.bank_accounts.delete", "sources.detach"
)
def delete(context: OperationContext) -> Object:
    """Delete a card or a bank account of a customer, or detach a source."""
    state = context.state
    customer = state.objects.get("customer", context.path["customer"])
    source = find_source(context, "customer")
    state.events.emit("customer.source.deleted", source)
    if source["object"] == "source":
        state.objects.update(source, status="consumed", customer=None)
        return source
    remains = state.objects.mark_deleted(source)
    if customer.get("default_source") == source["id"]:
        others = sources_of(state, customer["id"])
        state.objects.update(customer, default_source=others[0]["id"] if others else None)
    return remains
