"""Create a customer, a saved card and a subscription. Runs on the emulator: no account, no network.

With your own test key, replace the client of the emulator by ``pinstripe.Client("sk_test_...")``.
"""

from __future__ import annotations

import pinstripe
from pinstripe.emulator import Emulator


def subscribe(client: pinstripe.Client, email: str) -> str:
    """Create a customer with a subscription, and charge the first month."""
    product = client.products.create(name="Analytics Pro")
    price = client.prices.create(product=product.id, currency="usd", unit_amount=2900, recurring={"interval": "month"})
    customer = client.customers.create(email=email, metadata={"user.id": "1"})
    intent = client.setup_intents.create(
        customer=customer.id, payment_method="pm_card_visa", confirm=True, return_url="https://example.com"
    )
    assert intent.payment_method is not None
    subscription = client.subscriptions.create(
        customer=customer.id,
        items=[{"price": price.id}],
        default_payment_method=intent.payment_method.id,
        request_options={"idempotency_key": f"subscribe-{customer.id}"},
    )
    return subscription.status


def main() -> None:
    """Subscribe a customer, show a declined payment, and list the paid invoices."""
    with Emulator() as emulator:
        client = emulator.client()
        print("subscription:", subscribe(client, "ada@example.com"))
        try:
            client.payment_intents.create(
                amount=500,
                currency="usd",
                payment_method="pm_card_chargeDeclined",
                confirm=True,
                return_url="https://example.com",
            )
        except pinstripe.CardError as error:
            print("declined:", error.decline_code)
        for event in emulator.events:
            if event.type == "invoice.paid":
                print("paid:", event.data.object.amount_paid, event.data.object.currency)


if __name__ == "__main__":
    main()
