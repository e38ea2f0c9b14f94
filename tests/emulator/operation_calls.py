"""How to call each operation on a populated emulator: what must have happened before, path arguments and parameters."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from decimal import Decimal
from importlib import import_module
from itertools import pairwise
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from typing_extensions import NotRequired, Required, is_typeddict

from pinstripe._endpoint import Endpoint
from pinstripe._registry import registry
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import JSON
from tests.emulator.conftest import NO_REDIRECTS
from tests.emulator.operation_params import PARAMS, TEXTS
from tests.emulator.populate import PopulatedEmulator

FAR_FUTURE = 1_800_000_000


def name_of(endpoint: Endpoint) -> str:
    return f"{endpoint.service}.{endpoint.method}"


def method_of(populated: PopulatedEmulator, endpoint: Endpoint) -> Any:  # Any: a method of the client, found by name
    service: Any = populated.client  # Any: a service, found by name
    for part in endpoint.service.split("."):
        service = getattr(service, part)
    return getattr(service, endpoint.method)


# Parameters


def params_of(populated: PopulatedEmulator, endpoint: Endpoint) -> dict[str, JSON]:
    """Return the parameters that an operation requires, also those that its type does not say it requires."""
    if (params := PARAMS.get(name_of(endpoint))) is not None:
        filled: dict[str, JSON] = _with_ids(populated, params)
        return filled
    if endpoint.params is None:
        return {}
    required: dict[str, JSON] = _value(populated, getattr(import_module("pinstripe.params"), endpoint.params), "")
    return required


def _with_ids(populated: PopulatedEmulator, value: JSON) -> JSON:
    """Replace texts such as ``{customer}`` by the id of that object."""
    if isinstance(value, dict):
        return {name: _with_ids(populated, item) for name, item in value.items()}
    if isinstance(value, list):
        return [_with_ids(populated, item) for item in value]
    return populated.ids[value[1:-1]] if isinstance(value, str) and value.startswith("{") else value


def _value(populated: PopulatedEmulator, annotation: Any, name: str) -> JSON:  # Any: whatever stands in an annotation
    """Return a value of a parameter's type, with the id of an object where the parameter has the name of one."""
    origin, args = get_origin(annotation), get_args(annotation)
    if is_typeddict(annotation):
        hints = get_type_hints(annotation, include_extras=True)
        names = sorted(annotation.__required_keys__) or (list(hints)[:1] if name else [])
        return {key: _value(populated, hints[key], key) for key in names}
    if origin in (Required, NotRequired, Annotated):
        return _value(populated, args[0], name)
    if origin in (Union, types.UnionType):
        return _value(populated, next(arg for arg in args if arg is not type(None)), name)
    if origin is Literal:
        return args[0]
    if origin in (list, Sequence):
        return [_value(populated, args[0], name)]
    if origin in (dict, Mapping):
        return {"key": "value"}
    if name in populated.ids:
        return populated.ids[name]
    return {
        str: TEXTS.get(name, "text"),
        int: 1000,
        bool: True,
        float: 10.0,
        Decimal: Decimal(10),
        datetime: datetime.fromtimestamp(FAR_FUTURE, timezone.utc),
    }[annotation]


# Path arguments

TYPES_BY_SEGMENT = {
    "people": "person",
    "persons": "person",
    "history": "balance_transaction",
    "sources": "card",
    "bank_accounts": "bank_account",
    "external_accounts": "bank_account",
    "domains": "apple_pay_domain",
    "alerts": "billing.alert",
    "meters": "billing.meter",
    "tax_ids": "tax_id",
    "tax_codes": "tax_code",
    "templates": "invoice_rendering_template",
    "lines": "line_item",
    "reversals": "transfer_reversal",
    "cash_balance_transactions": "customer_cash_balance_transaction",
    "link_account_sessions": "financial_connections.session",
    "linked_accounts": "financial_connections.account",
    "mandate_notifications": "source_mandate_notification",
    "source_transactions": "source_transaction",
    "imports": "v2.commerce.product_catalog_import",
    "saved_queries": "sigma.sigma_api_query",
    "scheduled_query_runs": "scheduled_query_run",
    "capabilities": "capability",
    "events": "event",
    "tokens": "token",
    "early_fraud_warnings": "radar.early_fraud_warning",
}
TYPES_BY_SERVICE_AND_SEGMENT = {
    ("application_fees", "refunds"): "fee_refund",
    ("products", "features"): "product_feature",
    ("customers", "balance_transactions"): "customer_balance_transaction",
    ("customers", "bank_accounts"): "customer_bank_account",
    ("sources", "sources"): "source",
    ("sources.mandate_notifications", "sources"): "source",
    ("sources.transactions", "sources"): "source",
    ("issuing", "tokens"): "issuing.token",
    ("v2.money_management", "financial_addresses"): "v2.money_management.financial_address",
    ("v2.core.events", "events"): "v2.core.event",
    ("customers.payment_sources", "sources"): "card",
    ("tax", "transactions"): "tax.transaction",
    ("customers.bank_accounts.verify", "bank_accounts"): "customer_bank_account",
    ("customers.payment_sources.verify", "sources"): "customer_bank_account",
}


def path_of(populated: PopulatedEmulator, endpoint: Endpoint) -> list[str]:
    """Return ids for the path of an operation."""
    segments = endpoint.path.strip("/").split("/")
    object_types = [
        _type_in_path(endpoint, before) for before, segment in pairwise(segments) if segment.startswith("{")
    ]
    return [populated.ids[object_type] for object_type in object_types]


def _type_in_path(endpoint: Endpoint, segment: str) -> str:
    """Return the type of the object whose id follows a segment in the path."""
    name = name_of(endpoint)
    exceptions = sorted(TYPES_BY_SERVICE_AND_SEGMENT.items(), key=lambda item: -len(item[0][0]))
    for (prefix, exception), object_type in exceptions:
        if exception == segment and name.startswith(prefix):
            return object_type
    if segment == "test_clocks":
        return "test_helpers.test_clock"
    singular = segment.removesuffix("s")
    singular = singular.replace("ie", "y") if segment.endswith("ies") else singular
    singular = {"v2": "", "account_person": "person"}.get(singular, singular)
    words = endpoint.service.removeprefix("test_helpers.").split(".")
    for count in range(len(words), 0, -1):
        prefix = ".".join(words[:count])
        for object_type in (
            f"{prefix}.{singular}",
            f"{prefix.replace('.accounts', '.account')}_{singular.removesuffix('s')}",
        ):
            if object_type in registry().objects:
                return object_type
    return singular if singular in registry().objects and segment not in TYPES_BY_SEGMENT else TYPES_BY_SEGMENT[segment]


# What must have happened before an operation can be carried out


def _create_intent(populated: PopulatedEmulator, **params: JSON) -> None:
    ids = populated.ids
    own = {"customer": ids["customer"], "payment_method": ids["payment_method"]}
    ids["payment_intent"] = populated.client.payment_intents.create(
        **{"amount": 2000, "currency": "usd", **own, **params}
    ).id


def _authorize_charge(populated: PopulatedEmulator) -> None:
    _create_intent(populated, capture_method="manual", confirm=True, automatic_payment_methods=NO_REDIRECTS)
    intent = populated.client.payment_intents.retrieve(populated.ids["payment_intent"])
    populated.ids["charge"] = str(intent.latest_charge)


def _use(name: str, other: str) -> Callable[[PopulatedEmulator], None]:
    return lambda populated: populated.ids.update({name: populated.ids[other]})


def _set(object_type: str, **fields: object) -> Callable[[PopulatedEmulator], None]:
    """Return a function that sets fields which no operation sets."""

    def arrange(populated: PopulatedEmulator) -> None:
        key = (object_type, populated.ids[object_type])
        populated.emulator._accounts.run("", lambda state: state.objects.update(state.objects[key], **fields))

    return arrange


def _discount_customer(populated: PopulatedEmulator) -> None:
    def set_discount(state: AccountState) -> None:
        customer = state.objects["customer", populated.ids["customer"]]
        state.objects.update(customer, discount=next(state.objects.all("discount")))

    populated.emulator._accounts.run("", set_discount)


def _add_subscription_item(populated: PopulatedEmulator) -> None:
    populated.client.subscription_items.create(subscription=populated.ids["subscription"], price=populated.ids["plan"])


def _create_pending_refund(populated: PopulatedEmulator) -> None:
    intent = populated.client.payment_intents.create(
        amount=1000,
        currency="usd",
        payment_method="pm_card_pendingRefund",
        confirm=True,
        automatic_payment_methods=NO_REDIRECTS,
    )
    populated.ids["refund"] = populated.client.refunds.create(payment_intent=intent.id).id


def _create_product(populated: PopulatedEmulator) -> None:
    populated.ids["product"] = populated.client.products.create(name="Unsold").id


def _save_source(populated: PopulatedEmulator) -> None:
    _set("source", customer=populated.ids["customer"])(populated)


def _complete_inbound_transfer(populated: PopulatedEmulator) -> None:
    transfers = populated.client.test_helpers.treasury.inbound_transfers
    transfers.succeed(populated.ids["treasury.inbound_transfer"])


def _deactivate_meter(populated: PopulatedEmulator) -> None:
    populated.client.billing.meters.deactivate(populated.ids["billing.meter"])


def _archive_template(populated: PopulatedEmulator) -> None:
    populated.client.invoice_rendering_templates.archive(populated.ids["invoice_rendering_template"])


def _reject_account(populated: PopulatedEmulator) -> None:
    populated.client.accounts.reject(populated.ids["account"], reason="other")


def _archive(service: str, object_type: str) -> Callable[[PopulatedEmulator], None]:
    def arrange(populated: PopulatedEmulator) -> None:
        archived: Any = populated.client.v2  # Any: a service, found by name
        for part in service.split("."):
            archived = getattr(archived, part)
        archived.archive(populated.ids[object_type])

    return arrange


def _send_microdeposits(populated: PopulatedEmulator) -> None:
    bank_accounts = populated.client.v2.core.vault.us_bank_accounts
    bank_accounts.send_microdeposits(populated.ids["v2.core.vault.us_bank_account"])


def _post_outbound_payment(populated: PopulatedEmulator) -> None:
    populated.emulator._accounts.environment.ticks += 3600
    populated.client.v2.money_management.transactions.list()


def _pause_subscription(populated: PopulatedEmulator) -> None:
    populated.client.subscriptions.pause(populated.ids["subscription"])


ARRANGE: dict[str, Callable[[PopulatedEmulator], None]] = {
    "accounts.unreject": _reject_account,
    "billing.meters.reactivate": _deactivate_meter,
    "charges.capture": _authorize_charge,
    **{f"charges.dispute.{name}": _use("charge", "disputed_charge") for name in ("close", "retrieve", "update")},
    "customers.delete_discount": _discount_customer,
    "customers.discount.retrieve": _discount_customer,
    "invoice_rendering_templates.unarchive": _archive_template,
    **{
        f"invoices.{name}": _use("invoice", "open_invoice")
        for name in ("attach_payment", "mark_uncollectible", "void_invoice", "pay")
    },
    "payment_intents.apply_customer_balance": _create_intent,
    "payment_intents.cancel": _create_intent,
    "payment_intents.capture": _authorize_charge,
    "payment_intents.confirm": _create_intent,
    "payment_intents.increment_authorization": _authorize_charge,
    "payment_intents.verify_microdeposits": _create_intent,
    "payouts.reverse": _set("payout", status="paid"),
    "products.delete": _create_product,
    "quotes.accept": _use("quote", "open_quote"),
    "quotes.pdf": _use("quote", "open_quote"),
    "refunds.cancel": _create_pending_refund,
    "sources.detach": _save_source,
    "subscription_items.delete": _add_subscription_item,
    "subscriptions.resume": _pause_subscription,
    "test_helpers.refunds.expire": _create_pending_refund,
    "test_helpers.treasury.inbound_transfers.return_inbound_transfer": _complete_inbound_transfer,
    "v2.core.vault.gb_bank_accounts.unarchive": _archive(
        "core.vault.gb_bank_accounts", "v2.core.vault.gb_bank_account"
    ),
    "v2.core.vault.us_bank_accounts.confirm_microdeposits": _send_microdeposits,
    "v2.core.vault.us_bank_accounts.unarchive": _archive(
        "core.vault.us_bank_accounts", "v2.core.vault.us_bank_account"
    ),
    "v2.money_management.payout_methods.unarchive": _archive(
        "money_management.payout_methods", "v2.money_management.payout_method"
    ),
    "v2.money_management.transactions.refresh_regulatory_receipt": _post_outbound_payment,
}
