"""What there is one of: settings, cash balances, features, the tax settings; and small objects that answer at once."""

from __future__ import annotations

from pinstripe._registry import registry
from pinstripe.emulator.operations._crud import life
from pinstripe.emulator.operations._expansion import includable
from pinstripe.emulator.operations._lists import listed
from pinstripe.emulator.operations.payment_methods import payment_method
from pinstripe.emulator.operations.test_cards import CARDS, shown
from pinstripe.emulator.state.account import Ask, Object, World, clone
from pinstripe.emulator.state.defaults import fit
from pinstripe.emulator.validation.errors import missing_object, missing_param


def single(world: World, kind: str, key: str = "", **fields: object) -> Object:
    """The only object of a kind that an account has, or that something in it has."""
    place = f"single:{kind}:{key}"
    found: Object | None = world.hidden.get(place)
    if found is None:
        found = {**world.draft(kind), **fields}
        world.hide(place, found)
    return found


def set_single(world: World, kind: str, params: Object, key: str = "", **fields: object) -> Object:
    """Change it."""
    before = single(world, kind, key, **fields)
    changed = {**before, **fit(registry().objects[kind], params, world.names, before)}
    world.hide(f"single:{kind}:{key}", changed)
    return changed


@life("balance_settings.retrieve", "balance_settings.update")
def balance_settings(ask: Ask) -> Object:
    """How the account is paid out."""
    if ask.row.verb == "GET":
        return single(ask.world, "balance_settings")
    found = set_single(ask.world, "balance_settings", ask.params)
    ask.world.emit("updated", found, {})
    return found


@life("tax.settings.retrieve", "tax.settings.update")
def tax_settings(ask: Ask) -> Object:
    """Where the account is taxed."""
    fields: Object = {"status": "active", "status_details": {"active": {}}}
    if ask.row.verb == "GET":
        return single(ask.world, "tax.settings", **fields)
    found = set_single(ask.world, "tax.settings", ask.params, **fields)
    ask.world.emit("updated", found, {})
    return found


@life("customers.cash_balance.retrieve", "customers.cash_balance.update")
def cash_balance(ask: Ask) -> Object:
    """What a customer has sent by bank transfer, and not yet paid with."""
    customer = ask.world.get("customer", ask.path["customer"])
    if ask.row.verb == "GET":
        return single(ask.world, "cash_balance", customer["id"], customer=customer["id"])
    return set_single(ask.world, "cash_balance", ask.params, customer["id"], customer=customer["id"])


@life("test_helpers.customers.fund_cash_balance")
def fund(ask: Ask) -> Object:
    """A bank transfer of a customer arrives."""
    world, params = ask.world, ask.params
    customer = world.get("customer", ask.path["customer"])
    currency, amount = params["currency"].lower(), params["amount"]
    cash = single(world, "cash_balance", customer["id"], customer=customer["id"])
    available = {**(cash["available"] or {}), currency: (cash["available"] or {}).get(currency, 0) + amount}
    cash = {**cash, "available": available}
    world.hide(f"single:cash_balance:{customer['id']}", cash)
    transfer = {
        "reference": params.get("reference"),
        "type": "us_bank_transfer",
        "us_bank_transfer": {"network": "ach", "sender_name": None},
    }
    moved = world.make(
        "customer_cash_balance_transaction", None, currency=currency, customer=customer["id"], ending_balance=available[currency],
        net_amount=amount, type="funded", funded={"bank_transfer": transfer},
    )  # fmt: skip
    world.emit("created", moved)
    world.emit("cash_balance.funds_available", cash)
    return moved


@includable("customer", "cash_balance")
def cash(world: World, customer: Object) -> Object:
    """A customer's cash balance."""
    return single(world, "cash_balance", customer["id"], customer=customer["id"])


@life("treasury.financial_accounts.features.retrieve", "treasury.financial_accounts.features.update")
def features(ask: Ask) -> Object:
    """What a financial account can do."""
    account = ask.world.get("treasury.financial_account", ask.path["financial_account"])
    if ask.row.verb == "GET":
        return single(ask.world, "treasury.financial_account_features", account["id"])
    given = {
        name: {"requested": True, "status": "active", "status_details": [], **part}
        for name, part in ask.params.items()
        if isinstance(part, dict)
    }
    return set_single(ask.world, "treasury.financial_account_features", given, account["id"])


@life("billing.credit_balance_summary.retrieve")
def credit_summary(ask: Ask) -> Object:
    """What is left of a customer's credit grants."""
    world = ask.world
    customer = world.get("customer", ask.params.get("customer") or "", "customer")
    grants = [one for one in world.every("billing.credit_grant", customer=customer["id"]) if not one["voided_at"]]
    sums: dict[str, int] = {}
    for grant in grants:
        money = grant["amount"].get("monetary") or {}
        if money and not (grant["expires_at"] and grant["expires_at"] <= world.now()):
            sums[money["currency"]] = sums.get(money["currency"], 0) + money["value"]
    amounts = [
        {"type": "monetary", "monetary": {"currency": currency, "value": value}} for currency, value in sums.items()
    ] or [{"type": "monetary", "monetary": {"currency": "usd", "value": 0}}]
    return {
        "object": "billing.credit_balance_summary", "customer": customer["id"], "livemode": False,
        "balances": [{"available_balance": one, "ledger_balance": one} for one in amounts],
    }  # fmt: skip


@life("billing.credit_grants.create")
def grant(ask: Ask) -> Object:
    """Credit for what a customer uses."""
    world, params = ask.world, ask.params
    made = world.draft("billing.credit_grant", params)
    made.update(
        category=params.get("category", "promotional"),
        effective_at=params.get("effective_at") or world.now(),
        updated=world.now(),
    )
    world.keep(made)
    movement = {"type": "credits_granted", "amount": clone(made["amount"]), "credits_application_invoice_voided": None}
    world.make("billing.credit_balance_transaction", None, type="credit", credit=movement, debit=None,
    credit_grant=made["id"], effective_at=made["effective_at"], test_clock=None)  # fmt: skip
    world.emit("created", made)
    return made


@life("billing.credit_balance_transactions.list")
def credit_movements(ask: Ask) -> Object:
    """What came to and went from a customer's credit."""
    world, customer = ask.world, ask.params.get("customer")
    wanted = ask.params.get("credit_grant")
    found = world.every("billing.credit_balance_transaction")
    return listed(
        ask,
        (
            one
            for one in found
            if wanted in (None, one["credit_grant"])
            and "customer_account" not in ask.params  # grants here are customers' alone
            and customer in (None, world.objects.get(one["credit_grant"], {}).get("customer"))
        ),
    )


@life("entitlements.active_entitlements.list")
def entitlements(ask: Ask) -> Object:
    """The features of the products that a customer subscribes to."""
    world = ask.world
    customer = world.get("customer", ask.params["customer"], "customer")
    products = {
        item["price"]["product"]
        for one in world.every("subscription", customer=customer["id"])
        if one["status"] in ("active", "trialing", "past_due")
        for item in one["items"]["data"]
    }
    found = {}
    for link in world.every("product_feature"):
        if world.hidden.get(f"owner:{link['id']}") in products:
            feature = link["entitlement_feature"]
            key = f"entitlement:{customer['id']}:{feature['id']}"
            identifier = world.hidden.get(key) or world.new_id("entitlements.active_entitlement")
            world.hide(key, identifier)
            found[feature["id"]] = {
                "id": identifier, "object": "entitlements.active_entitlement", "feature": feature["id"], "livemode": False,
                "lookup_key": feature["lookup_key"],
            }  # fmt: skip
    for one in found.values():
        if one["id"] not in world.objects:
            world.keep(one)
    return listed(ask, found.values())


@life("products.features.create")
def add_feature(ask: Ask) -> Object:
    """Let a product have a feature."""
    world = ask.world
    product = world.get("product", ask.path["product"])
    feature = world.get("entitlements.feature", ask.params["entitlement_feature"], "entitlement_feature")
    made = world.draft("product_feature")
    made["entitlement_feature"] = feature
    world.keep(made)
    world.hide(f"owner:{made['id']}", product["id"])
    return made


@life("test_helpers.confirmation_tokens.create")
def confirmation_token(ask: Ask) -> Object:
    """What a front end hands over to confirm an intent with."""
    world, params = ask.world, ask.params
    name = "visa"
    if identifier := params.get("payment_method"):
        method = payment_method(world, identifier)
        name = world.hidden.get(method["id"], {}).get("card", "visa")
    elif data := params.get("payment_method_data"):
        if data.get("type") != "card":
            raise missing_param("payment_method_data[type]")
        method = payment_method(world, "pm_card_visa")
    else:
        raise missing_param("payment_method")
    token = world.draft(
        "confirmation_token",
        {name_: value for name_, value in params.items() if name_ in ("return_url", "setup_future_usage")},
    )
    preview = world.draft_part("confirmation_token", "payment_method_preview")
    preview.update(
        type="card",
        card=method.get("card") or shown(CARDS[name], {}),
        billing_details=method["billing_details"],
        customer=None,
    )
    token.update(payment_method_preview=preview, expires_at=world.now() + 12 * 3600, use_stripe_sdk=True)
    world.keep(token)
    world.hide(f"method:{token['id']}", method["id"])
    return token


@life("payment_records.report_payment")
def report_payment(ask: Ask) -> Object:
    """A payment that was made elsewhere."""
    world, params = ask.world, ask.params
    record = world.draft(
        "payment_record", {name: params[name] for name in ("description", "metadata") if name in params}
    )
    record["amount_requested"] = clone(params["amount_requested"])
    _reported(
        record,
        params,
        "guaranteed"
        if params.get("guaranteed") or params.get("outcome") == "guaranteed"
        else str(params.get("outcome") or ""),
    )
    return world.keep(record)


NOTHING = {"currency": "usd", "value": 0}


def _reported(record: Object, params: Object, outcome: str) -> None:
    amount = record["amount_requested"]
    nothing = {**NOTHING, "currency": amount["currency"]}
    for name in (
        "amount",
        "amount_authorized",
        "amount_canceled",
        "amount_failed",
        "amount_guaranteed",
        "amount_refunded",
    ):
        record[name] = dict(nothing)
    record["amount"] = dict(amount)
    if outcome in ("guaranteed", "canceled", "failed"):
        record[f"amount_{outcome}"] = dict(amount)


@life(
    "payment_records.report_payment_attempt",
    "payment_records.report_payment_attempt_canceled",
    "payment_records.report_payment_attempt_failed",
    "payment_records.report_payment_attempt_guaranteed",
    "payment_records.report_payment_attempt_informational",
    "payment_records.report_refund",
)
def report(ask: Ask) -> Object:
    """What became of a payment that was made elsewhere."""
    world, params = ask.world, ask.params
    record = world.objects.get(ask.path["id"])
    if record is None or record["object"] != "payment_record":
        raise missing_object("payment_record", ask.path["id"])
    changed = clone(record)
    word = ask.row.method.rpartition("_")[2]
    if word == "refund":
        value = (params.get("amount") or record["amount"])["value"]
        changed["amount_refunded"] = {**record["amount_refunded"], "value": record["amount_refunded"]["value"] + value}
    elif word != "informational":
        _reported(changed, params, word if word != "attempt" else str(params.get("outcome") or ""))
    world.change(record, **changed)
    return record


@life("customers.funding_instructions.create")
def funding_instructions(ask: Ask) -> Object:
    """Where a customer sends bank transfers to."""
    world = ask.world
    world.get("customer", ask.path["customer"])
    made = world.draft("funding_instructions")
    made.update(currency=ask.params["currency"].lower(), funding_type="bank_transfer")
    kind = ask.params["bank_transfer"]["type"]
    made["bank_transfer"] |= {"country": "US", "financial_addresses": []}
    if kind in ("eu_bank_transfer", "jp_bank_transfer"):  # the others have no name of their own in the answer
        made["bank_transfer"]["type"] = kind
    return made
