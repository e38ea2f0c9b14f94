"""What there is one of: settings, cash balances, features, the tax settings; and small objects that answer at once."""

from __future__ import annotations

from pinstripe._registry import registry
from pinstripe.emulator.operations._expansion import includable
from pinstripe.emulator.operations._pagination import paginate
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.payment_methods import payment_method
from pinstripe.emulator.operations.test_cards import CARDS, instrument_of, shown
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.defaults import fit
from pinstripe.emulator.state.json_values import Object, clone
from pinstripe.emulator.state.tables import Reference, StoredObject
from pinstripe.emulator.validation.errors import missing_object, missing_param


def single(state: AccountState, kind: str, key: str = "", **fields: object) -> Object:
    """The only object of a kind that an account has, or that something in it has."""
    stored = state.tables.singletons.get((kind, key))
    if stored is None:
        stored = StoredObject({**state.draft(kind), **fields})
        state.tables.singletons.set((kind, key), stored)
    return stored.value


def set_single(state: AccountState, kind: str, params: Object, key: str = "", **fields: object) -> Object:
    """Change it."""
    before = single(state, kind, key, **fields)
    changed = {**before, **fit(registry().objects[kind], params, state.default_values, before)}
    state.tables.singletons.set((kind, key), StoredObject(changed))
    return changed


@operation("balance_settings.retrieve", "balance_settings.update")
def balance_settings(context: OperationContext) -> Object:
    """How the account is paid out."""
    if context.endpoint.verb == "GET":
        return single(context.state, "balance_settings")
    found = set_single(context.state, "balance_settings", context.params)
    context.state.events.emit("updated", found, {})
    return found


@operation("tax.settings.retrieve", "tax.settings.update")
def tax_settings(context: OperationContext) -> Object:
    """Where the account is taxed."""
    fields: Object = {"status": "active", "status_details": {"active": {}}}
    if context.endpoint.verb == "GET":
        return single(context.state, "tax.settings", **fields)
    found = set_single(context.state, "tax.settings", context.params, **fields)
    context.state.events.emit("updated", found, {})
    return found


@operation("customers.cash_balance.retrieve", "customers.cash_balance.update")
def cash_balance(context: OperationContext) -> Object:
    """What a customer has sent by bank transfer, and not yet paid with."""
    customer = context.state.objects.get("customer", context.path["customer"])
    if context.endpoint.verb == "GET":
        return single(context.state, "cash_balance", customer["id"], customer=customer["id"])
    return set_single(context.state, "cash_balance", context.params, customer["id"], customer=customer["id"])


@operation("test_helpers.customers.fund_cash_balance")
def fund(context: OperationContext) -> Object:
    """A bank transfer of a customer arrives."""
    state, params = context.state, context.params
    customer = state.objects.get("customer", context.path["customer"])
    currency, amount = params["currency"].lower(), params["amount"]
    cash = single(state, "cash_balance", customer["id"], customer=customer["id"])
    available = {**(cash["available"] or {}), currency: (cash["available"] or {}).get(currency, 0) + amount}
    cash = {**cash, "available": available}
    state.tables.singletons.set(("cash_balance", customer["id"]), StoredObject(cash))
    transfer = {
        "reference": params.get("reference"),
        "type": "us_bank_transfer",
        "us_bank_transfer": {"network": "ach", "sender_name": None},
    }
    moved = state.create(
        "customer_cash_balance_transaction",
        None,
        currency=currency,
        customer=customer["id"],
        ending_balance=available[currency],
        net_amount=amount,
        type="funded",
        funded={"bank_transfer": transfer},
    )
    state.events.emit("created", moved)
    state.events.emit("cash_balance.funds_available", cash)
    return moved


@includable("customer", "cash_balance")
def cash(state: AccountState, customer: Object) -> Object:
    """A customer's cash balance."""
    return single(state, "cash_balance", customer["id"], customer=customer["id"])


@operation("treasury.financial_accounts.features.retrieve", "treasury.financial_accounts.features.update")
def features(context: OperationContext) -> Object:
    """What a financial account can do."""
    account = context.state.objects.get("treasury.financial_account", context.path["financial_account"])
    if context.endpoint.verb == "GET":
        return single(context.state, "treasury.financial_account_features", account["id"])
    given = {
        name: {"requested": True, "status": "active", "status_details": [], **part}
        for name, part in context.params.items()
        if isinstance(part, dict)
    }
    return set_single(context.state, "treasury.financial_account_features", given, account["id"])


@operation("billing.credit_balance_summary.retrieve")
def credit_summary(context: OperationContext) -> Object:
    """What is left of a customer's credit grants."""
    state = context.state
    customer = state.objects.get("customer", context.params.get("customer") or "", "customer")
    grants = [one for one in state.objects.all("billing.credit_grant", customer=customer["id"]) if not one["voided_at"]]
    sums: dict[str, int] = {}
    for grant in grants:
        money = grant["amount"].get("monetary") or {}
        if money and not (grant["expires_at"] and grant["expires_at"] <= state.clock.now()):
            sums[money["currency"]] = sums.get(money["currency"], 0) + money["value"]
    amounts = [
        {"type": "monetary", "monetary": {"currency": currency, "value": value}} for currency, value in sums.items()
    ] or [{"type": "monetary", "monetary": {"currency": "usd", "value": 0}}]
    return {
        "object": "billing.credit_balance_summary",
        "customer": customer["id"],
        "livemode": False,
        "balances": [{"available_balance": one, "ledger_balance": one} for one in amounts],
    }


@operation("billing.credit_grants.create")
def grant(context: OperationContext) -> Object:
    """Credit for what a customer uses."""
    state, params = context.state, context.params
    made = state.draft("billing.credit_grant", params)
    made.update(
        category=params.get("category", "promotional"),
        effective_at=params.get("effective_at") or state.clock.now(),
        updated=state.clock.now(),
    )
    state.objects.add(made)
    movement = {"type": "credits_granted", "amount": clone(made["amount"]), "credits_application_invoice_voided": None}
    state.create(
        "billing.credit_balance_transaction",
        None,
        type="credit",
        credit=movement,
        debit=None,
        credit_grant=made["id"],
        effective_at=made["effective_at"],
        test_clock=None,
    )
    state.events.emit("created", made)
    return made


@operation("billing.credit_balance_transactions.list")
def credit_movements(context: OperationContext) -> Object:
    """What came to and went from a customer's credit."""
    state, customer = context.state, context.params.get("customer")
    wanted = context.params.get("credit_grant")
    found = state.objects.all("billing.credit_balance_transaction")
    return paginate(
        context,
        (
            one
            for one in found
            if wanted in (None, one["credit_grant"])
            and "customer_account" not in context.params  # grants here are customers' alone
            and customer
            in (None, (state.objects.find("billing.credit_grant", one["credit_grant"]) or {}).get("customer"))
        ),
    )


@operation("entitlements.active_entitlements.list")
def entitlements(context: OperationContext) -> Object:
    """The features of the products that a customer subscribes to."""
    state = context.state
    customer = state.objects.get("customer", context.params["customer"], "customer")
    products = {
        item["price"]["product"]
        for one in state.objects.all("subscription", customer=customer["id"])
        if one["status"] in ("active", "trialing", "past_due")
        for item in one["items"]["data"]
    }
    found = {}
    for link in state.objects.all("product_feature"):
        owner = state.tables.owners.get(link["id"])
        if owner is not None and owner.id in products:
            feature = link["entitlement_feature"]
            key = (customer["id"], feature["id"])
            known = state.tables.entitlements.get(key)
            identifier = known.id if known else state.new_id("entitlements.active_entitlement")
            state.tables.entitlements.set(key, Reference(identifier))
            found[feature["id"]] = {
                "id": identifier,
                "object": "entitlements.active_entitlement",
                "feature": feature["id"],
                "livemode": False,
                "lookup_key": feature["lookup_key"],
            }
    for one in found.values():
        if ("entitlements.active_entitlement", one["id"]) not in state.objects:
            state.objects.add(one)
    return paginate(context, found.values())


@operation("products.features.create")
def add_feature(context: OperationContext) -> Object:
    """Let a product have a feature."""
    state = context.state
    product = state.objects.get("product", context.path["product"])
    feature = state.objects.get("entitlements.feature", context.params["entitlement_feature"], "entitlement_feature")
    made = state.draft("product_feature")
    made["entitlement_feature"] = feature
    state.objects.add(made)
    state.tables.owners.set(made["id"], Reference(product["id"]))
    return made


@operation("test_helpers.confirmation_tokens.create")
def confirmation_token(context: OperationContext) -> Object:
    """What a front end hands over to confirm an intent with."""
    state, params = context.state, context.params
    name = "visa"
    if identifier := params.get("payment_method"):
        method = payment_method(state, identifier)
        name = instrument_of(state, method["id"]).card
    elif data := params.get("payment_method_data"):
        if data.get("type") != "card":
            raise missing_param("payment_method_data[type]")
        method = payment_method(state, "pm_card_visa")
    else:
        raise missing_param("payment_method")
    token = state.draft(
        "confirmation_token",
        {name_: value for name_, value in params.items() if name_ in ("return_url", "setup_future_usage")},
    )
    preview = state.draft_part("confirmation_token", "payment_method_preview")
    preview.update(
        type="card",
        card=method.get("card") or shown(CARDS[name], {}),
        billing_details=method["billing_details"],
        customer=None,
    )
    token.update(payment_method_preview=preview, expires_at=state.clock.now() + 12 * 3600, use_stripe_sdk=True)
    state.objects.add(token)
    state.tables.confirmation_token_methods.set(token["id"], Reference(method["id"]))
    return token


@operation("payment_records.report_payment")
def report_payment(context: OperationContext) -> Object:
    """A payment that was made elsewhere."""
    state, params = context.state, context.params
    record = state.draft(
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
    return state.objects.add(record)


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


@operation(
    "payment_records.report_payment_attempt",
    "payment_records.report_payment_attempt_canceled",
    "payment_records.report_payment_attempt_failed",
    "payment_records.report_payment_attempt_guaranteed",
    "payment_records.report_payment_attempt_informational",
    "payment_records.report_refund",
)
def report(context: OperationContext) -> Object:
    """What became of a payment that was made elsewhere."""
    state, params = context.state, context.params
    record = state.objects.find("payment_record", context.path["id"])
    if record is None:
        raise missing_object("payment_record", context.path["id"])
    changed = clone(record)
    word = context.endpoint.method.rpartition("_")[2]
    if word == "refund":
        value = (params.get("amount") or record["amount"])["value"]
        changed["amount_refunded"] = {**record["amount_refunded"], "value": record["amount_refunded"]["value"] + value}
    elif word != "informational":
        _reported(changed, params, word if word != "attempt" else str(params.get("outcome") or ""))
    state.objects.update(record, **changed)
    return record


@operation("customers.funding_instructions.create")
def funding_instructions(context: OperationContext) -> Object:
    """Where a customer sends bank transfers to."""
    state = context.state
    state.objects.get("customer", context.path["customer"])
    made = state.draft("funding_instructions")
    made.update(currency=context.params["currency"].lower(), funding_type="bank_transfer")
    kind = context.params["bank_transfer"]["type"]
    made["bank_transfer"] |= {"country": "US", "financial_addresses": []}
    if kind in ("eu_bank_transfer", "jp_bank_transfer"):  # the others have no name of their own in the answer
        made["bank_transfer"]["type"] = kind
    return made
