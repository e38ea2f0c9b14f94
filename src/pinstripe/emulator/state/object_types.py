"""Facts about object types, one table each: prefixes of ids, names in events, references, indexes."""

from __future__ import annotations

# The prefix of the ids of an object type. https://docs.stripe.com/api
PREFIXES = {
    "account": "acct_1", "application_fee": "fee_1", "balance_transaction": "txn_3", "bank_account": "ba_1",
    "billing.alert": "alrt_1", "billing.credit_balance_transaction": "cbtxn_1", "billing.credit_grant": "credgr_test_",
    "billing.meter": "mtr_test_", "billing_portal.configuration": "bpc_1", "billing_portal.session": "bps_1", "card": "card_1",
    "charge": "ch_3", "checkout.session": "cs_test_", "climate.order": "climorder_", "confirmation_token": "ctoken_1",
    "coupon": "",
    "credit_note": "cn_1", "credit_note_line_item": "cnli_1", "customer": "cus_", "customer_balance_transaction": "cbtxn_1",
    "customer_cash_balance_transaction": "ccsbtxn_1", "customer_session": "cuss_1", "discount": "di_1", "dispute": "du_1",
    "entitlements.active_entitlement": "ent_test_", "entitlements.feature": "feat_test_", "ephemeral_key": "ephkey_1",
    "event": "evt_1", "fee_refund": "fr_1", "file": "file_1", "file_link": "link_1", "financial_connections.account": "fca_1",
    "financial_connections.session": "fcsess_1", "financial_connections.transaction": "fctxn_1", "forwarding.request": "fwdreq_1",
    "identity.verification_report": "vr_1", "identity.verification_session": "vs_1", "invoice": "in_1",
    "invoice_payment": "inpay_1", "invoice_rendering_template": "inrtem_1", "invoiceitem": "ii_1",
    "issuing.authorization": "iauth_1",
    "issuing.card": "ic_1", "issuing.cardholder": "ich_1", "issuing.dispute": "idp_1", "issuing.settlement": "iset_1",
    "issuing.transaction": "ipi_1", "item": "li_1", "line_item": "il_1", "mandate": "mandate_1", "payment_intent": "pi_3",
    "payment_link": "plink_1", "payment_method": "pm_1", "payment_method_configuration": "pmc_1",
    "payment_method_domain": "pmd_1",
    "payment_record": "prec_test_", "payout": "po_1", "person": "person_1", "plan": "plan_", "price": "price_1",
    "product": "prod_",
    "promotion_code": "promo_1", "quote": "qt_1", "radar.early_fraud_warning": "issfr_1", "radar.value_list": "rsl_1",
    "radar.value_list_item": "rsli_1", "refund": "re_3", "reporting.report_run": "frr_1", "request": "req_", "review": "prv_1",
    "scheduled_query_run": "sqr_1", "setup_attempt": "setatt_1", "setup_intent": "seti_1", "shipping_rate": "shr_1",
    "source": "src_1",
    "subscription": "sub_1", "subscription_item": "si_", "subscription_schedule": "sub_sched_1", "tax.calculation": "taxcalc_1",
    "tax.registration": "taxreg_", "tax.transaction": "tax_1", "tax_id": "txi_1", "tax_rate": "txr_1",
    "terminal.configuration": "tmc_",
    "terminal.connection_token": "pst_test_", "terminal.location": "tml_", "terminal.reader": "tmr_",
    "test_helpers.test_clock": "clock_1", "token": "tok_1", "topup": "tu_1", "transfer": "tr_3", "transfer_reversal": "trr_1",
    "treasury.credit_reversal": "credrev_1", "treasury.debit_reversal": "debrev_1", "treasury.financial_account": "fa_1",
    "treasury.inbound_transfer": "ibt_1", "treasury.outbound_payment": "obp_1", "treasury.outbound_transfer": "obt_1",
    "treasury.received_credit": "rc_1", "treasury.received_debit": "rd_1", "treasury.transaction": "trxn_1",
    "treasury.transaction_entry": "trxne_1", "v2.billing.meter_event_session": "mes_test_", "v2.core.account": "acct_1",
    "v2.core.account_person": "person_test_", "v2.core.account_person_token": "perstok_", "v2.core.account_token": "accttok_",
    "v2.core.event": "evt_test_", "v2.core.event_destination": "ed_test_", "webhook_endpoint": "we_1", "webhook_secret": "whsec_",
    "secret": "", "url": "",
    "apps.install": "appinst_1", "billing.feedback_option": "fbopt_1", "product_catalog.trial_offer": "tro_1",
    "tax.location": "taxloc_1", "three_d_secure.authentication": "tdsauth_1",
    "v2.core.vault.gb_bank_account": "gbba_test_", "v2.core.vault.us_bank_account": "usba_test_",
    "v2.money_management.adjustment": "adj_test_", "v2.money_management.financial_account": "fa_test_",
    "v2.money_management.financial_address": "finaddr_test_", "v2.money_management.inbound_transfer": "ibt_test_",
    "v2.money_management.outbound_payment": "obp_test_", "v2.money_management.outbound_setup_intent": "osi_test_",
    "v2.money_management.outbound_transfer": "obt_test_", "v2.money_management.payout_intent": "pouti_test_",
    "v2.money_management.payout_method": "pm_test_", "v2.money_management.received_credit": "rc_test_",
    "v2.money_management.recipient_verification": "rv_test_", "v2.money_management.transaction": "trxn_test_",
    "v2.money_management.transaction_entry": "trxne_test_",
}  # fmt: skip

# The first part of the event types of an object type, where it is not the name of the object type.
EVENT_NAMES = {
    "card": "customer.source",
    "discount": "customer.discount",
    "dispute": "charge.dispute",
    "fee_refund": "application_fee.refund",
    "scheduled_query_run": "sigma.scheduled_query_run",
    "subscription": "customer.subscription",
    "tax_id": "customer.tax_id",
}

# Parameters that hold the id of another object, in every operation, with the object types they refer to.
REFERENCES: dict[str, tuple[str, ...]] = {
    "cardholder": ("issuing.cardholder",),
    "charge": ("charge",),
    "coupon": ("coupon",),
    "credit_note": ("credit_note",),
    "customer": ("customer",),
    "default_tax_rates": ("tax_rate",),
    "discount": ("discount",),
    "financial_account": ("treasury.financial_account",),
    "invoice": ("invoice",),
    "invoice_item": ("invoiceitem",),
    "meter": ("billing.meter",),
    "original_payout": ("payout",),
    "payment_intent": ("payment_intent",),
    "payout": ("payout",),
    "price": ("price", "plan"),
    "promotion_code": ("promotion_code",),
    "received_credit": ("treasury.received_credit",),
    "received_debit": ("treasury.received_debit",),
    "setup_intent": ("setup_intent",),
    "shipping_rate": ("shipping_rate",),
    "subscription": ("subscription",),
    "subscription_item": ("subscription_item",),
    "tax_rates": ("tax_rate",),
    "test_clock": ("test_helpers.test_clock",),
    "transfer": ("transfer",),
    "value_list": ("radar.value_list",),
}
# The same for the services in which a parameter refers to other types; None where it is not a reference.
SERVICE_REFERENCES: dict[tuple[str, str], tuple[str, ...] | None] = {
    ("billing.meter_event", "meter"): None,
    ("billing_portal", "feedback_options"): ("billing.feedback_option",),
    ("climate", "product"): ("climate.product",),
    ("issuing", "transaction"): ("issuing.transaction",),
    ("issuing", "card"): ("issuing.card",),
    ("payment_records", "customer"): None,
    ("subscriptions", "feedback_option"): ("billing.feedback_option",),
    ("customers.subscriptions", "feedback_option"): ("billing.feedback_option",),
    ("subscription_items", "id"): ("subscription_item",),
    ("terminal", "location"): ("terminal.location",),
    ("test_helpers.issuing", "card"): ("issuing.card",),
    ("tax", "customer"): ("customer",),
    ("tax.calculations", "performance_location"): ("tax.location",),
    ("v2.money_management", "financial_account"): ("v2.money_management.financial_account",),
    ("v2.money_management", "recipient"): ("v2.core.account", "account"),
    ("v2.test_helpers.money_management", "recipient"): ("v2.core.account", "account"),
}


# The fields by which objects of a type are found without looking at all of them.
INDEXES: dict[str, tuple[str, ...]] = {
    "application_fee": ("charge",),
    "balance_transaction": ("source",),
    "bank_account": ("customer", "account"),
    "billing.credit_grant": ("customer",),
    "billing.meter": ("event_name",),
    "card": ("customer", "account"),
    "charge": ("customer", "payment_intent", "invoice"),
    "checkout.session": ("customer", "payment_intent", "subscription"),
    "credit_note": ("invoice", "customer"),
    "customer": ("email", "test_clock"),
    "customer_balance_transaction": ("customer",),
    "dispute": ("charge",),
    "fee_refund": ("fee",),
    "file_link": ("file",),
    "invoice": ("customer", "test_clock"),
    "invoice_payment": ("invoice",),
    "invoiceitem": ("invoice", "customer", "test_clock"),
    "payment_intent": ("customer",),
    "payment_method": ("customer",),
    "price": ("lookup_key", "product"),
    "promotion_code": ("code",),
    "quote": ("customer", "test_clock"),
    "radar.value_list_item": ("value_list",),
    "refund": ("charge", "payment_intent"),
    "setup_attempt": ("setup_intent",),
    "setup_intent": ("customer",),
    "source": ("customer",),
    "subscription": ("customer", "test_clock"),
    "subscription_item": ("subscription",),
    "subscription_schedule": ("customer", "test_clock"),
    "tax_id": ("customer",),
    "transfer_reversal": ("transfer",),
}


def id_prefix(object_type: str) -> str:
    """Return the prefix of the ids of an object type; made of its first letters when no table has one."""
    prefix = PREFIXES.get(object_type)
    if prefix is None:
        prefix = "".join(word[0] for word in object_type.replace(".", "_").split("_") if word).lower() + "_1"
    return prefix
