"""Errors for names that do not exist: each says what the name may stand for, or where it moved from the official package.

Loaded only to raise such an error.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from pinstripe._options import OPTIONS
from pinstripe.errors import InvalidArgumentError, UnknownParameterError

__all__ = [
    "MODULE_SETTINGS",
    "missing_method",
    "missing_name",
    "missing_service",
    "positional_arguments",
    "unknown_option",
    "unknown_parameter",
]

# Request options under the names of the official package.
_RENAMED_OPTIONS = {"max_network_retries": "max_retries"}
# Options of clients under the names of the official package.
_CLIENT_OPTIONS = {
    "max_network_retries": "use max_retries",
    "stripe_version": "use api_version",
    "base_addresses": "use base_url, files_url, connect_url and meter_events_url",
    "api_base": "use base_url",
    "proxy": 'pass http_client=httpx.Client(proxy="http://...")',
    "verify_ssl_certs": "pass http_client=httpx.Client(verify=...)",
    "client_id": "pass client_id to client.oauth.authorize_url and client.oauth.deauthorize",
    "app_info": "pass http_client=httpx.Client(headers=...)",
    "idempotency_key": 'it belongs to one call: request_options={"idempotency_key": ...}',
}
# Settings of the official package, which are attributes of its module.
MODULE_SETTINGS = {
    "api_key": "pass it to a client: client = pinstripe.Client(api_key), or set the environment variable STRIPE_API_KEY",
    "api_version": "pass it to a client: pinstripe.Client(api_version=...)",
    "api_base": "pass it to a client: pinstripe.Client(base_url=...)",
    "max_network_retries": "pass it to a client: pinstripe.Client(max_retries=...)",
    "default_http_client": "pass it to a client: pinstripe.Client(http_client=httpx.Client(...))",
    "proxy": 'pass it to a client: pinstripe.Client(http_client=httpx.Client(proxy="http://..."))',
    "verify_ssl_certs": "pass it to a client: pinstripe.Client(http_client=httpx.Client(verify=...))",
    "client_id": "pass client_id to client.oauth.authorize_url and client.oauth.deauthorize",
    "log": "set the level of the logger 'pinstripe', or the environment variable PINSTRIPE_LOG=info|debug",
    "app_info": "pass headers to a client: pinstripe.Client(http_client=httpx.Client(headers=...))",
}
_MODULE_NAMES = {
    "StripeClient": "the client is pinstripe.Client, or pinstripe.AsyncClient",
    "Webhook": "use pinstripe.webhooks.construct_event(payload, sig_header, secret)",
    "WebhookSignature": "use pinstripe.webhooks.verify(payload, sig_header, secret)",
    "OAuth": "use client.oauth",
    "error": "the exceptions are in pinstripe.errors",
    "http_client": "pass http_client=httpx.Client(...) to pinstripe.Client",
    **MODULE_SETTINGS,
}
# Methods under the names of the official package or of other clients.
_METHODS = {"modify": "update", "get": "retrieve", "all": "list", "find": "retrieve", "delete": "cancel"}
_MOVED_METHODS = {
    ("invoices", "upcoming"): "use client.invoices.create_preview(...), or client.request(pinstripe.models.Invoice, "
    '"GET", "/v1/invoices/upcoming", request_options={"stripe_version": "2024-06-20"}) for an older API version',
    ("invoices", "upcoming_lines"): "use client.invoices.create_preview(...).lines",
}


def unknown_parameter(operation: str, name: str, names: Iterable[str]) -> UnknownParameterError:
    """Return the error for a parameter that an operation does not have."""
    subject = f"{operation} has no parameter {name!r}"
    option = _RENAMED_OPTIONS.get(name, name)
    if option in OPTIONS:
        return UnknownParameterError(f'{subject}: pass request_options={{"{option}": ...}}.', param=name)
    if name in ("params", "options"):
        meant = "parameters by name, such as create(**params)" if name == "params" else "request_options={...}"
        return UnknownParameterError(f"{subject}: pass {meant}.", param=name)
    return UnknownParameterError(
        f"{subject}.{_similar(name, names)} To send a parameter that this version does not know, pass "
        f'request_options={{"extra_params": {{"{name}": ...}}}}.',
        param=name,
    )


def positional_arguments(operation: str, names: tuple[str, ...], args: tuple[object, ...]) -> InvalidArgumentError:
    """Return the error for too many positional arguments."""
    takes = f"takes only {', '.join(names)} by position" if names else "takes no positional arguments"
    method = operation.rpartition(".")[2]
    example = f"{method}(**params)" if isinstance(args[len(names)], dict) else f"{method}(name=value)"
    return InvalidArgumentError(f"{operation} {takes}: pass parameters by name, such as {example}.")


def unknown_option(subject: str, name: str, names: Iterable[str]) -> UnknownParameterError:
    """Return the error for an option that a client does not have."""
    if name in _CLIENT_OPTIONS:
        return UnknownParameterError(f"{subject} has no option {name!r}: {_CLIENT_OPTIONS[name]}.", param=name)
    return UnknownParameterError(f"{subject} has no option {name!r}.{_similar(name, names)}", param=name)


def missing_method(service: str, name: str, names: Iterable[str]) -> AttributeError:
    """Return the error for a method or child service that a service does not have."""
    names = list(names)
    subject = f"client.{service} has no method {name!r}"
    if (service, name) in _MOVED_METHODS:
        return AttributeError(f"{subject}: {_MOVED_METHODS[service, name]}.")
    if _METHODS.get(name) in names:
        return AttributeError(f"{subject}: use {_METHODS[name]}.")
    return AttributeError(f"{subject}.{_similar(name, names)}")


def missing_service(client: str, name: str, names: Iterable[str]) -> AttributeError:
    """Return the error for a service that a client does not have."""
    if name == "v1":
        return AttributeError(f"{client} has no attribute 'v1': its services are its own, such as client.customers.")
    return AttributeError(f"{client} has no attribute {name!r}.{_similar(name, names)}")


def missing_name(name: str, names: Iterable[str], models: Iterable[str]) -> AttributeError:
    """Return the error for a name that the package does not have."""
    subject = f"module 'pinstripe' has no attribute {name!r}"
    if name in _MODULE_NAMES:
        return AttributeError(f"{subject}: {_MODULE_NAMES[name]}.")
    if name in models:
        return AttributeError(
            f"{subject}: the model is pinstripe.models.{name}, and calls are methods of a client, such as "
            "pinstripe.Client(api_key).customers.create(...)."
        )
    return AttributeError(f"{subject}.{_similar(name, names)}")


def _similar(name: str, names: Iterable[str]) -> str:
    close = get_close_matches(name, list(names), 1)
    return f" Did you mean {close[0]!r}?" if close else ""
