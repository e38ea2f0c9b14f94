"""Tokens, cards, bank accounts and sources: the older ways to hold what is charged. https://docs.stripe.com/payments/older-apis"""

from __future__ import annotations

from pinstripe.emulator.operations._crud import life
from pinstripe.emulator.operations._lists import listed
from pinstripe.emulator.operations.test_cards import CARDS, TestCard, check_dates, named
from pinstripe.emulator.state.account import Ask, Object, World
from pinstripe.emulator.validation.errors import Refusal, missing_object, missing_param

KINDS = ("card", "bank_account", "source")
OUTSIDE = ("number", "cvc", "object", "token", "currency")


def card(world: World, name: str, given: Object, **owner: str | None) -> Object:
    """A card object for a test card, of a customer or of a connected account."""
    test: TestCard = CARDS[name]
    made = world.draft("card", {key: value for key, value in given.items() if key not in OUTSIDE})
    made.update(
        brand={"visa": "Visa", "mastercard": "MasterCard", "amex": "American Express",
        "discover": "Discover"}.get(test.brand, test.brand),
        country=test.country,
        cvc_check=test.cvc_check,
        exp_month=int(given.get("exp_month") or 12),
        exp_year=int(given.get("exp_year") or 2034),
        fingerprint=test.number[::-1],
        funding=test.funding,
        last4=test.number[-4:],
        **{"customer": None, **owner},
    )  # fmt: skip
    world.keep(made)
    world.hide(made["id"], {"card": name})
    return made


def bank_account(world: World, given: Object, **owner: str | None) -> Object:
    """A bank account; 000123456789 is Stripe's test number."""
    number = str(given.get("account_number", "000123456789"))
    made = world.draft(
        "bank_account", {name: value for name, value in given.items() if name not in ("account_number", "object")}
    )
    made.update(
        bank_name="STRIPE TEST BANK", country=given.get("country", "US"), currency=str(given.get("currency", "usd")).lower(),
        fingerprint=number[::-1], last4=number[-4:], routing_number=given.get("routing_number", "110000000"), status="new",
        **{"customer": None, **owner},
    )  # fmt: skip
    return world.keep(made)


@life("tokens.create")
def create_token(ask: Ask) -> Object:
    """A token for a card, a bank account, or something else that is handed over once."""
    world, params = ask.world, ask.params
    kind = next(
        (name for name in ("card", "bank_account", "pii", "account", "person", "cvc_update") if params.get(name)), None
    )
    if kind is None:
        raise missing_param("card")
    token = world.draft("token")
    token.update(type=kind, used=False, client_ip=None)
    if kind == "card":
        check_dates(world, params["card"] if isinstance(params["card"], dict) else {})
        name = named(params["card"] if isinstance(params["card"], dict) else {"token": params["card"]})
        token["card"] = card(world, name, params["card"] if isinstance(params["card"], dict) else {})
        world.hide(token["id"], {"card": name})
    elif kind == "bank_account":
        given = params["bank_account"] if isinstance(params["bank_account"], dict) else {}
        token["bank_account"] = bank_account(world, given)
        world.hide(token["id"], {"bank_account": given})
    return world.keep(token)


def from_token(world: World, given: str | Object, customer: Object | None, **owner: str | None) -> Object:
    """What a token, an id or a description of a card or of a bank account stands for."""
    if customer is not None:
        owner["customer"] = customer["id"]
    if isinstance(given, dict):
        if given.get("object") == "bank_account" or "account_number" in given:
            return bank_account(world, given, **owner)
        check_dates(world, given, "source")
        return card(world, named(given, "source"), given, **owner)
    found = world.objects.get(given)
    if found is not None and found["object"] == "token":
        if found["used"]:
            raise Refusal(
                f"You cannot use a Stripe token more than once: {given}.", code="token_already_used", param="source"
            )
        world.change(found, used=True)
        kept = world.hidden[given]
        if "card" in kept:
            return card(world, kept["card"], found["card"], **owner)
        return bank_account(world, kept["bank_account"], **owner)
    if found is not None and found["object"] in (*KINDS, "payment_method"):
        return found
    if given.startswith("tok_") and given.removeprefix("tok_") in CARDS:
        return card(world, given.removeprefix("tok_"), {}, **owner)
    if given.startswith("btok_"):
        return bank_account(world, {}, **owner)
    raise missing_object("token", given, "source")


def default_source(world: World, customer: Object) -> Object | None:
    """What a customer is charged with where nothing else is said."""
    chosen = customer.get("default_source") or customer["invoice_settings"]["default_payment_method"]
    return world.objects.get(chosen) if chosen else None


@life("customers.payment_sources.create", "customers.cards.create", "customers.bank_accounts.create")
def add(ask: Ask) -> Object:
    """Save a card or a bank account for a customer."""
    world = ask.world
    customer = world.get("customer", ask.path["customer"])
    given = ask.params.get("source") or ask.params.get("card") or ask.params.get("bank_account")
    if given is None:
        raise missing_param("source")
    return save(world, customer, given)


def save(world: World, customer: Object, given: str | Object) -> Object:
    """Save a card or a bank account for a customer; the first is its default."""
    found = from_token(world, given, customer)
    if found["object"] == "card" and not CARDS[world.hidden[found["id"]]["card"]].attaches:
        refusal = CARDS[world.hidden[found["id"]]["card"]].refuse()
        if refusal is not None:
            raise refusal
    world.change(found, customer=customer["id"])
    if not customer.get("default_source"):
        world.change(customer, default_source=found["id"])
    world.emit("customer.source.created", found)
    return found


def _all(world: World, kinds: tuple[str, ...], name: str, owner: str) -> list[Object]:
    return [one for kind in kinds for one in world.every(kind, **{name: owner})]


@life("customers.payment_sources.list", "customers.cards.list", "customers.bank_accounts.list")
def list_sources(ask: Ask) -> Object:
    """The cards and bank accounts of a customer."""
    ask.world.get("customer", ask.path["customer"])
    kinds = {"cards": ("card",), "bank_accounts": ("bank_account",)}.get(ask.row.path.rpartition("/")[2], KINDS)
    kinds = (ask.params["object"],) if ask.params.get("object") else kinds
    return listed(ask, _all(ask.world, kinds, "customer", ask.path["customer"]))


def _find(ask: Ask, owner: str) -> Object:
    found = ask.world.objects.get(ask.target)
    place = ask.path.get(owner)
    if found is None or found["object"] not in KINDS or found.get("deleted") or place not in (None, found.get(owner)):
        raise missing_object("source", ask.target)
    return found


@life("customers.payment_sources.retrieve", "customers.cards.retrieve", "customers.bank_accounts.retrieve")
def retrieve(ask: Ask) -> Object:
    """A card or a bank account of a customer."""
    return _find(ask, "customer")


@life("customers.payment_sources.update", "customers.cards.update", "customers.bank_accounts.update")
def update(ask: Ask) -> Object:
    """Change a card's expiry or its address."""
    found = _find(ask, "customer")
    before = {name: found.get(name) for name in ask.params}
    result = ask.world.update(found, ask.params)
    ask.world.emit("customer.source.updated", found, before)
    return result


@life("customers.bank_accounts.verify", "customers.payment_sources.verify")
def verify(ask: Ask) -> Object:
    """Verify a bank account by its two deposits, which are 32 and 45 cents."""
    found = _find(ask, "customer")
    if found["object"] != "bank_account":
        raise missing_object("bank account", ask.target)
    if sorted(ask.params.get("amounts") or [32, 45]) != [32, 45]:
        raise Refusal(
            "The amounts provided do not match the amounts that were sent to the bank account.", param="amounts"
        )
    ask.world.change(found, status="verified")
    return found


@life("customers.payment_sources.delete", "customers.cards.delete", "customers.bank_accounts.delete", "sources.detach")
def remove(ask: Ask) -> Object:
    """Take a card or a bank account from its customer."""
    world = ask.world
    customer, found = world.get("customer", ask.path["customer"]), _find(ask, "customer")
    world.emit("customer.source.deleted", found)
    if found["object"] == "source":
        world.change(found, status="consumed", customer=None)
        return found
    left = world.bury(found)
    if customer.get("default_source") == found["id"]:
        rest = _all(world, KINDS, "customer", customer["id"])
        world.change(customer, default_source=rest[0]["id"] if rest else None)
    return left


# Bank accounts and cards of connected accounts


@life("accounts.external_accounts.create", "accounts.bank_accounts.create")
def add_external(ask: Ask) -> Object:
    """Where a connected account is paid out to."""
    world = ask.world
    account = world.get("account", ask.path["account"])
    given = ask.params.get("external_account") or ask.params.get("bank_account")
    if given is None:
        raise missing_param("external_account")
    made = from_token(world, given, None, account=account["id"])
    world.change(made, account=account["id"], available_payout_methods=["standard"], default_for_currency=True)
    external = account["external_accounts"]
    world.change(account, external_accounts={**external, "data": [made, *external["data"]]})
    world.emit("account.external_account.created", made)
    return made


@life("accounts.external_accounts.list")
def externals(ask: Ask) -> Object:
    """Where a connected account is paid out to."""
    account = ask.world.get("account", ask.path["account"])
    kinds = (ask.params["object"],) if ask.params.get("object") else ("bank_account", "card")
    return listed(ask, _all(ask.world, kinds, "account", account["id"]))


@life("accounts.external_accounts.retrieve", "accounts.bank_accounts.retrieve")
def external(ask: Ask) -> Object:
    """One of an account's bank accounts and cards."""
    return _find(ask, "account")


@life("accounts.external_accounts.update", "accounts.bank_accounts.update", "external_accounts.update")
def update_external(ask: Ask) -> Object:
    """Change one of an account's bank accounts and cards."""
    return ask.world.update(_find(ask, "account"), ask.params)


@life("accounts.external_accounts.delete", "accounts.bank_accounts.delete")
def remove_external(ask: Ask) -> Object:
    """Take a bank account or a card from an account."""
    world, found = ask.world, _find(ask, "account")
    account = world.get("account", ask.path["account"])
    rest = [one for one in account["external_accounts"]["data"] if one["id"] != found["id"]]
    world.change(account, external_accounts={**account["external_accounts"], "data": rest})
    world.emit("account.external_account.deleted", found)
    return world.bury(found)


@life("sources.create")
def create_source(ask: Ask) -> Object:
    """A source of a type, chargeable at once."""
    world, params = ask.world, ask.params
    token = params.get("token")
    kind = "card" if token else params.get("type") or "card"
    source = world.draft("source", {name: value for name, value in params.items() if name not in ("token", "receiver")})
    source.update(
        type=kind, status="chargeable", usage=params.get("usage", "reusable"), flow=params.get("flow", "none")
    )
    name = "visa"
    if kind == "card" and isinstance(token, str):
        kept = world.hidden.get(token) if token in world.objects else None
        if kept is None and not token.startswith("tok_"):
            raise missing_object("token", token, "token")
        name = (kept or {}).get("card") or named({"token": token})
    world.hide(source["id"], {"card": name})
    return world.keep(source)
