"""Tokens, cards, bank accounts and sources: the older ways to hold what is charged. https://docs.stripe.com/payments/older-apis"""

from __future__ import annotations

from pinstripe.emulator.operations._pagination import paginate
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.test_cards import CARDS, TestCard, card_of, check_dates, named
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.state.tables import Instrument, TokenContents
from pinstripe.emulator.validation.errors import ErrorResponse, missing_object, missing_param

KINDS = ("card", "bank_account", "source")
OUTSIDE = ("number", "cvc", "object", "token", "currency")


def card(state: AccountState, name: str, given: Object, **owner: str | None) -> Object:
    """A card object for a test card, of a customer or of a connected account."""
    test: TestCard = CARDS[name]
    made = state.draft("card", {key: value for key, value in given.items() if key not in OUTSIDE})
    made.update(
        brand={"visa": "Visa", "mastercard": "MasterCard", "amex": "American Express", "discover": "Discover"}.get(
            test.brand, test.brand
        ),
        country=test.country,
        cvc_check=test.cvc_check,
        exp_month=int(given.get("exp_month") or 12),
        exp_year=int(given.get("exp_year") or 2034),
        fingerprint=test.number[::-1],
        funding=test.funding,
        last4=test.number[-4:],
        **{"customer": None, **owner},
    )
    state.objects.add(made)
    state.tables.instruments.set(made["id"], Instrument(name))
    return made


def bank_account(state: AccountState, given: Object, **owner: str | None) -> Object:
    """A bank account; 000123456789 is Stripe's test number."""
    number = str(given.get("account_number", "000123456789"))
    made = state.draft(
        "bank_account", {name: value for name, value in given.items() if name not in ("account_number", "object")}
    )
    made.update(
        bank_name="STRIPE TEST BANK",
        country=given.get("country", "US"),
        currency=str(given.get("currency", "usd")).lower(),
        fingerprint=number[::-1],
        last4=number[-4:],
        routing_number=given.get("routing_number", "110000000"),
        status="new",
        **{"customer": None, **owner},
    )
    return state.objects.add(made)


@operation("tokens.create")
def create_token(context: OperationContext) -> Object:
    """A token for a card, a bank account, or something else that is handed over once."""
    state, params = context.state, context.params
    kind = next(
        (name for name in ("card", "bank_account", "pii", "account", "person", "cvc_update") if params.get(name)), None
    )
    if kind is None:
        raise missing_param("card")
    token = state.draft("token")
    token.update(type=kind, used=False, client_ip=None)
    if kind == "card":
        check_dates(state, params["card"] if isinstance(params["card"], dict) else {})
        name = named(params["card"] if isinstance(params["card"], dict) else {"token": params["card"]})
        token["card"] = card(state, name, params["card"] if isinstance(params["card"], dict) else {})
        state.tables.token_contents.set(token["id"], TokenContents(card=name))
    elif kind == "bank_account":
        given = params["bank_account"] if isinstance(params["bank_account"], dict) else {}
        token["bank_account"] = bank_account(state, given)
        state.tables.token_contents.set(token["id"], TokenContents(bank_account=given))
    return state.objects.add(token)


def from_token(state: AccountState, given: str | Object, customer: Object | None, **owner: str | None) -> Object:
    """What a token, an id or a description of a card or of a bank account stands for."""
    if customer is not None:
        owner["customer"] = customer["id"]
    if isinstance(given, dict):
        if given.get("object") == "bank_account" or "account_number" in given:
            return bank_account(state, given, **owner)
        check_dates(state, given, "source")
        return card(state, named(given, "source"), given, **owner)
    if found := state.objects.find("token", given):
        if found["used"]:
            raise ErrorResponse(
                f"You cannot use a Stripe token more than once: {given}.", code="token_already_used", param="source"
            )
        state.objects.update(found, used=True)
        contents = state.tables.token_contents[given]
        if contents.card is not None:
            return card(state, contents.card, found["card"], **owner)
        return bank_account(state, contents.bank_account or {}, **owner)
    if found := state.objects.find((*KINDS, "payment_method"), given):
        return found
    if given.startswith("tok_") and given.removeprefix("tok_") in CARDS:
        return card(state, given.removeprefix("tok_"), {}, **owner)
    if given.startswith("btok_"):
        return bank_account(state, {}, **owner)
    raise missing_object("token", given, "source")


def default_source(state: AccountState, customer: Object) -> Object | None:
    """What a customer is charged with where nothing else is said."""
    chosen = customer.get("default_source") or customer["invoice_settings"]["default_payment_method"]
    return state.objects.find((*KINDS, "payment_method"), chosen)


@operation("customers.payment_sources.create", "customers.cards.create", "customers.bank_accounts.create")
def add(context: OperationContext) -> Object:
    """Save a card or a bank account for a customer."""
    state = context.state
    customer = state.objects.get("customer", context.path["customer"])
    given = context.params.get("source") or context.params.get("card") or context.params.get("bank_account")
    if given is None:
        raise missing_param("source")
    return save(state, customer, given)


def save(state: AccountState, customer: Object, given: str | Object) -> Object:
    """Save a card or a bank account for a customer; the first is its default."""
    found = from_token(state, given, customer)
    if found["object"] == "card" and not card_of(state, found).attaches:
        error_response = card_of(state, found).refuse()
        if error_response is not None:
            raise error_response
    state.objects.update(found, customer=customer["id"])
    if not customer.get("default_source"):
        state.objects.update(customer, default_source=found["id"])
    state.events.emit("customer.source.created", found)
    return found


def _all(state: AccountState, kinds: tuple[str, ...], name: str, owner: str) -> list[Object]:
    return [one for kind in kinds for one in state.objects.all(kind, **{name: owner})]


@operation("customers.payment_sources.list", "customers.cards.list", "customers.bank_accounts.list")
def list_sources(context: OperationContext) -> Object:
    """The cards and bank accounts of a customer."""
    context.state.objects.get("customer", context.path["customer"])
    kinds = {"cards": ("card",), "bank_accounts": ("bank_account",)}.get(
        context.endpoint.path.rpartition("/")[2], KINDS
    )
    kinds = (context.params["object"],) if context.params.get("object") else kinds
    return paginate(context, _all(context.state, kinds, "customer", context.path["customer"]))


def _find(context: OperationContext, owner: str) -> Object:
    found = context.state.objects.find(KINDS, context.target_id)
    place = context.path.get(owner)
    if found is None or found.get("deleted") or place not in (None, found.get(owner)):
        raise missing_object("source", context.target_id)
    return found


@operation("customers.payment_sources.retrieve", "customers.cards.retrieve", "customers.bank_accounts.retrieve")
def retrieve(context: OperationContext) -> Object:
    """A card or a bank account of a customer."""
    return _find(context, "customer")


@operation("customers.payment_sources.update", "customers.cards.update", "customers.bank_accounts.update")
def update(context: OperationContext) -> Object:
    """Change a card's expiry or its address."""
    found = _find(context, "customer")
    before = {name: found.get(name) for name in context.params}
    result = context.state.apply_update(found, context.params)
    context.state.events.emit("customer.source.updated", found, before)
    return result


@operation("customers.bank_accounts.verify", "customers.payment_sources.verify")
def verify(context: OperationContext) -> Object:
    """Verify a bank account by its two deposits, which are 32 and 45 cents."""
    found = _find(context, "customer")
    if found["object"] != "bank_account":
        raise missing_object("bank account", context.target_id)
    if sorted(context.params.get("amounts") or [32, 45]) != [32, 45]:
        raise ErrorResponse(
            "The amounts provided do not match the amounts that were sent to the bank account.", param="amounts"
        )
    context.state.objects.update(found, status="verified")
    return found


@operation(
    "customers.payment_sources.delete", "customers.cards.delete", "customers.bank_accounts.delete", "sources.detach"
)
def remove(context: OperationContext) -> Object:
    """Take a card or a bank account from its customer."""
    state = context.state
    customer, found = state.objects.get("customer", context.path["customer"]), _find(context, "customer")
    state.events.emit("customer.source.deleted", found)
    if found["object"] == "source":
        state.objects.update(found, status="consumed", customer=None)
        return found
    left = state.objects.mark_deleted(found)
    if customer.get("default_source") == found["id"]:
        rest = _all(state, KINDS, "customer", customer["id"])
        state.objects.update(customer, default_source=rest[0]["id"] if rest else None)
    return left


# Bank accounts and cards of connected accounts


@operation("accounts.external_accounts.create", "accounts.bank_accounts.create")
def add_external(context: OperationContext) -> Object:
    """Where a connected account is paid out to."""
    state = context.state
    account = state.objects.get("account", context.path["account"])
    given = context.params.get("external_account") or context.params.get("bank_account")
    if given is None:
        raise missing_param("external_account")
    made = from_token(state, given, None, account=account["id"])
    state.objects.update(made, account=account["id"], available_payout_methods=["standard"], default_for_currency=True)
    external = account["external_accounts"]
    state.objects.update(account, external_accounts={**external, "data": [made, *external["data"]]})
    state.events.emit("account.external_account.created", made)
    return made


@operation("accounts.external_accounts.list")
def externals(context: OperationContext) -> Object:
    """Where a connected account is paid out to."""
    account = context.state.objects.get("account", context.path["account"])
    kinds = (context.params["object"],) if context.params.get("object") else ("bank_account", "card")
    return paginate(context, _all(context.state, kinds, "account", account["id"]))


@operation("accounts.external_accounts.retrieve", "accounts.bank_accounts.retrieve")
def external(context: OperationContext) -> Object:
    """One of an account's bank accounts and cards."""
    return _find(context, "account")


@operation("accounts.external_accounts.update", "accounts.bank_accounts.update", "external_accounts.update")
def update_external(context: OperationContext) -> Object:
    """Change one of an account's bank accounts and cards."""
    return context.state.apply_update(_find(context, "account"), context.params)


@operation("accounts.external_accounts.delete", "accounts.bank_accounts.delete")
def remove_external(context: OperationContext) -> Object:
    """Take a bank account or a card from an account."""
    state, found = context.state, _find(context, "account")
    account = state.objects.get("account", context.path["account"])
    rest = [one for one in account["external_accounts"]["data"] if one["id"] != found["id"]]
    state.objects.update(account, external_accounts={**account["external_accounts"], "data": rest})
    state.events.emit("account.external_account.deleted", found)
    return state.objects.mark_deleted(found)


@operation("sources.create")
def create_source(context: OperationContext) -> Object:
    """A source of a type, chargeable at once."""
    state, params = context.state, context.params
    token = params.get("token")
    kind = "card" if token else params.get("type") or "card"
    source = state.draft("source", {name: value for name, value in params.items() if name not in ("token", "receiver")})
    source.update(
        type=kind, status="chargeable", usage=params.get("usage", "reusable"), flow=params.get("flow", "none")
    )
    name = "visa"
    if kind == "card" and isinstance(token, str):
        contents = state.tables.token_contents.get(token)
        if contents is None and not token.startswith("tok_"):
            raise missing_object("token", token, "token")
        name = (contents.card if contents else None) or named({"token": token})
    state.tables.instruments.set(source["id"], Instrument(name))
    return state.objects.add(source)
