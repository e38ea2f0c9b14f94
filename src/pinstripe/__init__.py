"""pinstripe: a typed, model-first Python SDK for Stripe. https://docs.stripe.com/api

Importing this package is cheap: each name is loaded when it is first used.
"""

import sys
from importlib import import_module
from types import ModuleType

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
    "UnknownParameterError": "errors",
}
_MODULES = ("errors", "events", "form", "hooks", "models", "money", "params", "types", "webhooks")

_import_later(models="pinstripe.models", params="pinstripe.params")

__all__ = ["API_VERSION", "__version__", *_NAMES, *_MODULES]  # pyright: ignore[reportUnsupportedDunderAll]  # lazy names


def __getattr__(name: str) -> object:
    if name in _NAMES:
        value = getattr(import_module(f"pinstripe.{_NAMES[name]}"), name)
    elif name in _MODULES:
        value = import_module(f"pinstripe.{name}")
    else:
        if name.startswith("_"):
            raise AttributeError(f"module 'pinstripe' has no attribute {name!r}")
        from pinstripe import _hints  # here, since it is needed for errors only

        models = dir(import_module("pinstripe.models")) if name[0].isupper() else ()
        raise _hints.missing_name(name, __all__, models)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


class _Module(ModuleType):
    """This module: it refuses the settings of the official package, which would have no effect."""

    def __setattr__(self, name: str, value: object) -> None:
        if name in _SETTINGS:
            from pinstripe import _hints  # here, since it is needed for errors only

            raise _hints.missing_name(name, (), ())
        super().__setattr__(name, value)


_SETTINGS = frozenset(("api_key", "api_version", "api_base", "max_network_retries", "default_http_client", "client_id"))
sys.modules[__name__].__class__ = _Module
