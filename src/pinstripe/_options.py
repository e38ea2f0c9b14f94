"""Reads ``request_options`` as soon as a call is made, before anything can fail and show them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pinstripe._secrets import masked
from pinstripe.errors import InvalidArgumentError
from pinstripe.types import RequestOptions

__all__ = ["read_options"]

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
