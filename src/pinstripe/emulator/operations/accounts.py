"""Connected accounts: transfers to them, fees of theirs, and their onboarding, which is done at once. https://docs.stripe.com/connect"""

from __future__ import annotations

from decimal import Decimal

from pinstripe.emulator.billing.money import round_amount
from pinstripe.emulator.operations import balance
from pinstripe.emulator.operations._pagination import embedded_list, paginate
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object, clone
from pinstripe.emulator.state.tables import StoredObject
from pinstripe.emulator.validation.errors import ErrorResponse, missing_object


@operation("accounts.create")
def create(context: OperationContext) -> Object:
    """A connected account; what it would have to hand in is taken as given."""
    state, params = context.state, context.params
    controller = {"is_controller": True, "type": "application", **clone(params.get("controller") or {})}
    account = state.draft("account", {name: value for name, value in params.items() if name != "capabilities"})
    account.update(
        capabilities={
            name: "active" for name, one in (params.get("capabilities") or {}).items() if (one or {}).get("requested")
        },
        charges_enabled=True,
        controller=controller,
        country=params.get("country", "US"),
        created=state.clock.now(),
        default_currency="usd",
        details_submitted=True,
        external_accounts=embedded_list([], f"/v1/accounts/{account['id']}/external_accounts"),
        payouts_enabled=True,
        requirements=REQUIREMENTS,
        future_requirements=REQUIREMENTS,
        type=params.get("type", "none"),
    )
    state.objects.add(account)
    theirs = state.other(account["id"])
    if not theirs.objects.types:
        theirs.events.emit("account.updated", account, {})
    for name in account["capabilities"]:
        _capability(state, account, name)
    return account


REQUIREMENTS: Object = {
    "alternatives": [],
    "current_deadline": None,
    "currently_due": [],
    "disabled_reason": None,
    "errors": [],
    "eventually_due": [],
    "past_due": [],
    "pending_verification": [],
}


@operation("accounts.update")
def update(context: OperationContext) -> Object:
    """Change an account; capabilities that are asked for are there at once."""
    state, params = context.state, dict(context.params)
    account = state.objects.get("account", context.target_id)
    asked = params.pop("capabilities", None) or {}
    fields: Object = {}
    if asked:
        active = {name: "active" if (one or {}).get("requested") else "inactive" for name, one in asked.items()}
        fields["capabilities"] = {**account["capabilities"], **active}
        for name in active:
            _capability(state, account, name)
    return state.apply_update(account, params, **fields)


def _capability(state: AccountState, account: Object, name: str) -> Object:
    key = (account["id"], name)
    stored = state.tables.capabilities.get(key)
    if stored is None:
        capability = {
            **state.draft("capability"),
            "id": name,
            "account": account["id"],
            "requested": True,
            "requested_at": state.clock.now(),
            "requirements": REQUIREMENTS,
            "future_requirements": REQUIREMENTS,
            "status": "active",
        }
        stored = StoredObject(capability)
        state.tables.capabilities.set(key, stored)
    return stored.value


@operation("accounts.capabilities.list")
def capabilities(context: OperationContext) -> Object:
    """What an account can do."""
    account = context.state.objects.get("account", context.path["account"])
    return paginate(context, [_capability(context.state, account, name) for name in account["capabilities"]])


@operation("accounts.capabilities.retrieve", "accounts.capabilities.update")
def capability(context: OperationContext) -> Object:
    """One of the things that an account can do, or asks to."""
    state = context.state
    account = state.objects.get("account", context.path["account"])
    name = context.path["capability"]
    if context.endpoint.verb == "GET":
        if name not in account["capabilities"]:
            raise missing_object("capability", name)
        return _capability(state, account, name)
    requested = context.params.get("requested", True)
    found = {
        **_capability(state, account, name),
        "requested": requested,
        "status": "active" if requested else "inactive",
    }
    state.tables.capabilities.set((account["id"], name), StoredObject(found))
    status = {**account["capabilities"], name: found["status"]}
    state.events.emit("updated", account, state.objects.update(account, capabilities=status))
    return found


@operation("accounts.reject")
def reject(context: OperationContext) -> Object:
    """Turn an account away: it can neither charge nor be paid out."""
    account, reason = context.state.objects.get("account", context.target_id), context.params["reason"]
    if reason not in ("fraud", "terms_of_service", "other"):
        raise ErrorResponse("Invalid reason: must be one of fraud, terms_of_service, or other", param="reason")
    requirements = {**account["requirements"], "disabled_reason": f"rejected.{reason}"}
    before = context.state.objects.update(
        account, charges_enabled=False, payouts_enabled=False, requirements=requirements
    )
    context.state.events.emit("updated", account, before)
    return account


@operation("accounts.retrieve_current")
def current(context: OperationContext) -> Object:
    """The account of the request."""
    return own_account(context.state)


def own_account(state: AccountState) -> Object:
    """The account that a state is of; the platform's has an id of its own."""
    platform = state.other("")
    if own := platform.objects.find("account", state.id):
        return own
    name = state.id or "acct_1Platform0000000"
    if ("account", name) not in state.objects:
        made = state.draft(
            "account", {"id": name, "country": "US", "email": "owner@example.com", "default_currency": "usd"}
        )
        made.update(
            charges_enabled=True,
            payouts_enabled=True,
            details_submitted=True,
            type="standard",
            requirements=REQUIREMENTS,
            future_requirements=REQUIREMENTS,
            capabilities={"card_payments": "active", "transfers": "active"},
        )
        state.objects.add(made)
    return state.objects["account", name]


def _destination(state: AccountState, identifier: str, where: str) -> AccountState:
    known = state.objects.find(("account", "v2.core.account"), identifier)
    if known is None and not identifier.startswith("acct_"):
        raise missing_object("destination", identifier, where)
    return state.other(identifier)


@operation("transfers.create")
def transfer(context: OperationContext) -> Object:
    """Move money of the balance to a connected account. https://docs.stripe.com/connect/separate-charges-and-transfers"""
    state, params = context.state, context.params
    theirs = _destination(state, params["destination"], "destination")
    source = (
        state.objects.get("charge", params["source_transaction"], "source_transaction")
        if "source_transaction" in params
        else None
    )
    amount = params.get("amount") or (source["amount"] if source else 0)
    if amount < 1:
        raise ErrorResponse("Invalid positive integer", code="parameter_invalid_integer", param="amount")
    currency = params["currency"].lower()
    if source is None and amount > balance.available(state, currency):
        raise ErrorResponse(
            "You have insufficient available funds in your Stripe account.", code="balance_insufficient"
        )
    if source is not None and amount > source["amount"]:
        raise ErrorResponse(
            "The amount is more than that of the source transaction.", code="amount_too_large", param="amount"
        )
    return _send(state, theirs, amount, currency, params, source)


def _send(
    state: AccountState, theirs: AccountState, amount: int, currency: str, params: Object, source: Object | None
) -> Object:
    made = state.draft("transfer", {name: params.get(name) for name in ("description", "transfer_group", "metadata")})
    made.update(
        amount=amount,
        amount_reversed=0,
        currency=currency,
        destination=theirs.id,
        reversed=False,
        reversals=embedded_list([], f"/v1/transfers/{made['id']}/reversals"),
        source_transaction=source["id"] if source else None,
        source_type="card",
        transfer_group=params.get("transfer_group"),
    )
    state.objects.add(made)
    moved = balance.record(state, "transfer", made, -amount)
    payment = theirs.create("charge", **_payment(amount, currency, made["id"]))
    arrived = balance.record(theirs, "payment", payment, amount)
    theirs.objects.update(payment, balance_transaction=arrived["id"])
    state.objects.update(made, balance_transaction=moved["id"], destination_payment=payment["id"])
    state.events.emit("created", made)
    return made


def _payment(amount: int, currency: str, transfer: str) -> Object:
    return {
        "amount": amount,
        "amount_captured": amount,
        "captured": True,
        "currency": currency,
        "paid": True,
        "source_transfer": transfer,
        "status": "succeeded",
        "outcome": None,
        "payment_method_details": {"type": "stripe_account", "stripe_account": {}},
    }


def share(state: AccountState, charge: Object, amount: int) -> None:
    """A destination charge: what it brings goes to the connected account, less the application's fee."""
    data = charge["transfer_data"]
    theirs = _destination(state, data["destination"], "transfer_data[destination]")
    fee = int(charge["application_fee_amount"] or 0)
    given = int(data["amount"]) if data.get("amount") else amount
    made = _send(state, theirs, given, charge["currency"], {"transfer_group": charge["transfer_group"]}, charge)
    state.objects.update(charge, transfer=made["id"])
    if fee:
        balance.record(theirs, "application_fee", theirs.objects["charge", made["destination_payment"]], -fee)
        _fee(state, charge, fee, theirs.id)


def take_fee(state: AccountState, charge: Object, fee: int) -> None:
    """A direct charge: the platform takes a fee of the connected account's charge."""
    balance.record(state, "application_fee", charge, -fee)
    _fee(state.other(""), charge, fee, state.id)
    state.objects.update(charge, application_fee=next(state.other("").objects.all("application_fee"))["id"])


def _fee(platform: AccountState, charge: Object, fee: int, account: str) -> None:
    made = platform.create(
        "application_fee",
        account=account,
        amount=fee,
        amount_refunded=0,
        application="ca_emulator",
        charge=charge["id"],
        currency=charge["currency"],
        refunded=False,
    )
    platform.objects.update(
        made,
        refunds=embedded_list([], f"/v1/application_fees/{made['id']}/refunds"),
        balance_transaction=balance.record(platform, "application_fee", made, fee)["id"],
    )
    if ("charge", charge["id"]) in platform.objects:
        platform.objects.update(charge, application_fee=made["id"])
    platform.events.emit("created", made)


def refund_fee(state: AccountState, identifier: str, part: int, of: int) -> None:
    """Give back as much of an application's fee as of its charge."""
    platform = state.other("")
    fee = platform.objects.get("application_fee", identifier)
    given = min(round_amount(Decimal(fee["amount"]) * part / of), fee["amount"] - fee["amount_refunded"])
    if given:
        _refund_fee(platform, fee, given, {})


@operation("application_fees.refund", "application_fees.refunds.create")
def fee_refund(context: OperationContext) -> Object:
    """Give an application's fee back, or a part of it; the older route answers with the fee."""
    fee = context.state.objects.get("application_fee", context.path["id"])
    made = _refund_fee(context.state, fee, context.params.get("amount"), context.params)
    return fee if context.endpoint.method == "refund" else made


def _refund_fee(state: AccountState, fee: Object, amount: int | None, params: Object) -> Object:
    left = fee["amount"] - fee["amount_refunded"]
    given = left if amount is None else amount
    if not 1 <= given <= left:
        raise ErrorResponse(
            f"The amount is more than what is left of the fee ({left}).", code="amount_too_large", param="amount"
        )
    made = state.create("fee_refund", params, amount=given, currency=fee["currency"], fee=fee["id"])
    state.objects.update(made, balance_transaction=balance.record(state, "application_fee_refund", made, -given)["id"])
    balance.record(state.other(fee["account"]), "application_fee_refund", made, given)
    refunded = fee["amount_refunded"] + given
    data = [made, *fee["refunds"]["data"]]
    state.objects.update(
        fee, amount_refunded=refunded, refunded=refunded == fee["amount"], refunds={**fee["refunds"], "data": data}
    )
    state.events.emit("application_fee.refunded", fee)
    return made


@operation("application_fees.refunds.list")
def fee_refunds(context: OperationContext) -> Object:
    """What was given back of a fee."""
    fee = context.state.objects.get("application_fee", context.path["id"])
    return paginate(context, context.state.objects.all("fee_refund", fee=fee["id"]))


@operation("transfers.reversals.create")
def create_reversal(context: OperationContext) -> Object:
    """Take a transfer back, or a part of it."""
    found = context.state.objects.get("transfer", context.path["id"])
    return reverse(context.state, found, context.params.get("amount"), context.params)


def reverse(state: AccountState, found: Object, amount: int | None, params: Object) -> Object:
    """Take money of a transfer back from the connected account."""
    left = found["amount"] - found["amount_reversed"]
    given = left if amount is None else min(amount, left) if not params else amount
    if not 1 <= given <= left:
        raise ErrorResponse(
            f"The amount is more than what is left of the transfer ({left}).", code="amount_too_large", param="amount"
        )
    made = state.create("transfer_reversal", params, amount=given, currency=found["currency"], transfer=found["id"])
    state.objects.update(made, balance_transaction=balance.record(state, "transfer_refund", made, given)["id"])
    theirs = state.other(found["destination"])
    balance.record(theirs, "payment_refund", theirs.objects["charge", found["destination_payment"]], -given)
    reversed_ = found["amount_reversed"] + given
    data = [made, *found["reversals"]["data"]]
    state.objects.update(
        found,
        amount_reversed=reversed_,
        reversed=reversed_ == found["amount"],
        reversals={**found["reversals"], "data": data},
    )
    state.events.emit("reversed", found)
    return made
