"""A walk over every operation: a state in which it can be carried out, and parameters that it takes."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from decimal import Decimal
from importlib import import_module
from itertools import pairwise
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from typing_extensions import NotRequired, Required, is_typeddict

import pinstripe
from pinstripe._endpoint import Row
from pinstripe._registry import registry
from pinstripe.emulator import Emulator
from pinstripe.emulator.state.account import AccountState

KINDS = {name: kind for kind, name in registry().objects.items()}
DAY = 86_400
# What a parameter is given by its name, where that says more than its type.
TEXTS = {
    "currency": "usd", "email": "jenny@example.com", "country": "US", "url": "https://example.com/hook", "event_name": "calls",
    "success_url": "https://example.com/done", "return_url": "https://example.com",
    "refresh_url": "https://example.com", "iban": "DE89",
    "interval": "month", "domain_name": "example.com", "code": "SUMMER", "pin": "1234", "report_type": "balance.summary.1",
    "invoice_prefix": "ABC", "phone": "+15550000000", "unit_amount_decimal": "1000",
}  # fmt: skip
FAR = 1_800_000_000


@dataclass
class Walk:
    """An emulator in which there is one of everything."""

    emulator: Emulator
    client: pinstripe.Client
    ids: dict[str, str] = field(default_factory=dict)

    def params(self, row: Row) -> dict[str, Any]:  # Any: parameters
        """The parameters that an operation requires, and those that it does not say it requires."""
        name = f"{row.service}.{row.method}"
        if name in OWN:
            return self._filled(OWN[name])  # type: ignore[no-any-return]  # of a dict comes a dict
        if row.params is None:
            return {}
        found: dict[str, Any] = self._value(getattr(import_module("pinstripe.params"), row.params), "")
        return found

    def _filled(self, value: Any) -> Any:  # Any: JSON, with {names} of objects
        if isinstance(value, dict):
            return {name: self._filled(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self._filled(item) for item in value]
        return self.ids[value[1:-1]] if isinstance(value, str) and value.startswith("{") else value

    def _value(self, annotation: Any, name: str) -> Any:  # Any: an annotation; a value
        origin, args = get_origin(annotation), get_args(annotation)
        if is_typeddict(annotation):
            hints = get_type_hints(annotation, include_extras=True)
            required = sorted(annotation.__required_keys__)
            return {one: self._value(hints[one], one) for one in required or (list(hints)[:1] if name else [])}
        if origin in (Required, NotRequired, Annotated):
            return self._value(args[0], name)
        if origin in (Union, types.UnionType):
            return self._value(next(one for one in args if one is not type(None)), name)
        if origin is Literal:
            return args[0]
        if origin in (list, Sequence):
            return [self._value(args[0], name)]
        if origin in (dict, Mapping):
            return {"key": "value"}
        if name in self.ids:
            return self.ids[name]
        return {
            str: TEXTS.get(name, "text"),
            int: 1000,
            bool: True,
            float: 10.0,
            Decimal: Decimal(10),
            datetime: datetime.fromtimestamp(FAR, timezone.utc),
        }[annotation]


# Parameters of operations that need more than the types say, or another choice; {name} is the object of that name.
TOKEN = {"source": "tok_visa"}
ACCOUNT = {"financial_account": "{treasury.financial_account}"}
MOVED = {**ACCOUNT, "amount": 100, "currency": "usd"}
OWN: dict[str, dict[str, Any]] = {  # Any: JSON
    "accounts.bank_accounts.create": {"external_account": "btok_us"},
    "accounts.external_accounts.create": {"external_account": "btok_us"},
    "accounts.reject": {"reason": "fraud"},
    "apps.secrets.create": {"name": "two", "payload": "hush", "scope": {"type": "account"}},
    "billing.alerts.create": {"alert_type": "usage_threshold", "title": "Much",
    "usage_threshold": {"gte": 1, "recurrence": "one_time", "meter": "{billing.meter}"}},
    "billing.credit_balance_summary.retrieve": {"customer": "{customer}",
    "filter": {"type": "applicability_scope", "applicability_scope": {"price_type": "metered"}}},
    "billing.credit_grants.create": {
        "amount": {"type": "monetary", "monetary": {"currency": "usd", "value": 100}},
        "applicability_config": {"scope": {"price_type": "metered"}},
        "customer": "{customer}", "category": "paid",
    },
    "billing.meter_event_adjustments.create": {"event_name": "calls", "type": "cancel", "cancel": {"identifier": "e1"}},
    "billing.meter_events.create": {"event_name": "calls", "payload": {"stripe_customer_id": "{customer}", "value": "1"}},
    "billing.meters.create": {"default_aggregation": {"formula": "count"}, "display_name": "Other", "event_name": "other"},
    "billing.meters.event_summaries.list": {"customer": "{customer}", "start_time": 1_767_225_600,
    "end_time": 1_767_225_600 + DAY},
    "billing_portal.configurations.create": {"features": {"invoice_history": {"enabled": True}}},
    "billing_portal.sessions.create": {"customer": "{customer}"},
    "charges.create": {"amount": 1000, "currency": "usd", "source": "tok_visa"},
    "charges.search": {"query": "amount>1"},
    "checkout.sessions.create": {"success_url": "https://example.com", "line_items": [{"price": "{once}", "quantity": 1}]},
    "climate.orders.create": {"product": "climsku_emulator", "metric_tons": "1"},
    "coupons.create": {"percent_off": 20},
    "credit_notes.create": {"invoice": "{open}", "amount": 100},
    "credit_notes.preview": {"invoice": "{open}", "amount": 100},
    "credit_notes.preview_lines.list": {"invoice": "{open}", "amount": 100},
    "customers.bank_accounts.create": {"source": "btok_us"},
    "customers.cards.create": TOKEN,
    "customers.payment_sources.create": TOKEN,
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
    "payment_intents.search": {"query": "status:'succeeded'"},
    "payment_links.create": {"line_items": [{"price": "{once}", "quantity": 1}]},
    "payment_methods.attach": {"customer": "{customer}"},
    "payment_methods.create": {"type": "card", "card": {"token": "tok_visa"}},
    "payment_records.report_payment": {
        "amount_requested": {"currency": "usd", "value": 100}, "initiated_at": 1_767_225_600,
        "payment_method_details": {"payment_method": "{payment_method}"},
    },
    "plans.create": {"currency": "usd", "interval": "day", "amount": 100, "product": "{product}"},
    "prices.create": {"currency": "usd", "unit_amount": 100, "product": "{product}"},
    "prices.search": {"query": "active:'true'"},
    "products.features.create": {"entitlement_feature": "{entitlements.feature}"},
    "products.search": {"query": "name~'Pla'"},
    "promotion_codes.create": {"promotion": {"type": "coupon", "coupon": "{coupon}"}},
    "radar.value_list_items.create": {"value_list": "{radar.value_list}", "value": "new"},
    "radar.value_list_items.list": {"value_list": "{radar.value_list}"},
    "radar.value_lists.create": {"alias": "other", "name": "Other"},
    "refunds.create": {"charge": "{charge}", "amount": 100},
    "subscription_items.create": {"subscription": "{subscription}", "price": "{plan}"},
    "subscription_schedules.create": {"customer": "{customer}", "start_date": "now",
    "phases": [{"items": [{"price": "{price}"}]}]},
    "subscriptions.create": {"customer": "{customer}", "items": [{"price": "{price}"}]},
    "subscriptions.search": {"query": "status:'active'"},
    "tax.registrations.create": {"active_from": "now", "country": "US",
    "country_options": {"us": {"state": "CA", "type": "state_sales_tax"}}},
    "tax.transactions.create_from_calculation": {"calculation": "{tax.calculation}", "reference": "two"},
    "tax.transactions.create_reversal": {"mode": "full", "original_transaction": "{tax.transaction}", "reference": "back"},
    "test_helpers.confirmation_tokens.create": {"payment_method": "pm_card_visa"},
    "test_helpers.issuing.authorizations.create": {"card": "{issuing.card}", "amount": 100},
    "test_helpers.issuing.transactions.create_force_capture": {"card": "{issuing.card}", "amount": 100},
    "test_helpers.issuing.transactions.create_unlinked_refund": {"card": "{issuing.card}", "amount": 100},
    "test_helpers.test_clocks.advance": {"frozen_time": 1_770_000_000 + DAY},
    "test_helpers.treasury.received_credits.create": {**MOVED, "network": "ach"},
    "test_helpers.treasury.received_debits.create": {**MOVED, "network": "ach"},
    "tokens.create": {"card": {"number": "4242424242424242", "exp_month": 12, "exp_year": 2034}},
    "transfers.create": {"amount": 100, "currency": "usd", "destination": "{account}"},
    "treasury.credit_reversals.create": {"received_credit": "{treasury.received_credit}"},
    "treasury.debit_reversals.create": {"received_debit": "{treasury.received_debit}"},
    "treasury.inbound_transfers.create": {**MOVED, "origin_payment_method": "{payment_method}"},
    "treasury.outbound_payments.create": MOVED,
    "treasury.outbound_transfers.create": MOVED,
    **{
        f"treasury.{name}.list": ACCOUNT
        for name in (
            "credit_reversals", "debit_reversals", "inbound_transfers", "outbound_payments", "outbound_transfers",
            "received_credits",
            "received_debits", "transaction_entries", "transactions",
        )
    },
    "v2.billing.meter_event_adjustments.create": {"event_name": "calls", "type": "cancel", "cancel": {"identifier": "e1"}},
    "v2.billing.meter_event_stream.create": {"events": [{"event_name": "calls",
    "payload": {"stripe_customer_id": "{customer}", "value": "1"}}]},
    "v2.billing.meter_events.create": {"event_name": "calls", "payload": {"stripe_customer_id": "{customer}", "value": "1"}},
    "v2.core.account_links.create": {
        "account": "{v2.core.account}",
        "use_case": {"type": "account_onboarding", "account_onboarding": {"configurations": ["merchant"], "refresh_url": "https://example.com"}},
    },
}  # fmt: skip


def _intent(walk: Walk, **params: Any) -> None:  # Any: parameters
    walk.ids["payment_intent"] = walk.client.payment_intents.create(
        **{
            "amount": 2000,
            "currency": "usd",
            "customer": walk.ids["customer"],
            "payment_method": walk.ids["payment_method"],
            **params,
        }
    ).id


def _held(walk: Walk) -> None:
    _intent(walk, capture_method="manual", confirm=True)
    walk.ids["charge"] = str(walk.client.payment_intents.retrieve(walk.ids["payment_intent"]).latest_charge)


def _use(place: str, other: str) -> Callable[[Walk], None]:
    return lambda walk: walk.ids.update({place: walk.ids[other]})


def _set(walk: Walk, object_type: str, **fields: object) -> None:
    """Set fields of an object that no operation sets."""
    walk.emulator._accounts.run(
        "", lambda state: state.objects.update(state.objects[object_type, walk.ids[object_type]], **fields)
    )


def _discounted(walk: Walk) -> None:
    def discount(state: AccountState) -> None:
        customer = state.objects["customer", walk.ids["customer"]]
        state.objects.update(customer, discount=next(state.objects.all("discount")))

    walk.emulator._accounts.run("", discount)


def _paused(walk: Walk) -> None:
    _set(walk, "subscription", status="paused")


def _two_items(walk: Walk) -> None:
    walk.client.subscription_items.create(subscription=walk.ids["subscription"], price=walk.ids["plan"])


def _pending(walk: Walk) -> None:
    intent = walk.client.payment_intents.create(
        amount=1000, currency="usd", payment_method="pm_card_pendingRefund", confirm=True
    )
    walk.ids["refund"] = walk.client.refunds.create(payment_intent=intent.id).id


def _arrived(walk: Walk) -> None:
    _set(walk, "payout", status="paid")


def _saved_source(walk: Walk) -> None:
    _set(walk, "source", customer=walk.ids["customer"])


def _succeeded(walk: Walk) -> None:
    walk.client.test_helpers.treasury.inbound_transfers.succeed(walk.ids["treasury.inbound_transfer"])


def _off(walk: Walk) -> None:
    walk.client.billing.meters.deactivate(walk.ids["billing.meter"])


def _archived(walk: Walk) -> None:
    walk.client.invoice_rendering_templates.archive(walk.ids["invoice_rendering_template"])


# What must have happened before an operation can be carried out.
ARRANGE: dict[str, Callable[[Walk], None]] = {
    "billing.meters.reactivate": _off,
    "charges.capture": _held,
    **{f"charges.dispute.{name}": _use("charge", "disputed") for name in ("close", "retrieve", "update")},
    "customers.delete_discount": _discounted,
    "customers.discount.retrieve": _discounted,
    "invoice_rendering_templates.unarchive": _archived,
    **{
        f"invoices.{name}": _use("invoice", "open")
        for name in ("attach_payment", "mark_uncollectible", "void_invoice", "pay")
    },
    "payment_intents.apply_customer_balance": _intent,
    "payment_intents.cancel": _intent,
    "payment_intents.capture": _held,
    "payment_intents.confirm": _intent,
    "payment_intents.increment_authorization": _held,
    "payment_intents.verify_microdeposits": _intent,
    "payouts.reverse": _arrived,
    "products.delete": lambda walk: walk.ids.update(product=walk.client.products.create(name="Unsold").id),
    "quotes.accept": _use("quote", "open_quote"),
    "quotes.pdf": _use("quote", "open_quote"),
    "refunds.cancel": _pending,
    "sources.detach": _saved_source,
    "subscription_items.delete": _two_items,
    "subscriptions.resume": _paused,
    "test_helpers.refunds.expire": _pending,
    "test_helpers.treasury.inbound_transfers.return_inbound_transfer": _succeeded,
}
OWN["payment_intents.increment_authorization"] = {"amount": 3000}


PLACES = {
    "people": "person", "persons": "person", "history": "balance_transaction", "sources": "card", "bank_accounts": "bank_account",
    "external_accounts": "bank_account", "domains": "apple_pay_domain", "alerts": "billing.alert", "meters": "billing.meter",
    "tax_ids": "tax_id", "tax_codes": "tax_code", "templates": "invoice_rendering_template", "lines": "line_item",
    "reversals": "transfer_reversal", "cash_balance_transactions": "customer_cash_balance_transaction", "people_": "person",
    "link_account_sessions": "financial_connections.session", "linked_accounts": "financial_connections.account",
    "mandate_notifications": "source_mandate_notification", "source_transactions": "source_transaction",
    "imports": "v2.commerce.product_catalog_import",
    "saved_queries": "sigma.sigma_api_query", "scheduled_query_runs": "scheduled_query_run", "capabilities": "capability",
    "events": "event", "tokens": "token", "early_fraud_warnings": "radar.early_fraud_warning",
}  # fmt: skip
OWN_PLACES = {
    ("application_fees", "refunds"): "fee_refund", ("products", "features"): "product_feature",
    ("customers", "balance_transactions"): "customer_balance_transaction",
    ("customers", "bank_accounts"): "customer_bank_account", ("sources", "sources"): "source",
    ("sources.mandate_notifications", "sources"): "source",
    ("sources.transactions", "sources"): "source", ("issuing", "tokens"): "issuing.token",
    ("v2.core.events", "events"): "v2.core.event",
    ("customers.payment_sources", "sources"): "card", ("tax", "transactions"): "tax.transaction",
    ("customers.bank_accounts.verify", "bank_accounts"): "customer_bank_account",
    ("customers.payment_sources.verify", "sources"): "customer_bank_account",
}  # fmt: skip


def place_of(row: Row, segment: str) -> str:
    """The kind of the object that an id in a path names, by the segment before it."""
    name = f"{row.service}.{row.method}"
    for (prefix, one), kind in sorted(OWN_PLACES.items(), key=lambda item: -len(item[0][0])):
        if one == segment and name.startswith(prefix):
            return kind
    words = row.service.removeprefix("test_helpers.").split(".")
    single = segment.removesuffix("s").replace("ie", "y") if segment.endswith("ies") else segment.removesuffix("s")
    single = {"v2": "", "account_person": "person"}.get(single, single)
    if segment == "test_clocks":
        return "test_helpers.test_clock"
    for count in range(len(words), 0, -1):
        prefix = ".".join(words[:count])
        for kind in (f"{prefix}.{single}", f"{prefix.replace('.accounts', '.account')}_{single.removesuffix('s')}"):
            if kind in registry().objects:
                return kind
    return single if single in registry().objects and segment not in PLACES else PLACES[segment]


def path_of(walk: Walk, row: Row) -> list[str]:
    """Ids for the path of an operation."""
    steps = row.path.strip("/").split("/")
    kinds = [place_of(row, before) for before, step in pairwise(steps) if step.startswith("{")]
    return [walk.ids[kind] for kind in kinds]


def start() -> Walk:
    """An emulator with one of everything."""
    emulator = Emulator(seed=1)
    walk = Walk(emulator, emulator.client(validation="strict", max_retries=0))
    ids, client = walk.ids, walk.client
    for kind in registry().objects:
        if kind not in ("list", "search_result", "event", "v2.core.event", "customer"):
            try:
                ids[kind] = emulator.add(kind).id
            except (AttributeError, KeyError):
                ids.pop(kind, None)  # it has no id
    customer = client.customers.create(email="jenny@example.com", payment_method="pm_card_visa", source="tok_visa")
    ids["customer"] = customer.id
    ids["card"] = str(customer.default_source)
    method = next(iter(client.payment_methods.list(customer=customer.id)))
    ids["payment_method"] = method.id
    client.customers.update(customer.id, invoice_settings={"default_payment_method": method.id})
    ids["customer_bank_account"] = client.customers.payment_sources.create(customer.id, source="btok_us_verified").id
    ids["product"] = client.products.create(name="Plan").id
    ids["price"] = client.prices.create(
        product=ids["product"], currency="usd", unit_amount=1000, recurring={"interval": "month"}
    ).id
    ids["once"] = client.prices.create(product=ids["product"], currency="usd", unit_amount=500).id
    ids["coupon"] = client.coupons.create(percent_off=10, duration="forever").id
    ids["promotion_code"] = client.promotion_codes.create(promotion={"type": "coupon", "coupon": ids["coupon"]}).id
    ids["tax_rate"] = client.tax_rates.create(display_name="VAT", percentage=20, inclusive=False).id
    intent = client.payment_intents.create(
        amount=2000, currency="usd", customer=customer.id, payment_method=method.id, confirm=True
    )
    ids["payment_intent"], ids["charge"] = intent.id, str(intent.latest_charge)
    ids["refund"] = client.refunds.create(charge=ids["charge"], amount=100).id
    ids["balance_transaction"] = next(iter(client.balance_transactions.list())).id
    disputed = client.payment_intents.create(
        amount=3000, currency="usd", payment_method="pm_card_createDispute", confirm=True
    )
    ids["disputed"] = str(disputed.latest_charge)
    ids["dispute"] = next(iter(client.disputes.list())).id
    ids["setup_intent"] = client.setup_intents.create(customer=customer.id, payment_method="pm_card_visa").id
    ids["subscription"] = client.subscriptions.create(
        customer=customer.id, items=[{"price": ids["price"]}], discounts=[{"coupon": ids["coupon"]}]
    ).id
    ids["subscription_item"] = next(iter(client.subscription_items.list(subscription=ids["subscription"]))).id
    invoice = client.invoices.create(customer=customer.id, currency="usd")
    ids["invoice"] = invoice.id
    ids["invoiceitem"] = client.invoice_items.create(
        customer=customer.id, amount=700, currency="usd", invoice=invoice.id
    ).id
    ids["line_item"] = client.invoices.retrieve(invoice.id).lines.data[0].id
    opened = client.invoices.create(
        customer=customer.id, currency="usd", collection_method="send_invoice", days_until_due=30
    )
    client.invoice_items.create(customer=customer.id, amount=900, currency="usd", invoice=opened.id)
    client.invoices.finalize_invoice(opened.id)
    ids["open"] = opened.id
    ids["invoice_payment"] = next(iter(client.invoice_payments.list())).id
    ids["credit_note"] = client.credit_notes.create(invoice=opened.id, amount=100).id
    ids["account"] = client.accounts.create(
        type="express", country="US", capabilities={"transfers": {"requested": True}}
    ).id
    ids["bank_account"] = client.accounts.external_accounts.create(ids["account"], external_account="btok_us").id
    ids["person"] = client.accounts.persons.create(ids["account"], first_name="Jenny").id
    ids["capability"] = "transfers"
    client.topups.create(amount=500_000, currency="usd")
    transfer = client.transfers.create(amount=1000, currency="usd", destination=ids["account"])
    ids["transfer"] = transfer.id
    ids["transfer_reversal"] = client.transfers.reversals.create(transfer.id, amount=100).id
    ids["payout"] = client.payouts.create(amount=1000, currency="usd").id
    shared = client.payment_intents.create(
        amount=5000, currency="usd", payment_method="pm_card_visa", confirm=True, application_fee_amount=500,
        transfer_data={"destination": ids["account"]},
    )  # fmt: skip
    assert shared.status == "succeeded"
    ids["application_fee"] = next(iter(client.application_fees.list())).id
    ids["fee_refund"] = client.application_fees.refunds.create(ids["application_fee"], amount=10).id
    ids["checkout.session"] = client.checkout.sessions.create(
        success_url="https://example.com", line_items=[{"price": ids["once"], "quantity": 1}], mode="payment"
    ).id
    ids["payment_link"] = client.payment_links.create(line_items=[{"price": ids["once"], "quantity": 1}]).id
    ids["quote"] = client.quotes.create(customer=customer.id, line_items=[{"price": ids["price"], "quantity": 1}]).id
    opened_quote = client.quotes.create(customer=customer.id, line_items=[{"price": ids["once"], "quantity": 1}]).id
    ids["open_quote"] = client.quotes.finalize_quote(opened_quote).id
    ids["subscription_schedule"] = client.subscription_schedules.create(
        customer=customer.id, start_date="now", phases=[{"items": [{"price": ids["price"]}]}]
    ).id
    ids["plan"] = client.plans.create(currency="usd", interval="month", amount=100, product=ids["product"]).id
    meter = client.billing.meters.create(
        display_name="Calls", event_name="calls", default_aggregation={"formula": "sum"}
    )
    ids["billing.meter"] = meter.id
    client.billing.meter_events.create(
        event_name="calls", payload={"stripe_customer_id": customer.id, "value": "3"}, identifier="e1"
    )
    ids["tax_id"] = client.customers.tax_ids.create(customer.id, type="eu_vat", value="DE123456789").id
    ids["customer_balance_transaction"] = client.customers.balance_transactions.create(
        customer.id, amount=-100, currency="usd"
    ).id
    ids["customer_cash_balance_transaction"] = client.test_helpers.customers.fund_cash_balance(
        customer.id, amount=100, currency="usd"
    ).id
    ids["test_helpers.test_clock"] = client.test_helpers.test_clocks.create(frozen_time=1_770_000_000).id
    ids["token"] = client.tokens.create(card={"number": "4242424242424242", "exp_month": "12", "exp_year": "2034"}).id
    ids["source"] = client.sources.create(type="ach_credit_transfer", currency="usd").id
    ids["confirmation_token"] = client.test_helpers.confirmation_tokens.create(payment_method="pm_card_visa").id
    ids["file"] = client.files.create(file=b"scan", purpose="dispute_evidence").id
    ids["file_link"] = client.file_links.create(file=ids["file"]).id
    source = client.sources.retrieve(ids["source"]).model_dump(mode="json", by_alias=True, exclude_unset=True)
    ids["source_mandate_notification"] = emulator.add("source_mandate_notification", source=source).id
    ids["source_transaction"] = emulator.add("source_transaction", source=ids["source"]).id
    ids["webhook_endpoint"] = client.webhook_endpoints.create(
        url="http://127.0.0.1:9/none", enabled_events=["radar.early_fraud_warning.created"]
    ).id
    ids["radar.value_list"] = client.radar.value_lists.create(alias="list", name="List").id
    ids["radar.value_list_item"] = client.radar.value_list_items.create(
        value_list=ids["radar.value_list"], value="x"
    ).id
    feature = client.entitlements.features.create(lookup_key="fast", name="Fast")
    ids["entitlements.feature"] = feature.id
    ids["product_feature"] = client.products.features.create(ids["product"], entitlement_feature=feature.id).id
    ids["entitlements.active_entitlement"] = next(
        iter(client.entitlements.active_entitlements.list(customer=customer.id))
    ).id
    holder = client.issuing.cardholders.create(
        name="Jenny", billing={"address": {"city": "X", "country": "US", "line1": "1 Main", "postal_code": "1"}}
    )
    ids["issuing.cardholder"] = holder.id
    card = client.issuing.cards.create(cardholder=holder.id, currency="usd", type="physical", status="active")
    ids["issuing.card"] = card.id
    authorization = client.test_helpers.issuing.authorizations.create(card=card.id, amount=100)
    ids["issuing.authorization"] = authorization.id
    ids["issuing.transaction"] = client.test_helpers.issuing.transactions.create_force_capture(
        card=card.id, amount=100
    ).id
    account = client.treasury.financial_accounts.create(supported_currencies=["usd"])
    ids["treasury.financial_account"] = account.id
    for service, kind in (("outbound_payments", "outbound_payment"), ("outbound_transfers", "outbound_transfer")):
        made = getattr(client.treasury, service).create(amount=100, currency="usd", financial_account=account.id)
        ids[f"treasury.{kind}"] = made.id
    ids["treasury.inbound_transfer"] = client.treasury.inbound_transfers.create(
        amount=100, currency="usd", financial_account=account.id, origin_payment_method=method.id
    ).id
    ids["treasury.received_credit"] = client.test_helpers.treasury.received_credits.create(
        amount=100, currency="usd", financial_account=account.id, network="ach"
    ).id
    ids["treasury.received_debit"] = client.test_helpers.treasury.received_debits.create(
        amount=100, currency="usd", financial_account=account.id, network="ach"
    ).id
    ids["country_spec"], ids["exchange_rate"], ids["tax_code"] = "US", "usd", "txcd_99999999"
    client.country_specs.list()
    ids["reporting.report_type"], ids["climate.product"] = "balance.summary.1", "climsku_emulator"
    ids["climate.supplier"], ids["issuing.physical_bundle"] = "climsup_emulator", "ics_emulator"
    ids["climate.order"] = client.climate.orders.create(product="climsku_emulator", metric_tons="1").id
    calculation = client.tax.calculations.create(
        currency="usd",
        line_items=[{"amount": 100}],
        customer_details={"address": {"country": "US"}, "address_source": "billing"},
    )
    ids["tax.calculation"] = str(calculation.id)
    ids["tax.transaction"] = client.tax.transactions.create_from_calculation(
        calculation=ids["tax.calculation"], reference="one"
    ).id
    emulator.add("tax.association", payment_intent=intent.id)
    client.apps.secrets.create(name="text", payload="hush", scope={"type": "account"})
    key = client.ephemeral_keys.create(customer=customer.id)
    ids["ephemeral_key"] = key.id
    account_v2 = client.v2.core.accounts.create(contact_email="jenny@example.com")
    ids["v2.core.account"] = account_v2.id
    ids["v2.core.account_person"] = client.v2.core.accounts.persons.create(account_v2.id, given_name="Jenny").id
    ids["v2.core.account_person_token"] = client.v2.core.accounts.person_tokens.create(account_v2.id).id
    ids["v2.core.event_destination"] = client.v2.core.event_destinations.create(
        type="webhook_endpoint",
        name="d",
        event_payload="thin",
        enabled_events=["v2.core.account_person.deleted"],
        webhook_endpoint={"url": "http://127.0.0.1:9/none"},
    ).id
    ids["event"] = next(iter(client.events.list())).id
    ids["v2.core.event"] = next(iter(client.v2.core.events.list())).id
    return walk
