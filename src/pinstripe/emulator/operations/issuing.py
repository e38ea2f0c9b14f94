"""Issuing and Treasury, as far as their test helpers go: authorizations, transactions, transfers. https://docs.stripe.com/issuing/testing"""

from __future__ import annotations

from pinstripe.emulator.operations._crud import life
from pinstripe.emulator.operations._expansion import includable
from pinstripe.emulator.state.account import Ask, Object, World
from pinstripe.emulator.validation.errors import Refusal, wrong_state


@life("issuing.cardholders.create")
def create_holder(ask: Ask) -> Object:
    """Somebody who holds cards."""
    world, params = ask.world, ask.params
    made = world.draft("issuing.cardholder", params)
    kind = params.get("type") or ("company" if params.get("company") else "individual")
    made.update(
        status=params.get("status", "active"), type=kind, requirements={"disabled_reason": None, "past_due": []}
    )
    world.keep(made)
    world.emit("created", made)
    return made


@includable("issuing.card", "number")
def number(world: World, card: Object) -> str:
    """The number of a card, for whoever asks for it."""
    return f"400000999000{card['last4']}"


@includable("issuing.card", "cvc")
def cvc(world: World, card: Object) -> str:
    """The security code of a card, for whoever asks for it."""
    return "123"


@life("issuing.cards.create")
def create_card(ask: Ask) -> Object:
    """A card of a cardholder."""
    world, params = ask.world, ask.params
    holder = world.get("issuing.cardholder", params["cardholder"], "cardholder") if params.get("cardholder") else None
    if holder is None:
        raise Refusal("Missing required param: cardholder.", code="parameter_missing", param="cardholder")
    made = world.draft("issuing.card", {name: value for name, value in params.items() if name != "cardholder"})
    made.update(
        brand="Visa", cardholder=holder, currency=params["currency"].lower(), exp_month=12, exp_year=2034,
        last4="".join(world.random.choices("0123456789", k=4)), status=params.get("status", "inactive"), type=params["type"],
    )  # fmt: skip
    if params["type"] == "virtual":
        made["shipping"] = None
    elif made.get("shipping"):
        made["shipping"] |= {
            "status": "pending",
            "carrier": None,
            "tracking_number": None,
            "tracking_url": None,
            "eta": None,
        }
    made.pop("number", None)
    made.pop("cvc", None)
    world.keep(made)
    world.emit("created", made)
    return made


@life("test_helpers.issuing.authorizations.create")
def authorize(ask: Ask) -> Object:
    """A merchant asks a card for money."""
    world, params = ask.world, ask.params
    card = world.get("issuing.card", params["card"], "card")
    amount, currency = (
        params.get("amount", params.get("merchant_amount", 100)),
        (params.get("currency") or card["currency"]).lower(),
    )
    active = card["status"] == "active"
    made = world.draft(
        "issuing.authorization", {name: params[name] for name in ("authorization_method", "wallet") if name in params}
    )
    made.update(
        amount=amount, approved=active, card=card, cardholder=card["cardholder"]["id"], currency=currency,
        merchant_amount=params.get("merchant_amount", amount), merchant_currency=params.get("merchant_currency", currency),
        status="pending" if active else "closed", balance_transactions=[], request_history=[], transactions=[],
    )  # fmt: skip
    return _with_merchant(world, made, params)


def _with_merchant(world: World, made: Object, params: Object) -> Object:
    given = params.get("merchant_data") or {}
    made["merchant_data"] |= {name: value for name, value in given.items() if name in made["merchant_data"]}
    world.keep(made)
    world.emit("created", made)
    return made


def _transaction(
    world: World, card: Object, amount: int, kind: str, authorization: str | None, params: Object
) -> Object:
    made = world.draft("issuing.transaction")
    currency = (params.get("currency") or card["currency"]).lower()
    made.update(
        amount=amount, authorization=authorization, card=card["id"], cardholder=card["cardholder"]["id"], currency=currency,
        merchant_amount=params.get("merchant_amount", amount),
        merchant_currency=params.get("merchant_currency", currency), type=kind,
    )  # fmt: skip
    return _with_merchant(world, made, params)


@life("test_helpers.issuing.authorizations.capture")
def capture(ask: Ask) -> Object:
    """The merchant takes the money."""
    world = ask.world
    found = world.get("issuing.authorization", ask.path["authorization"])
    if found["status"] != "pending":
        raise wrong_state(found, "capture")
    amount = ask.params.get("capture_amount") or found["amount"]
    made = _transaction(world, found["card"], -amount, "capture", found["id"], {})
    close = ask.params.get("close_authorization", True)
    before = world.change(found, transactions=[*found["transactions"], made], status="closed" if close else "pending")
    world.emit("updated", found, before)
    return found


@life(
    "test_helpers.issuing.transactions.create_force_capture", "test_helpers.issuing.transactions.create_unlinked_refund"
)
def force(ask: Ask) -> Object:
    """A merchant takes money without having asked, or gives some back."""
    world, params = ask.world, ask.params
    card = world.get("issuing.card", params["card"], "card")
    refund = ask.row.method == "create_unlinked_refund"
    amount = params["amount"]
    return _transaction(world, card, amount if refund else -amount, "refund" if refund else "capture", None, params)


@life("test_helpers.issuing.transactions.refund")
def refund(ask: Ask) -> Object:
    """The merchant gives the money of a transaction back."""
    world = ask.world
    found = world.get("issuing.transaction", ask.path["transaction"])
    if found["type"] != "capture":
        raise Refusal("Only captures can be refunded.", param="transaction")
    card = world.get("issuing.card", found["card"])
    return _transaction(
        world, card, ask.params.get("refund_amount") or -found["amount"], "refund", found["authorization"], {}
    )


@life(
    "treasury.outbound_payments.create",
    "treasury.outbound_transfers.create",
    "treasury.inbound_transfers.create",
    "test_helpers.treasury.received_credits.create",
    "test_helpers.treasury.received_debits.create",
)
def move(ask: Ask) -> Object:
    """Money that goes out of a financial account, or comes into it, and the transaction of that."""
    world, params = ask.world, ask.params
    account = world.get("treasury.financial_account", params["financial_account"], "financial_account")
    kind = ask.row.service.rpartition(".")[2].removesuffix("s")
    known = {
        name: value
        for name, value in params.items()
        if name not in ("destination_payment_method_data", "destination_payment_method_options")
    }
    made = world.draft(f"treasury.{kind}", known)
    outward = kind.startswith("outbound") or kind == "received_debit"
    amount = -params["amount"] if outward else params["amount"]
    received = kind.startswith("received")
    moved = world.draft("treasury.transaction")
    moved.update(
        amount=amount, currency=params["currency"].lower(), description=params.get("description") or kind,
        flow=made["id"], flow_type=kind,
        financial_account=account["id"], status="posted" if received else "open", flow_details=None,
    )  # fmt: skip
    world.keep(moved)
    made.update(
        currency=params["currency"].lower(),
        status="succeeded" if received else "processing",
        transaction=moved["id"],
        amount=params["amount"],
    )
    if "cancelable" in made:
        made["cancelable"] = True
    if "expected_arrival_date" in made:
        made["expected_arrival_date"] = world.now() + 86_400
    world.keep(made)
    world.emit("created", made)
    return made


@life("treasury.credit_reversals.create", "treasury.debit_reversals.create")
def reverse(ask: Ask) -> Object:
    """Send a received credit back, or have a received debit returned."""
    world, params = ask.world, ask.params
    kind = "credit" if ask.row.service.endswith("credit_reversals") else "debit"
    source = world.get(f"treasury.received_{kind}", params[f"received_{kind}"], f"received_{kind}")
    made = world.make(
        f"treasury.{kind}_reversal", params, amount=source["amount"], currency=source["currency"],
        financial_account=source["financial_account"],
        status="processing", network="ach",
    )  # fmt: skip
    world.emit("created", made)
    return made


@life("terminal.refunds.create")
def terminal_refund(ask: Ask) -> Object:
    """A refund that was made on a reader; the API says nothing of what it looks like."""
    return {}
