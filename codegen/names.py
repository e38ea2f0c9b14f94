"""The names of classes and modules. A name depends on nothing but the path to its place.

A model is named after its resource, a part of it after the fields that lead to it: ``SubscriptionTrialSettingsEndBehavior``.
Parameters are named after their operation, ``SubscriptionUpdateParams``, and parts of them after the parameters that lead to
them: ``SubscriptionUpdateParamsItemPriceData``. A list adds the singular of its name.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection

from codegen import spec

# The classes of objects whose users know them by another name than that in their `object` field.
OBJECTS: dict[str, str] = {
    "fee_refund": "ApplicationFeeRefund",
    "invoiceitem": "InvoiceItem",
    "item": "LineItem",
    "line_item": "InvoiceLineItem",
    "platform_earning": "ApplicationFee",
    "reporting.report_run": "ReportRun",
    "reporting.report_type": "ReportType",
    "rule": "RadarRule",
    "scheduled_query_run": "SigmaScheduledQueryRun",
    "sigma.sigma_api_query": "SigmaQuery",
    "test_helpers.test_clock": "TestClock",
    "v2.deleted_object": "V2DeletedObject",
}

# Parts of the API that users pass around themselves: one class wherever Stripe's document shares them by reference.
SHARED: dict[str, str] = {
    "address": "Address",
    "billing_details": "BillingDetails",
    "shipping": "ShippingDetails",
}

# Services whose last word is not made singular: each is one object, or has a name of its own.
SINGLE_SERVICES = {
    "accounts.people",
    "balance_settings",
    "credit_notes.preview_lines",
    "customers.funding_instructions",
    "quotes.computed_upfront_line_items",
    "tax.settings",
    "treasury.financial_accounts.features",
}

# Path arguments that Stripe's document calls otherwise than its users do.
ARGUMENTS: dict[str, str] = {"subscription_exposed_id": "subscription"}

# Plurals whose singular no rule finds.
SINGULARS: dict[str, str] = {
    "addresses": "address",
    "as": "as",
    "bonus": "bonus",
    "data": "datum",
    "fees": "fee",
    "options": "option",
    "people": "person",
    "settings": "setting",
    "statuses": "status",
    "taxes": "tax",
}
_ENDINGS = (("ies", "y"), ("sses", "ss"), ("xes", "x"), ("ches", "ch"), ("ss", "ss"), ("us", "us"), ("s", ""))


def words(text: str) -> list[str]:
    """Return the words of a dotted name: ``billing.credit_grant`` is billing, credit, grant."""
    return [word for word in re.split(r"[^A-Za-z0-9]+", text) if word]


def camel(text: str) -> str:
    """Return a dotted name as the name of a class: ``setup_intent`` is ``SetupIntent``."""
    return "".join(word[0].upper() + word[1:] for word in words(text))


def snake(name: str) -> str:
    """Return the name of a class as the name of a module: ``SetupIntent`` is ``setup_intent``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def singular(name: str) -> str:
    """Return a name with its last word in the singular: ``line_items`` is ``line_item``."""
    head, underscore, last = name.rpartition("_")
    if last in SINGULARS:
        return head + underscore + SINGULARS[last]
    for ending, replacement in _ENDINGS:
        if last.endswith(ending) and len(last) > len(ending) + 1:
            return head + underscore + last[: -len(ending)] + replacement
    return name


def safe(name: str) -> str:
    """Return the name of a field or parameter as Python can write it: ``in`` is ``in_``."""
    return f"{name}_" if keyword.iskeyword(name) else name


def argument(name: str) -> str:
    """Return the name of a path argument as users say it."""
    return ARGUMENTS.get(name, name)


def path(template: str) -> str:
    """Return a path with its arguments named as users say it."""
    return re.sub(r"\{(\w+)\}", lambda match: "{" + argument(match[1]) + "}", template)


def model(schema: spec.Schema) -> str:
    """Return the class of an object; that of a deleted one begins with ``Deleted``."""
    prefix = "Deleted" if schema.name.startswith(spec.DELETED) else ""
    return prefix + OBJECTS.get(schema.original, camel(schema.original))


def part(owner: str, field: spec.Field) -> str:
    """Return the class of an object that stands in a field of another class."""
    return owner + camel(singular(field.name) if is_list(field.type) else field.name)


def is_list(kind: spec.Type) -> bool:
    """Return whether a type is a list or a page, or one among other types."""
    match kind:
        case spec.ListOf() | spec.PageOf():
            return True
        case spec.Union(options):
            return any(is_list(option) for option in options)
        case spec.Nullable(inner):
            return is_list(inner)
        case _:
            return False


def params(service: str, method: str, services: Collection[str]) -> str:
    """Return the class of the parameters of an operation: ``customers.create`` takes ``CustomerCreateParams``.

    The names of services that have operations are singular, those of groups of services and of `SINGLE_SERVICES` are as
    they are.
    """
    steps = service.split(".")
    paths = [".".join(steps[: index + 1]) for index in range(len(steps))]
    nouns = [
        singular(step) if path in services and path not in SINGLE_SERVICES else step
        for step, path in zip(steps, paths, strict=True)
    ]
    return "".join(camel(noun) for noun in nouns) + camel(method) + "Params"


def service(name: str) -> str:
    """Return the class of a service: ``customers.balance_transactions`` is ``CustomersBalanceTransactions``."""
    return camel(name)


def event(event_type: str) -> str:
    """Return the class of an event type: ``invoice.paid`` is ``InvoicePaidEvent``."""
    return camel(event_type) + "Event"


def notification(event_type: str) -> str:
    """Return the class of the notification of a thin event type: ``V1BillingMeterNoMeterFoundEventNotification``."""
    return camel(event_type) + "EventNotification"


def event_data(event_type: str) -> str:
    """Return the class of the data of a thin event type: ``BillingMeterNoMeterFoundEventData``."""
    return camel(event_type.removeprefix("v1.")) + "EventData"
