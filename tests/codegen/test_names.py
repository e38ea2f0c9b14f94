"""The names of classes, modules, parameters and path arguments."""

from __future__ import annotations

import pytest

from codegen import names, spec

SERVICES = {"customers", "subscriptions", "checkout.sessions", "test_helpers.test_clocks", "balance_settings"}
TEXT = spec.Scalar("string")


@pytest.mark.parametrize(
    ("plural", "singular"),
    [
        ("customers", "customer"),
        ("tax_rates", "tax_rate"),
        ("entries", "entry"),
        ("addresses", "address"),
        ("status", "status"),
        ("boxes", "box"),
        ("taxes", "tax"),
        ("status_details", "status_detail"),
        ("persons", "person"),
        ("line", "line"),
        ("as", "as"),
    ],
)
def test_the_last_word_is_made_singular(plural: str, singular: str) -> None:
    assert names.singular(plural) == singular


@pytest.mark.parametrize(
    ("service", "method", "expected"),
    [
        ("customers", "create", "CustomerCreateParams"),
        ("subscriptions", "update", "SubscriptionUpdateParams"),
        ("checkout.sessions", "create", "CheckoutSessionCreateParams"),
        ("test_helpers.test_clocks", "advance", "TestHelpersTestClockAdvanceParams"),
        ("balance_settings", "update", "BalanceSettingsUpdateParams"),
        ("customers", "list_payment_methods", "CustomerListPaymentMethodsParams"),
    ],
)
def test_parameters_are_named_after_their_service_and_method(service: str, method: str, expected: str) -> None:
    assert names.params(service, method, SERVICES) == expected


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (TEXT, "GadgetTiers"),
        (spec.ListOf(TEXT), "GadgetTier"),
        (spec.PageOf("list", TEXT), "GadgetTier"),
        (spec.Nullable(spec.ListOf(TEXT)), "GadgetTier"),
        (spec.Union((TEXT, spec.ListOf(TEXT))), "GadgetTier"),
        (spec.MapOf(TEXT), "GadgetTiers"),
    ],
)
def test_a_part_is_named_after_its_owner_and_its_field_items_of_lists_in_the_singular(
    kind: spec.Type, expected: str
) -> None:
    assert names.part("Gadget", spec.Field("tiers", kind)) == expected


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ("customer", "Customer"),
        ("billing.credit_grant", "BillingCreditGrant"),
        ("deleted_customer", "DeletedCustomer"),
        ("invoiceitem", "InvoiceItem"),
        ("deleted_invoiceitem", "DeletedInvoiceItem"),
        ("v2.core.account", "V2CoreAccount"),
    ],
)
def test_a_model_is_named_after_its_object(schema: str, expected: str) -> None:
    assert names.model(spec.Schema(schema)) == expected


@pytest.mark.parametrize(
    ("cls", "module"),
    [
        ("SetupIntent", "setup_intent"),
        ("V2CoreAccount", "v2_core_account"),
        ("ThreeDSecureAuthentication", "three_d_secure_authentication"),
    ],
)
def test_a_module_is_named_after_its_class(cls: str, module: str) -> None:
    assert names.snake(cls) == module


def test_events_are_named_after_their_types() -> None:
    assert names.event("invoice.paid") == "InvoicePaidEvent"
    assert names.event("customer.tax_id.created") == "CustomerTaxIdCreatedEvent"
    assert names.notification("v1.billing.meter.no_meter_found") == "V1BillingMeterNoMeterFoundEventNotification"
    assert names.event_data("v1.billing.meter.no_meter_found") == "BillingMeterNoMeterFoundEventData"


def test_path_arguments_are_called_what_users_say() -> None:
    assert names.path("/v1/subscriptions/{subscription_exposed_id}") == "/v1/subscriptions/{subscription}"
    assert names.path("/v1/customers/{customer}/sources/{id}") == "/v1/customers/{customer}/sources/{id}"


def test_a_python_keyword_gets_an_underscore() -> None:
    assert (names.safe("from"), names.safe("in"), names.safe("type")) == ("from_", "in_", "type")
