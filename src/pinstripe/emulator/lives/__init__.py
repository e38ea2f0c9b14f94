"""What operations do beyond keeping an object: one room for each life cycle."""

from importlib import import_module

ROOMS = ("cards", "catalog", "customers", "invoices", "payments", "setup_intents", "subscriptions", "webhook_endpoints")


def load() -> None:
    """Let every room say what it does."""
    for room in ROOMS:
        import_module(f"pinstripe.emulator.lives.{room}")
