"""Realistic, signed webhook requests for any event type, posted to an application or a URL."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from pinstripe import webhooks
from pinstripe._api_version import API_VERSION
from pinstripe._base import StripeModel
from pinstripe._registry import registry
from pinstripe.emulator.examples import example
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.defaults import rfc3339
from pinstripe.emulator.state.environment import Environment
from pinstripe.emulator.state.object_paths import object_path
from pinstripe.errors import InvalidArgumentError
from pinstripe.events import AnyEvent, AnyNotification
from pinstripe.models._event_types import EVENT_TYPES, THIN_EVENT_TYPES
from pinstripe.types import JSON

__all__ = ["SECRET", "SignedRequest", "adeliver", "deliver", "event_json", "signed_request"]

SECRET = "whsec_pinstripe_testing"  # noqa: S105  # for tests only
CREATED = 1_767_225_600
"""Creation time of events and objects, in Unix seconds: 2026-01-01 00:00 UTC. Signatures use the current time."""

OWNERS = {"account": "account", "customer": "customer", "fee": "application_fee"}
"""The object types of the owners whose ids are in the paths of other objects, by the field that holds the id."""


@dataclass(frozen=True)
class SignedRequest:
    """A webhook request: its body, and headers with a signature."""

    payload: bytes
    headers: Mapping[str, str]

    @property
    def event(self) -> AnyEvent | AnyNotification:
        """The typed event in the body."""
        return webhooks.read(self.payload)


def event_json(
    event_type: str,
    data_object: StripeModel | Mapping[str, JSON] | None = None,
    *,
    previous_attributes: Mapping[str, JSON] | None = None,
    **fields: JSON,
) -> dict[str, JSON]:
    """Return an event as JSON, whose ``data.object`` is a model, or an example object with the given fields.

    ``fields`` are fields of the event itself. An example object has all fields that its model requires, and decodes
    strictly. Ids differ from call to call, but are the same in every run. Raises `InvalidArgumentError` for an unknown
    event type.
    """
    account = _new_account()
    if event_type in THIN_EVENT_TYPES:
        return {**_thin_event(account, event_type), **fields}
    if event_type not in EVENT_TYPES:
        raise InvalidArgumentError(f"Unknown event type {event_type!r}.", param="event_type")
    data = {"object": _data_object(account, event_type, data_object)}
    if previous_attributes is not None:
        data["previous_attributes"] = dict(previous_attributes)
    return {
        "id": account.new_id("event"),
        "object": "event",
        "api_version": API_VERSION,
        "created": CREATED,
        "data": data,
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": event_type,
        **fields,
    }


def signed_request(
    event_type: str,
    data_object: StripeModel | Mapping[str, JSON] | None = None,
    *,
    secret: str = SECRET,
    timestamp: int | None = None,
    **fields: JSON,
) -> SignedRequest:
    """Return the signed request of an event.

    The other arguments are those of `event_json` and `pinstripe.webhooks.sign`.
    """
    payload = json.dumps(event_json(event_type, data_object, **fields), indent=2).encode()
    signature = webhooks.sign(payload, secret, timestamp)
    return SignedRequest(payload, {"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": signature})


def deliver(request: SignedRequest, target: Any, path: str = "/") -> httpx.Response:  # Any: a URL or an application
    """Post a request to a URL (a ``str``), or in process to a WSGI or ASGI application."""
    if isinstance(target, str):
        return httpx.post(target, content=request.payload, headers=dict(request.headers))
    if _is_asgi(target):
        return asyncio.run(adeliver(request, target, path))
    with httpx.Client(transport=httpx.WSGITransport(target), base_url="http://test") as client:
        return client.post(path, content=request.payload, headers=dict(request.headers))


async def adeliver(request: SignedRequest, target: Any, path: str = "/") -> httpx.Response:  # Any: as in `deliver`
    """Post a request to a URL (a ``str``), or in process to an ASGI application."""
    transport = None if isinstance(target, str) else httpx.ASGITransport(target)
    url = target if isinstance(target, str) else f"http://test{path}"
    async with httpx.AsyncClient(transport=transport) as client:
        return await client.post(url, content=request.payload, headers=dict(request.headers))


_environment = Environment(seed=0)


def _new_account(account: str = "") -> AccountState:
    """Return an empty account of the emulator, which makes ids and example objects."""
    return AccountState(account, _environment, _new_account)


def _is_asgi(target: Any) -> bool:  # Any: an application
    call = target if inspect.isfunction(target) else getattr(target, "__call__", None)  # noqa: B004  # the method itself
    return inspect.iscoroutinefunction(call)


def _data_object(
    account: AccountState,
    event_type: str,
    data_object: StripeModel | Mapping[str, JSON] | None,
) -> dict[str, JSON]:
    if isinstance(data_object, StripeModel):
        return data_object.to_dict()
    model = EVENT_TYPES[event_type][1].split(" | ")[0]
    known = {field.alias or name for name, field in registry().load(model).model_fields.items()}
    fields = dict(data_object or {})
    unknown = {name: value for name, value in fields.items() if name not in known}
    return {**example(account, model, {name: fields[name] for name in fields if name in known}), **unknown}


def _thin_event(account: AccountState, event_type: str) -> dict[str, JSON]:
    event: dict[str, JSON] = {
        "id": account.new_id("event"),
        "object": "v2.core.event",
        "type": event_type,
        "created": rfc3339(CREATED),
        "livemode": False,
        "context": None,
        "reason": None,
    }
    model = THIN_EVENT_TYPES[event_type][1]
    if model is not None:
        object_type = registry().object_type(model)
        related = {"object": object_type, "id": account.new_id(object_type)}
        owners = {name: account.new_id(owner) for name, owner in OWNERS.items()}
        event["related_object"] = {
            "id": related["id"],
            "type": object_type,
            "url": object_path({**owners, **related}),
        }
    return event
