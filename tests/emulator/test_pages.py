"""The HTML pages in a real browser: the status page, Checkout, the portal, 3-D Secure."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect, sync_playwright

import pinstripe
from pinstripe.emulator import Emulator

CHROMIUM = shutil.which("chromium")
OFFLINE = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not on this machine")


@dataclass
class Site:
    """A browser page, and the emulator that it shows."""

    url: str
    client: pinstripe.Client
    page: Page
    emulator: Emulator


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:  # Any: Playwright's browser
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OFFLINE)
        yield browser
        browser.close()


@pytest.fixture
def site(browser: Any, emulator: Emulator) -> Iterator[Site]:
    with emulator.serve() as url, pinstripe.Client("sk_test_x", base_url=url) as client:
        page = browser.new_page()
        page.set_default_timeout(10_000)
        yield Site(url, client, page, emulator)
        page.close()


def pay(page: Page, number: str, button: str = "Pay") -> None:
    page.get_by_label("Email").fill("jenny@example.com")
    page.get_by_label("Card number").fill(number)
    page.get_by_role("button", name=button).click()


def test_the_status_page_shows_changes_at_once(site: Site) -> None:
    page = site.page
    page.goto(site.url)
    expect(page.get_by_text("No objects yet")).to_be_visible()
    customer = site.client.customers.create(name="<b>Jenny</b>").id
    expect(page.get_by_role("link", name=customer)).to_be_visible()
    expect(page.get_by_text("customer.created").first).to_be_visible()
    with pytest.raises(pinstripe.InvalidRequestError):
        site.client.customers.retrieve("cus_none")
    expect(page.get_by_text("No such customer: 'cus_none'")).to_be_visible()
    page.get_by_role("link", name=customer).click()
    expect(page.get_by_text('"name": "<b>Jenny</b>"')).to_be_visible()


def test_deliveries_are_shown_and_can_be_repeated(site: Site) -> None:
    site.client.webhook_endpoints.create(url="http://127.0.0.1:9/unreachable", enabled_events=["customer.created"])
    site.page.goto(site.url)
    site.client.customers.create()
    expect(site.page.get_by_text("no response")).to_be_visible()
    site.page.get_by_role("button", name="send again").click()
    expect(site.page.get_by_text("no response")).to_have_count(2)
    site.emulator.settle()


def test_a_customer_subscribes_on_the_checkout_page(site: Site) -> None:
    price = site.client.prices.create(
        currency="usd", unit_amount=2900, recurring={"interval": "month"}, product_data={"name": "Gold"}
    ).id
    session = site.client.checkout.sessions.create(
        mode="subscription",
        line_items=[{"price": price, "quantity": 2}],
        success_url=f"{site.url}/objects/{{CHECKOUT_SESSION_ID}}",
    )
    site.page.goto(str(session.url))
    expect(site.page.get_by_role("heading", name="58.00 USD")).to_be_visible()
    pay(site.page, "4000 0000 0000 0002", "Subscribe")
    expect(site.page.get_by_role("alert")).to_have_text("Your card was declined.")
    pay(site.page, "4242 4242 4242 4242", "Subscribe")
    site.page.wait_for_url(f"{site.url}/objects/{session.id}")
    completed = site.client.checkout.sessions.retrieve(session.id, expand=["subscription", "line_items"])
    assert (completed.status, completed.payment_status, getattr(completed.subscription, "status", None)) == (
        "complete",
        "paid",
        "active",
    )
    assert completed.customer_details is not None
    assert completed.customer_details.email == "jenny@example.com"
    assert len(site.client.customers.list().data) == 1
    assert "checkout.session.completed" in site.emulator.events.types


def test_a_payment_is_completed_after_authentication(site: Site) -> None:
    session = site.client.checkout.sessions.create(
        mode="payment",
        line_items=[
            {"price_data": {"currency": "eur", "unit_amount": 1500, "product_data": {"name": "Book"}}, "quantity": 1}
        ],
        success_url=f"{site.url}/objects/{{CHECKOUT_SESSION_ID}}",
    )
    site.page.goto(str(session.url))
    pay(site.page, "4000 0000 0000 3220")
    site.page.get_by_role("button", name="Complete").click()
    site.page.wait_for_url(f"{site.url}/objects/{session.id}")
    intent = site.client.checkout.sessions.retrieve(session.id, expand=["payment_intent"]).payment_intent
    assert getattr(intent, "status", None) == "succeeded"


def test_a_payment_link_creates_a_session_for_each_customer(site: Site) -> None:
    price = site.client.prices.create(currency="usd", unit_amount=900, product_data={"name": "Mug"}).id
    link = site.client.payment_links.create(line_items=[{"price": price, "quantity": 1}])
    for _ in range(2):
        site.page.goto(link.url)
        pay(site.page, "4242 4242 4242 4242")
        expect(site.page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert [session.status for session in site.client.checkout.sessions.list(payment_link=link.id)] == [
        "complete",
        "complete",
    ]
    site.client.payment_links.update(link.id, active=False)
    site.page.goto(link.url)
    expect(site.page.get_by_text("no longer active")).to_be_visible()


def test_a_customer_cancels_renews_and_changes_the_card_in_the_portal(site: Site) -> None:
    client, page = site.client, site.page
    customer = client.customers.create(name="Jenny", payment_method="pm_card_visa").id
    client.customers.update(
        customer, invoice_settings={"default_payment_method": client.payment_methods.list(customer=customer).data[0].id}
    )
    price = client.prices.create(
        currency="usd", unit_amount=2900, recurring={"interval": "month"}, product_data={"name": "Gold"}
    ).id
    subscription = client.subscriptions.create(customer=customer, items=[{"price": price}]).id
    page.goto(client.billing_portal.sessions.create(customer=customer).url)
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.get_by_role("button", name="Don't cancel")).to_be_visible()
    assert client.subscriptions.retrieve(subscription).cancel_at_period_end is True
    page.get_by_role("button", name="Don't cancel").click()
    expect(page.get_by_role("button", name="Cancel", exact=True)).to_be_visible()
    assert client.subscriptions.retrieve(subscription).cancel_at_period_end is False
    page.get_by_label("Card number").fill("5555 5555 5555 4444")
    page.get_by_role("button", name="Add card").click()
    expect(page.get_by_text("mastercard ending in 4444")).to_be_visible()


def test_an_invoice_is_paid_on_its_page(site: Site) -> None:
    client, page = site.client, site.page
    customer = client.customers.create(name="Jenny").id
    invoice = client.invoices.create(customer=customer, collection_method="send_invoice", days_until_due=7).id
    client.invoice_items.create(customer=customer, invoice=invoice, amount=4200, currency="usd", description="Advice")
    opened = client.invoices.send_invoice(invoice)
    page.goto(str(opened.hosted_invoice_url))
    expect(page.get_by_role("heading", name="42.00 USD")).to_be_visible()
    page.get_by_label("Card number").fill("4242 4242 4242 4242")
    page.get_by_role("button", name="Pay").click()
    expect(page.get_by_text("paid")).to_be_visible()
    assert client.invoices.retrieve(invoice).status == "paid"
    assert httpx.get(str(opened.invoice_pdf)).content.startswith(b"%PDF")


def test_the_page_of_a_missing_object_is_not_found(site: Site, tmp_path: Path) -> None:
    site.page.goto(f"{site.url}/checkout/cs_none")
    expect(site.page.get_by_text("There is no cs_none")).to_be_visible()
