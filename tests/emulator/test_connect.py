"""Charges that a platform shares with connected accounts, and the balances of both."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import pinstripe
from pinstripe.emulator import Emulator
from pinstripe.models import BalanceTransaction, Charge


@pytest.fixture
def account(client: pinstripe.Client) -> str:
    return client.accounts.create(type="express").id


@pytest.fixture
def connected(emulator: Emulator, account: str) -> Iterator[pinstripe.Client]:
    with emulator.client(stripe_account=account) as client:
        yield client


def amounts(client: pinstripe.Client) -> tuple[int, int]:
    """Return the available and the pending balance."""
    balance = client.balance.retrieve()
    return balance.available[0].amount, balance.pending[0].amount


def transactions(client: pinstripe.Client) -> list[tuple[str, int, int, str]]:
    """Return type, amount, fee and status of the transactions of an account, oldest first."""
    listed = client.balance_transactions.list().data
    return [(entry.type, entry.amount, entry.fee, entry.status) for entry in listed[::-1]]


def fees(transaction: BalanceTransaction) -> list[tuple[str, int]]:
    return [(detail.type, detail.amount) for detail in transaction.fee_details]


def charge(client: pinstripe.Client, **params: object) -> Charge:
    intent = client.payment_intents.create(
        amount=10_000,
        currency="usd",
        payment_method="pm_card_visa",
        confirm=True,
        return_url="https://example.com",
        **params,  # type: ignore[arg-type]  # the parameters of the case
    )
    assert isinstance(intent.latest_charge, str)
    return client.charges.retrieve(intent.latest_charge, expand=["balance_transaction"])


def test_a_destination_charge_is_pending_in_both_balances(
    client: pinstripe.Client, connected: pinstripe.Client, account: str
) -> None:
    charge(client, application_fee_amount=123, transfer_data={"destination": account})
    assert transactions(client) == [
        ("charge", 10_000, 320, "pending"),
        ("transfer", -10_000, 0, "pending"),
        ("application_fee", 123, 0, "pending"),
    ]
    assert transactions(connected) == [("payment", 10_000, 123, "pending")]
    assert (amounts(client), amounts(connected)) == ((0, 123 - 320), (0, 10_000 - 123))
    assert len({entry.available_on for entry in client.balance_transactions.list()}) == 1
    (payment,) = connected.charges.list(expand=["data.balance_transaction"])
    assert isinstance(payment.balance_transaction, BalanceTransaction)
    assert fees(payment.balance_transaction) == [("application_fee", 123)]
    assert payment.application_fee == client.application_fees.list().data[0].id


def test_a_destination_charge_is_shared_when_it_reaches_the_balance(
    client: pinstripe.Client, connected: pinstripe.Client, account: str
) -> None:
    intent = client.payment_intents.create(
        amount=10_000,
        currency="usd",
        payment_method="pm_card_visa",
        confirm=True,
        return_url="https://example.com",
        application_fee_amount=123,
        transfer_data={"destination": account},
        expand=["latest_charge"],
    )
    assert isinstance(intent.latest_charge, Charge)
    assert (intent.latest_charge.balance_transaction, intent.latest_charge.transfer) == (None, None)
    charge = client.charges.retrieve(intent.latest_charge.id)
    assert None not in (charge.balance_transaction, charge.transfer, charge.application_fee)
    assert amounts(connected) == (0, 10_000 - 123)


def test_a_refund_of_a_destination_charge_returns_the_transfer_and_the_fee(
    client: pinstripe.Client, connected: pinstripe.Client, account: str
) -> None:
    shared = charge(client, application_fee_amount=1000, transfer_data={"destination": account})
    client.refunds.create(charge=shared.id, reverse_transfer=True, refund_application_fee=True)
    (transfer,), (fee,) = client.transfers.list(), client.application_fees.list()
    assert (transfer.reversed, fee.amount_refunded) == (True, 1000)
    assert (sum(amounts(client)), amounts(connected)) == (-320, (0, 0))


def test_a_direct_charge_pays_the_application_fee_from_its_balance_transaction(
    client: pinstripe.Client, connected: pinstripe.Client
) -> None:
    direct = charge(connected, application_fee_amount=123)
    assert isinstance(direct.balance_transaction, BalanceTransaction)
    assert (direct.balance_transaction.fee, direct.balance_transaction.net) == (443, 10_000 - 443)
    assert fees(direct.balance_transaction) == [("application_fee", 123), ("stripe_fee", 320)]
    assert transactions(connected) == [("charge", 10_000, 443, "pending")]
    assert transactions(client) == [("application_fee", 123, 0, "pending")]
    assert (amounts(client), amounts(connected)) == ((0, 123), (0, 10_000 - 443))


def test_a_transfer_of_a_charge_is_available_when_the_charge_is(
    client: pinstripe.Client, connected: pinstripe.Client, account: str
) -> None:
    source = charge(client)
    client.transfers.create(amount=6000, currency="usd", destination=account, source_transaction=source.id)
    assert (amounts(client), amounts(connected)) == ((0, 10_000 - 320 - 6000), (0, 6000))


def test_a_subscription_shares_the_payments_of_its_invoices(
    client: pinstripe.Client, connected: pinstripe.Client, account: str
) -> None:
    cases: list[tuple[pinstripe.Client, dict[str, Any]]] = [  # Any: parameters of a subscription
        (client, {"transfer_data": {"destination": account, "amount_percent": 75.5}}),
        (client, {"transfer_data": {"destination": account}, "application_fee_percent": 10}),
        (connected, {"application_fee_percent": 10}),
    ]
    for platform, params in cases:
        price = platform.prices.create(
            currency="usd", unit_amount=5001, recurring={"interval": "month"}, product_data={"name": "Plan"}
        )
        customer = platform.customers.create(
            payment_method="pm_card_visa", invoice_settings={"default_payment_method": "pm_card_visa"}
        )
        subscription = platform.subscriptions.create(
            customer=customer.id,
            items=[{"price": price.id}],
            **params,
        )
        assert subscription.status == "active"
    received = [entry for entry in transactions(connected) if entry[0] == "payment"]
    assert [entry[1:3] for entry in received] == [(3776, 0), (5001, 500)]
    assert [fee.amount for fee in client.application_fees.list()] == [500, 500]


def test_an_invoice_shares_its_payment(client: pinstripe.Client, connected: pinstripe.Client, account: str) -> None:
    customer = client.customers.create(
        payment_method="pm_card_visa", invoice_settings={"default_payment_method": "pm_card_visa"}
    ).id
    with pytest.raises(pinstripe.InvalidRequestError) as caught:
        client.invoices.create(customer=customer, application_fee_amount=200)
    assert caught.value.param == "application_fee_amount"
    invoice = client.invoices.create(customer=customer, transfer_data={"destination": account})
    client.invoice_items.create(customer=customer, amount=3000, currency="usd", invoice=invoice.id)
    client.invoices.update(invoice.id, application_fee_amount=200)
    assert client.invoices.pay(invoice.id).status == "paid"
    assert transactions(connected) == [("payment", 3000, 200, "pending")]


def test_the_id_of_the_own_account_selects_the_own_account(client: pinstripe.Client, emulator: Emulator) -> None:
    customer, own = client.customers.create().id, client.accounts.retrieve_current().id
    with emulator.client(stripe_account=own) as same:
        assert [listed.id for listed in same.customers.list()] == [customer]
        assert same.accounts.retrieve_current().id == own
    with pytest.raises(pinstripe.InvalidRequestError, match="your own Stripe account"):
        client.transfers.create(amount=100, currency="usd", destination=own)
