"""Use what 2026-09-30.endive changed, with the official package, at the URL that is passed; print the results as JSON.

Run with each of the packages by `tests/emulator/test_versions.py`.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import stripe

client: Any = stripe.StripeClient("sk_test_x", base_addresses={"api": sys.argv[1]})  # Any: a client of either version
OLDER = str(stripe.api_version) < "2026-09-30"
types = "payment_method_types" if OLDER else "allowed_payment_method_types"
results: dict[str, Any] = {"version": stripe.api_version}  # Any: JSON values

customer = client.v1.customers.create({"email": "jenny@example.com", "payment_method": "pm_card_visa"})
card = client.v1.payment_methods.list({"customer": customer.id}).data[0].id
client.v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": card}})
price = client.v1.prices.create(
    {"currency": "usd", "unit_amount": 2900, "recurring": {"interval": "month"}, "product_data": {"name": "Gold"}}
)
intent = client.v1.payment_intents.create(
    {
        "amount": 2900,
        "currency": "usd",
        "customer": customer.id,
        "payment_method": card,
        "confirm": True,
        types: ["card"],
    }
)
results["intent"] = [intent.status, intent.payment_method_types, "allowed_payment_method_types" in intent]
setup = client.v1.setup_intents.create({"customer": customer.id, types: ["card"]})
results["setup"] = [setup.status, setup.payment_method_types]
session = client.v1.checkout.sessions.create(
    {
        "mode": "payment",
        "success_url": "https://example.com",
        "line_items": [
            {"price_data": {"currency": "usd", "unit_amount": 500, "product_data": {"name": "A"}}, "quantity": 1}
        ],
        types: ["card"],
    }
)
results["session"] = [session.status, session.payment_method_types]

subscription = client.v1.subscriptions.create({"customer": customer.id, "items": [{"price": price.id}]})
now = "now" if OLDER else {"type": "now"}
preview = client.v1.invoices.create_preview(
    {"subscription": subscription.id, "subscription_details": {"billing_cycle_anchor": now}}
)
results["preview"] = preview.total >= 0
updated = client.v1.subscriptions.update(subscription.id, {"billing_cycle_anchor": now, "proration_behavior": "none"})
results["anchor"] = updated.billing_cycle_anchor >= subscription.billing_cycle_anchor

account = client.v1.accounts.create({"country": "US"})
rejected = client.v1.accounts.reject(account.id, {"reason": "fraud" if OLDER else "fraud_other"})
results["rejected"] = rejected.requirements.disabled_reason
filters = {"countries": ["US"]} if OLDER else {"country": "US"}
connections = client.v1.financial_connections.sessions.create(
    {"account_holder": {"type": "customer", "customer": customer.id}, "permissions": ["balances"], "filters": filters}
)
results["filters"] = connections.filters.countries if OLDER else connections.filters.country

person = client.v2.core.accounts.create({"contact_email": "jenny@example.com", "display_name": "Jenny"})
onboarding = {"refresh_url": "https://example.com", **({"configurations": ["merchant"]} if OLDER else {})}
link = client.v2.core.account_links.create(
    {"account": person.id, "use_case": {"type": "account_onboarding", "account_onboarding": onboarding}}
)
results["link"] = getattr(link.use_case.account_onboarding, "configurations", None)

try:
    client.v1.payment_intents.create(
        {
            "amount": 2900,
            "currency": "usd",
            ("allowed_payment_method_types" if OLDER else "payment_method_types"): ["card"],
            "automatic_payment_methods": {"enabled": "maybe"},
        }
    )
except stripe.InvalidRequestError as error:
    results["refused"] = [error.http_status, error.code, error.param]

sys.stdout.write(json.dumps(results))
