"""The HTML pages in a real browser: the status page, Checkout, the portal, invoices, 3-D Secure."""

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
from pinstripe.emulator.validation.errors import ErrorResponse
from pinstripe.emulator.web.hosted import parse_card
from pinstripe.models import PaymentMethod
from tests.emulator.conftest import DAY, NEW_YEAR

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


def subscribe(
    client: pinstripe.Client, quantity: int = 3, **customer_params: Any
) -> tuple[str, str]:  # Any: parameters
    """Create a customer with a subscription of 29 dollars a seat, and return the ids of both."""
    customer = client.customers.create(
        name="Jenny Rosen",
        email="jenny@example.com",
        payment_method="pm_card_visa",
        invoice_settings={"default_payment_method": "pm_card_visa"},
        **customer_params,
    ).id
    items: Any = [{"price": gold(client), "quantity": quantity}]  # Any: items of a subscription
    return customer, client.subscriptions.create(customer=customer, items=items).id


def gold(client: pinstripe.Client) -> str:
    return client.prices.create(
        currency="usd", unit_amount=2900, recurring={"interval": "month"}, product_data={"name": "Gold"}
    ).id


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
    site.page.get_by_role("link", name="customer.created").first.click()
    expect(site.page.get_by_role("heading", name="Deliveries")).to_be_visible()
    site.page.get_by_role("button", name="send again").first.click()
    expect(site.page.get_by_role("button", name="send again")).to_have_count(3)
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
    expect(site.page.get_by_role("heading", name="$58.00")).to_be_visible()
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


def test_the_url_of_a_payment_link_fills_in_fields(site: Site) -> None:
    client, page = site.client, site.page
    coupon = client.coupons.create(percent_off=50, duration="once").id
    client.promotion_codes.create(promotion={"type": "coupon", "coupon": coupon}, code="HALF")
    link = client.payment_links.create(
        line_items=[{"price": gold(client), "quantity": 1}],
        allow_promotion_codes=True,
        after_completion={"type": "hosted_confirmation", "hosted_confirmation": {"custom_message": "See you soon."}},
    )
    query = "client_reference_id=cart_7&prefilled_email=jenny%40example.com&prefilled_promo_code=half"
    page.goto(f"{link.url}?{query}")
    expect(page.get_by_label("Email")).to_have_value("jenny@example.com")
    expect(page.get_by_role("heading", name="$14.50 due today")).to_be_visible()
    page.get_by_label("Card number").fill("4242 4242 4242 4242")
    page.get_by_role("button", name="Subscribe").click()
    expect(page.get_by_text("See you soon.")).to_be_visible()
    (session,) = client.checkout.sessions.list(payment_link=link.id)
    assert (session.client_reference_id, session.amount_total) == ("cart_7", 1450)


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
    expect(page.get_by_text("Mastercard ending in 4444")).to_be_visible()


def test_an_invoice_is_paid_on_its_page(site: Site) -> None:
    client, page = site.client, site.page
    customer = client.customers.create(name="Jenny").id
    invoice = client.invoices.create(customer=customer, collection_method="send_invoice", days_until_due=7).id
    client.invoice_items.create(customer=customer, invoice=invoice, amount=4200, currency="usd", description="Advice")
    opened = client.invoices.send_invoice(invoice)
    page.goto(str(opened.hosted_invoice_url))
    expect(page.get_by_role("heading", name="$42.00 due")).to_be_visible()
    page.get_by_label("Card number").fill("4242 4242 4242 4242")
    page.get_by_role("button", name="Pay").click()
    expect(page.get_by_role("heading", name="$42.00 paid")).to_be_visible()
    assert client.invoices.retrieve(invoice).status == "paid"
    assert httpx.get(str(opened.invoice_pdf)).content.startswith(b"%PDF")


def test_an_invoice_is_paid_after_authentication(site: Site) -> None:
    client, page = site.client, site.page
    customer = client.customers.create(name="Jenny").id
    invoice = client.invoices.create(customer=customer, collection_method="send_invoice", days_until_due=7).id
    client.invoice_items.create(customer=customer, invoice=invoice, amount=4200, currency="usd")
    page.goto(str(client.invoices.send_invoice(invoice).hosted_invoice_url))
    page.get_by_label("Card number").fill("4000 0000 0000 3220")
    page.get_by_role("button", name="Pay").click()
    expect(page.get_by_text("$42.00")).to_be_visible()
    page.get_by_role("button", name="Complete").click()
    expect(page.get_by_role("heading", name="$42.00 paid")).to_be_visible()
    assert client.invoices.retrieve(invoice).status == "paid"


def test_the_page_of_a_missing_object_is_not_found(site: Site, tmp_path: Path) -> None:
    site.page.goto(f"{site.url}/checkout/cs_none")
    expect(site.page.get_by_text("There is no cs_none")).to_be_visible()


def test_a_request_is_shown_with_its_bodies_its_key_and_its_events(site: Site) -> None:
    page = site.page
    customer, _ = [
        site.client.customers.create(
            name="Jenny & Joe", metadata={"seats": "3"}, request_options={"idempotency_key": "signup-7"}
        )
        for _ in range(2)
    ]
    page.goto(site.url)
    expect(page.get_by_text("signup-7")).to_have_count(2)
    expect(page.get_by_text("replayed")).to_have_count(1)
    page.get_by_role("link", name="/v1/customers").last.click()
    expect(page.get_by_text("name = Jenny & Joe")).to_be_visible()
    expect(page.get_by_text("metadata[seats] = 3")).to_be_visible()
    expect(page.get_by_text("signup-7")).to_be_visible()
    expect(page.get_by_role("link", name="customer.created")).to_be_visible()
    page.get_by_role("link", name=customer.id).click()
    expect(page.get_by_role("heading", name=customer.id)).to_be_visible()


def test_an_error_links_to_its_request(site: Site) -> None:
    with pytest.raises(pinstripe.InvalidRequestError) as caught:
        site.client.customers.retrieve("cus_none")
    site.page.goto(str(caught.value.request_log_url))
    expect(site.page.get_by_text("No such customer: 'cus_none'").first).to_be_visible()


def test_the_status_page_is_filtered_by_type_and_object(site: Site) -> None:
    client, page = site.client, site.page
    client.webhook_endpoints.create(url="http://127.0.0.1:9/unreachable", enabled_events=["*"])
    jenny, joe = client.customers.create(name="Jenny").id, client.customers.create(name="Joe").id
    client.products.create(name="Mug")
    site.emulator.settle()
    page.goto(site.url)
    page.get_by_label("Object").fill(jenny)
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("section", has=page.get_by_role("heading", name="Requests")).get_by_role("row")).to_have_count(
        1
    )
    expect(page.get_by_role("link", name="customer.created")).to_have_count(2)  # the event and its delivery
    page.get_by_role("link", name="Clear").click()
    page.get_by_label("Type").fill("customer")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_role("heading", name="Objects of type customer")).to_be_visible()
    expect(page.get_by_role("link", name=joe)).to_be_visible()
    expect(page.get_by_text("product.created")).to_have_count(0)
    client.customers.create(name="Ann")  # the filter stays while the page follows the changes
    expect(page.get_by_role("cell", name="Ann")).to_be_visible()
    expect(page.get_by_text("product.created")).to_have_count(0)


def test_unknown_urls_are_not_found(site: Site) -> None:
    errors: list[str] = []
    site.page.on("requestfailed", lambda request: errors.append(request.url))
    site.page.on("response", lambda response: errors.append(response.url) if response.status >= 400 else None)
    site.page.goto(site.url)
    assert errors == []
    for path in ("/favicon.ico", "/nothing/here", "/robots.txt", "/requests/req_none", "/objects/cus_none"):
        response = httpx.get(site.url + path)
        assert (response.status_code, response.headers["content-type"]) == (404, "text/html; charset=utf-8")
    with_key = httpx.get(f"{site.url}/nothing/here", headers={"Authorization": "Bearer sk_test_x"})
    assert (with_key.status_code, with_key.json()["error"]["type"]) == (404, "invalid_request_error")
    assert httpx.get(f"{site.url}/v1/customers").status_code == 401
    site.page.goto(site.url)
    expect(site.page.get_by_text("/favicon.ico")).to_have_count(0)


def test_a_promotion_code_that_lasts_once_lowers_only_the_first_payment(site: Site) -> None:
    client, page = site.client, site.page
    clock = client.test_helpers.test_clocks.create(frozen_time=NEW_YEAR)
    customer = client.customers.create(name="Jenny Rosen", email="jenny@example.com", test_clock=clock.id).id
    coupon = client.coupons.create(percent_off=20, duration="once").id
    code = client.promotion_codes.create(promotion={"type": "coupon", "coupon": coupon}, code="WELCOME").id
    session = client.checkout.sessions.create(
        mode="subscription",
        line_items=[{"price": gold(client), "quantity": 2}],
        customer=customer,
        allow_promotion_codes=True,
        success_url=f"{site.url}/objects/{{CHECKOUT_SESSION_ID}}",
    )
    page.goto(str(session.url))
    page.get_by_label("Promotion code").fill("NOSUCHCODE")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("alert")).to_have_text("This code is invalid.")
    page.get_by_label("Promotion code").fill("welcome")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("heading", name="$46.40 due today")).to_be_visible()
    expect(page.get_by_text("20% off once")).to_be_visible()
    expect(page.get_by_text("Then $58.00 per month")).to_be_visible()
    assert client.promotion_codes.retrieve(code).times_redeemed == 1
    page.get_by_role("button", name="Remove code").click()
    expect(page.get_by_role("heading", name="$58.00 due today")).to_be_visible()
    assert client.promotion_codes.retrieve(code).times_redeemed == 0
    page.get_by_label("Promotion code").fill("welcome")
    page.get_by_role("button", name="Apply").click()
    page.get_by_label("Card number").fill("4242 4242 4242 4242")
    page.get_by_role("button", name="Subscribe").click()
    page.wait_for_url(f"{site.url}/objects/{session.id}")
    client.test_helpers.test_clocks.advance(clock.id, frozen_time=NEW_YEAR + 40 * DAY)
    assert [invoice.amount_paid for invoice in client.invoices.list(customer=customer)] == [5800, 4640]


def test_the_redemption_of_an_expired_session_is_undone(site: Site) -> None:
    client = site.client
    coupon = client.coupons.create(amount_off=500, currency="usd", duration="once", max_redemptions=1).id
    session = client.checkout.sessions.create(
        mode="subscription",
        line_items=[{"price": gold(client), "quantity": 1}],
        discounts=[{"coupon": coupon}],
        success_url=site.url,
    ).id
    assert getattr(client.coupons.retrieve(coupon), "valid", None) is False
    client.checkout.sessions.expire(session)
    released = client.coupons.retrieve(coupon)
    assert (getattr(released, "times_redeemed", None), getattr(released, "valid", None)) == (0, True)


def test_checkout_shows_the_trial_and_who_the_customer_is(site: Site) -> None:
    client, page = site.client, site.page
    customer = client.customers.create(name="Jenny Rosen", email="jenny@example.com").id
    session = client.checkout.sessions.create(
        mode="subscription",
        line_items=[{"price": gold(client), "quantity": 2}],
        customer=customer,
        subscription_data={"trial_period_days": 14},
        success_url=f"{site.url}/objects/{{CHECKOUT_SESSION_ID}}",
    )
    page.goto(str(session.url))
    expect(page.get_by_role("heading", name="$0.00 due today")).to_be_visible()
    expect(page.get_by_text("14 days free, then $58.00 per month")).to_be_visible()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Jenny Rosen")
    expect(page.get_by_label("Email")).to_have_value("jenny@example.com")
    page.get_by_label("Card number").fill("4242424242424242")
    page.get_by_label("Expiry").fill("0131")
    page.get_by_role("button", name="Start trial").click()
    page.wait_for_url(f"{site.url}/objects/{session.id}")
    (subscription,) = client.subscriptions.list(customer=customer, expand=["data.default_payment_method"])
    assert isinstance(subscription.default_payment_method, PaymentMethod)
    card = subscription.default_payment_method.card
    assert card is not None
    assert (subscription.status, card.exp_month, card.exp_year) == ("trialing", 1, 2031)


def test_a_trial_can_start_without_a_card(site: Site) -> None:
    client, page = site.client, site.page
    session = client.checkout.sessions.create(
        mode="subscription",
        line_items=[{"price": gold(client), "quantity": 1}],
        payment_method_collection="if_required",
        subscription_data={
            "trial_period_days": 14,
            "trial_settings": {"end_behavior": {"missing_payment_method": "cancel"}},
        },
        success_url=f"{site.url}/objects/{{CHECKOUT_SESSION_ID}}",
    )
    page.goto(str(session.url))
    expect(page.get_by_label("Card number")).to_have_count(0)
    page.get_by_label("Email").fill("jenny@example.com")
    page.get_by_role("button", name="Start trial").click()
    page.wait_for_url(f"{site.url}/objects/{session.id}")
    (subscription,) = client.subscriptions.list()
    assert (subscription.status, subscription.default_payment_method) == ("trialing", None)


def test_an_order_that_costs_nothing_needs_no_card(site: Site) -> None:
    client, page = site.client, site.page
    coupon = client.coupons.create(percent_off=100, duration="once").id
    client.promotion_codes.create(promotion={"type": "coupon", "coupon": coupon}, code="GIFT")
    session = client.checkout.sessions.create(
        mode="payment",
        line_items=[
            {"price_data": {"currency": "eur", "unit_amount": 1500, "product_data": {"name": "Book"}}, "quantity": 1}
        ],
        allow_promotion_codes=True,
        success_url=f"{site.url}/objects/{{CHECKOUT_SESSION_ID}}",
    )
    page.goto(str(session.url))
    page.get_by_label("Promotion code").fill("GIFT")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_label("Card number")).to_have_count(0)
    page.get_by_label("Email").fill("jenny@example.com")
    page.get_by_role("button", name="Complete order").click()
    page.wait_for_url(f"{site.url}/objects/{session.id}")
    completed = client.checkout.sessions.retrieve(session.id)
    assert (completed.status, completed.payment_status) == ("complete", "no_payment_required")


@pytest.mark.parametrize("expiry", ["12/34", "12 / 34", "1234", "12-2034", "12 2034", "122034", " 12/34 "])
def test_expiration_dates_are_read_leniently(expiry: str) -> None:
    card = parse_card({"number": "4242-4242 4242 4242", "expiry": expiry})
    assert (card["number"], card["exp_month"], card["exp_year"]) == ("4242424242424242", 12, 2034)


@pytest.mark.parametrize("expiry", ["12", "/34", "soon", "12/345"])
def test_incomplete_expiration_dates_are_refused(expiry: str) -> None:
    with pytest.raises(ErrorResponse, match="expiration date"):
        parse_card({"number": "4242424242424242", "expiry": expiry})


def test_the_portal_shows_and_changes_quantities(site: Site) -> None:
    client, page = site.client, site.page
    customer, subscription = subscribe(client)
    page.goto(client.billing_portal.sessions.create(customer=customer).url)
    expect(page.get_by_text("$87.00 per month")).to_be_visible()
    expect(page.get_by_text("3 × $29.00")).to_be_visible()
    page.get_by_label("Quantity").fill("5")
    page.get_by_role("button", name="Update").click()
    expect(page.get_by_text("$145.00 per month")).to_be_visible()
    assert client.subscriptions.retrieve(subscription).items.data[0].quantity == 5
    assert [invoice.amount_paid for invoice in client.invoices.list(customer=customer)] == [5800, 8700]


def test_the_portal_offers_what_its_configuration_allows(site: Site) -> None:
    client, page = site.client, site.page
    customer, subscription = subscribe(client)
    configuration = client.billing_portal.configurations.create(
        features={
            "subscription_cancel": {"enabled": True, "mode": "immediately"},
            "invoice_history": {"enabled": False},
        }
    ).id
    session = client.billing_portal.sessions.create(customer=customer, configuration=configuration)
    page.goto(session.url)
    expect(page.get_by_label("Quantity")).to_have_count(0)
    expect(page.get_by_label("Card number")).to_have_count(0)
    expect(page.get_by_role("heading", name="Invoices")).to_have_count(0)
    item = client.subscriptions.retrieve(subscription).items.data[0].id
    assert httpx.post(session.url, data={"item": item, "quantity": "9"}).status_code == 403
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("canceled")).to_be_visible()
    assert client.subscriptions.retrieve(subscription).status == "canceled"


def test_an_invoice_and_its_pdf_tell_the_same(site: Site) -> None:
    client, page = site.client, site.page
    clock = client.test_helpers.test_clocks.create(frozen_time=NEW_YEAR)
    customer, _ = subscribe(client, test_clock=clock.id)
    (invoice,) = client.invoices.list(customer=customer)
    page.goto(str(invoice.hosted_invoice_url))
    text = page.inner_text("main")
    pdf = httpx.get(str(invoice.invoice_pdf)).content.decode("cp1252").replace("\\", "")
    for part in (
        f"Invoice {invoice.number}",
        "Jenny Rosen, jenny@example.com",
        "$87.00 paid 1 Jan 2026",
        "3 × Gold (at $29.00 / month)",
        "1 Jan 2026 to 1 Feb 2026",
        "-$87.00",
        "$0.00",
    ):
        assert part in text
        assert part in pdf


def test_a_long_invoice_has_several_pages(site: Site) -> None:
    client = site.client
    customer = client.customers.create(name="Jenny").id
    invoice = client.invoices.create(
        customer=customer, currency="eur", collection_method="send_invoice", days_until_due=7
    ).id
    for number in range(30):
        client.invoice_items.create(
            customer=customer, invoice=invoice, amount=100, currency="eur", description=f"{number}: {'advice ' * 20}"
        )
    pdf = httpx.get(str(client.invoices.finalize_invoice(invoice).invoice_pdf)).content
    assert b"/Count 3 >>" in pdf
    assert "€30.00".encode("cp1252") in pdf


def test_receipts_and_credit_notes_have_pages(site: Site) -> None:
    client, page = site.client, site.page
    customer, _ = subscribe(client)
    (charge,) = client.charges.list(customer=customer)
    client.refunds.create(charge=charge.id, amount=700)
    page.goto(str(charge.receipt_url))
    expect(page.get_by_text("Visa ending in 4242")).to_be_visible()
    expect(page.get_by_role("cell", name="-$7.00")).to_be_visible()
    expect(page.get_by_role("cell", name="$80.00")).to_be_visible()
    (invoice,) = client.invoices.list(customer=customer)
    note = client.credit_notes.create(invoice=invoice.id, amount=500, credit_amount=500)
    assert b"($5.00 credited)" in httpx.get(note.pdf).content


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_a_phone(site: Site, browser: Any, scheme: str) -> None:
    client = site.client
    client.webhook_endpoints.create(url=f"http://127.0.0.1:9/{'unreachable' * 9}", enabled_events=["*"])
    customer, _ = subscribe(client)
    (invoice,) = client.invoices.list(customer=customer)
    (charge,) = client.charges.list(customer=customer)
    session = client.checkout.sessions.create(
        mode="subscription",
        line_items=[{"price": gold(client), "quantity": 2}],
        allow_promotion_codes=True,
        success_url=site.url,
        cancel_url=site.url,
    )
    request_id = session.last_response.request_id
    site.emulator.settle()
    phone = browser.new_page(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    for url in (
        site.url,
        f"{site.url}/?type=customer",
        f"{site.url}/objects/{customer}",
        f"{site.url}/requests/{request_id}",
        session.url,
        invoice.hosted_invoice_url,
        charge.receipt_url,
        client.billing_portal.sessions.create(customer=customer).url,
    ):
        phone.goto(url)
        assert phone.evaluate("document.documentElement.scrollWidth") <= 390, url
    phone.close()
