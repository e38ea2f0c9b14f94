"""pinstripe: a typed, model-first Python SDK for Stripe. https://docs.stripe.com/api"""

from pinstripe import (
    errors as errors,
    events as events,
    form as form,
    hooks as hooks,
    models as models,
    money as money,
    params as params,
    types as types,
    webhooks as webhooks,
)
from pinstripe._api_version import API_VERSION as API_VERSION
from pinstripe._version import __version__ as __version__
from pinstripe._client import AsyncClient as AsyncClient, Client as Client
from pinstripe._decoding import decode as decode
from pinstripe.errors import (
    APIConnectionError as APIConnectionError,
    APIError as APIError,
    APITimeoutError as APITimeoutError,
    AuthenticationError as AuthenticationError,
    CardError as CardError,
    Drift as Drift,
    IdempotencyError as IdempotencyError,
    InvalidArgumentError as InvalidArgumentError,
    InvalidRequestError as InvalidRequestError,
    PermissionDeniedError as PermissionDeniedError,
    RateLimitError as RateLimitError,
    ResponseValidationError as ResponseValidationError,
    SignatureVerificationError as SignatureVerificationError,
    StripeError as StripeError,
    UnknownParameterError as UnknownParameterError,
)
from pinstripe._base import Ref as Ref, StripeModel as StripeModel, StripeObject as StripeObject
from pinstripe.resources import endpoints as endpoints
from pinstripe.types import RequestOptions as RequestOptions

__all__ = [
    "API_VERSION",
    "__version__",
    "Client",
    "AsyncClient",
    "decode",
    "Drift",
    "endpoints",
    "Ref",
    "StripeModel",
    "StripeObject",
    "RequestOptions",
    "StripeError",
    "APIError",
    "APIConnectionError",
    "APITimeoutError",
    "AuthenticationError",
    "CardError",
    "IdempotencyError",
    "InvalidArgumentError",
    "InvalidRequestError",
    "PermissionDeniedError",
    "RateLimitError",
    "ResponseValidationError",
    "SignatureVerificationError",
    "UnknownParameterError",
    "errors",
    "events",
    "form",
    "hooks",
    "models",
    "money",
    "params",
    "types",
    "webhooks",
]
