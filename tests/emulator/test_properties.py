"""Invariants after any sequence of requests: totals, statuses, balances, events and the state file."""

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
from tests.emulator.conftest import DAY, NEW_YEAR, NO_REDIRECTS, existing_customer
from tests.torture_scale import scale

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
OPTIONS: list[dict[str, Any]] = [  # Any: parameters of a subscription
    {},
    {"payment_behavior": "default_incomplete"},
    {"payment_behavior": "error_if_incomplete"},
    {"cancel_at_period_end": True},
    {"collection_method": "send_invoice", "days_until_due": 5},
]
ENDED = {"canceled", "incomplete_expired"}


class Billing(RuleBasedStateMachine):
    """Runs random billing requests for one customer on a test clock. Requests may fail."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "stripe.sqlite"
        self.emulator = Emulator(seed=1, db=self.path)
        self.client = self.emulator.client(validation="strict")
        self.now, self.snapshots = NEW_YEAR, list[bytes]()

    @initialize()
    def set_up(self) -> None:
        self.clock = self.client.test_helpers.test_clocks.create(frozen_time=self.now).id
        self.customer = self.client.customers.create(email="jenny@example.com", test_clock=self.clock).id
        self.use("pm_card_visa")
        product = self.client.products.create(name="Plan").id
        rate = self.client.tax_rates.create(display_name="VAT", percentage=19, inclusive=False).id
        self.rates = [rate]
        self.prices = [
            self.client.prices.create(
                **{"product": product, "currency": "usd", "recurring": {"interval": "month"}, **params}
            ).id
            for params in PRICES
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
        live = [
            subscription
            for subscription in self.client.subscriptions.list(status="all", customer=self.customer)
            if subscription.status not in ENDED
        ]
        return live[pick % len(live)].id if live else None

    def any_invoice(self, pick: int) -> Invoice | None:
        invoices = list(self.client.invoices.list(customer=self.customer))
        return invoices[pick % len(invoices)] if invoices else None

    # Requests

    @rule(card=st.sampled_from(CARDS))
    def use(self, card: str) -> None:
        method = self.client.payment_methods.attach(card, customer=self.customer).id
        self.client.customers.update(self.customer, invoice_settings={"default_payment_method": method})

    @rule(
        price=st.integers(0, 3),
        quantity=st.integers(1, 7),
        trial=st.sampled_from([0, 0, 10]),
        coupon=st.integers(0, 3),
        taxed=st.booleans(),
        options=st.sampled_from(OPTIONS),
    )
    def subscribe(
        self,
        price: int,
        quantity: int,
        trial: int,
        coupon: int,
        taxed: bool,
        options: dict[str, Any],  # Any: parameters
    ) -> None:
        params: dict[str, Any] = {**options}  # Any: parameters
        if trial:
            params["trial_period_days"] = trial
        if coupon < len(self.coupons):
            params["discounts"] = [{"coupon": self.coupons[coupon]}]
        if taxed:
            params["default_tax_rates"] = self.rates
        items: Any = [{"price": self.prices[price], "quantity": quantity}]  # Any: a parameter
        self.attempt(lambda: self.client.subscriptions.create(customer=self.customer, items=items, **params))

    @rule(
        pick=st.integers(0, 9),
        price=st.integers(0, 3),
        quantity=st.integers(1, 7),
        behavior=st.sampled_from(["create_prorations", "always_invoice", "none"]),
        payment=st.sampled_from(["allow_incomplete", "pending_if_incomplete", "error_if_incomplete"]),
    )
    def change_item(self, pick: int, price: int, quantity: int, behavior: Any, payment: Any) -> None:  # Any: literals
        if subscription := self.any_subscription(pick):
            item = self.client.subscriptions.retrieve(subscription).items.data[0].id
            self.attempt(
                lambda: self.client.subscriptions.update(
                    subscription,
                    items=[{"id": item, "price": self.prices[price], "quantity": quantity}],
                    proration_behavior=behavior,
                    payment_behavior=payment,
                )
            )

    @rule(pick=st.integers(0, 9), how=st.integers(0, 4))
    def cancel(self, pick: int, how: int) -> None:
        if subscription := self.any_subscription(pick):
            subscriptions = self.client.subscriptions
            self.attempt(
                (
                    lambda: subscriptions.cancel(subscription),
                    lambda: subscriptions.cancel(subscription, invoice_now=True, prorate=True),
                    lambda: subscriptions.update(subscription, cancel_at_period_end=True),
                    lambda: subscriptions.update(subscription, cancel_at_period_end=False),
                    lambda: subscriptions.update(subscription, pause_collection={"behavior": "keep_as_draft"}),
                )[how]
            )

    @rule(days=st.sampled_from([1, 8, 31, 31, 62]))
    def advance(self, days: int) -> None:
        self.now += days * DAY
        self.emulator.advance(self.now)

    @rule(amount=st.integers(-3000, 5000), finalize=st.booleans())
    def create_invoice(self, amount: int, finalize: bool) -> None:
        self.client.invoice_items.create(customer=self.customer, amount=amount, currency="usd", tax_rates=self.rates)
        invoice = self.client.invoices.create(customer=self.customer, pending_invoice_items_behavior="include")
        if finalize:
            self.attempt(lambda: self.client.invoices.finalize_invoice(invoice.id, auto_advance=True))

    @rule(pick=st.integers(0, 9), how=st.integers(0, 5), amount=st.integers(1, 3000))
    def settle_invoice(self, pick: int, how: int, amount: int) -> None:
        if invoice := self.any_invoice(pick):
            invoices, notes = self.client.invoices, self.client.credit_notes
            self.attempt(
                (
                    lambda: invoices.pay(invoice.id),
                    lambda: invoices.pay(invoice.id, paid_out_of_band=True),
                    lambda: invoices.void_invoice(invoice.id),
                    lambda: invoices.mark_uncollectible(invoice.id),
                    lambda: notes.create(invoice=invoice.id, amount=amount),
                    lambda: notes.create(invoice=invoice.id, amount=amount, credit_amount=amount),
                )[how]
            )

    @rule(pick=st.integers(0, 9), amount=st.integers(1, 3000))
    def refund(self, pick: int, amount: int) -> None:
        if charges := self.client.charges.list(customer=self.customer).data:
            charge = charges[pick % len(charges)].id
            self.attempt(lambda: self.client.refunds.create(charge=charge, amount=amount))

    @rule(amount=st.integers(-2000, 2000).filter(bool))
    def adjust_balance(self, amount: int) -> None:
        self.client.customers.balance_transactions.create(self.customer, amount=amount, currency="usd")

    @rule()
    def take_snapshot(self) -> None:
        self.snapshots.append(self.emulator.snapshot())

    @precondition(lambda self: self.snapshots)
    @rule()
    def restore_snapshot(self) -> None:
        self.emulator.restore(self.snapshots[-1])
        self.now = int(self.client.test_helpers.test_clocks.retrieve(self.clock).frozen_time.timestamp())

    @rule()
    def restart(self) -> None:
        before, events = self.objects(), self.emulator.events.types
        self.emulator.close()
        self.emulator = Emulator(seed=1, db=self.path)
        self.client = self.emulator.client(validation="strict")
        assert (self.objects(), self.emulator.events.types) == (before, events)

    def objects(self) -> list[str]:
        lists = (
            self.client.invoices.list(limit=100),
            self.client.subscriptions.list(limit=100, status="all", customer=self.customer),
            self.client.balance_transactions.list(limit=100),
            self.client.customers.list(test_clock=self.clock),
        )
        return [value.model_dump_json() for values in lists for value in values]

    # Invariants

    @invariant()
    def invoices_add_up(self) -> None:
        for invoice in self.client.invoices.list(limit=100):
            lines = list(self.client.invoices.line_items.list(invoice.id, limit=100))
            discounts = sum(discount.amount for discount in invoice.total_discount_amounts or [])
            taxes = sum(tax.amount for tax in invoice.total_taxes or [])
            assert invoice.subtotal == sum(line.amount for line in lines)
            assert invoice.total == invoice.subtotal - discounts + taxes
            assert discounts == sum(discount_of(line) for line in lines)
            if invoice.status in ("open", "uncollectible"):
                assert invoice.amount_remaining == invoice.amount_due - invoice.amount_paid > 0
            if invoice.status == "paid":
                assert invoice.amount_remaining == 0
            assert (invoice.number is None) == (invoice.status == "draft")

    @invariant()
    def the_balance_is_the_sum_of_its_transactions(self) -> None:
        balance = self.client.balance.retrieve()
        transactions = list(self.client.balance_transactions.list(limit=100))
        for status, amounts in (("available", balance.available), ("pending", balance.pending)):
            net = sum(transaction.net for transaction in transactions if transaction.status == status)
            assert sum(amount.amount for amount in amounts) == net
        assert all(transaction.net == transaction.amount - transaction.fee for transaction in transactions)

    @invariant()
    def the_customer_balance_is_the_sum_of_its_transactions(self) -> None:
        customer = existing_customer(self.client, self.customer)
        transactions = list(self.client.customers.balance_transactions.list(self.customer, limit=100))
        assert customer.balance == sum(transaction.amount for transaction in transactions)

    @invariant()
    def nothing_is_refunded_twice(self) -> None:
        for charge in self.client.charges.list(limit=100):
            assert 0 <= charge.amount_refunded <= charge.amount_captured
            assert charge.refunded == (charge.amount_refunded == charge.amount_captured > 0)

    @invariant()
    def subscriptions_are_in_their_periods(self) -> None:
        for subscription in self.client.subscriptions.list(limit=100, status="all", customer=self.customer):
            assert (subscription.status in ENDED) == (subscription.ended_at is not None)
            for item in subscription.items.data:
                start, end = item.current_period_start.timestamp(), item.current_period_end.timestamp()
                assert start <= self.now
                assert start < end
                if subscription.status in ("active", "trialing", "past_due"):
                    assert self.now < end

    @invariant()
    def event_ids_are_unique(self) -> None:
        ids = [event.id for event in self.emulator.events]
        assert len(set(ids)) == len(ids)

    def teardown(self) -> None:
        try:
            self.restart()
        finally:
            self.emulator.close()
            self.folder.cleanup()


def discount_of(line: InvoiceLineItem) -> int:
    return sum(discount.amount for discount in line.discount_amounts or [])


TestBilling = Billing.TestCase
TestBilling.settings = settings(max_examples=scale(2_500), stateful_step_count=25, deadline=None)


EXTERNAL = {"charge", "refund", "refund_failure", "payout", "payout_cancel", "adjustment"}
PAYMENT_METHODS = (
    "pm_card_visa",
    "pm_card_bypassPending",
    "pm_card_createDispute",
    "pm_card_refundFail",
    "pm_card_chargeDeclined",
)


class Money(RuleBasedStateMachine):
    """Runs random requests that move money between a platform and a connected account."""

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
        charges = list(self.client.charges.list(limit=100))
        return charges[pick % len(charges)] if charges else None

    # Requests

    @rule(
        amount=st.integers(50, 5000),
        card=st.sampled_from(PAYMENT_METHODS),
        manual=st.booleans(),
        fee=st.integers(0, 900),
        kind=st.integers(0, 2),
    )
    def pay(self, amount: int, card: str, manual: bool, fee: int, kind: int) -> None:
        options: dict[str, Any] = {"capture_method": "manual" if manual else "automatic"}  # Any: parameters
        if kind:
            options["application_fee_amount"] = fee
        if kind == 1:
            options["transfer_data"] = {"destination": self.account}
        client = self.connected if kind == 2 else self.client
        self.attempt(
            lambda: client.payment_intents.create(
                amount=amount,
                currency="usd",
                payment_method=card,
                confirm=True,
                automatic_payment_methods=NO_REDIRECTS,
                **options,
            )
        )

    @rule(pick=st.integers(0, 9), amount=st.integers(1, 5000), in_full=st.booleans())
    def capture(self, pick: int, amount: int, in_full: bool) -> None:
        intents = self.client.payment_intents
        uncaptured = [intent.id for intent in intents.list(limit=100) if intent.status == "requires_capture"]
        if uncaptured:
            intent = uncaptured[pick % len(uncaptured)]
            self.attempt(
                lambda: intents.capture(intent) if in_full else intents.capture(intent, amount_to_capture=amount)
            )

    @rule(pick=st.integers(0, 9), amount=st.integers(1, 3000), reverse=st.booleans(), fee=st.booleans())
    def refund(self, pick: int, amount: int, reverse: bool, fee: bool) -> None:
        if charge := self.any_charge(pick):
            self.attempt(
                lambda: self.client.refunds.create(
                    charge=charge.id, amount=amount, reverse_transfer=reverse, refund_application_fee=fee
                )
            )

    @rule(pick=st.integers(0, 9), text=st.sampled_from(["winning_evidence", "losing_evidence"]))
    def counter_dispute(self, pick: int, text: str) -> None:
        if disputes := self.client.disputes.list(limit=100).data:
            dispute = disputes[pick % len(disputes)].id
            self.attempt(lambda: self.client.disputes.update(dispute, evidence={"uncategorized_text": text}))

    @rule(amount=st.integers(1, 4000))
    def transfer(self, amount: int) -> None:
        self.attempt(lambda: self.client.transfers.create(amount=amount, currency="usd", destination=self.account))

    @rule(pick=st.integers(0, 9), amount=st.integers(1, 4000))
    def reverse_transfer(self, pick: int, amount: int) -> None:
        if transfers := self.client.transfers.list(limit=100).data:
            transfer = transfers[pick % len(transfers)].id
            self.attempt(lambda: self.client.transfers.reversals.create(transfer, amount=amount))

    @rule(pick=st.integers(0, 9), amount=st.integers(1, 900))
    def refund_application_fee(self, pick: int, amount: int) -> None:
        if fees := self.client.application_fees.list(limit=100).data:
            fee = fees[pick % len(fees)].id
            self.attempt(lambda: self.client.application_fees.refunds.create(fee, amount=amount))

    @rule(amount=st.integers(1, 4000), platform=st.booleans())
    def pay_out(self, amount: int, platform: bool) -> None:
        client = self.client if platform else self.connected
        self.attempt(lambda: client.payouts.create(amount=amount, currency="usd"))

    # Invariants

    @invariant()
    def balances_are_the_sums_of_their_transactions(self) -> None:
        for client in (self.client, self.connected):
            balance, transactions = client.balance.retrieve(), list(client.balance_transactions.list(limit=100))
            for status, amounts in (("available", balance.available), ("pending", balance.pending)):
                net = sum(transaction.net for transaction in transactions if transaction.status == status)
                assert sum(amount.amount for amount in amounts) == net

    @invariant()
    def no_money_between_the_accounts_is_created_or_lost(self) -> None:
        transactions = [
            transaction
            for client in (self.client, self.connected)
            for transaction in client.balance_transactions.list(limit=100)
        ]
        fees = [detail for transaction in transactions for detail in transaction.fee_details]
        paid = sum(detail.amount for detail in fees if detail.type == "application_fee")
        internal = sum(transaction.amount for transaction in transactions if transaction.type not in EXTERNAL)
        assert internal == paid

    @invariant()
    def charges_agree_with_their_refunds(self) -> None:
        for client in (self.client, self.connected):
            refunds = [refund for refund in client.refunds.list(limit=100) if refund.status != "failed"]
            for charge in client.charges.list(limit=100):
                refunded = sum(refund.amount for refund in refunds if refund.charge == charge.id)
                uncaptured = charge.amount - charge.amount_captured if charge.captured else 0
                assert charge.amount_refunded == refunded + uncaptured <= charge.amount

    @invariant()
    def no_more_is_reversed_than_was_transferred(self) -> None:
        for transfer in self.client.transfers.list(limit=100):
            reversed_amount = sum(reversal.amount for reversal in transfer.reversals.data)
            assert transfer.amount_reversed == reversed_amount <= transfer.amount
        for fee in self.client.application_fees.list(limit=100):
            assert fee.amount_refunded == sum(refund.amount for refund in fee.refunds.data) <= fee.amount

    def teardown(self) -> None:
        self.emulator.close()


TestMoney = Money.TestCase
TestMoney.settings = settings(max_examples=scale(2_500), stateful_step_count=25, deadline=None)
