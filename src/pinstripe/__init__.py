"""pinstripe: a typed, model-first Python SDK for Stripe. https://docs.stripe.com/api

Importing this package is cheap: each name is loaded when it is first used.
"""

from importlib import import_module

from pinstripe._api_version import API_VERSION
from pinstripe._lazy import import_later as _import_later
from pinstripe._version import __version__

_NAMES = {
    "Client": "_client",
    "AsyncClient": "_client",
    "decode": "_decoding",
    "Drift": "errors",
    "endpoints": "resources",
    "Ref": "_base",
    "StripeModel": "_base",
    "StripeObject": "_base",
    "RequestOptions": "types",
    "StripeError": "errors",
    "APIError": "errors",
    "APIConnectionError": "errors",
    "APITimeoutError": "errors",
    "AuthenticationError": "errors",
    "CardError": "errors",
    "IdempotencyError": "errors",
    "InvalidArgumentError": "errors",
    "InvalidRequestError": "errors",
    "PermissionDeniedError": "errors",
    "RateLimitError": "errors",
    "ResponseValidationError": "errors",
    "SignatureVerificationError": "errors",
}
_MODULES = ("errors", "events", "form", "models", "money", "params", "types", "webhooks")

_import_later(models="pinstripe.models", params="pinstripe.params")

__all__ = ["API_VERSION", "__version__", *_NAMES, *_MODULES]  # pyright: ignore[reportUnsupportedDunderAll]  # lazy names


def __getattr__(name: str) -> object:
    if name in _NAMES:
        value = getattr(import_module(f"pinstripe.{_NAMES[name]}"), name)
    elif name in _MODULES:
        value = import_module(f"pinstripe.{name}")
    else:
        raise AttributeError(f"module 'pinstripe' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
