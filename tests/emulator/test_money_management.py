"""Money management of API v2: financial accounts, inbound transfers, payouts to recipients, and the vault."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import pinstripe
from pinstripe.emulator import Emulator


class Treasury:
    """A financial account with 1000 dollars, and a recipient with a payout method."""

    def __init__(self, emulator: Emulator, client: pinstripe.Client, country: str = "GB") -> None:
        self.emulator, self.client, self.money = emulator, client, client.v2.money_management
        (account,) = self.money.financial_accounts.list()
        self.account = account.id
        self.address = self.money.financial_addresses.create(
            financial_account=self.account, type="bank_account", bank_account={"currency": "usd"}
        ).id
        self.credit(100_000)
        self.recipient = client.v2.core.accounts.create(contact_email="jenny@example.com", display_name="Jenny").id
        method = self.money.outbound_setup_intents.create(
            payout_method_data={
                "type": "bank_account",
                "bank_account": {"account_number": "00012345", "country": country, "currency": "gbp"},
            },
            request_options={"stripe_context": self.recipient},
        ).payout_method
        assert method is not None
        self.method = method.id

    def credit(self, value: int, currency: str = "usd") -> str | None:
        """Let money arrive at the financial account, and return the status of the credit."""
        return self.money.test_helpers.financial_addresses.credit(
            self.address, amount={"value": value, "currency": currency}, network="ach"
        ).status

    def balance(self, name: str = "available", currency: str = "usd") -> int:
        """Return a balance of the financial account."""
        balance = getattr(self.money.financial_accounts.retrieve(self.account).balance, name)
        return int(balance[currency].value)

    def payout(self, value: int, **params: Any) -> dict[str, Any]:  # Any: parameters of payments and payout intents
        """Return the parameters of a payment or a payout intent to the recipient."""
        source = {"financial_account": self.account, "currency": "usd"}
        destination = {"recipient": self.recipient, "payout_method": self.method, "currency": "usd"}
        return {"amount": {"value": value, "currency": "usd"}, "from_": source, "to": destination, **params}

    def wait(self, seconds: int) -> None:
        """Let time pass; the next request runs what is due."""
        self.emulator._accounts.environment.ticks += seconds

    @property
    def events(self) -> list[str]:
        """The types of the events about money management, without their common beginning."""
        prefix = "v2.money_management."
        return [name.removeprefix(prefix) for name in self.emulator.events.types if name.startswith(prefix)]


@pytest.fixture
def treasury(emulator: Emulator, client: pinstripe.Client) -> Treasury:
    return Treasury(emulator, client)


def test_money_that_arrives_is_available_and_recorded(treasury: Treasury) -> None:
    assert treasury.balance() == 100_000
    (credit,) = treasury.money.received_credits.list()
    assert (credit.status, credit.amount.value, credit.financial_account) == ("succeeded", 100_000, treasury.account)
    (transaction,) = treasury.money.transactions.list(financial_account=treasury.account)
    assert (transaction.category, transaction.status, transaction.amount.value) == (
        "received_credit",
        "posted",
        100_000,
    )
    (entry,) = treasury.money.transaction_entries.list(transaction=transaction.id)
    assert entry.balance_impact.available.value == 100_000
    assert treasury.events[-4:] == [
        "received_credit.succeeded",
        "transaction.created",
        "received_credit.available",
        "payout_method.created",
    ]


def test_money_in_another_currency_than_the_address_is_returned(treasury: Treasury) -> None:
    assert treasury.credit(500, "eur") == "failed"
    failed = next(iter(treasury.money.received_credits.list()))
    assert failed.status_details is not None
    assert failed.status_details.failed is not None
    assert failed.status_details.failed.reason == "currency_unsupported_on_financial_address"
    assert treasury.balance(currency="eur") == 0


def test_a_payment_is_held_until_it_is_posted(treasury: Treasury) -> None:
    payment = treasury.money.outbound_payments.create(**treasury.payout(30_000))
    assert (payment.status, payment.cancelable) == ("processing", True)
    assert (treasury.balance(), treasury.balance("outbound_pending")) == (70_000, 30_000)
    treasury.wait(60)
    posted = treasury.money.outbound_payments.retrieve(payment.id)
    assert (posted.status, posted.cancelable) == ("posted", False)
    assert (treasury.balance(), treasury.balance("outbound_pending")) == (70_000, 0)
    (transaction,) = treasury.money.transactions.list(flow=payment.id)
    assert (transaction.status, transaction.balance_impact.available.value) == ("posted", -30_000)
    assert [payment.id for payment in treasury.money.outbound_payments.list(status=["posted"])] == [payment.id]


def test_the_amount_of_a_canceled_payment_is_available_again(treasury: Treasury) -> None:
    payment = treasury.money.outbound_payments.create(**treasury.payout(30_000))
    assert treasury.money.outbound_payments.cancel(payment.id).status == "canceled"
    assert (treasury.balance(), treasury.balance("outbound_pending")) == (100_000, 0)
    (transaction,) = treasury.money.transactions.list(flow=payment.id)
    assert (transaction.status, transaction.balance_impact.available.value) == ("void", 0)
    with pytest.raises(pinstripe.InvalidRequestError, match="canceled"):
        treasury.money.outbound_payments.cancel(payment.id)


def test_a_payment_beyond_the_balance_is_refused(treasury: Treasury) -> None:
    with pytest.raises(pinstripe.InvalidRequestError) as caught:
        treasury.money.outbound_payments.create(**treasury.payout(100_001))
    assert (caught.value.code, caught.value.param) == ("insufficient_funds", "amount")
    assert treasury.balance() == 100_000


def test_an_archived_payout_method_receives_nothing(treasury: Treasury) -> None:
    as_recipient: Any = {"request_options": {"stripe_context": treasury.recipient}}  # Any: options of two methods
    treasury.money.payout_methods.archive(treasury.method, **as_recipient)
    with pytest.raises(pinstripe.InvalidRequestError, match="archived"):
        treasury.money.outbound_payments.create(**treasury.payout(100))
    treasury.money.payout_methods.unarchive(treasury.method, **as_recipient)
    assert treasury.money.outbound_payments.create(**treasury.payout(100)).status == "processing"


def test_a_payout_intent_pays_when_it_is_confirmed(treasury: Treasury) -> None:
    intent = treasury.money.payout_intents.create(**treasury.payout(500, confirmation_method="manual"))
    assert intent.next_action is not None
    assert (intent.status, intent.next_action.type) == ("requires_action", "confirm")
    confirmed = treasury.money.payout_intents.confirm(intent.id)
    assert confirmed.status == "processing"
    assert confirmed.latest_payout is not None
    payment = treasury.money.outbound_payments.retrieve(str(confirmed.latest_payout.outbound_payment))
    assert payment.payout_intent == intent.id
    treasury.wait(60)
    assert treasury.money.payout_intents.retrieve(intent.id).status == "posted"
    assert [name for name in treasury.events if name.startswith("payout_intent")] == [
        "payout_intent.created",
        "payout_intent.requires_action",
        "payout_intent.processing",
        "payout_intent.posted",
    ]


def test_a_payout_intent_without_funds_waits_until_it_is_updated(treasury: Treasury) -> None:
    intent = treasury.money.payout_intents.create(**treasury.payout(150_000))
    assert intent.next_action is not None
    assert intent.next_action.handle_failure is not None
    assert intent.next_action.handle_failure.failure_reason == "insufficient_funds"
    treasury.credit(60_000)
    assert treasury.money.payout_intents.update(intent.id, description="Again").status == "processing"
    assert treasury.balance() == 10_000


def test_a_scheduled_payout_intent_is_executed_on_its_date(treasury: Treasury) -> None:
    intent = treasury.money.payout_intents.create(**treasury.payout(500, schedule_options={"execute_on": "2026-01-03"}))
    assert intent.status == "pending"
    treasury.wait(86_400)
    assert treasury.money.payout_intents.retrieve(intent.id).status == "pending"
    treasury.wait(86_400)
    assert treasury.money.payout_intents.retrieve(intent.id).status == "processing"
    treasury.wait(60)
    assert treasury.money.payout_intents.retrieve(intent.id).status == "posted"


def test_a_payout_intent_can_be_canceled_before_it_is_executed(treasury: Treasury) -> None:
    intent = treasury.money.payout_intents.create(**treasury.payout(500, confirmation_method="manual"))
    assert treasury.money.payout_intents.cancel(intent.id).status == "canceled"
    assert treasury.balance() == 100_000
    with pytest.raises(pinstripe.InvalidRequestError, match="canceled"):
        treasury.money.payout_intents.confirm(intent.id)


def test_an_exchange_rate_is_refreshed_only_where_currencies_differ(treasury: Treasury) -> None:
    params = treasury.payout(500, confirmation_method="manual")
    same = treasury.money.payout_intents.create(**params)
    assert same.fx_quote is None
    with pytest.raises(pinstripe.InvalidRequestError, match="converts no currency"):
        treasury.money.payout_intents.refresh_fx_quote(same.id)
    other = treasury.money.payout_intents.create(**{**params, "to": {**params["to"], "currency": "gbp"}})
    assert other.fx_quote is not None
    refreshed = treasury.money.payout_intents.refresh_fx_quote(other.id)
    assert refreshed.fx_quote is not None
    assert refreshed.fx_quote.lock_expires_at is not None
    assert other.fx_quote.lock_expires_at is not None
    assert refreshed.fx_quote.lock_expires_at > other.fx_quote.lock_expires_at


def test_a_verification_is_used_once_and_only_when_it_is_settled(treasury: Treasury) -> None:
    verification = treasury.client.v2.test_helpers.money_management.recipient_verifications(
        payout_method=treasury.method, recipient=treasury.recipient, match_result="no_match"
    )
    assert verification.status == "awaiting_acknowledgement"
    params = treasury.payout(100, recipient_verification=verification.id)
    with pytest.raises(pinstripe.InvalidRequestError) as caught:
        treasury.money.outbound_payments.create(**params)
    assert caught.value.param == "recipient_verification"
    treasury.money.recipient_verifications.acknowledge(verification.id)
    payment = treasury.money.outbound_payments.create(**params)
    used = treasury.money.recipient_verifications.retrieve(verification.id)
    assert used.consumed_by is not None
    assert (used.status, used.consumed_by.outbound_payment) == ("consumed", payment.id)
    with pytest.raises(pinstripe.InvalidRequestError, match="was used"):
        treasury.money.outbound_payments.create(**params)


@pytest.mark.parametrize(("country", "result"), [("GB", "match"), ("DE", "match"), ("US", "unavailable")])
def test_names_are_compared_where_banks_of_the_country_tell(
    emulator: Emulator, client: pinstripe.Client, country: str, result: str
) -> None:
    treasury = Treasury(emulator, client, country)
    verification = treasury.money.recipient_verifications.create(
        payout_method=treasury.method, recipient=treasury.recipient
    )
    assert (verification.match_result, verification.match_result_details.provided_name) == (result, "Jenny")


def test_a_setup_intent_waits_for_its_payout_method(client: pinstripe.Client) -> None:
    intents = client.v2.money_management.outbound_setup_intents
    intent = intents.create(usage_intent="transfer")
    assert intent.status == "requires_payout_method"
    updated = intents.update(
        intent.id,
        payout_method_data={
            "type": "bank_account",
            "bank_account": {"account_number": "000123456789", "country": "US", "currency": "usd"},
        },
    )
    assert updated.payout_method is not None
    assert (updated.status, updated.payout_method.usage_status.transfers) == ("succeeded", "eligible")
    (method,) = client.v2.money_management.payout_methods.list(usage_status={"transfers": ["eligible"]})
    assert method.latest_outbound_setup_intent == intent.id
    calls: list[Callable[[str], object]] = [intents.cancel, intents.update]
    for call in calls:
        with pytest.raises(pinstripe.InvalidRequestError, match="succeeded"):
            call(intent.id)


def test_a_bank_account_is_debited_when_it_is_verified(treasury: Treasury) -> None:
    bank_accounts = treasury.client.v2.core.vault.us_bank_accounts
    bank_account = bank_accounts.create(account_number="000123456789", currency="usd", routing_number="110000000")
    params: Any = {  # Any: parameters of an inbound transfer
        "amount": {"value": 2_000, "currency": "usd"},
        "from_": {"payment_method": bank_account.id},
        "to": {"financial_account": treasury.account, "currency": "usd"},
    }
    with pytest.raises(pinstripe.InvalidRequestError) as caught:
        treasury.money.inbound_transfers.create(**params)
    assert caught.value.param == "from[payment_method]"
    bank_accounts.send_microdeposits(bank_account.id)
    with pytest.raises(pinstripe.InvalidRequestError):
        bank_accounts.confirm_microdeposits(bank_account.id, amounts=[1, 2])
    assert bank_accounts.confirm_microdeposits(bank_account.id, amounts=[32, 45]).verification.status == "verified"
    assert [account.id for account in bank_accounts.list(verification_status="verified")] == [bank_account.id]
    transfer = treasury.money.inbound_transfers.create(**params)
    assert transfer.transfer_history[-1].type == "bank_debit_succeeded"
    assert treasury.balance() == 102_000


def test_lists_are_filtered_by_time_in_any_notation(treasury: Treasury) -> None:
    transactions = treasury.money.transactions
    assert [*transactions.list(created={"lt": "2026-01-01T01:00:00+01:00"})] == []
    assert len([*transactions.list(created={"gte": "2026-01-01T01:00:00+01:00"})]) == 1


def test_the_bank_account_details_of_countries_are_described(client: pinstripe.Client) -> None:
    spec = client.v2.money_management.payout_methods_bank_account_spec.retrieve(countries=["US", "DE", "XX"])
    assert {
        country: [field.stripe_name for field in details.fields] for country, details in spec.countries.items()
    } == {
        "US": ["routing_number", "account_number"],
        "DE": ["account_number"],
    }
