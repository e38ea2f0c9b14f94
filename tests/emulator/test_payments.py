"""Cards, intents, charges, refunds, disputes, the balance and connected accounts."""

from __future__ import annotations

from typing import Any

import pytest

import pinstripe
from pinstripe.emulator import Emulator
from tests.emulator.conftest import NO_REDIRECTS, Shop


def pay(
    client: pinstripe.Client, card: str = "pm_card_visa", amount: int = 2000, currency: str = "usd", **params: Any
) -> Any:  # Any: parameters; an intent
    return client.payment_intents.create(
        amount=amount,
        currency=currency,
        payment_method=card,
        confirm=True,
        automatic_payment_methods=NO_REDIRECTS,
        **params,
    )


@pytest.mark.parametrize(
    ("card", "code", "decline_code"),
    [
        ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_chargeDeclinedLostCard", "card_declined", "lost_card"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", "incorrect_cvc"),
        ("pm_card_chargeDeclinedProcessingError", "processing_error", "processing_error"),
        ("pm_card_chargeDeclinedFraudulent", "card_declined", "fraudulent"),
    ],
)
def test_a_declining_card_raises_its_documented_error(
    client: pinstripe.Client, card: str, code: str, decline_code: str
) -> None:
    with pytest.raises(pinstripe.CardError) as caught:
        pay(client, card)
    assert (caught.value.code, caught.value.decline_code) == (code, decline_code)
    (intent,) = client.payment_intents.list()
    assert intent.status == "requires_payment_method"
    assert intent.last_payment_error is not None
    (charge,) = client.charges.list()
    assert (charge.status, charge.paid, charge.failure_code) == ("failed", False, code)


def test_a_declined_intent_can_be_paid_with_another_card(client: pinstripe.Client) -> None:
    with pytest.raises(pinstripe.CardError):
        pay(client, "pm_card_chargeDeclined")
    (intent,) = client.payment_intents.list()
    done = client.payment_intents.confirm(intent.id, payment_method="pm_card_mastercard")
    assert (done.status, done.amount_received, done.last_payment_error) == ("succeeded", 2000, None)


def test_an_authorized_amount_can_be_captured_in_part(client: pinstripe.Client) -> None:
    intent = pay(client, capture_method="manual")
    assert (intent.status, intent.amount_capturable) == ("requires_capture", 2000)
    with pytest.raises(pinstripe.InvalidRequestError) as caught:
        client.payment_intents.capture(intent.id, amount_to_capture=2001)
    assert caught.value.code == "amount_too_large"
    done = client.payment_intents.capture(intent.id, amount_to_capture=1500, expand=["latest_charge"])
    assert (done.status, done.amount_received) == ("succeeded", 1500)
    charge: Any = done.latest_charge  # Any: expanded
    assert (charge.amount_captured, charge.amount_refunded, charge.refunded) == (1500, 500, False)


def test_an_authorized_payment_can_be_canceled(client: pinstripe.Client) -> None:
    intent = pay(client, capture_method="manual")
    assert client.payment_intents.cancel(intent.id, cancellation_reason="abandoned").status == "canceled"
    (charge,) = client.charges.list()
    assert (charge.captured, charge.refunded) == (False, True)
    with pytest.raises(pinstripe.InvalidRequestError) as caught:
        client.payment_intents.capture(intent.id)
    assert caught.value.code == "payment_intent_unexpected_state"


def test_a_payment_may_require_authentication(emulator: Emulator, client: pinstripe.Client) -> None:
    intent = pay(client, "pm_card_threeDSecure2Required", return_url="https://shop.test/back")
    assert intent.status == "requires_action"
    assert intent.next_action.redirect_to_url.return_url == "https://shop.test/back"
    assert emulator.authenticate(intent.id).status == "succeeded"
    other = pay(client, "pm_card_threeDSecure2Required")
    failed = emulator.authenticate(other.id, success=False)
    assert (failed.status, failed.last_payment_error.code) == (
        "requires_payment_method",
        "payment_intent_authentication_failure",
    )


def test_a_card_that_was_set_up_requires_no_authentication(emulator: Emulator, client: pinstripe.Client) -> None:
    customer = client.customers.create().id
    with pytest.raises(pinstripe.CardError) as caught:
        pay(client, "pm_card_authenticationRequiredOnSetup", customer=customer, off_session=True)
    assert caught.value.code == "authentication_required"
    setup = client.setup_intents.create(
        customer=customer,
        payment_method="pm_card_authenticationRequiredOnSetup",
        confirm=True,
        automatic_payment_methods=NO_REDIRECTS,
    )
    assert setup.status == "requires_action"
    done = emulator.authenticate(setup.id)
    assert pay(client, str(done.payment_method), customer=customer, off_session=True).status == "succeeded"


def test_a_card_that_attaches_may_decline_when_it_is_charged(client: pinstripe.Client) -> None:
    customer = client.customers.create().id
    method = client.payment_methods.attach("pm_card_chargeCustomerFail", customer=customer)
    with pytest.raises(pinstripe.CardError):
        pay(client, method.id, customer=customer)
    with pytest.raises(pinstripe.CardError):
        client.payment_methods.attach("pm_card_chargeDeclined", customer=customer)


def test_a_detached_card_cannot_be_used_again(client: pinstripe.Client) -> None:
    customer = client.customers.create().id
    method = client.payment_methods.attach("pm_card_visa", customer=customer).id
    client.payment_methods.detach(method)
    with pytest.raises(pinstripe.InvalidRequestError, match="was detached"):
        pay(client, method)


def test_refunds_never_exceed_the_charge(client: pinstripe.Client) -> None:
    intent = pay(client)
    client.refunds.create(payment_intent=intent.id, amount=500)
    with pytest.raises(pinstripe.InvalidRequestError, match=r"greater than unrefunded amount on charge \(1500\)"):
        client.refunds.create(payment_intent=intent.id, amount=1501)
    assert client.refunds.create(payment_intent=intent.id).amount == 1500
    with pytest.raises(pinstripe.InvalidRequestError) as caught:
        client.refunds.create(payment_intent=intent.id)
    assert caught.value.code == "charge_already_refunded"


def test_a_refund_may_fail_or_be_pending(client: pinstripe.Client) -> None:
    failing = pay(client, "pm_card_refundFail")
    failed = client.refunds.create(payment_intent=failing.id)
    assert client.refunds.retrieve(failed.id).status == "failed"
    waiting = client.refunds.create(payment_intent=pay(client, "pm_card_pendingRefund").id)
    assert waiting.status == "pending"
    assert client.refunds.cancel(waiting.id).status == "canceled"


def test_the_balance_is_the_sum_of_its_transactions_less_fees(client: pinstripe.Client) -> None:
    intent = pay(client, "pm_card_bypassPending")
    charge: Any = client.charges.retrieve(intent.latest_charge, expand=["balance_transaction"])  # Any: expanded
    transaction = charge.balance_transaction
    assert (transaction.amount, transaction.fee, transaction.net, transaction.status) == (2000, 88, 1912, "available")
    pay(client)  # pending for two days
    client.refunds.create(payment_intent=intent.id, amount=300)
    balance = client.balance.retrieve()
    assert (balance.available[0].amount, balance.pending[0].amount) == (1612, 1912)
    payout = client.payouts.create(amount=1600, currency="usd")
    assert client.balance.retrieve().available[0].amount == 12
    with pytest.raises(pinstripe.InvalidRequestError) as caught:
        client.payouts.create(amount=13, currency="usd")
    assert caught.value.code == "balance_insufficient"
    client.payouts.cancel(payout.id)
    assert client.balance.retrieve().available[0].amount == 1612


def test_a_pending_amount_is_available_after_two_days(shop: Shop) -> None:
    shop.subscribe(shop.price(2000))
    assert shop.client.balance.retrieve().pending[0].amount == 1912
    shop.advance(1_767_225_600 + 2 * 86_400)
    assert shop.client.balance.retrieve().available[0].amount == 1912


def test_a_dispute_withdraws_the_amount_and_a_fee_until_it_is_won(client: pinstripe.Client) -> None:
    pay(client, "pm_card_createDispute", amount=5000)
    (dispute,) = client.disputes.list()
    assert (dispute.status, dispute.reason, dispute.amount) == ("needs_response", "fraudulent", 5000)
    with pytest.raises(pinstripe.InvalidRequestError) as caught:
        client.refunds.create(charge=str(dispute.charge))
    assert caught.value.code == "charge_disputed"
    won = client.disputes.update(dispute.id, evidence={"uncategorized_text": "winning_evidence"})
    assert won.status == "won"
    assert [(item.amount, item.fee) for item in won.balance_transactions] == [(-5000, 1500), (5000, 0)]


def test_a_dispute_can_be_lost_and_an_inquiry_withdraws_nothing(client: pinstripe.Client) -> None:
    pay(client, "pm_card_createDisputeProductNotReceived")
    (dispute,) = client.disputes.list()
    assert client.disputes.close(dispute.id).status == "lost"
    pay(client, "pm_card_createDisputeInquiry")
    inquiry = next(iter(client.disputes.list()))
    assert (inquiry.status, inquiry.balance_transactions) == ("warning_needs_response", [])


def test_a_destination_charge_is_transferred_less_the_application_fee(client: pinstripe.Client) -> None:
    account = client.accounts.create(type="express").id
    intent = pay(
        client,
        amount=10_000,
        application_fee_amount=1000,
        transfer_data={"destination": account},
    )
    charge: Any = client.charges.retrieve(intent.latest_charge, expand=["transfer"])  # Any: expanded
    transfer = charge.transfer
    assert (transfer.amount, transfer.destination) == (10_000, account)
    assert client.balance.retrieve(request_options={"stripe_account": account}).pending[0].amount == 9000
    (fee,) = client.application_fees.list()
    assert fee.amount == 1000
    client.refunds.create(payment_intent=intent.id, reverse_transfer=True, refund_application_fee=True)
    assert client.transfers.retrieve(transfer.id).reversed is True
    assert client.application_fees.retrieve(fee.id).amount_refunded == 1000


def test_a_refund_releases_an_uncaptured_charge(client: pinstripe.Client) -> None:
    intent = pay(client, capture_method="manual")
    charge = client.charges.create(amount=900, currency="usd", source="tok_visa", capture=False)
    with pytest.raises(pinstripe.InvalidRequestError, match="cannot partially refund"):
        client.refunds.create(charge=charge.id, amount=400)
    refunds = [client.refunds.create(payment_intent=intent.id), client.refunds.create(charge=charge.id)]
    assert [(refund.amount, refund.status, refund.balance_transaction) for refund in refunds] == [
        (2000, "succeeded", None),
        (900, "succeeded", None),
    ]
    released = [client.charges.retrieve(refund.charge.id) for refund in refunds if refund.charge]
    assert [(value.refunded, value.amount_refunded, value.captured) for value in released] == [
        (True, 2000, False),
        (True, 900, False),
    ]
    assert client.payment_intents.retrieve(intent.id).status == "canceled"
    assert client.balance_transactions.list().data == []
    with pytest.raises(pinstripe.InvalidRequestError) as caught:
        client.refunds.create(charge=charge.id)
    assert caught.value.code == "charge_already_refunded"


def test_a_transfer_needs_an_available_amount(client: pinstripe.Client) -> None:
    account = client.accounts.create(type="express").id
    with pytest.raises(pinstripe.InvalidRequestError) as caught:
        client.transfers.create(amount=100, currency="usd", destination=account)
    assert caught.value.code == "balance_insufficient"
    client.topups.create(amount=1000, currency="usd")
    transfer = client.transfers.create(amount=600, currency="usd", destination=account)
    client.transfers.reversals.create(transfer.id, amount=200)
    assert client.balance.retrieve().available[0].amount == 600
    assert client.balance.retrieve(request_options={"stripe_account": account}).available[0].amount == 400


def test_tokens_and_sources_can_be_charged(client: pinstripe.Client) -> None:
    token = client.tokens.create(card={"number": "4242424242424242", "exp_month": "12", "exp_year": "2034"})
    charge = client.charges.create(amount=700, currency="usd", source=token.id)
    assert charge.paid is True
    with pytest.raises(pinstripe.InvalidRequestError) as caught:
        client.charges.create(amount=700, currency="usd", source=token.id)
    assert caught.value.code == "token_already_used"
    customer = client.customers.create(source="tok_mastercard")
    held = client.charges.create(amount=900, currency="usd", customer=customer.id, capture=False)
    assert client.charges.capture(held.id, amount=400).amount_captured == 400


def test_an_amount_below_the_minimum_is_refused(client: pinstripe.Client) -> None:
    with pytest.raises(pinstripe.InvalidRequestError) as caught:
        pay(client, amount=49)
    assert (caught.value.code, caught.value.param) == ("amount_too_small", "amount")


@pytest.mark.parametrize(
    ("card", "code"),
    [
        ({"exp_month": 13}, "invalid_expiry_month"),
        ({"exp_year": 2025}, "invalid_expiry_year"),
        ({"exp_year": 2100}, "invalid_expiry_year"),
        ({"cvc": "12"}, "invalid_cvc"),
        ({"cvc": "abc"}, "invalid_cvc"),
        ({"number": "4242424242424241"}, "incorrect_number"),
    ],
)
def test_a_card_with_invalid_details_is_refused(
    client: pinstripe.Client,
    card: Any,
    code: str,  # Any: a part of a card
) -> None:
    good: Any = {
        "number": "4242424242424242",
        "exp_month": 12,
        "exp_year": 2030,
        "cvc": "123",
    }  # Any: a card of the parameters
    with pytest.raises(pinstripe.CardError) as caught:
        client.payment_methods.create(type="card", card=good | card)
    assert (caught.value.status_code, caught.value.code) == (402, code)
    assert caught.value.param == next(iter(card))
    assert client.payment_methods.create(type="card", card=good | {"exp_month": 1, "exp_year": 2026}).card is not None


def test_a_card_of_a_country_shows_that_country(client: pinstripe.Client) -> None:
    methods = [
        client.payment_methods.attach(f"pm_card_{country}", customer=client.customers.create().id)
        for country in ("br", "jp")
    ]
    assert [method.card.country for method in methods if method.card] == ["BR", "JP"]


def test_an_intent_without_a_payment_method_is_not_confirmed(client: pinstripe.Client) -> None:
    intent = client.payment_intents.create(amount=900, currency="usd")
    with pytest.raises(pinstripe.InvalidRequestError) as caught:
        client.payment_intents.confirm(intent.id)
    assert caught.value.code == "payment_intent_unexpected_state"
    assert caught.value.payment_intent is not None
    assert caught.value.payment_intent.id == intent.id
    with pytest.raises(pinstripe.InvalidRequestError) as caught:
        client.setup_intents.create(confirm=True, automatic_payment_methods=NO_REDIRECTS)
    assert caught.value.code == "setup_intent_unexpected_state"


def test_the_events_of_a_dispute_come_before_that_of_the_payment(client: pinstripe.Client, emulator: Emulator) -> None:
    client.payment_intents.create(
        amount=900,
        currency="usd",
        payment_method="pm_card_createDispute",
        confirm=True,
        automatic_payment_methods=NO_REDIRECTS,
    )
    assert emulator.events.types == [
        "payment_intent.created",
        "charge.succeeded",
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "payment_intent.succeeded",
    ]


def test_refunds_never_exceed_the_captured_amount(client: pinstripe.Client) -> None:
    intent = client.payment_intents.create(
        amount=10_000,
        currency="usd",
        payment_method="pm_card_visa",
        confirm=True,
        automatic_payment_methods=NO_REDIRECTS,
        capture_method="manual",
    ).id
    client.payment_intents.capture(intent, amount_to_capture=4_000)
    with pytest.raises(pinstripe.InvalidRequestError, match="4000"):
        client.refunds.create(payment_intent=intent, amount=4_001)
    assert client.refunds.create(payment_intent=intent, amount=1_000).status == "succeeded"
    assert client.refunds.create(payment_intent=intent).amount == 3_000
    (charge,) = client.charges.list(payment_intent=intent).data
    assert (charge.amount_captured, charge.amount_refunded, charge.refunded) == (4_000, 10_000, True)


def test_a_disputed_charge_can_be_refunded_only_after_the_dispute_is_won(client: pinstripe.Client) -> None:
    intent = client.payment_intents.create(
        amount=900,
        currency="usd",
        payment_method="pm_card_createDispute",
        confirm=True,
        automatic_payment_methods=NO_REDIRECTS,
    ).id
    with pytest.raises(pinstripe.InvalidRequestError) as caught:
        client.refunds.create(payment_intent=intent)
    assert caught.value.code == "charge_disputed"
    (dispute,) = client.disputes.list().data
    client.disputes.update(dispute.id, evidence={"uncategorized_text": "winning_evidence"})
    assert client.refunds.create(payment_intent=intent).status == "succeeded"


def test_line_items_of_open_sessions_and_links_can_be_changed(client: pinstripe.Client) -> None:
    price = client.prices.create(currency="usd", unit_amount=700, product_data={"name": "Mug"}).id
    session = client.checkout.sessions.create(
        mode="payment",
        line_items=[{"price": price, "quantity": 1}],
        success_url="https://example.com",
        expand=["line_items"],
    )
    assert session.line_items is not None
    item = session.line_items.data[0].id
    updated = client.checkout.sessions.update(
        session.id, line_items=[{"id": item, "quantity": 3}, {"price": price, "quantity": 2}], expand=["line_items"]
    )
    assert updated.amount_total == 5 * 700
    assert updated.line_items is not None
    assert [(line.id == item, line.quantity) for line in updated.line_items.data] == [(True, 3), (False, 2)]
    with pytest.raises(pinstripe.InvalidRequestError, match="line item"):
        client.checkout.sessions.update(session.id, line_items=[{"id": "li_none", "quantity": 1}])
    link = client.payment_links.create(line_items=[{"price": price, "quantity": 1}], expand=["line_items"])
    assert link.line_items is not None
    changed = client.payment_links.update(
        link.id, line_items=[{"id": link.line_items.data[0].id, "quantity": 4}], expand=["line_items"]
    )
    assert changed.line_items is not None
    assert changed.line_items.data[0].amount_total == 4 * 700


def test_a_payment_method_of_a_type_that_is_not_allowed_is_refused(client: pinstripe.Client) -> None:
    intent = client.payment_intents.create(amount=900, currency="usd", allowed_payment_method_types=["us_bank_account"])
    assert intent.payment_method_types == ["us_bank_account"]
    with pytest.raises(pinstripe.InvalidRequestError, match="us_bank_account") as caught:
        client.payment_intents.confirm(intent.id, payment_method="pm_card_visa")
    assert caught.value.code == "payment_intent_incompatible_payment_method"
    client.payment_intents.update(intent.id, allowed_payment_method_types=["us_bank_account", "card"])
    assert client.payment_intents.confirm(intent.id, payment_method="pm_card_visa").status == "succeeded"


def test_an_excluded_type_of_payment_method_is_refused(client: pinstripe.Client) -> None:
    with pytest.raises(pinstripe.InvalidRequestError, match="type card is not allowed"):
        pay(client, excluded_payment_method_types=["card"])


@pytest.mark.parametrize(
    "card", [{"token": "tok_visa"}, {"number": "4242424242424242", "exp_month": 12, "exp_year": 2034}]
)
def test_an_intent_can_be_paid_with_the_data_of_a_card(
    client: pinstripe.Client, card: Any
) -> None:  # Any: one of two kinds
    data: Any = {"type": "card", "card": card, "billing_details": {"name": "Jenny"}}  # Any: one of two kinds
    intent = client.payment_intents.create(
        amount=900, currency="usd", payment_method_data=data, confirm=True, automatic_payment_methods=NO_REDIRECTS
    )
    method = client.payment_methods.retrieve(str(intent.payment_method))
    assert method.card is not None
    assert (intent.status, method.card.last4, method.billing_details.name) == ("succeeded", "4242", "Jenny")
    setup = client.setup_intents.create()
    assert client.setup_intents.update(setup.id, payment_method_data=data).status == "requires_confirmation"


def test_a_refund_names_the_customer_and_the_payment_method(shop: Shop) -> None:
    intent = pay(shop.client, shop.card, customer=shop.customer)
    refund = shop.client.refunds.create(payment_intent=intent.id)
    assert (refund.customer, refund.payment_method) == (shop.customer, shop.card)


def test_a_declining_card_is_saved_without_validation(client: pinstripe.Client) -> None:
    with pytest.raises(pinstripe.CardError):
        client.customers.create(source="tok_chargeDeclined")
    customer = client.customers.create(source="tok_chargeDeclined", validate=False)
    assert customer.default_source is not None
    client.customers.payment_sources.create(customer.id, source="tok_chargeDeclined", validate=False)
    assert len(client.customers.payment_sources.list(customer.id).data) == 2


def test_products_have_a_type_by_which_they_are_listed(client: pinstripe.Client) -> None:
    goods = client.products.create(name="Mug", type="good")
    assert client.products.create(name="Course").type == "service"
    assert [product.id for product in client.products.list(type="good")] == [goods.id]


def test_a_rejected_account_can_be_admitted_again(client: pinstripe.Client) -> None:
    account = client.accounts.create(type="express").id
    rejected = client.accounts.reject(account, reason="fraud_other", payouts_action="none")
    assert rejected.requirements is not None
    assert rejected.requirements.disabled_reason == "rejected.platform_fraud"
    assert (rejected.charges_enabled, rejected.payouts_enabled) == (False, True)
    assert client.accounts.unreject(account).charges_enabled
    with pytest.raises(pinstripe.InvalidRequestError, match="not rejected"):
        client.accounts.unreject(account)


def test_an_app_is_installed_once_and_can_be_uninstalled(client: pinstripe.Client, emulator: Emulator) -> None:
    install = client.apps.installs.create(app="com.example.app")
    with pytest.raises(pinstripe.InvalidRequestError, match="already installed"):
        client.apps.installs.create(app="com.example.app")
    assert client.apps.installs.uninstall(install.id).status == "uninstalling"
    assert client.apps.installs.list().data == []
    assert emulator.events.types == ["apps.install.created", "apps.install.deleted"]
