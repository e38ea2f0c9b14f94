"""The names that no rule arrives at. Keep this short: mend a rule first."""

from __future__ import annotations

from codegen import ir

# Classes of models, by the key of their schema.
MODELS: dict[str, str] = {
    # One shape that stands under many names.
    "mandate_link": "EmptyObject",
    "payment_method_config_resource_payment_method_properties": "PaymentMethodConfigurationMethod",
    "payment_method_domain_resource_payment_method_status": "PaymentMethodDomainMethod",
    "payments_primitives_payment_records_resource_amount": "PaymentRecordAmount",
    "portal_invoice_list": "EnabledFeature",
    "legal_entity_dob": "DateParts",
    "legal_entity_ubo_declaration": "AccountDeclaration",
    "checkout_acss_debit_mandate_options": "AcssDebitMandateOptions",
    "checkout_eps_payment_method_options": "SetupFutureUsageOptions",
    "checkout_alma_payment_method_options": "CaptureMethodOptions",
    "checkout_affirm_payment_method_options": "CheckoutCaptureOptions",
    "checkout_link_payment_method_options": "CheckoutCaptureAndSetupOptions",
    "connect_embedded_base_config_claim": "AccountSessionComponent",
    "connect_embedded_account_config_claim": "AccountSessionAccountComponent",
    "connect_embedded_disputes_list_config": "AccountSessionPaymentsComponent",
    "payment_intent_next_action_konbini_lawson": "PaymentIntentNextActionKonbiniStore",
    "payment_method_details_bizum": "PaymentMethodDetailsTransactionId",
    "payment_method_details_payco": "PaymentMethodDetailsBuyer",
    "refund_destination_details_p24": "RefundDestinationReference",
    "sigma_scheduled_query_run_error": "ErrorMessage",
    "source_type_p24": "SourceReference",
    "tax_product_registrations_resource_country_options_default": "TaxRegistrationCountryOptionsDefault",
    "tax_product_registrations_resource_country_options_default_inbound_goods": "TaxRegistrationCountryOptionsInboundGoods",
    "tax_product_registrations_resource_country_options_europe": "TaxRegistrationCountryOptionsEurope",
    "tax_product_registrations_resource_country_options_thailand": "TaxRegistrationCountryOptionsSimplified",
    "terminal_configuration_configuration_resource_currency_specific_config": "TerminalConfigurationTippingCurrency",
    "terminal_configuration_configuration_resource_device_type_specific_config": "TerminalConfigurationDevice",
    "terminal_reader_reader_resource_text": "TerminalReaderInputText",
    "treasury_financial_accounts_resource_toggle_settings": "TreasuryFinancialAccountFeature",
    "v2.core.account.configuration.merchant.capabilities.eps_payments": "V2CoreAccountCapability",
    "v2.core.account.configuration.merchant.statement_descriptor": "V2CoreAccountStatementDescriptor",
    "v2.core.account_person.additional_terms_of_service.account": "V2CoreAccountAttestation",
    "v2.core.account_person.address": "V2CoreAccountAddress",
    "v2.core.account_person.documents.visa": "V2CoreAccountDocument",
    # Everything else.
    "api_errors": "ErrorDetails",
    "error": "ErrorResponse",
    "fee_refund": "ApplicationFeeRefund",
    "financial_reporting_finance_report_run_run_parameters": "ReportRunParameters",
    "invoiceitem": "InvoiceItem",
    "item": "LineItem",
    "line_item": "InvoiceLineItem",
    "platform_earning": "ApplicationFee",
    "reporting.report_run": "ReportRun",
    "reporting.report_type": "ReportType",
    "scheduled_query_run": "SigmaScheduledQueryRun",
    "sigma.sigma_api_query": "SigmaQuery",
    "test_helpers.test_clock": "TestClock",
}

# Services, by the dotted walk of the path.
SERVICES: dict[str, str] = {
    "account": "accounts",
    "apple_pay.domains": "apple_pay_domains",
    "credit_notes.lines": "credit_notes.line_items",
    "credit_notes.preview.lines": "credit_notes.preview_lines",
    "customers.sources": "customers.payment_sources",
    "invoiceitems": "invoice_items",
    "invoices.lines": "invoices.line_items",
    "sources.source_transactions": "sources.transactions",
}

# Things of which there is one, so that a POST to them changes it.
SINGLETONS = {
    "balance_settings",
    "charges.dispute",
    "customers.cash_balance",
    "tax.settings",
    "treasury.financial_accounts.features",
}

# Actions that need their object to be said, and how some objects are said.
ACTIONS_SAID_IN_FULL = {"finalize", "return", "send", "void"}
ACTION_NOUNS = {"credit_grant": "grant"}

# Names of operations: (verb, path) -> (service, method).
OPERATIONS: dict[tuple[str, str], tuple[str, str]] = {
    ("GET", "/v1/account"): ("accounts", "retrieve_current"),
    ("POST", "/v1/apps/secrets/delete"): ("apps.secrets", "delete_where"),
    ("DELETE", "/v1/subscriptions/{subscription_exposed_id}"): ("subscriptions", "cancel"),
    ("DELETE", "/v1/customers/{customer}/subscriptions/{subscription_exposed_id}"): (
        "customers.subscriptions",
        "cancel",
    ),
    ("POST", "/v1/test_helpers/issuing/authorizations/{authorization}/fraud_challenges/respond"): (
        "test_helpers.issuing.authorizations",
        "respond",
    ),
    ("POST", "/v1/test_helpers/issuing/cards/{card}/shipping/deliver"): ("test_helpers.issuing.cards", "deliver_card"),
    ("POST", "/v1/test_helpers/issuing/cards/{card}/shipping/fail"): ("test_helpers.issuing.cards", "fail_card"),
    ("POST", "/v1/test_helpers/issuing/cards/{card}/shipping/return"): ("test_helpers.issuing.cards", "return_card"),
    ("POST", "/v1/test_helpers/issuing/cards/{card}/shipping/ship"): ("test_helpers.issuing.cards", "ship_card"),
    ("POST", "/v1/test_helpers/issuing/cards/{card}/shipping/submit"): ("test_helpers.issuing.cards", "submit_card"),
}

# Operations that Stripe's users know by a second name as well.
SECOND_NAMES: dict[tuple[str, str], tuple[str, str]] = {
    ("DELETE", "/v1/customers/{customer}/sources/{id}"): ("sources", "detach"),
}

# Words that singular() would get wrong.
SINGULARS: dict[str, str] = {
    "address": "address",
    "addresses": "address",
    "as": "as",
    "bonus": "bonus",
    "business": "business",
    "cartes": "cartes",
    "details": "details",
    "earnings": "earnings",
    "news": "news",
    "options": "options",
    "settings": "settings",
    "status": "status",
    "taxes": "tax",
}

# Small shapes that stand under many names, by their fields.
SHAPES: dict[tuple[str, ...], str] = {
    (): "Empty",
    ("account", "type"): "ConnectAccount",
    ("capture_method",): "CaptureMethodOptions",
    ("capture_method", "setup_future_usage"): "CaptureAndSetupOptions",
    ("city", "country", "line1", "line2", "postal_code", "state", "town"): "JapaneseAddress",
    ("coupon", "discount", "promotion_code"): "Discount",
    ("date", "ip", "user_agent"): "Attestation",
    ("day", "month", "year"): "DateParts",
    ("enabled",): "EnabledFeature",
    ("enabled", "features"): "AccountSessionComponent",
    ("files",): "Files",
    ("files", "type"): "TypedFiles",
    ("fixed_amounts", "percentages", "smart_tip_threshold"): "TerminalTippingCurrency",
    ("gt", "gte", "lt", "lte"): "Range",
    ("interval", "interval_count"): "Interval",
    ("message",): "CustomMessage",
    ("requested",): "Requested",
    ("setup_future_usage",): "SetupFutureUsageOptions",
    ("standard", "type"): "TaxRegistrationStandard",
    ("type",): "TaxRegistrationType",
}

# Parts whose one word says enough wherever they stand.
PLAIN = {"Address", "Period", "Recurring", "Shipping", "Tip"}

# Fields of which we know more than the document says: any object, decoded by its ``object`` field.
FIELDS: dict[tuple[str, str], ir.Type] = {
    ("notification_event_data", "object"): ir.Lazy(()),
}

# Parameters that many operations have in common, by their names; the larger sets first.
COMMON_PARAMS: dict[tuple[str, ...], str] = {
    ("ending_before", "expand", "limit", "starting_after"): "ListParams",
    ("expand", "limit", "page", "query"): "SearchParams",
    ("expand",): "ExpandParams",
}
