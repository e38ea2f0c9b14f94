"""Issuing and Treasury, as far as their test helpers go: authorizations, transactions, transfers. https://docs.stripe.com/issuing/testing"""

from __future__ import annotations

from pinstripe.emulator.operations._expansion import includable
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.validation.errors import ErrorResponse, wrong_state


@operation("issuing.cardholders.create")
def create_holder(context: OperationContext) -> Object:
    """Somebody who holds cards."""
    state, params = context.state, context.params
    made = state.draft("issuing.cardholder", params)
    kind = params.get("type") or ("company" if params.get("company") else "individual")
    made.update(
        status=params.get("status", "active"), type=kind, requirements={"disabled_reason": None, "past_due": []}
    )
    state.objects.add(made)
    state.events.emit("created", made)
    return made


@includable("issuing.card", "number")
def number(state: AccountState, card: Object) -> str:
    """The number of a card, for whoever asks for it."""
    return f"400000999000{card['last4']}"


@includable("issuing.card", "cvc")
def cvc(state: AccountState, card: Object) -> str:
    """The security code of a card, for whoever asks for it."""
    return "123"


@operation("issuing.cards.create")
def create_card(context: OperationContext) -> Object:
    """A card of a cardholder."""
    state, params = context.state, context.params
    holder = (
        state.objects.get("issuing.cardholder", params["cardholder"], "cardholder")
        if params.get("cardholder")
        else None
    )
    if holder is None:
        raise ErrorResponse("Missing required param: cardholder.", code="parameter_missing", param="cardholder")
    made = state.draft("issuing.card", {name: value for name, value in params.items() if name != "cardholder"})
    made.update(
        brand="Visa",
        cardholder=holder,
        currency=params["currency"].lower(),
        exp_month=12,
        exp_year=2034,
        last4="".join(state.random.choices("0123456789", k=4)),
        status=params.get("status", "inactive"),
        type=params["type"],
    )
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
    state.objects.add(made)
    state.events.emit("created", made)
    return made


@operation("test_helpers.issuing.authorizations.create")
def authorize(context: OperationContext) -> Object:
    """A merchant asks a card for money."""
    state, params = context.state, context.params
    card = state.objects.get("issuing.card", params["card"], "card")
    amount, currency = (
        params.get("amount", params.get("merchant_amount", 100)),
        (params.get("currency") or card["currency"]).lower(),
    )
    active = card["status"] == "active"
    made = state.draft(
        "issuing.authorization", {name: params[name] for name in ("authorization_method", "wallet") if name in params}
    )
    made.update(
        amount=amount,
        approved=active,
        card=card,
        cardholder=card["cardholder"]["id"],
        currency=currency,
        merchant_amount=params.get("merchant_amount", amount),
        merchant_currency=params.get("merchant_currency", currency),
        status="pending" if active else "closed",
        balance_transactions=[],
        request_history=[],
        transactions=[],
    )
    return _with_merchant(state, made, params)


def _with_merchant(state: AccountState, made: Object, params: Object) -> Object:
    given = params.get("merchant_data") or {}
    made["merchant_data"] |= {name: value for name, value in given.items() if name in made["merchant_data"]}
    state.objects.add(made)
    state.events.emit("created", made)
    return made


def _transaction(
    state: AccountState, card: Object, amount: int, kind: str, authorization: str | None, params: Object
) -> Object:
    made = state.draft("issuing.transaction")
    currency = (params.get("currency") or card["currency"]).lower()
    made.update(
        amount=amount,
        authorization=authorization,
        card=card["id"],
        cardholder=card["cardholder"]["id"],
        currency=currency,
        merchant_amount=params.get("merchant_amount", amount),
        merchant_currency=params.get("merchant_currency", currency),
        type=kind,
    )
    return _with_merchant(state, made, params)


@operation("test_helpers.issuing.authorizations.capture")
def capture(context: OperationContext) -> Object:
    """The merchant takes the money."""
    state = context.state
    found = state.objects.get("issuing.authorization", context.path["authorization"])
    if found["status"] != "pending":
        raise wrong_state(found, "capture")
    amount = context.params.get("capture_amount") or found["amount"]
    made = _transaction(state, found["card"], -amount, "capture", found["id"], {})
    close = context.params.get("close_authorization", True)
    before = state.objects.update(
        found, transactions=[*found["transactions"], made], status="closed" if close else "pending"
    )
    state.events.emit("updated", found, before)
    return found


@operation(
    "test_helpers.issuing.transactions.create_force_capture", "test_helpers.issuing.transactions.create_unlinked_refund"
)
def force(context: OperationContext) -> Object:
    """A merchant takes money without having asked, or gives some back."""
    state, params = context.state, context.params
    card = state.objects.get("issuing.card", params["card"], "card")
    refund = context.endpoint.method == "create_unlinked_refund"
    amount = params["amount"]
    return _transaction(state, card, amount if refund else -amount, "refund" if refund else "capture", None, params)


@operation("test_helpers.issuing.transactions.refund")
def refund(context: OperationContext) -> Object:
    """The merchant gives the money of a transaction back."""
    state = context.state
    found = state.objects.get("issuing.transaction", context.path["transaction"])
    if found["type"] != "capture":
        raise ErrorResponse("Only captures can be refunded.", param="transaction")
    card = state.objects.get("issuing.card", found["card"])
    return _transaction(
        state, card, context.params.get("refund_amount") or -found["amount"], "refund", found["authorization"], {}
    )


@operation(
    "treasury.outbound_payments.create",
    "treasury.outbound_transfers.create",
    "treasury.inbound_transfers.create",
    "test_helpers.treasury.received_credits.create",
    "test_helpers.treasury.received_debits.create",
)
def move(context: OperationContext) -> Object:
    """Money that goes out of a financial account, or comes into it, and the transaction of that."""
    state, params = context.state, context.params
    account = state.objects.get("treasury.financial_account", params["financial_account"], "financial_account")
    kind = context.endpoint.service.rpartition(".")[2].removesuffix("s")
    known = {
        name: value
        for name, value in params.items()
        if name not in ("destination_payment_method_data", "destination_payment_method_options")
    }
    made = state.draft(f"treasury.{kind}", known)
    outward = kind.startswith("outbound") or kind == "received_debit"
    amount = -params["amount"] if outward else params["amount"]
    received = kind.startswith("received")
    moved = state.draft("treasury.transaction")
    moved.update(
        amount=amount,
        currency=params["currency"].lower(),
        description=params.get("description") or kind,
        flow=made["id"],
        flow_type=kind,
        financial_account=account["id"],
        status="posted" if received else "open",
        flow_details=None,
    )
    state.objects.add(moved)
    made.update(
        currency=params["currency"].lower(),
        status="succeeded" if received else "processing",
        transaction=moved["id"],
        amount=params["amount"],
    )
    if "cancelable" in made:
        made["cancelable"] = True
    if "expected_arrival_date" in made:
        made["expected_arrival_date"] = state.clock.now() + 86_400
    state.objects.add(made)
    state.events.emit("created", made)
    return made


@operation("treasury.credit_reversals.create", "treasury.debit_reversals.create")
def reverse(context: OperationContext) -> Object:
    """Send a received credit back, or have a received debit returned."""
    state, params = context.state, context.params
    kind = "credit" if context.endpoint.service.endswith("credit_reversals") else "debit"
    source = state.objects.get(f"treasury.received_{kind}", params[f"received_{kind}"], f"received_{kind}")
    made = state.create(
        f"treasury.{kind}_reversal",
        params,
        amount=source["amount"],
        currency=source["currency"],
        financial_account=source["financial_account"],
        status="processing",
        network="ach",
    )
    state.events.emit("created", made)
    return made


@operation("terminal.refunds.create")
def terminal_refund(context: OperationContext) -> Object:
    """A refund that was made on a reader; the API says nothing of what it looks like."""
    return {}
