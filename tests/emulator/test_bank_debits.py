"""Test cards and test bank accounts: every documented one exists, and debits are processed before they end."""

from __future__ import annotations

from typing import Any

import pytest

import pinstripe
from pinstripe.emulator import Emulator
from pinstripe.emulator.operations import test_bank_accounts as accounts
from pinstripe.emulator.operations.test_cards import BY_NUMBER, CARDS
from tests.emulator.conftest import Shop
from tests.emulator.test_payments import pay

DOCUMENTED_NUMBERS = """
    4242424242424242 4000056655665556 5555555555554444 2223003122003222 5200828282828210 5105105105105100
    378282246310005 371449635398431 6011111111111117 6011000990139424 6011981111111113 3056930009020004 36227206271667
    6555900000604105 3566002020360505 6200000000000005 6200000000000047 6205500000000000004 4000002500001001
    5555552500001001 4000050360000001 5555050360000080 4000000000000002 4000000000009995 4000000000009987
    4000000000009979 4000000000000069 4000000000000127 4000000000000119 4000000000006975 4000000000000341
    4100000000000019 4000000000004954 4000000000009235 4000008400000407 4000008400000159 4000008400001017
    4000008405600003 4000000000000101 4000000000000036 4000058400307872 4000058400306072 4000000000000028
    4000000000000010 4000000000000044 4000000000000259 4000000000002685 4000000000001976 4000000000005423
    4000000404000079 4000000404000038 4000008400000779 5105008400000002 4000000001000043 4000000000007726
    4000000000005126 4000000000000077 4000003720000278 4000002500003155 4000002760003184 4000003800000446
    4000008260003178 4000000000003220 4000008400000027 4000008400001629 4000008400001280 4000000000003055
    4000000000003097 4000000032200000 4000582600000094 4000582600000045 4000582600000102 4000582600000110
    4000000000001208 4000000000003725 4000051230000072 5200828282828897
""".split()  # noqa: SIM905  # a column of numbers


def test_every_documented_card_number_is_known() -> None:
    assert set(DOCUMENTED_NUMBERS) - set(BY_NUMBER) == set()


@pytest.mark.parametrize("name", sorted(CARDS))
def test_every_card_can_be_used_by_its_name(client: pinstripe.Client, name: str) -> None:
    method = client.payment_methods.retrieve(f"pm_card_{name}")
    assert method.card is not None
    assert method.card.last4 == CARDS[name].number[-4:]


def test_a_card_shows_the_checks_of_its_address(client: pinstripe.Client) -> None:
    charge: Any = pay(client, "pm_card_avsFail", expand=["latest_charge"]).latest_charge
    checks = charge.payment_method_details.card.checks
    assert (checks.address_line1_check, checks.address_postal_code_check) == ("fail", "fail")


def test_a_card_may_warn_of_fraud(client: pinstripe.Client, emulator: Emulator) -> None:
    pay(client, "pm_card_createIssuerFraudRecord")
    assert "radar.early_fraud_warning.created" in emulator.events.types
    assert list(client.disputes.list()) == []


def test_a_card_that_is_set_up_already_authenticates_only_with_the_customer(client: pinstripe.Client) -> None:
    customer = client.customers.create(payment_method="pm_card_authenticationRequiredSetupForOffSession").id
    method = client.customers.payment_methods.list(customer).data[0].id
    assert pay(client, method, customer=customer, off_session=True).status == "succeeded"
    assert pay(client, method, customer=customer).status == "requires_action"


def test_a_card_that_declines_after_authentication(client: pinstripe.Client, emulator: Emulator) -> None:
    intent = pay(client, "pm_card_threeDSecureRequiredChargeDeclined")
    assert intent.status == "requires_action"
    with pytest.raises(pinstripe.InvalidArgumentError, match="declined"):
        emulator.authenticate(intent.id)


def test_a_bank_debit_is_processing_first(client: pinstripe.Client, emulator: Emulator) -> None:
    intent = pay(client, "pm_usBankAccount_success", expand=["latest_charge"])
    charge = intent.latest_charge
    assert (intent.status, charge.status, charge.paid) == ("processing", "pending", False)
    details = charge.payment_method_details.us_bank_account
    assert (details.last4, details.bank_name, details.account_type) == ("6789", "STRIPE TEST BANK", "checking")
    done: Any = client.payment_intents.retrieve(intent.id, expand=["latest_charge"])  # Any: expanded
    assert (done.status, done.amount_received, done.latest_charge.paid) == ("succeeded", 2000, True)
    assert done.latest_charge.balance_transaction is not None
    types = [event_type for event_type in emulator.events.types if event_type.startswith(("charge", "payment_intent"))]
    assert types == [
        "payment_intent.created",
        "charge.pending",
        "payment_intent.processing",
        "charge.succeeded",
        "payment_intent.succeeded",
    ]


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("pm_usBankAccount_accountClosed", "account_closed"),
        ("pm_usBankAccount_insufficientFunds", "insufficient_funds"),
        ("pm_usBankAccount_debitNotAuthorized", "debit_not_authorized"),
    ],
)
def test_a_bank_debit_may_fail_later(client: pinstripe.Client, token: str, code: str) -> None:
    intent = pay(client, token)
    assert intent.status == "processing"
    failed: Any = client.payment_intents.retrieve(intent.id, expand=["latest_charge"])  # Any: expanded
    assert (failed.status, failed.last_payment_error.code) == ("requires_payment_method", code)
    assert (failed.latest_charge.status, failed.latest_charge.failure_code) == ("failed", code)


def test_a_delayed_debit_ends_after_three_minutes(client: pinstripe.Client, emulator: Emulator) -> None:
    intent = pay(client, "pm_bacsDebit_successDelayed", currency="gbp")
    assert client.payment_intents.retrieve(intent.id).status == "processing"
    emulator.advance(int(intent.created.timestamp()) + accounts.DELAY_SECONDS)
    assert client.payment_intents.retrieve(intent.id).status == "succeeded"


def test_a_debit_may_be_processing_until_it_is_canceled(client: pinstripe.Client, emulator: Emulator) -> None:
    intent = pay(client, "pm_usBankAccount_processing")
    emulator.advance(int(intent.created.timestamp()) + 86_400)
    assert client.payment_intents.retrieve(intent.id).status == "processing"
    assert client.payment_intents.cancel(intent.id).status == "canceled"


def test_a_debit_may_be_disputed(client: pinstripe.Client) -> None:
    pay(client, "pm_disputed_de", currency="eur")
    (dispute,) = client.disputes.list().data
    assert dispute.amount == 2000


def _us_bank_account(number: str) -> Any:  # Any: parameters
    account = {"account_holder_type": "individual", "account_number": number, "routing_number": "110000000"}
    return {"type": "us_bank_account", "us_bank_account": account, "billing_details": {"name": "Jenny"}}


def test_an_account_entered_by_hand_is_verified_first(client: pinstripe.Client) -> None:
    method = client.payment_methods.create(**_us_bank_account("000123456789"))
    assert method.us_bank_account is not None
    assert method.us_bank_account.last4 == "6789"
    intent = pay(client, method.id)
    assert (intent.status, intent.next_action.type) == ("requires_action", "verify_with_microdeposits")
    for amounts, reason in (([1, 2], "amounts_mismatch"), ([10, 11], "attempts_exceeded"), ([40, 41], "timeout")):
        with pytest.raises(pinstripe.InvalidRequestError) as caught:
            client.payment_intents.verify_microdeposits(intent.id, amounts=amounts)
        assert caught.value.code == f"payment_method_microdeposit_verification_{reason}"
    assert client.payment_intents.verify_microdeposits(intent.id, amounts=[32, 45]).status == "processing"
    assert client.payment_intents.retrieve(intent.id).status == "succeeded"


def test_microdeposits_may_fail(client: pinstripe.Client) -> None:
    method = client.payment_methods.create(**_us_bank_account("000666666661")).id
    intent = pay(client, method)
    assert intent.status == "requires_action"
    assert client.payment_intents.retrieve(intent.id).status == "requires_payment_method"


def test_a_saved_account_is_verified_once(client: pinstripe.Client) -> None:
    customer = client.customers.create().id
    method = client.payment_methods.create(**_us_bank_account("000123456789")).id
    setup = client.setup_intents.create(
        customer=customer, payment_method=method, confirm=True, allowed_payment_method_types=["us_bank_account"]
    )
    assert setup.status == "requires_action"
    assert client.setup_intents.verify_microdeposits(setup.id, descriptor_code="SM11AA").status == "succeeded"
    assert pay(client, method, customer=customer).status == "processing"


def test_a_subscription_paid_by_debit_is_active_until_the_debit_fails(shop: Shop) -> None:
    shop.use("pm_usBankAccount_insufficientFunds")
    subscription = shop.subscribe(shop.price())
    assert subscription.status == "active"
    failed: Any = shop.client.subscriptions.retrieve(subscription.id, expand=["latest_invoice"])  # Any: expanded
    assert (failed.status, failed.latest_invoice.status) == ("past_due", "open")


def test_a_refund_may_fail_later(client: pinstripe.Client) -> None:
    intent = pay(client, "pm_card_refundFail")
    refund = client.refunds.create(payment_intent=intent.id)
    assert refund.status == "succeeded"
    assert client.refunds.retrieve(refund.id).status == "failed"
