"""The balance: what came in, what it cost, what is paid out. https://docs.stripe.com/api/balance_transactions"""

from __future__ import annotations

from pinstripe.emulator.billing.periods import DAY
from pinstripe.emulator.operations._crud import find, life
from pinstripe.emulator.operations._lists import filtered
from pinstripe.emulator.state.account import Ask, Object, World
from pinstripe.emulator.state.timers import timer
from pinstripe.emulator.validation.errors import Refusal, wrong_state

WAIT = 2 * DAY
"""Seconds until the money of a payment is available."""
CATEGORIES = {
    "adjustment": "dispute", "application_fee": "platform_earning", "payment": "charge", "payment_refund": "refund",
    "stripe_fee": "fee",
}  # fmt: skip


def record(
    world: World, type_: str, source: Object, amount: int, fee: int = 0, *, wait: int = 0, currency: str = ""
) -> Object:
    """A movement of the balance; fees are Stripe's own."""
    now = world.now()
    currency = currency or source["currency"]
    details = [
        {
            "amount": fee,
            "application": None,
            "currency": currency,
            "description": "Stripe processing fees",
            "type": "stripe_fee",
        }
    ]
    moved = world.make(
        "balance_transaction",
        amount=amount,
        available_on=now + wait,
        balance_type="payments",
        currency=currency,
        description=source.get("description"),
        fee=fee,
        fee_details=details if fee else [],
        net=amount - fee,
        reporting_category=CATEGORIES.get(type_, type_),
        source=source["id"],
        status="pending" if wait else "available",
        type=type_,
    )
    _count(world, moved)
    if wait:
        world.later(now + wait, "balance.available", moved)
    return moved


def _count(world: World, moved: Object, sign: int = 1) -> None:
    """Add a movement to the sums of its status and currency, which are kept: a balance is asked for often."""
    sums, place = world.hidden.get("balance", {}), f"{moved['status']} {moved['currency']}"
    world.hide("balance", {**sums, place: sums.get(place, 0) + sign * moved["net"]})


@timer("balance.available")
def _available(world: World, moved: Object) -> None:
    _count(world, moved, -1)
    world.change(moved, status="available")
    _count(world, moved)
    world.emit("balance.available", whole(world))


def whole(world: World) -> Object:
    """The balance, from the sums of its movements."""
    sums = world.hidden.get("balance", {})
    currencies = sorted({place.split()[1] for place in sums}) or ["usd"]
    shown = {
        status: [
            {"amount": amount, "currency": one, "source_types": {"card": amount}}
            for one in currencies
            for amount in [sums.get(f"{status} {one}", 0)]
        ]
        for status in ("available", "pending")
    }
    return {"object": "balance", "livemode": False, **shown}


def available(world: World, currency: str) -> int:
    """What can be paid out of a currency."""
    return next((one["amount"] for one in whole(world)["available"] if one["currency"] == currency), 0)


@life("balance.retrieve")
def retrieve(ask: Ask) -> Object:
    """The balance."""
    return whole(ask.world)


@filtered("balance_transaction", "payout")
def _is_of_payout(moved: Object, payout: str) -> bool:
    return payout in (moved["id"], moved["source"])


@life("payouts.create")
def pay_out(ask: Ask) -> Object:
    """Send money of the balance to the bank. https://docs.stripe.com/payouts"""
    world, params = ask.world, ask.params
    amount, currency = params["amount"], params["currency"].lower()
    if amount < 1:
        raise Refusal("Invalid positive integer", code="parameter_invalid_integer", param="amount")
    if amount > available(world, currency):
        raise Refusal(
            "You have insufficient funds in your Stripe account for this payout.",
            code="balance_insufficient",
            param="amount",
        )
    payout = world.make(
        "payout",
        params,
        amount=amount,
        arrival_date=world.now() + DAY,
        automatic=False,
        currency=currency,
        destination=params.get("destination") or world.new_id("bank_account"),
        method=params.get("method", "standard"),
        source_type=params.get("source_type", "card"),
        status="pending",
        type="bank_account",
        reconciliation_status="not_applicable",
    )
    moved = record(world, "payout", payout, -amount)
    world.change(payout, balance_transaction=moved["id"])
    world.emit("created", payout)
    world.later(payout["arrival_date"], "payout.arrive", payout)
    return payout


@timer("payout.arrive")
def _arrive(world: World, payout: Object) -> None:
    if payout["status"] == "pending":
        world.change(payout, status="paid")
        world.emit("paid", payout)


@life("payouts.cancel", "payouts.reverse")
def take_back(ask: Ask) -> Object:
    """Cancel a payout that is on its way, or reverse one that has arrived: the money comes back."""
    world, reverse = ask.world, ask.row.method == "reverse"
    payout = world.get("payout", ask.target)
    if payout["status"] != ("paid" if reverse else "pending"):
        raise wrong_state(payout, ask.row.method)
    if not reverse:
        moved = record(world, "payout_cancel", payout, payout["amount"])
        world.change(payout, status="canceled", failure_balance_transaction=moved["id"])
        world.emit("canceled", payout)
        return payout
    back = world.make(
        "payout",
        {"metadata": ask.params.get("metadata")},
        **{name: payout[name] for name in ("currency", "destination", "method", "source_type", "type")},
        amount=-payout["amount"],
        arrival_date=world.now(),
        original_payout=payout["id"],
        status="paid",
    )
    world.change(back, balance_transaction=record(world, "payout", back, payout["amount"])["id"])
    world.emit("updated", payout, world.change(payout, reversed_by=back["id"]))
    world.emit("created", back)
    return back


@life("topups.create")
def top_up(ask: Ask) -> Object:
    """Add money to the balance: it is there at once. https://docs.stripe.com/connect/top-ups"""
    world = ask.world
    topup = world.make("topup", ask.params, currency=ask.params["currency"].lower(), status="succeeded", source=None)
    moved = record(world, "topup", topup, topup["amount"])
    world.change(topup, balance_transaction=moved["id"], expected_availability_date=world.now())
    world.emit("created", topup)
    world.emit("succeeded", topup)
    return topup


@life("topups.cancel")
def cancel_topup(ask: Ask) -> Object:
    """Only a topup that is on its way can be cancelled; here they arrive at once."""
    topup = find(ask)
    if topup["status"] != "pending":
        raise wrong_state(topup, "cancel")
    ask.world.change(topup, status="canceled")
    ask.world.emit("canceled", topup)
    return topup
