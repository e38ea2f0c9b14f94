"""For tests of one's own: realistic, signed deliveries of any event, posted to an application or a URL.

    delivery = pinstripe.testing.delivery("invoice.paid", {"amount_paid": 2900}, secret="whsec_test")
    assert deliver(delivery, app, "/webhooks/stripe").status_code == 200

Fixtures for pytest are in `pinstripe.testing.plugin`; they come by themselves. https://docs.stripe.com/webhooks#test-webhook
"""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from pinstripe import webhooks
from pinstripe._api_version import API_VERSION
from pinstripe._base import StripeModel
from pinstripe._registry import registry
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.defaults import rfc3339
from pinstripe.emulator.state.environment import Environment
from pinstripe.errors import InvalidArgumentError
from pinstripe.models._event_types import EVENT_TYPES, THIN_EVENT_TYPES

if TYPE_CHECKING:
    from pinstripe.events import AnyEvent, AnyNotification

__all__ = ["SECRET", "Delivery", "adeliver", "deliver", "delivery", "event_json"]

SECRET = "whsec_pinstripe_testing"  # noqa: S105  # of tests
WHEN = 1_767_225_600
"""When the made-up things happen, in unix seconds: 2026 begins. Signatures are made now."""


@dataclass(frozen=True)
class Delivery:
    """One webhook request: its body and its headers, signed."""

    payload: bytes
    headers: Mapping[str, str]

    @property
    def event(self) -> AnyEvent | AnyNotification:
        """The event in it, typed."""
        return webhooks.read(self.payload)


def _account_state(account: str = "") -> AccountState:
    return AccountState(account, _environment, _account_state)


def event_json(
    event_type: str,
    about: StripeModel | Mapping[str, Any] | None = None,  # Any: JSON
    *,
    previous_attributes: Mapping[str, Any] | None = None,  # Any: JSON
    **fields: Any,  # Any: JSON
) -> dict[str, Any]:
    """An event of a type as JSON: about a model, or about a made-up object with these fields; ``fields`` are the event's own.

    The made-up object has everything that its model requires, and decodes strictly. Ids differ from call to call, and are the
    same in every run. Raises `InvalidArgumentError` for a type that does not exist.
    """
    state = _account_state()
    if event_type in THIN_EVENT_TYPES:
        return {**_thin(state, event_type), **fields}
    if event_type not in EVENT_TYPES:
        raise InvalidArgumentError(f"There is no event type {event_type!r}.", param="event_type")
    data: dict[str, Any] = {"object": _about(state, event_type, about)}  # Any: JSON
    if previous_attributes is not None:
        data["previous_attributes"] = dict(previous_attributes)
    return {
        "id": state.new_id("event"),
        "object": "event",
        "api_version": API_VERSION,
        "created": WHEN,
        "data": data,
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": event_type,
        **fields,
    }


def delivery(
    event_type: str,
    about: StripeModel | Mapping[str, Any] | None = None,  # Any: JSON
    *,
    secret: str = SECRET,
    timestamp: int | None = None,
    **fields: Any,  # Any: as in event_json
) -> Delivery:
    """A signed delivery of an event of any type; the other arguments are those of `event_json` and `pinstripe.webhooks.sign`."""
    payload = json.dumps(event_json(event_type, about, **fields), indent=2).encode()
    signature = webhooks.sign(payload, secret, timestamp)
    return Delivery(payload, {"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": signature})


def deliver(delivery: Delivery, target: Any, path: str = "/") -> httpx.Response:  # Any: an application
    """Post a delivery to a URL (a ``str``), or in process to a WSGI or an ASGI application."""
    if isinstance(target, str):
        return httpx.post(target, content=delivery.payload, headers=dict(delivery.headers))
    if _is_asgi(target):
        return asyncio.run(adeliver(delivery, target, path))
    with httpx.Client(transport=httpx.WSGITransport(target), base_url="http://test") as client:
        return client.post(path, content=delivery.payload, headers=dict(delivery.headers))


async def adeliver(delivery: Delivery, target: Any, path: str = "/") -> httpx.Response:  # Any: an application
    """The same, awaiting, to a URL or an ASGI application."""
    transport = None if isinstance(target, str) else httpx.ASGITransport(target)
    url = target if isinstance(target, str) else f"http://test{path}"
    async with httpx.AsyncClient(transport=transport) as client:
        return await client.post(url, content=delivery.payload, headers=dict(delivery.headers))


_environment = Environment(seed=0)


def _is_asgi(target: Any) -> bool:  # Any: an application
    call = target if inspect.isfunction(target) else getattr(target, "__call__", None)  # noqa: B004  # its signature is wanted
    return inspect.iscoroutinefunction(call)


def _about(state: AccountState, event_type: str, about: StripeModel | Mapping[str, Any] | None) -> Any:  # Any: JSON
    if isinstance(about, StripeModel):
        return json.loads(about.model_dump_json(by_alias=True, exclude_unset=True))
    model = EVENT_TYPES[event_type][1].split(" | ")[0]
    kind = next(kind for kind, name in registry().objects.items() if name == model)
    return {**state.draft(kind), **(about or {})}


def _thin(state: AccountState, event_type: str) -> dict[str, Any]:  # Any: JSON
    related = THIN_EVENT_TYPES[event_type][1]
    found: dict[str, Any] = {  # Any: JSON
        "id": state.new_id("event"),
        "object": "v2.core.event",
        "type": event_type,
        "created": rfc3339(WHEN),
        "livemode": False,
        "context": None,
        "reason": None,
    }
    if related is not None:
        kind = next(kind for kind, name in registry().objects.items() if name == related)
        identifier = state.new_id(kind)
        version = "" if kind.startswith("v2.") else "/v1"
        url = f"{version}/{kind.replace('.', '/')}s/{identifier}"
        found["related_object"] = {"id": identifier, "type": kind, "url": url}
    return found
