"""Invoices that an application creates itself: drafts, lines, discounts, taxes, balance, credit notes, quotes."""

from __future__ import annotations

import pytest

import pinstripe
from tests.emulator.conftest import NEW_YEAR, Shop, existing_customer


def draft(shop: Shop, *amounts: int) -> str:
    invoice = shop.client.invoices.create(customer=shop.customer, currency="usd")
    for amount in amounts:
        shop.client.invoice_items.create(customer=shop.customer, invoice=invoice.id, amount=amount, currency="usd")
    return invoice.id


def test_a_draft_is_finalized_numbered_and_paid(shop: Shop) -> None:
    client = shop.client
    first, second = draft(shop, 1000, 250), draft(shop, 500)
    opened = client.invoices.finalize_invoice(first)
    assert (opened.status, opened.total, opened.amount_due) == ("open", 1250, 1250)
    prefix = existing_customer(client, shop.customer).invoice_prefix
    assert [opened.number, client.invoices.finalize_invoice(second).number] == [f"{prefix}-0001", f"{prefix}-0002"]
    paid = client.invoices.pay(first, expand=["payments.data.payment.payment_intent"])
    assert (paid.status, paid.amount_paid, paid.amount_remaining) == ("paid", 1250, 0)
    assert paid.payments is not None
    assert paid.payments.data[0].amount_paid == 1250
    with pytest.raises(pinstripe.InvalidRequestError) as caught:
        client.invoices.pay(first)
    assert caught.value.code == "invoice_not_editable"


def test_pending_items_are_included_on_request(shop: Shop) -> None:
    client = shop.client
    client.invoice_items.create(customer=shop.customer, amount=300, currency="usd", description="Setup")
    assert client.invoices.create(customer=shop.customer).total == 0
    invoice = client.invoices.create(customer=shop.customer, pending_invoice_items_behavior="include")
    assert [(line.description, line.amount) for line in invoice.lines.data] == [("Setup", 300)]
    client.invoices.delete(invoice.id)
    assert [item.invoice for item in client.invoice_items.list(customer=shop.customer)] == [None]


def test_discounts_apply_before_taxes(shop: Shop) -> None:
    client = shop.client
    coupon = client.coupons.create(percent_off=10, duration="once").id
    rate = client.tax_rates.create(display_name="VAT", percentage=20, inclusive=False).id
    invoice = client.invoices.update(draft(shop, 999, 501), discounts=[{"coupon": coupon}], default_tax_rates=[rate])
    # 1500 less 150 is 1350; the discount of the lines is 99.9 and 50.1, rounded 100 and 50; 20 % of 899 and 451 is 179.8 and 90.2
    assert (invoice.subtotal, invoice.total, invoice.total_excluding_tax) == (1500, 1350 + 180 + 90, 1350)
    assert [[discount.amount for discount in line.discount_amounts or []] for line in invoice.lines.data] == [
        [100],
        [50],
    ]
    assert [tax.amount for tax in invoice.total_taxes or []] == [270]


def test_inclusive_tax_is_part_of_the_price(shop: Shop) -> None:
    rate = shop.client.tax_rates.create(display_name="MwSt", percentage=19, inclusive=True).id
    invoice = shop.client.invoices.update(draft(shop, 11_900), default_tax_rates=[rate])
    assert (invoice.total, invoice.total_excluding_tax) == (11_900, 10_000)
    assert [tax.amount for tax in invoice.total_taxes or []] == [1900]


def test_an_exempt_customer_pays_no_tax(shop: Shop) -> None:
    shop.client.customers.update(shop.customer, tax_exempt="exempt")
    rate = shop.client.tax_rates.create(display_name="VAT", percentage=20, inclusive=False).id
    invoice = shop.client.invoices.update(draft(shop, 1000), default_tax_rates=[rate])
    assert invoice.total == 1000


def test_the_balance_is_applied_and_restored_when_the_invoice_is_voided(shop: Shop) -> None:
    client = shop.client
    client.customers.balance_transactions.create(shop.customer, amount=-700, currency="usd")
    invoice = client.invoices.finalize_invoice(draft(shop, 1000))
    assert (invoice.total, invoice.amount_due, invoice.starting_balance, invoice.ending_balance) == (1000, 300, -700, 0)
    client.invoices.void_invoice(invoice.id)
    assert shop.balance == -700


def test_an_invoice_covered_by_the_balance_is_paid_when_finalized(shop: Shop) -> None:
    shop.client.customers.update(shop.customer, balance=-5000)
    invoice = shop.client.invoices.finalize_invoice(draft(shop, 1000))
    assert (invoice.status, invoice.amount_due) == ("paid", 0)
    assert shop.balance == -4000


def test_an_uncollectible_invoice_can_still_be_paid(shop: Shop) -> None:
    client = shop.client
    invoice = client.invoices.finalize_invoice(draft(shop, 1000)).id
    assert client.invoices.mark_uncollectible(invoice).status == "uncollectible"
    assert client.invoices.pay(invoice).status == "paid"
    with pytest.raises(pinstripe.InvalidRequestError):
        client.invoices.void_invoice(invoice)
    with pytest.raises(pinstripe.InvalidRequestError):
        client.invoices.delete(invoice)


def test_a_declined_card_leaves_the_invoice_open(shop: Shop) -> None:
    shop.use("pm_card_chargeCustomerFail")
    invoice = shop.client.invoices.finalize_invoice(draft(shop, 1000)).id
    with pytest.raises(pinstripe.CardError):
        shop.client.invoices.pay(invoice)
    retrieved = shop.client.invoices.retrieve(invoice)
    assert (retrieved.status, retrieved.attempted, retrieved.attempt_count) == ("open", True, 1)


def test_only_the_lines_of_a_draft_can_be_changed(shop: Shop) -> None:
    client = shop.client
    invoice = draft(shop, 1000)
    added = client.invoices.add_lines(invoice, lines=[{"amount": 200, "description": "More"}])
    assert added.total == 1200
    changed = client.invoices.update_lines(invoice, lines=[{"id": added.lines.data[0].id, "amount": 900}])
    assert changed.total == 1100
    removed = client.invoices.remove_lines(invoice, lines=[{"id": added.lines.data[1].id, "behavior": "delete"}])
    assert removed.total == 900
    client.invoices.finalize_invoice(invoice)
    with pytest.raises(pinstripe.InvalidRequestError, match="can't be changed"):
        client.invoices.add_lines(invoice, lines=[{"amount": 1, "description": "x"}])


def test_a_draft_with_auto_advance_is_finalized_and_paid_after_an_hour(shop: Shop) -> None:
    client = shop.client
    invoice = client.invoices.create(customer=shop.customer, auto_advance=True)
    client.invoice_items.create(customer=shop.customer, invoice=invoice.id, amount=800, currency="usd")
    shop.advance(NEW_YEAR + 3600)
    assert client.invoices.retrieve(invoice.id).status == "paid"


def test_a_credit_note_before_payment_reduces_the_amount_due(shop: Shop) -> None:
    client = shop.client
    invoice = client.invoices.finalize_invoice(draft(shop, 1000)).id
    note = client.credit_notes.create(invoice=invoice, amount=400)
    assert (note.pre_payment_amount, note.post_payment_amount, note.type) == (400, 0, "pre_payment")
    assert client.invoices.retrieve(invoice).amount_remaining == 600
    paid = client.invoices.pay(invoice)
    assert (paid.amount_paid, paid.status) == (600, "paid")
    with pytest.raises(pinstripe.InvalidRequestError, match="from 1 to 600"):
        client.credit_notes.preview(invoice=invoice, amount=601, refund_amount=601)


def test_a_credit_note_after_payment_refunds_and_credits(shop: Shop) -> None:
    client = shop.client
    invoice = client.invoices.finalize_invoice(draft(shop, 1000)).id
    client.invoices.pay(invoice)
    note = client.credit_notes.create(invoice=invoice, amount=500, refund_amount=300, credit_amount=200)
    assert [refund.amount_refunded for refund in note.refunds] == [300]
    assert shop.balance == -200
    assert [refund.amount for refund in client.refunds.list()] == [300]


def test_a_quote_becomes_a_subscription_or_an_invoice(shop: Shop) -> None:
    client = shop.client
    quote = client.quotes.create(customer=shop.customer, line_items=[{"price": shop.price(3000), "quantity": 2}])
    assert (quote.status, quote.amount_total) == ("draft", 6000)
    assert client.quotes.finalize_quote(quote.id).status == "open"
    assert client.quotes.pdf(quote.id).startswith(b"%PDF")
    accepted = client.quotes.accept(quote.id)
    assert accepted.status == "accepted"
    assert shop.latest(str(accepted.subscription)).total == 6000
    one_time = client.quotes.create(
        customer=shop.customer,
        line_items=[
            {"price_data": {"currency": "usd", "unit_amount": 900, "product": client.products.create(name="Setup").id}}
        ],
    )
    client.quotes.finalize_quote(one_time.id)
    invoice = client.invoices.retrieve(str(client.quotes.accept(one_time.id).invoice))
    assert (invoice.status, invoice.total, invoice.billing_reason) == ("draft", 900, "quote_accept")


def test_previews_change_nothing(shop: Shop) -> None:
    client = shop.client
    subscription = shop.subscribe(shop.price(3000))
    count = len(shop.emulator.events)
    preview = client.invoices.create_preview(
        subscription=subscription.id,
        subscription_details={"items": [{"id": subscription.items.data[0].id, "quantity": 5}]},
    )
    assert preview.total > 0
    new = client.invoices.create_preview(
        customer=shop.customer, subscription_details={"items": [{"price": shop.price(700)}]}
    )
    assert new.total == 700
    assert len(shop.emulator.events) == count + 2  # the price and its product
    assert [invoice.id for invoice in client.invoices.list()] == [shop.latest(subscription.id).id]


def test_an_amount_below_the_minimum_charge_is_added_to_the_next_invoice(shop: Shop) -> None:
    client = shop.client
    client.invoice_items.create(customer=shop.customer, amount=30, currency="usd")
    small = client.invoices.pay(
        client.invoices.create(customer=shop.customer, pending_invoice_items_behavior="include").id
    )
    assert (small.status, small.total, small.amount_due, small.ending_balance) == ("paid", 30, 0, 30)
    assert (shop.balance, client.charges.list().data) == (30, [])
    client.invoice_items.create(customer=shop.customer, amount=100, currency="usd")
    following = client.invoices.pay(
        client.invoices.create(customer=shop.customer, pending_invoice_items_behavior="include").id
    )
    assert (following.starting_balance, following.amount_paid, shop.balance) == (30, 130, 0)


def test_a_paid_invoice_cannot_be_changed(shop: Shop) -> None:
    client = shop.client
    client.invoice_items.create(customer=shop.customer, amount=900, currency="usd")
    invoice = client.invoices.create(customer=shop.customer, pending_invoice_items_behavior="include").id
    client.invoices.finalize_invoice(invoice)
    assert client.invoices.pay(invoice, paid_out_of_band=True).attempted is False
    for request in (
        lambda: client.invoices.pay(invoice),
        lambda: client.invoices.send_invoice(invoice),
        lambda: client.invoices.void_invoice(invoice),
        lambda: client.invoices.update(invoice, description="x"),
        lambda: client.invoices.delete(invoice),
    ):
        with pytest.raises(pinstripe.InvalidRequestError):
            request()
    assert client.invoices.update(invoice, metadata={"order": "1"}).metadata == {"order": "1"}
