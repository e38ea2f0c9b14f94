"""Parameters of operations that need more than their type says, or another choice."""

from __future__ import annotations

from pinstripe.emulator.state.json_values import Object
from tests.emulator.populate import THREE_D_SECURE

TEXTS = {
    "currency": "usd",
    "email": "jenny@example.com",
    "country": "US",
    "url": "https://example.com/hook",
    "event_name": "calls",
    "success_url": "https://example.com/done",
    "return_url": "https://example.com",
    "refresh_url": "https://example.com",
    "iban": "DE89",
    "interval": "month",
    "domain_name": "example.com",
    "code": "SUMMER",
    "pin": "1234",
    "report_type": "balance.summary.1",
    "invoice_prefix": "ABC",
    "phone": "+15550000000",
    "unit_amount_decimal": "1000",
}
"""The value of a text parameter, by its name."""
CARD_SOURCE = {"source": "tok_visa"}
FINANCIAL_ACCOUNT = {"financial_account": "{treasury.financial_account}"}
FLOW = {**FINANCIAL_ACCOUNT, "amount": 100, "currency": "usd"}
PAYOUT = {
    "amount": {"value": 100, "currency": "usd"},
    "from_": {"financial_account": "{v2.money_management.financial_account}", "currency": "usd"},
    "to": {
        "recipient": "{v2.core.account}",
        "payout_method": "{v2.money_management.payout_method}",
        "currency": "gbp",
    },
}
PARAMS: dict[str, Object] = {
    "accounts.bank_accounts.create": {"external_account": "btok_us"},
    "accounts.external_accounts.create": {"external_account": "btok_us"},
    "accounts.reject": {"reason": "fraud_other"},
    "apps.installs.create": {"app": "com.example.other"},
    "apps.secrets.create": {"name": "two", "payload": "hush", "scope": {"type": "account"}},
    "billing.alerts.create": {
        "alert_type": "usage_threshold",
        "title": "Much",
        "usage_threshold": {"gte": 1, "recurrence": "one_time", "meter": "{billing.meter}"},
    },
    "billing.credit_balance_summary.retrieve": {
        "customer": "{customer}",
        "filter": {"type": "applicability_scope", "applicability_scope": {"price_type": "metered"}},
    },
    "billing.credit_grants.create": {
        "amount": {"type": "monetary", "monetary": {"currency": "usd", "value": 100}},
        "applicability_config": {"scope": {"price_type": "metered"}},
        "customer": "{customer}",
        "category": "paid",
    },
    "billing.meter_event_adjustments.create": {
        "event_name": "calls",
        "type": "cancel",
        "cancel": {"identifier": "event_1"},
    },
    "billing.meter_events.create": {
        "event_name": "calls",
        "payload": {"stripe_customer_id": "{customer}", "value": "1"},
    },
    "billing.meters.create": {
        "default_aggregation": {"formula": "count"},
        "display_name": "Other",
        "event_name": "other",
    },
    "billing.meters.event_summaries.list": {
        "customer": "{customer}",
        "start_time": 1_767_225_600,
        "end_time": 1_767_225_600 + 86_400,
    },
    "billing_portal.configurations.create": {"features": {"invoice_history": {"enabled": True}}},
    "billing_portal.sessions.create": {"customer": "{customer}"},
    "charges.create": {"amount": 1000, "currency": "usd", "source": "tok_visa"},
    "charges.search": {"query": "amount>1"},
    "checkout.sessions.create": {
        "mode": "payment",
        "success_url": "https://example.com",
        "line_items": [{"price": "{one_time_price}", "quantity": 1}],
    },
    "climate.orders.create": {"product": "climsku_emulator", "metric_tons": "1"},
    "coupons.create": {"percent_off": 20},
    "credit_notes.create": {"invoice": "{open_invoice}", "amount": 100},
    "credit_notes.preview": {"invoice": "{open_invoice}", "amount": 100},
    "credit_notes.preview_lines.list": {"invoice": "{open_invoice}", "amount": 100},
    "customers.bank_accounts.create": {"source": "btok_us"},
    "customers.cards.create": CARD_SOURCE,
    "customers.payment_sources.create": CARD_SOURCE,
    "customers.search": {"query": "email:'jenny@example.com'"},
    "customers.subscriptions.create": {"items": [{"price": "{price}"}]},
    "ephemeral_keys.create": {"customer": "{customer}"},
    "files.create": {"file": b"scan", "purpose": "dispute_evidence"},
    "invoice_items.create": {"customer": "{customer}", "amount": 100, "currency": "usd"},
    "invoices.add_lines": {"lines": [{"amount": 100, "description": "More"}]},
    "invoices.attach_payment": {"payment_intent": "{payment_intent}"},
    "invoices.create": {"customer": "{customer}"},
    "invoices.create_preview": {"subscription": "{subscription}"},
    "invoices.remove_lines": {"lines": [{"id": "{line_item}", "behavior": "delete"}]},
    "invoices.search": {"query": "status:'open'"},
    "invoices.update_lines": {"lines": [{"id": "{line_item}", "amount": 800}]},
    "issuing.cards.create": {"cardholder": "{issuing.cardholder}", "currency": "usd", "type": "virtual"},
    "issuing.personalization_designs.create": {"physical_bundle": "ics_emulator"},
    "issuing.tokens.list": {"card": "{issuing.card}"},
    "payment_intents.increment_authorization": {"amount": 3000},
    "payment_intents.search": {"query": "status:'succeeded'"},
    "payment_links.create": {"line_items": [{"price": "{one_time_price}", "quantity": 1}]},
    "payment_methods.attach": {"customer": "{customer}"},
    "payment_methods.create": {"type": "card", "card": {"token": "tok_visa"}},
    "payment_records.report_payment": {
        "amount_requested": {"currency": "usd", "value": 100},
        "initiated_at": 1_767_225_600,
        "payment_method_details": {"payment_method": "{payment_method}"},
    },
    "plans.create": {"currency": "usd", "interval": "day", "amount": 100, "product": "{product}"},
    "prices.create": {"currency": "usd", "unit_amount": 100, "product": "{product}"},
    "prices.search": {"query": "active:'true'"},
    "products.features.create": {"entitlement_feature": "{entitlements.feature}"},
    "products.search": {"query": "name~'Pla'"},
    "product_catalog.trial_offers.create": {
        "price": "{price}",
        "duration": {"type": "relative", "relative": {"iterations": 1}},
        "end_behavior": {"transition": {"price": "{price}"}},
    },
    "promotion_codes.create": {"promotion": {"type": "coupon", "coupon": "{coupon}"}},
    "radar.value_list_items.create": {"value_list": "{radar.value_list}", "value": "new"},
    "radar.value_list_items.list": {"value_list": "{radar.value_list}"},
    "radar.value_lists.create": {"alias": "other", "name": "Other"},
    "refunds.create": {"charge": "{charge}", "amount": 100},
    "subscription_items.create": {"subscription": "{subscription}", "price": "{plan}"},
    "subscription_schedules.create": {
        "customer": "{customer}",
        "start_date": "now",
        "phases": [{"items": [{"price": "{price}"}]}],
    },
    "subscriptions.create": {"customer": "{customer}", "items": [{"price": "{price}"}]},
    "subscriptions.search": {"query": "status:'active'"},
    "tax.registrations.create": {
        "active_from": "now",
        "country": "US",
        "country_options": {"us": {"state": "CA", "type": "state_sales_tax"}},
    },
    "tax.transactions.create_from_calculation": {"calculation": "{tax.calculation}", "reference": "two"},
    "tax.transactions.create_reversal": {
        "mode": "full",
        "original_transaction": "{tax.transaction}",
        "reference": "back",
    },
    "payment_intents.confirm": {"return_url": "https://example.com"},
    "setup_intents.confirm": {"return_url": "https://example.com"},
    "test_helpers.confirmation_tokens.create": {"payment_method": "pm_card_visa"},
    "test_helpers.issuing.authorizations.create": {"card": "{issuing.card}", "amount": 100},
    "test_helpers.issuing.transactions.create_force_capture": {"card": "{issuing.card}", "amount": 100},
    "test_helpers.issuing.transactions.create_unlinked_refund": {"card": "{issuing.card}", "amount": 100},
    "test_helpers.test_clocks.advance": {"frozen_time": 1_770_000_000 + 86_400},
    "test_helpers.treasury.received_credits.create": {**FLOW, "network": "ach"},
    "test_helpers.treasury.received_debits.create": {**FLOW, "network": "ach"},
    "tokens.create": {"card": {"number": "4242424242424242", "exp_month": 12, "exp_year": 2034}},
    "three_d_secure.authentications.create": {**THREE_D_SECURE, "payment_method": "{payment_method}"},
    "transfers.create": {"amount": 100, "currency": "usd", "destination": "{account}"},
    "treasury.credit_reversals.create": {"received_credit": "{treasury.received_credit}"},
    "treasury.debit_reversals.create": {"received_debit": "{treasury.received_debit}"},
    "treasury.inbound_transfers.create": {**FLOW, "origin_payment_method": "{payment_method}"},
    "treasury.outbound_payments.create": FLOW,
    "treasury.outbound_transfers.create": FLOW,
    **{
        f"treasury.{name}.list": FINANCIAL_ACCOUNT
        for name in (
            "credit_reversals",
            "debit_reversals",
            "inbound_transfers",
            "outbound_payments",
            "outbound_transfers",
            "received_credits",
            "received_debits",
            "transaction_entries",
            "transactions",
        )
    },
    "v2.billing.meter_event_adjustments.create": {
        "event_name": "calls",
        "type": "cancel",
        "cancel": {"identifier": "event_1"},
    },
    "v2.billing.meter_event_stream.create": {
        "events": [{"event_name": "calls", "payload": {"stripe_customer_id": "{customer}", "value": "1"}}]
    },
    "v2.billing.meter_events.create": {
        "event_name": "calls",
        "payload": {"stripe_customer_id": "{customer}", "value": "1"},
    },
    "v2.core.account_links.create": {
        "account": "{v2.core.account}",
        "use_case": {
            "type": "account_onboarding",
            "account_onboarding": {"refresh_url": "https://example.com"},
        },
    },
    "v2.core.vault.gb_bank_accounts.create": {
        "account_number": "00012345",
        "currency": "gbp",
        "sort_code": "108800",
    },
    "v2.core.vault.us_bank_accounts.confirm_microdeposits": {"descriptor_code": "SM11AA"},
    "v2.core.vault.us_bank_accounts.create": {
        "account_number": "000123456789",
        "currency": "usd",
        "routing_number": "110000000",
    },
    "v2.money_management.financial_addresses.create": {
        "bank_account": {"currency": "gbp"},
        "financial_account": "{v2.money_management.financial_account}",
        "type": "bank_account",
    },
    "v2.money_management.inbound_transfers.create": {
        "amount": {"value": 100, "currency": "usd"},
        "from_": {"payment_method": "{verified_bank_account}"},
        "to": {"financial_account": "{v2.money_management.financial_account}", "currency": "usd"},
    },
    "v2.money_management.outbound_payments.create": PAYOUT,
    "v2.money_management.outbound_setup_intents.create": {
        "payout_method_data": {
            "type": "bank_account",
            "bank_account": {"account_number": "000123456789", "country": "US", "currency": "usd"},
        }
    },
    "v2.money_management.outbound_setup_intents.update": {
        "payout_method": "{v2.money_management.payout_method}",
    },
    "v2.money_management.payout_intents.create": PAYOUT,
    "v2.money_management.recipient_verifications.create": {
        "payout_method": "{v2.money_management.payout_method}",
        "recipient": "{v2.core.account}",
    },
    "v2.money_management.test_helpers.financial_addresses.credit": {
        "amount": {"value": 100, "currency": "usd"},
        "network": "ach",
    },
    "v2.test_helpers.money_management.recipient_verifications": {
        "match_result": "match",
        "payout_method": "{v2.money_management.payout_method}",
    },
}
"""The parameters by operation; ``{customer}`` is the id of the object of that name."""
