"""Helpers for your tests: example objects, and realistic, signed webhook requests, posted to an application or a URL.

    invoice = pinstripe.testing.make(Invoice, total=500)

    request = pinstripe.testing.signed_request("invoice.paid", {"amount_paid": 2900}, secret="whsec_test")
    assert deliver(request, app, "/webhooks/stripe").status_code == 200

`pinstripe.testing.plugin` has fixtures for pytest, which loads it automatically.
https://docs.stripe.com/webhooks#test-webhook
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pinstripe.testing._factories import make
    from pinstripe.testing._requests import SECRET, SignedRequest, adeliver, deliver, event_json, signed_request

__all__ = ["SECRET", "SignedRequest", "adeliver", "deliver", "event_json", "make", "signed_request"]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        # pytest imports this package with its plugin, in projects that do not use it, too.
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        if name == "make":
            return import_module("pinstripe.testing._factories").make
        return getattr(import_module("pinstripe.testing._requests"), name)

    def __dir__() -> list[str]:
        return sorted(__all__)
