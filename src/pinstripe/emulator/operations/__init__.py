"""Operation handlers, one module per resource family."""

from importlib import import_module

MODULES = (
    "operations.payment_methods", "operations.balance", "operations.disputes", "operations.accounts", "operations.sources",
    "operations.charges", "operations.payment_intents", "operations.setup_intents", "operations.refunds", "operations.products",
    "operations.discounts", "operations.customers", "operations.invoices", "operations.invoice_items",
    "operations.invoice_payments", "operations.credit_notes", "operations.billing_meters", "operations.subscriptions",
    "operations.subscription_updates", "operations.invoice_previews", "operations.subscription_schedules", "billing.renewals",
    "operations.test_clocks", "operations.checkout_sessions", "operations.payment_links", "operations.billing_portal",
    "operations.quotes", "operations.settings", "operations.files", "operations.tax", "operations.issuing",
    "operations.reference_data", "operations.events", "operations.webhook_endpoints", "operations.v2_accounts",
)  # fmt: skip


def load() -> None:
    """Import every module that registers operation handlers or timers."""
    for module in MODULES:
        import_module(f"pinstripe.emulator.{module}")
