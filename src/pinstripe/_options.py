"""Reads and checks ``request_options``: as soon as a call is made, before anything can fail and show them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pinstripe._secrets import masked
from pinstripe.errors import InvalidArgumentError
from pinstripe.types import RequestOptions

__all__ = ["OPTIONS", "check_options", "check_seconds", "read_options"]

OPTIONS: dict[str, tuple[type, ...]] = {
    "idempotency_key": (str,),
    "stripe_account": (str,),
    "stripe_context": (str,),
    "stripe_version": (str,),
    "api_key": (str,),
    "timeout": (object,),
    "deadline": (object,),
    "max_retries": (int,),
    "headers": (dict,),
    "extra_params": (dict,),
}
# The options that say for whom a call acts, and how. An empty one would silently mean the client's own.
_NOT_EMPTY = ("idempotency_key", "stripe_account", "stripe_context", "stripe_version", "api_key")
_SECRET_HEADERS = ("authorization", "proxy-authorization", "cookie")


def read_options(options: Any, params: dict[str, Any]) -> RequestOptions | None:  # Any: what the user passed
    """Return the options of a call with its secrets masked, and move ``extra_params`` to the parameters."""
    if options is None:
        return None
    if not isinstance(options, Mapping):
        raise InvalidArgumentError(
            f"request_options must be a dict, not {type(options).__name__}.", param="request_options"
        )
    checked: dict[str, Any] = dict(options)  # Any: options of many types
    if "api_key" in checked:
        checked["api_key"] = masked(checked["api_key"])
    if isinstance(headers := checked.get("headers"), dict):
        checked["headers"] = {
            name: masked(value) if str(name).lower() in _SECRET_HEADERS else value for name, value in headers.items()
        }
    extra = checked.pop("extra_params", None)
    if extra is not None:
        if not isinstance(extra, Mapping):
            raise InvalidArgumentError(
                f"request_options[extra_params] must be a dict, not {type(extra).__name__}.", param="extra_params"
            )
        params.update(extra)
    result: Any = checked  # Any: a TypedDict, whose values check_options checks
    return result  # type: ignore[no-any-return]  # check_options checks it


def check_options(options: Mapping[str, object]) -> None:
    """Raise `InvalidArgumentError`, which names the option, if a request option is unknown or has a wrong type."""
    for name, value in options.items():
        if name not in OPTIONS:
            raise InvalidArgumentError(
                f"request_options[{name}] is not an option. The options are {', '.join(OPTIONS)}.", param=name
            )
        if name in ("timeout", "deadline"):
            check_seconds(name, value)
        elif value is not None and (not isinstance(value, OPTIONS[name]) or isinstance(value, bool)):
            expected = OPTIONS[name][-1].__name__
            shown = type(value).__name__ if name in ("api_key", "headers") else repr(value)
            raise InvalidArgumentError(f"request_options[{name}] must be a {expected}, not {shown}.", param=name)
        if name in _NOT_EMPTY and isinstance(value, str) and not str.strip(value):
            raise InvalidArgumentError(
                f"request_options[{name}] is empty. Leave it out to use the {name} of the client, if it has one.",
                param=name,
            )


def check_seconds(name: str, value: object) -> None:
    """Raise `InvalidArgumentError` unless this is None, a positive number of seconds, or an ``httpx.Timeout`` of such."""
    parts = [value]
    if name == "timeout" and type(value).__module__.partition(".")[0] == "httpx":
        parts = [getattr(value, phase, value) for phase in ("connect", "read", "write", "pool")]
    for part in parts:
        if part is None:
            continue
        if isinstance(part, bool) or not isinstance(part, (int, float)) or not 0 < part < float("inf"):
            kinds = "a positive number of seconds" + (" or an httpx.Timeout of such" if name == "timeout" else "")
            raise InvalidArgumentError(f"{name} must be {kinds}, not {value!r}.", param=name)
