"""Whatever happens to a customer, the books agree: sums, states, events and what is kept."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import pinstripe
from pinstripe.emulator import Emulator
from pinstripe.models import Charge, Invoice, InvoiceLineItem
from tests.emulator.conftest import DAY, NEW_YEAR

CARDS = ("pm_card_visa", "pm_card_visa", "pm_card_chargeCustomerFail", "pm_card_authenticationRequired")
PRICES: list[dict[str, Any]] = [  # Any: parameters of a price
    {"unit_amount": 2900},
    {"unit_amount": 1},
    {"unit_amount": 120_000, "recurring": {"interval": "year"}},
    {
        "billing_scheme": "tiered",
        "tiers_mode": "graduated",
        "tiers": [{"up_to": 3, "unit_amount": 1000}, {"up_to": "inf", "unit_amount_decimal": "333.3"}],
    },
]
MORE: list[dict[str, Any]] = [  # Any: parameters of a subscription
    {},
    {"payment_behavior": "default_incomplete"},
    {"payment_behavior": "error_if_incomplete"},
    {"cancel_at_period_end": True},
    {"collection_method": "send_invoice", "days_until_due": 5},
]
ENDED = {"canceled", "incomplete_expired"}


class Billing(RuleBasedStateMachine):
    """One customer on a test clock, to whom anything may happen in any order. A refusal is an answer like any other."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "stripe.sqlite"
        self.emulator = Emulator(seed=1, db=self.path)
        self.client = self.emulator.client(validation="strict")
        self.now, self.snapshots = NEW_YEAR, list[bytes]()

    @initialize()
    def open_the_shop(self) -> None:
        self.clock = self.client.test_helpers.test_clocks.create(frozen_time=self.now).id
        self.customer = self.client.customers.create(email="jenny@example.com", test_clock=self.clock).id
        self.use("pm_card_visa")
        product = self.client.products.create(name="Plan").id
        rate = self.client.tax_rates.create(display_name="VAT", percentage=19, inclusive=False).id
        self.rates = [rate]
        self.prices = [
            self.client.prices.create(
                **{"product": product, "currency": "usd", "recurring": {"interval": "month"}, **one}
            ).id
            for one in PRICES
        ]
        self.coupons = [
            self.client.coupons.create(percent_off=33.3, duration="repeating", duration_in_months=2).id,
            self.client.coupons.create(amount_off=500, currency="usd", duration="once").id,
        ]
        self.client.subscriptions.create(customer=self.customer, items=[{"price": self.prices[0], "quantity": 2}])

    def attempt(self, call: Callable[[], object]) -> None:
        with contextlib.suppress(pinstripe.InvalidRequestError, pinstripe.CardError):
            call()

    def any_subscription(self, pick: int) -> str | None:
        found = [
            one
            for one in self.client.subscriptions.list(status="all", customer=self.customer)
            if one.status not in ENDED
        ]
        return found[pick % len(found)].id if found else None

    def any_invoice(self, pick: int) -> Invoice | None:
        found = list(self.client.invoices.list(customer=self.customer))
        return found[pick % len(found)] if found else None

    # What may happen

    @rule(card=st.sampled_from(CARDS))
    def use(self, card: str) -> None:
        method = self.client.payment_methods.attach(card, customer=self.customer).id
        self.client.customers.update(self.customer, invoice_settings={"default_payment_method": method})

    @rule(
        price=st.integers(0, 3), quantity=st.integers(1, 7), trial=st.sampled_from([0, 0, 10]), coupon=st.integers(0, 3),
        taxed=st.booleans(), more=st.sampled_from(MORE),
    )  # fmt: skip
    def subscribe(
        self,
        price: int,
        quantity: int,
        trial: int,
        coupon: int,
        taxed: bool,
        more: dict[str, Any],  # Any: parameters
    ) -> None:
        params: dict[str, Any] = {**more}  # Any: as above
        if trial:
            params["trial_period_days"] = trial
        if coupon < len(self.coupons):
            params["discounts"] = [{"coupon": self.coupons[coupon]}]
        if taxed:
            params["default_tax_rates"] = self.rates
        items: Any = [{"price": self.prices[price], "quantity": quantity}]  # Any: as above
        self.attempt(lambda: self.client.subscriptions.create(customer=self.customer, items=items, **params))

    @rule(
        pick=st.integers(0, 9), price=st.integers(0, 3), quantity=st.integers(1, 7),
        behavior=st.sampled_from(["create_prorations", "always_invoice", "none"]),
        payment=st.sampled_from(["allow_incomplete", "pending_if_incomplete", "error_if_incomplete"]),
    )  # fmt: skip
    def change(self, pick: int, price: int, quantity: int, behavior: Any, payment: Any) -> None:  # Any: of a list
        if found := self.any_subscription(pick):
            item = self.client.subscriptions.retrieve(found).items.data[0].id
            self.attempt(
                lambda: self.client.subscriptions.update(
                    found,
                    items=[{"id": item, "price": self.prices[price], "quantity": quantity}],
                    proration_behavior=behavior,
                    payment_behavior=payment,
                )
            )

    @rule(pick=st.integers(0, 9), how=st.integers(0, 4))
    def leave(self, pick: int, how: int) -> None:
        if found := self.any_subscription(pick):
            subscriptions = self.client.subscriptions
            self.attempt(
                (
                    lambda: subscriptions.cancel(found),
                    lambda: subscriptions.cancel(found, invoice_now=True, prorate=True),
                    lambda: subscriptions.update(found, cancel_at_period_end=True),
                    lambda: subscriptions.update(found, cancel_at_period_end=False),
                    lambda: subscriptions.update(found, pause_collection={"behavior": "keep_as_draft"}),
                )[how]
            )

    @rule(days=st.sampled_from([1, 8, 31, 31, 62]))
    def wait(self, days: int) -> None:
        self.now += days * DAY
        self.client.test_helpers.test_clocks.advance(self.clock, frozen_time=self.now)

    @rule(amount=st.integers(-3000, 5000), finalize=st.booleans())
    def bill(self, amount: int, finalize: bool) -> None:
        self.client.invoice_items.create(customer=self.customer, amount=amount, currency="usd", tax_rates=self.rates)
        made = self.client.invoices.create(customer=self.customer, pending_invoice_items_behavior="include")
        if finalize:
            self.attempt(lambda: self.client.invoices.finalize_invoice(made.id, auto_advance=True))

    @rule(pick=st.integers(0, 9), how=st.integers(0, 5), amount=st.integers(1, 3000))
    def settle(self, pick: int, how: int, amount: int) -> None:
        if found := self.any_invoice(pick):
            invoices, notes = self.client.invoices, self.client.credit_notes
            self.attempt(
                (
                    lambda: invoices.pay(found.id),
                    lambda: invoices.pay(found.id, paid_out_of_band=True),
                    lambda: invoices.void_invoice(found.id),
                    lambda: invoices.mark_uncollectible(found.id),
                    lambda: notes.create(invoice=found.id, amount=amount),
                    lambda: notes.create(invoice=found.id, amount=amount, credit_amount=amount),
                )[how]
            )

    @rule(pick=st.integers(0, 9), amount=st.integers(1, 3000))
    def give_back(self, pick: int, amount: int) -> None:
        if charges := self.client.charges.list(customer=self.customer).data:
            charge = charges[pick % len(charges)].id
            self.attempt(lambda: self.client.refunds.create(charge=charge, amount=amount))

    @rule(amount=st.integers(-2000, 2000).filter(bool))
    def adjust(self, amount: int) -> None:
        self.client.customers.balance_transactions.create(self.customer, amount=amount, currency="usd")

    @rule()
    def remember(self) -> None:
        self.snapshots.append(self.emulator.snapshot())

    @precondition(lambda self: self.snapshots)
    @rule()
    def go_back(self) -> None:
        self.emulator.restore(self.snapshots[-1])
        self.now = int(self.client.test_helpers.test_clocks.retrieve(self.clock).frozen_time.timestamp())

    @rule()
    def start_again(self) -> None:
        before, events = self.everything(), self.emulator.events.types
        self.emulator.close()
        self.emulator = Emulator(seed=1, db=self.path)
        self.client = self.emulator.client(validation="strict")
        assert (self.everything(), self.emulator.events.types) == (before, events)

    def everything(self) -> list[str]:
        lists = (
            self.client.invoices.list(limit=100),
            self.client.subscriptions.list(limit=100, status="all"),
            self.client.balance_transactions.list(limit=100),
            self.client.customers.list(),
        )
        return [one.model_dump_json() for found in lists for one in found]

    # What always holds

    @invariant()
    def invoices_add_up(self) -> None:
        for one in self.client.invoices.list(limit=100):
            lines = list(self.client.invoices.line_items.list(one.id, limit=100))
            off = sum(part.amount for part in one.total_discount_amounts or [])
            tax = sum(part.amount for part in one.total_taxes or [])
            assert one.subtotal == sum(line.amount for line in lines)
            assert one.total == one.subtotal - off + tax
            assert off == sum(discount_of(line) for line in lines)
            if one.status in ("open", "uncollectible"):
                assert one.amount_remaining == one.amount_due - one.amount_paid > 0
            if one.status == "paid":
                assert one.amount_remaining == 0
            assert (one.number is None) == (one.status == "draft")

    @invariant()
    def the_balance_is_the_sum_of_its_movements(self) -> None:
        balance = self.client.balance.retrieve()
        moved = list(self.client.balance_transactions.list(limit=100))
        for status, parts in (("available", balance.available), ("pending", balance.pending)):
            assert sum(part.amount for part in parts) == sum(one.net for one in moved if one.status == status)
        assert all(one.net == one.amount - one.fee for one in moved)

    @invariant()
    def the_credit_of_the_customer_is_the_sum_of_its_movements(self) -> None:
        found = self.client.customers.retrieve(self.customer)
        assert isinstance(found, pinstripe.models.Customer)
        moved = list(self.client.customers.balance_transactions.list(self.customer, limit=100))
        assert found.balance == sum(one.amount for one in moved)

    @invariant()
    def nothing_is_given_back_twice(self) -> None:
        for charge in self.client.charges.list(limit=100):
            assert 0 <= charge.amount_refunded <= charge.amount_captured
            assert charge.refunded == (charge.amount_refunded == charge.amount_captured > 0)

    @invariant()
    def subscriptions_are_in_their_periods(self) -> None:
        for one in self.client.subscriptions.list(limit=100, status="all"):
            assert (one.status in ENDED) == (one.ended_at is not None)
            for item in one.items.data:
                start, end = item.current_period_start.timestamp(), item.current_period_end.timestamp()
                assert start <= self.now
                assert start < end
                if one.status in ("active", "trialing", "past_due"):
                    assert self.now < end

    @invariant()
    def events_are_typed(self) -> None:
        ids = [event.id for event in self.emulator.events]
        assert len(set(ids)) == len(ids)

    def teardown(self) -> None:
        try:
            self.start_again()
        finally:
            self.emulator.close()
            self.folder.cleanup()


def discount_of(line: InvoiceLineItem) -> int:
    return sum(part.amount for part in line.discount_amounts or [])


TestBilling = Billing.TestCase
TestBilling.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)


OUTWARD = {"charge", "refund", "refund_failure", "payout", "payout_cancel", "adjustment"}
HOW = ("pm_card_visa", "pm_card_bypassPending", "pm_card_createDispute", "pm_card_refundFail", "pm_card_chargeDeclined")


class Money(RuleBasedStateMachine):
    """A platform and an account that is connected to it, between which money goes to and fro."""

    def __init__(self) -> None:
        super().__init__()
        self.emulator = Emulator(seed=1)
        self.client = self.emulator.client(validation="strict")
        self.account = self.client.accounts.create(type="express").id
        self.connected = self.emulator.client(validation="strict", stripe_account=self.account)

    def attempt(self, call: Callable[[], object]) -> None:
        with contextlib.suppress(pinstripe.InvalidRequestError, pinstripe.CardError):
            call()

    def any_charge(self, pick: int) -> Charge | None:
        found = list(self.client.charges.list(limit=100))
        return found[pick % len(found)] if found else None

    # What may happen

    @rule(
        amount=st.integers(50, 5000), card=st.sampled_from(HOW), manual=st.booleans(), fee=st.integers(0, 900),
        kind=st.integers(0, 2),
    )  # fmt: skip
    def pay(self, amount: int, card: str, manual: bool, fee: int, kind: int) -> None:
        more: dict[str, Any] = {"capture_method": "manual" if manual else "automatic"}  # Any: parameters
        if kind:
            more["application_fee_amount"] = fee
        if kind == 1:
            more["transfer_data"] = {"destination": self.account}
        client = self.connected if kind == 2 else self.client
        self.attempt(
            lambda: client.payment_intents.create(
                amount=amount, currency="usd", payment_method=card, confirm=True, **more
            )
        )

    @rule(pick=st.integers(0, 9), amount=st.integers(1, 5000), all_of_it=st.booleans())
    def capture(self, pick: int, amount: int, all_of_it: bool) -> None:
        found = [one for one in self.client.payment_intents.list(limit=100) if one.status == "requires_capture"]
        if found:
            intent, intents = found[pick % len(found)].id, self.client.payment_intents
            self.attempt(
                lambda: intents.capture(intent) if all_of_it else intents.capture(intent, amount_to_capture=amount)
            )

    @rule(pick=st.integers(0, 9), amount=st.integers(1, 3000), reverse=st.booleans(), fee=st.booleans())
    def give_back(self, pick: int, amount: int, reverse: bool, fee: bool) -> None:
        if charge := self.any_charge(pick):
            self.attempt(
                lambda: self.client.refunds.create(
                    charge=charge.id, amount=amount, reverse_transfer=reverse, refund_application_fee=fee
                )
            )

    @rule(pick=st.integers(0, 9), text=st.sampled_from(["winning_evidence", "losing_evidence"]))
    def contest(self, pick: int, text: str) -> None:
        if found := self.client.disputes.list(limit=100).data:
            dispute = found[pick % len(found)].id
            self.attempt(lambda: self.client.disputes.update(dispute, evidence={"uncategorized_text": text}))

    @rule(amount=st.integers(1, 4000))
    def transfer(self, amount: int) -> None:
        self.attempt(lambda: self.client.transfers.create(amount=amount, currency="usd", destination=self.account))

    @rule(pick=st.integers(0, 9), amount=st.integers(1, 4000))
    def reverse(self, pick: int, amount: int) -> None:
        if found := self.client.transfers.list(limit=100).data:
            transfer = found[pick % len(found)].id
            self.attempt(lambda: self.client.transfers.reversals.create(transfer, amount=amount))

    @rule(pick=st.integers(0, 9), amount=st.integers(1, 900))
    def give_fee_back(self, pick: int, amount: int) -> None:
        if found := self.client.application_fees.list(limit=100).data:
            fee = found[pick % len(found)].id
            self.attempt(lambda: self.client.application_fees.refunds.create(fee, amount=amount))

    @rule(amount=st.integers(1, 4000), ours=st.booleans())
    def pay_out(self, amount: int, ours: bool) -> None:
        client = self.client if ours else self.connected
        self.attempt(lambda: client.payouts.create(amount=amount, currency="usd"))

    # What always holds

    @invariant()
    def balances_are_the_sums_of_their_movements(self) -> None:
        for client in (self.client, self.connected):
            balance, moved = client.balance.retrieve(), list(client.balance_transactions.list(limit=100))
            for status, parts in (("available", balance.available), ("pending", balance.pending)):
                assert sum(part.amount for part in parts) == sum(one.net for one in moved if one.status == status)

    @invariant()
    def money_between_the_two_is_neither_made_nor_lost(self) -> None:
        moved = [one for client in (self.client, self.connected) for one in client.balance_transactions.list(limit=100)]
        assert sum(one.amount for one in moved if one.type not in OUTWARD) == 0

    @invariant()
    def charges_agree_with_their_refunds(self) -> None:
        for client in (self.client, self.connected):
            refunds = list(client.refunds.list(limit=100))
            for charge in client.charges.list(limit=100):
                given = sum(one.amount for one in refunds if one.charge == charge.id and one.status != "failed")
                uncaptured = charge.amount - charge.amount_captured if charge.captured else 0
                assert charge.amount_refunded == given + uncaptured <= charge.amount

    @invariant()
    def no_more_comes_back_than_went(self) -> None:
        for transfer in self.client.transfers.list(limit=100):
            assert transfer.amount_reversed == sum(one.amount for one in transfer.reversals.data) <= transfer.amount
        for fee in self.client.application_fees.list(limit=100):
            assert fee.amount_refunded == sum(one.amount for one in fee.refunds.data) <= fee.amount

    def teardown(self) -> None:
        self.emulator.close()


TestMoney = Money.TestCase
TestMoney.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
