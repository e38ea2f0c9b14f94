"""An emulator that contains an object of every type."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pinstripe
from pinstripe._registry import registry
from pinstripe.emulator import Emulator
from pinstripe.emulator.state.json_values import Object
from tests.emulator.conftest import NO_REDIRECTS

NOT_ADDED = ("list", "search_result", "event", "v2.core.event", "customer")
"""Object types that `Emulator.add` does not create, or that are created below before anything else."""
THREE_D_SECURE: Object = {
    "amount": 2000,
    "channel": {
        "type": "browser",
        "browser": {
            "accept_header": "text/html",
            "ip_address": "203.0.113.7",
            "javascript_enabled": True,
            "language": "en",
            "user_agent": "Mozilla/5.0",
        },
    },
    "currency": "usd",
    "message_category": "payment_authentication",
}
"""The parameters of a 3-D Secure authentication."""
UNREACHABLE = "http://127.0.0.1:9/none"
"""A webhook URL to which no event of a test is sent."""


@dataclass
class PopulatedEmulator:
    """An emulator, a client of it, and the ids of its objects by type or by a name such as ``disputed_charge``."""

    emulator: Emulator
    client: pinstripe.Client
    ids: dict[str, str] = field(default_factory=dict)


def populate() -> PopulatedEmulator:
    """Create an object of every type: by the operation that creates it, or else by `Emulator.add`."""
    emulator = Emulator(seed=1)
    populated = PopulatedEmulator(emulator, emulator.client(validation="strict", max_retries=0))
    add_objects(populated)
    create_customer(populated)
    create_products(populated)
    create_payments(populated)
    create_subscription(populated)
    create_invoices(populated)
    create_accounts(populated)
    create_transfers(populated)
    create_offers(populated)
    create_meter(populated)
    create_customer_objects(populated)
    create_tokens_and_sources(populated)
    create_files(populated)
    create_webhook_endpoint_and_radar_list(populated)
    create_entitlements(populated)
    create_issuing(populated)
    create_treasury(populated)
    create_reference_data(populated)
    create_tax(populated)
    create_keys(populated)
    create_v2_accounts(populated)
    create_event_destination(populated)
    create_app_install_and_feedback_option(populated)
    create_trial_offer(populated)
    create_three_d_secure(populated)
    create_vault(populated)
    create_money_management(populated)
    return populated


def add_objects(populated: PopulatedEmulator) -> None:
    for object_type in registry().objects:
        if object_type not in NOT_ADDED:
            try:
                populated.ids[object_type] = populated.emulator.add(object_type).id
            except (AttributeError, KeyError):
                populated.ids.pop(object_type, None)  # it has no id


def create_customer(populated: PopulatedEmulator) -> None:
    client, ids = populated.client, populated.ids
    customer = client.customers.create(email="jenny@example.com", payment_method="pm_card_visa", source="tok_visa")
    ids["customer"] = customer.id
    ids["card"] = str(customer.default_source)
    ids["payment_method"] = next(iter(client.payment_methods.list(customer=customer.id))).id
    client.customers.update(customer.id, invoice_settings={"default_payment_method": ids["payment_method"]})
    ids["customer_bank_account"] = client.customers.payment_sources.create(customer.id, source="btok_us_verified").id


def create_products(populated: PopulatedEmulator) -> None:
    client, ids = populated.client, populated.ids
    ids["product"] = client.products.create(name="Plan").id
    ids["price"] = client.prices.create(
        product=ids["product"], currency="usd", unit_amount=1000, recurring={"interval": "month"}
    ).id
    ids["one_time_price"] = client.prices.create(product=ids["product"], currency="usd", unit_amount=500).id
    ids["coupon"] = client.coupons.create(percent_off=10, duration="forever").id
    ids["promotion_code"] = client.promotion_codes.create(promotion={"type": "coupon", "coupon": ids["coupon"]}).id
    ids["tax_rate"] = client.tax_rates.create(display_name="VAT", percentage=20, inclusive=False).id


def create_payments(populated: PopulatedEmulator) -> None:
    client, ids = populated.client, populated.ids
    intent = client.payment_intents.create(
        amount=2000,
        currency="usd",
        customer=ids["customer"],
        payment_method=ids["payment_method"],
        confirm=True,
        automatic_payment_methods=NO_REDIRECTS,
    )
    ids["payment_intent"], ids["charge"] = intent.id, str(intent.latest_charge)
    ids["refund"] = client.refunds.create(charge=ids["charge"], amount=100).id
    ids["balance_transaction"] = next(iter(client.balance_transactions.list())).id
    disputed = client.payment_intents.create(
        amount=3000,
        currency="usd",
        payment_method="pm_card_createDispute",
        confirm=True,
        automatic_payment_methods=NO_REDIRECTS,
    )
    ids["disputed_charge"] = str(disputed.latest_charge)
    ids["dispute"] = next(iter(client.disputes.list())).id
    ids["setup_intent"] = client.setup_intents.create(customer=ids["customer"], payment_method="pm_card_visa").id


def create_subscription(populated: PopulatedEmulator) -> None:
    client, ids = populated.client, populated.ids
    subscription = client.subscriptions.create(
        customer=ids["customer"], items=[{"price": ids["price"]}], discounts=[{"coupon": ids["coupon"]}]
    )
    ids["subscription"] = subscription.id
    ids["subscription_item"] = next(iter(client.subscription_items.list(subscription=subscription.id))).id


def create_invoices(populated: PopulatedEmulator) -> None:
    client, ids = populated.client, populated.ids
    draft = client.invoices.create(customer=ids["customer"], currency="usd")
    ids["invoice"] = draft.id
    ids["invoiceitem"] = client.invoice_items.create(
        customer=ids["customer"], amount=700, currency="usd", invoice=draft.id
    ).id
    ids["line_item"] = client.invoices.retrieve(draft.id).lines.data[0].id
    open_invoice = client.invoices.create(
        customer=ids["customer"], currency="usd", collection_method="send_invoice", days_until_due=30
    )
    ids["open_invoice"] = open_invoice.id
    client.invoice_items.create(customer=ids["customer"], amount=900, currency="usd", invoice=open_invoice.id)
    client.invoices.finalize_invoice(open_invoice.id)
    ids["invoice_payment"] = next(iter(client.invoice_payments.list())).id
    ids["credit_note"] = client.credit_notes.create(invoice=open_invoice.id, amount=100).id


def create_accounts(populated: PopulatedEmulator) -> None:
    client, ids = populated.client, populated.ids
    account = client.accounts.create(type="express", country="US", capabilities={"transfers": {"requested": True}})
    ids["account"] = account.id
    ids["capability"] = "transfers"
    ids["bank_account"] = client.accounts.external_accounts.create(account.id, external_account="btok_us").id
    ids["person"] = client.accounts.persons.create(account.id, first_name="Jenny").id


def create_transfers(populated: PopulatedEmulator) -> None:
    client, ids = populated.client, populated.ids
    client.topups.create(amount=500_000, currency="usd")
    ids["transfer"] = client.transfers.create(amount=1000, currency="usd", destination=ids["account"]).id
    ids["transfer_reversal"] = client.transfers.reversals.create(ids["transfer"], amount=100).id
    ids["payout"] = client.payouts.create(amount=1000, currency="usd").id
    destination_charge = client.payment_intents.create(
        amount=5000,
        currency="usd",
        payment_method="pm_card_visa",
        confirm=True,
        automatic_payment_methods=NO_REDIRECTS,
        application_fee_amount=500,
        transfer_data={"destination": ids["account"]},
    )
    assert destination_charge.status == "succeeded"
    ids["application_fee"] = next(iter(client.application_fees.list())).id
    ids["fee_refund"] = client.application_fees.refunds.create(ids["application_fee"], amount=10).id


def create_offers(populated: PopulatedEmulator) -> None:
    client, ids = populated.client, populated.ids
    ids["checkout.session"] = client.checkout.sessions.create(
        success_url="https://example.com", line_items=[{"price": ids["one_time_price"], "quantity": 1}], mode="payment"
    ).id
    ids["payment_link"] = client.payment_links.create(line_items=[{"price": ids["one_time_price"], "quantity": 1}]).id
    ids["quote"] = client.quotes.create(
        customer=ids["customer"], line_items=[{"price": ids["price"], "quantity": 1}]
    ).id
    draft_quote = client.quotes.create(
        customer=ids["customer"], line_items=[{"price": ids["one_time_price"], "quantity": 1}]
    )
    ids["open_quote"] = client.quotes.finalize_quote(draft_quote.id).id
    ids["subscription_schedule"] = client.subscription_schedules.create(
        customer=ids["customer"], start_date="now", phases=[{"items": [{"price": ids["price"]}]}]
    ).id
    ids["plan"] = client.plans.create(currency="usd", interval="month", amount=100, product=ids["product"]).id


def create_meter(populated: PopulatedEmulator) -> None:
    client, ids = populated.client, populated.ids
    ids["billing.meter"] = client.billing.meters.create(
        display_name="Calls", event_name="calls", default_aggregation={"formula": "sum"}
    ).id
    client.billing.meter_events.create(
        event_name="calls", payload={"stripe_customer_id": ids["customer"], "value": "3"}, identifier="event_1"
    )


def create_customer_objects(populated: PopulatedEmulator) -> None:
    client, ids = populated.client, populated.ids
    ids["tax_id"] = client.customers.tax_ids.create(ids["customer"], type="eu_vat", value="DE123456789").id
    ids["customer_balance_transaction"] = client.customers.balance_transactions.create(
        ids["customer"], amount=-100, currency="usd"
    ).id
    ids["customer_cash_balance_transaction"] = client.test_helpers.customers.fund_cash_balance(
        ids["customer"], amount=100, currency="usd"
    ).id
    ids["test_helpers.test_clock"] = client.test_helpers.test_clocks.create(frozen_time=1_770_000_000).id


def create_tokens_and_sources(populated: PopulatedEmulator) -> None:
    client, ids = populated.client, populated.ids
    ids["token"] = client.tokens.create(card={"number": "4242424242424242", "exp_month": "12", "exp_year": "2034"}).id
    source = client.sources.create(type="ach_credit_transfer", currency="usd")
    ids["source"] = source.id
    ids["confirmation_token"] = client.test_helpers.confirmation_tokens.create(payment_method="pm_card_visa").id
    ids["source_mandate_notification"] = populated.emulator.add(
        "source_mandate_notification", source=source.model_dump(mode="json", by_alias=True, exclude_unset=True)
    ).id
    ids["source_transaction"] = populated.emulator.add("source_transaction", source=source.id).id


def create_files(populated: PopulatedEmulator) -> None:
    client, ids = populated.client, populated.ids
    ids["file"] = client.files.create(file=b"scan", purpose="dispute_evidence").id
    ids["file_link"] = client.file_links.create(file=ids["file"]).id


def create_webhook_endpoint_and_radar_list(populated: PopulatedEmulator) -> None:
    client, ids = populated.client, populated.ids
    ids["webhook_endpoint"] = client.webhook_endpoints.create(
        url=UNREACHABLE, enabled_events=["radar.early_fraud_warning.created"]
    ).id
    ids["radar.value_list"] = client.radar.value_lists.create(alias="list", name="List").id
    ids["radar.value_list_item"] = client.radar.value_list_items.create(
        value_list=ids["radar.value_list"], value="x"
    ).id


def create_entitlements(populated: PopulatedEmulator) -> None:
    client, ids = populated.client, populated.ids
    feature = client.entitlements.features.create(lookup_key="fast", name="Fast")
    ids["entitlements.feature"] = feature.id
    ids["product_feature"] = client.products.features.create(ids["product"], entitlement_feature=feature.id).id
    entitlements = client.entitlements.active_entitlements.list(customer=ids["customer"])
    ids["entitlements.active_entitlement"] = next(iter(entitlements)).id


def create_issuing(populated: PopulatedEmulator) -> None:
    client, ids = populated.client, populated.ids
    cardholder = client.issuing.cardholders.create(
        name="Jenny", billing={"address": {"city": "X", "country": "US", "line1": "1 Main", "postal_code": "1"}}
    )
    card = client.issuing.cards.create(cardholder=cardholder.id, currency="usd", type="physical", status="active")
    ids["issuing.cardholder"], ids["issuing.card"] = cardholder.id, card.id
    helpers = client.test_helpers.issuing
    ids["issuing.authorization"] = helpers.authorizations.create(card=card.id, amount=100).id
    ids["issuing.transaction"] = helpers.transactions.create_force_capture(card=card.id, amount=100).id


def create_treasury(populated: PopulatedEmulator) -> None:
    client, ids = populated.client, populated.ids
    account = client.treasury.financial_accounts.create(supported_currencies=["usd"]).id
    ids["treasury.financial_account"] = account
    ids["treasury.outbound_payment"] = client.treasury.outbound_payments.create(
        amount=100, currency="usd", financial_account=account
    ).id
    ids["treasury.outbound_transfer"] = client.treasury.outbound_transfers.create(
        amount=100, currency="usd", financial_account=account
    ).id
    ids["treasury.inbound_transfer"] = client.treasury.inbound_transfers.create(
        amount=100, currency="usd", financial_account=account, origin_payment_method=ids["payment_method"]
    ).id
    helpers = client.test_helpers.treasury
    ids["treasury.received_credit"] = helpers.received_credits.create(
        amount=100, currency="usd", financial_account=account, network="ach"
    ).id
    ids["treasury.received_debit"] = helpers.received_debits.create(
        amount=100, currency="usd", financial_account=account, network="ach"
    ).id


def create_reference_data(populated: PopulatedEmulator) -> None:
    client, ids = populated.client, populated.ids
    client.country_specs.list()  # the first request creates the objects
    client.climate.products.list()
    ids.update({"country_spec": "US", "exchange_rate": "usd", "tax_code": "txcd_99999999"})
    ids.update({"reporting.report_type": "balance.summary.1", "issuing.physical_bundle": "ics_emulator"})
    ids.update({"climate.product": "climsku_emulator", "climate.supplier": "climsup_emulator"})
    ids["climate.order"] = client.climate.orders.create(product="climsku_emulator", metric_tons="1").id


def create_tax(populated: PopulatedEmulator) -> None:
    client, ids = populated.client, populated.ids
    calculation = client.tax.calculations.create(
        currency="usd",
        line_items=[{"amount": 100}],
        customer_details={"address": {"country": "US"}, "address_source": "billing"},
    )
    ids["tax.calculation"] = str(calculation.id)
    ids["tax.transaction"] = client.tax.transactions.create_from_calculation(
        calculation=ids["tax.calculation"], reference="one"
    ).id
    populated.emulator.add("tax.association", payment_intent=ids["payment_intent"])


def create_keys(populated: PopulatedEmulator) -> None:
    client, ids = populated.client, populated.ids
    client.apps.secrets.create(name="text", payload="hush", scope={"type": "account"})
    ids["ephemeral_key"] = client.ephemeral_keys.create(customer=ids["customer"]).id


def create_v2_accounts(populated: PopulatedEmulator) -> None:
    ids, accounts = populated.ids, populated.client.v2.core.accounts
    account = accounts.create(contact_email="jenny@example.com").id
    ids["v2.core.account"] = account
    ids["v2.core.account_person"] = accounts.persons.create(account, given_name="Jenny").id
    ids["v2.core.account_person_token"] = accounts.person_tokens.create(account).id


def create_event_destination(populated: PopulatedEmulator) -> None:
    client, ids = populated.client, populated.ids
    ids["v2.core.event_destination"] = client.v2.core.event_destinations.create(
        type="webhook_endpoint",
        name="d",
        event_payload="thin",
        enabled_events=["v2.core.account_person.deleted"],
        webhook_endpoint={"url": UNREACHABLE},
    ).id
    ids["event"] = next(iter(client.events.list())).id
    ids["v2.core.event"] = next(iter(client.v2.core.events.list())).id


def create_app_install_and_feedback_option(populated: PopulatedEmulator) -> None:
    client, ids = populated.client, populated.ids
    ids["apps.install"] = client.apps.installs.create(app="com.example.app").id
    ids["billing.feedback_option"] = client.billing.feedback_options.create(description="Too slow").id


def create_trial_offer(populated: PopulatedEmulator) -> None:
    client, ids = populated.client, populated.ids
    introductory = client.prices.create(
        product=ids["product"], currency="usd", unit_amount=100, recurring={"interval": "month"}
    )
    ids["product_catalog.trial_offer"] = client.product_catalog.trial_offers.create(
        price=introductory.id,
        duration={"type": "relative", "relative": {"iterations": 2}},
        end_behavior={"transition": {"price": ids["price"]}},
    ).id


def create_three_d_secure(populated: PopulatedEmulator) -> None:
    client, ids = populated.client, populated.ids
    ids["three_d_secure.authentication"] = client.three_d_secure.authentications.create(
        **THREE_D_SECURE, payment_method=ids["payment_method"]
    ).id


def create_vault(populated: PopulatedEmulator) -> None:
    vault, ids = populated.client.v2.core.vault, populated.ids
    us_account = vault.us_bank_accounts.create(
        account_number="000123456789", currency="usd", routing_number="110000000"
    )
    vault.us_bank_accounts.send_microdeposits(us_account.id)
    vault.us_bank_accounts.confirm_microdeposits(us_account.id, amounts=[32, 45])
    ids["verified_bank_account"] = us_account.id
    ids["v2.core.vault.us_bank_account"] = vault.us_bank_accounts.create(
        account_number="000123456789", currency="usd", routing_number="110000000"
    ).id
    ids["v2.core.vault.gb_bank_account"] = vault.gb_bank_accounts.create(
        account_number="00012345", currency="gbp", sort_code="108800"
    ).id


def create_money_management(populated: PopulatedEmulator) -> None:
    money, ids = populated.client.v2.money_management, populated.ids
    account = next(account for account in money.financial_accounts.list() if account.type == "storage").id
    ids["v2.money_management.financial_account"] = account
    address = money.financial_addresses.create(
        financial_account=account, type="bank_account", bank_account={"currency": "usd"}
    )
    ids["v2.money_management.financial_address"] = address.id
    money.test_helpers.financial_addresses.credit(
        address.id, amount={"value": 100_000, "currency": "usd"}, network="ach"
    )
    ids["v2.money_management.received_credit"] = next(iter(money.received_credits.list())).id
    method = money.outbound_setup_intents.create(
        payout_method_data={
            "type": "bank_account",
            "bank_account": {"account_number": "00012345", "country": "GB", "currency": "gbp"},
        }
    ).payout_method
    assert method is not None
    ids["v2.money_management.payout_method"] = method.id
    ids["v2.money_management.outbound_setup_intent"] = money.outbound_setup_intents.create().id
    ids["v2.money_management.inbound_transfer"] = money.inbound_transfers.create(
        amount={"value": 500, "currency": "usd"},
        from_={"payment_method": ids["verified_bank_account"]},
        to={"financial_account": account, "currency": "usd"},
    ).id
    payout: Any = {  # Any: parameters of two operations
        "amount": {"value": 1000, "currency": "usd"},
        "from_": {"financial_account": account, "currency": "usd"},
        "to": {"recipient": ids["v2.core.account"], "payout_method": method.id, "currency": "gbp"},
    }
    payment = money.outbound_payments.create(**payout)
    ids["v2.money_management.outbound_payment"] = payment.id
    transaction = next(iter(money.transactions.list(flow=payment.id)))
    ids["v2.money_management.transaction"] = transaction.id
    ids["v2.money_management.transaction_entry"] = next(
        iter(money.transaction_entries.list(transaction=transaction.id))
    ).id
    ids["v2.money_management.payout_intent"] = money.payout_intents.create(**payout, confirmation_method="manual").id
    ids["v2.money_management.recipient_verification"] = (
        populated.client.v2.test_helpers.money_management.recipient_verifications(
            payout_method=method.id, match_result="no_match"
        ).id
    )
