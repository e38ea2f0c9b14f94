"""What operations do beyond keeping an object: one room for each life cycle."""

from importlib import import_module

ROOMS = (
    "cards", "payment_methods", "balance", "disputes", "connect", "sources", "charges", "payments", "setup_intents", "refunds",
    "catalog", "discounts", "customers", "lines", "invoices", "invoice_lines", "invoice_payments", "credit_notes",
    "usage", "billing", "subscriptions",
    "changes", "previews", "schedules", "renewals", "test_clocks", "selling", "checkout", "payment_links", "portal", "quotes",
    "settings", "files", "tax", "issuing", "catalogs", "events", "webhook_endpoints", "accounts_v2",
)  # fmt: skip


def load() -> None:
    """Let every room say what it does."""
    for room in ROOMS:
        import_module(f"pinstripe.emulator.lives.{room}")
