"""pinstripe: a typed, model-first Python SDK for Stripe. https://docs.stripe.com/api

Importing this package costs almost nothing: each name is loaded when it is first used.
"""

from importlib import import_module

from pinstripe._api_version import API_VERSION
from pinstripe._version import __version__

_HOMES = {
    "Client": "client",
    "AsyncClient": "client",
    "decode": "drift",
    "Drift": "drift",
    "endpoints": "endpoint",
    "Ref": "model",
    "StripeModel": "model",
    "StripeObject": "model",
    "RequestOptions": "param",
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
_ROOMS = ("errors", "events", "form", "models", "params", "webhooks")

__all__ = ["API_VERSION", "__version__", *_HOMES, *_ROOMS]  # pyright: ignore[reportUnsupportedDunderAll]  # lazy names


def __getattr__(name: str) -> object:
    if name in _HOMES:
        found = getattr(import_module(f"pinstripe.{_HOMES[name]}"), name)
    elif name in _ROOMS:
        found = import_module(f"pinstripe.{name}")
    else:
        raise AttributeError(f"module 'pinstripe' has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
