"""Connected accounts: transfers to them, fees of theirs, and their onboarding, which is done at once. https://docs.stripe.com/connect"""

from __future__ import annotations

from decimal import Decimal

from pinstripe.emulator.billing.money import whole
from pinstripe.emulator.operations import balance
from pinstripe.emulator.operations._crud import life
from pinstripe.emulator.operations._lists import embedded, listed
from pinstripe.emulator.state.account import Ask, Object, World, clone
from pinstripe.emulator.validation.errors import Refusal, missing_object


@life("accounts.create")
def create(ask: Ask) -> Object:
    """A connected account; what it would have to hand in is taken as given."""
    world, params = ask.world, ask.params
    controller = {"is_controller": True, "type": "application", **clone(params.get("controller") or {})}
    account = world.draft("account", {name: value for name, value in params.items() if name != "capabilities"})
    account.update(
        capabilities={name: "active" for name, one in (params.get("capabilities") or {}).items() if (one or {}).get("requested")},
        charges_enabled=True,
        controller=controller,
        country=params.get("country", "US"),
        created=world.now(),
        default_currency="usd",
        details_submitted=True,
        external_accounts=embedded([], f"/v1/accounts/{account['id']}/external_accounts"),
        payouts_enabled=True,
        requirements=REQUIREMENTS,
        future_requirements=REQUIREMENTS,
        type=params.get("type", "none"),
    )  # fmt: skip
    world.keep(account)
    theirs = world.other(account["id"])
    if not theirs.objects:
        theirs.emit("account.updated", account, {})
    for name in account["capabilities"]:
        _capability(world, account, name)
    return account


REQUIREMENTS: Object = {
    "alternatives": [], "current_deadline": None, "currently_due": [], "disabled_reason": None, "errors": [],
    "eventually_due": [],
    "past_due": [], "pending_verification": [],
}  # fmt: skip


@life("accounts.update")
def update(ask: Ask) -> Object:
    """Change an account; capabilities that are asked for are there at once."""
    world, params = ask.world, dict(ask.params)
    account = world.get("account", ask.target)
    asked = params.pop("capabilities", None) or {}
    fields: Object = {}
    if asked:
        active = {name: "active" if (one or {}).get("requested") else "inactive" for name, one in asked.items()}
        fields["capabilities"] = {**account["capabilities"], **active}
        for name in active:
            _capability(world, account, name)
    return world.update(account, params, **fields)


def _capability(world: World, account: Object, name: str) -> Object:
    key = f"capability:{account['id']}:{name}"
    found: Object | None = world.hidden.get(key)
    if found is None:
        found = {
            **world.draft("capability"), "id": name, "account": account["id"], "requested": True, "requested_at": world.now(),
            "requirements": REQUIREMENTS, "future_requirements": REQUIREMENTS, "status": "active",
        }  # fmt: skip
        world.hide(key, found)
    return found


@life("accounts.capabilities.list")
def capabilities(ask: Ask) -> Object:
    """What an account can do."""
    account = ask.world.get("account", ask.path["account"])
    return listed(ask, [_capability(ask.world, account, name) for name in account["capabilities"]])


@life("accounts.capabilities.retrieve", "accounts.capabilities.update")
def capability(ask: Ask) -> Object:
    """One of the things that an account can do, or asks to."""
    world = ask.world
    account = world.get("account", ask.path["account"])
    name = ask.path["capability"]
    if ask.row.verb == "GET":
        if name not in account["capabilities"]:
            raise missing_object("capability", name)
        return _capability(world, account, name)
    requested = ask.params.get("requested", True)
    found = {
        **_capability(world, account, name),
        "requested": requested,
        "status": "active" if requested else "inactive",
    }
    world.hide(f"capability:{account['id']}:{name}", found)
    status = {**account["capabilities"], name: found["status"]}
    world.emit("updated", account, world.change(account, capabilities=status))
    return found


@life("accounts.reject")
def reject(ask: Ask) -> Object:
    """Turn an account away: it can neither charge nor be paid out."""
    account, reason = ask.world.get("account", ask.target), ask.params["reason"]
    if reason not in ("fraud", "terms_of_service", "other"):
        raise Refusal("Invalid reason: must be one of fraud, terms_of_service, or other", param="reason")
    requirements = {**account["requirements"], "disabled_reason": f"rejected.{reason}"}
    before = ask.world.change(account, charges_enabled=False, payouts_enabled=False, requirements=requirements)
    ask.world.emit("updated", account, before)
    return account


@life("accounts.retrieve_current")
def current(ask: Ask) -> Object:
    """The account of the request."""
    return own_account(ask.world)


def own_account(world: World) -> Object:
    """The account that a world is of; the platform's has an id of its own."""
    platform = world.other("")
    if world.account in platform.objects:
        return platform.objects[world.account]
    name = world.account or "acct_1Platform0000000"
    if name not in world.objects:
        made = world.draft(
            "account", {"id": name, "country": "US", "email": "owner@example.com", "default_currency": "usd"}
        )
        made.update(
            charges_enabled=True, payouts_enabled=True, details_submitted=True, type="standard", requirements=REQUIREMENTS,
            future_requirements=REQUIREMENTS, capabilities={"card_payments": "active", "transfers": "active"},
        )  # fmt: skip
        world.keep(made)
    return world.objects[name]


def _destination(world: World, identifier: str, where: str) -> World:
    known = world.objects.get(identifier, {})
    if known.get("object") not in ("account", "v2.core.account") and not identifier.startswith("acct_"):
        raise missing_object("destination", identifier, where)
    return world.other(identifier)


@life("transfers.create")
def transfer(ask: Ask) -> Object:
    """Move money of the balance to a connected account. https://docs.stripe.com/connect/separate-charges-and-transfers"""
    world, params = ask.world, ask.params
    theirs = _destination(world, params["destination"], "destination")
    source = (
        world.get("charge", params["source_transaction"], "source_transaction")
        if "source_transaction" in params
        else None
    )
    amount = params.get("amount") or (source["amount"] if source else 0)
    if amount < 1:
        raise Refusal("Invalid positive integer", code="parameter_invalid_integer", param="amount")
    currency = params["currency"].lower()
    if source is None and amount > balance.available(world, currency):
        raise Refusal("You have insufficient available funds in your Stripe account.", code="balance_insufficient")
    if source is not None and amount > source["amount"]:
        raise Refusal(
            "The amount is more than that of the source transaction.", code="amount_too_large", param="amount"
        )
    return _send(world, theirs, amount, currency, params, source)


def _send(
    world: World, theirs: World, amount: int, currency: str, params: Object, source: Object | None
) -> Object:  # fmt: skip
    made = world.draft("transfer", {name: params.get(name) for name in ("description", "transfer_group", "metadata")})
    made.update(
        amount=amount, amount_reversed=0, currency=currency, destination=theirs.account, reversed=False,
        reversals=embedded([], f"/v1/transfers/{made['id']}/reversals"), source_transaction=source["id"] if source else None,
        source_type="card", transfer_group=params.get("transfer_group"),
    )  # fmt: skip
    world.keep(made)
    moved = balance.record(world, "transfer", made, -amount)
    payment = theirs.make("charge", **_payment(amount, currency, made["id"]))
    arrived = balance.record(theirs, "payment", payment, amount)
    theirs.change(payment, balance_transaction=arrived["id"])
    world.change(made, balance_transaction=moved["id"], destination_payment=payment["id"])
    world.emit("created", made)
    return made


def _payment(amount: int, currency: str, transfer: str) -> Object:
    return {
        "amount": amount, "amount_captured": amount, "captured": True, "currency": currency, "paid": True,
        "source_transfer": transfer,
        "status": "succeeded", "outcome": None, "payment_method_details": {"type": "stripe_account", "stripe_account": {}},
    }  # fmt: skip


def share(world: World, charge: Object, amount: int) -> None:
    """A destination charge: what it brings goes to the connected account, less the application's fee."""
    data = charge["transfer_data"]
    theirs = _destination(world, data["destination"], "transfer_data[destination]")
    fee = int(charge["application_fee_amount"] or 0)
    given = int(data["amount"]) if data.get("amount") else amount
    made = _send(world, theirs, given, charge["currency"], {"transfer_group": charge["transfer_group"]}, charge)
    world.change(charge, transfer=made["id"])
    if fee:
        balance.record(theirs, "application_fee", theirs.objects[made["destination_payment"]], -fee)
        _fee(world, charge, fee, theirs.account)


def take_fee(world: World, charge: Object, fee: int) -> None:
    """A direct charge: the platform takes a fee of the connected account's charge."""
    balance.record(world, "application_fee", charge, -fee)
    _fee(world.other(""), charge, fee, world.account)
    world.change(charge, application_fee=next(world.other("").every("application_fee"))["id"])


def _fee(platform: World, charge: Object, fee: int, account: str) -> None:
    made = platform.make(
        "application_fee", account=account, amount=fee, amount_refunded=0, application="ca_emulator", charge=charge["id"],
        currency=charge["currency"], refunded=False,
    )  # fmt: skip
    platform.change(
        made,
        refunds=embedded([], f"/v1/application_fees/{made['id']}/refunds"),
        balance_transaction=balance.record(platform, "application_fee", made, fee)["id"],
    )
    if charge["id"] in platform.objects:
        platform.change(charge, application_fee=made["id"])
    platform.emit("created", made)


def refund_fee(world: World, identifier: str, part: int, of: int) -> None:
    """Give back as much of an application's fee as of its charge."""
    platform = world.other("")
    fee = platform.get("application_fee", identifier)
    given = min(whole(Decimal(fee["amount"]) * part / of), fee["amount"] - fee["amount_refunded"])
    if given:
        _refund_fee(platform, fee, given, {})


@life("application_fees.refund", "application_fees.refunds.create")
def fee_refund(ask: Ask) -> Object:
    """Give an application's fee back, or a part of it; the older route answers with the fee."""
    fee = ask.world.get("application_fee", ask.path["id"])
    made = _refund_fee(ask.world, fee, ask.params.get("amount"), ask.params)
    return fee if ask.row.method == "refund" else made


def _refund_fee(world: World, fee: Object, amount: int | None, params: Object) -> Object:
    left = fee["amount"] - fee["amount_refunded"]
    given = left if amount is None else amount
    if not 1 <= given <= left:
        raise Refusal(
            f"The amount is more than what is left of the fee ({left}).", code="amount_too_large", param="amount"
        )
    made = world.make("fee_refund", params, amount=given, currency=fee["currency"], fee=fee["id"])
    world.change(made, balance_transaction=balance.record(world, "application_fee_refund", made, -given)["id"])
    balance.record(world.other(fee["account"]), "application_fee_refund", made, given)
    refunded = fee["amount_refunded"] + given
    data = [made, *fee["refunds"]["data"]]
    world.change(
        fee, amount_refunded=refunded, refunded=refunded == fee["amount"], refunds={**fee["refunds"], "data": data}
    )
    world.emit("application_fee.refunded", fee)
    return made


@life("application_fees.refunds.list")
def fee_refunds(ask: Ask) -> Object:
    """What was given back of a fee."""
    fee = ask.world.get("application_fee", ask.path["id"])
    return listed(ask, ask.world.every("fee_refund", fee=fee["id"]))


@life("transfers.reversals.create")
def create_reversal(ask: Ask) -> Object:
    """Take a transfer back, or a part of it."""
    found = ask.world.get("transfer", ask.path["id"])
    return reverse(ask.world, found, ask.params.get("amount"), ask.params)


def reverse(world: World, found: Object, amount: int | None, params: Object) -> Object:
    """Take money of a transfer back from the connected account."""
    left = found["amount"] - found["amount_reversed"]
    given = left if amount is None else min(amount, left) if not params else amount
    if not 1 <= given <= left:
        raise Refusal(
            f"The amount is more than what is left of the transfer ({left}).", code="amount_too_large", param="amount"
        )
    made = world.make("transfer_reversal", params, amount=given, currency=found["currency"], transfer=found["id"])
    world.change(made, balance_transaction=balance.record(world, "transfer_refund", made, given)["id"])
    theirs = world.other(found["destination"])
    balance.record(theirs, "payment_refund", theirs.objects[found["destination_payment"]], -given)
    reversed_ = found["amount_reversed"] + given
    data = [made, *found["reversals"]["data"]]
    world.change(
        found,
        amount_reversed=reversed_,
        reversed=reversed_ == found["amount"],
        reversals={**found["reversals"], "data": data},
    )
    world.emit("reversed", found)
    return made
