"""Deliver events to webhook endpoints over HTTP: signed, in order for each endpoint, with up to three attempts.

https://docs.stripe.com/webhooks
"""

from __future__ import annotations

import json
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import httpx

from pinstripe._api_version import API_VERSION
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.event_log import StoredEvent
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.versions import render_event
from pinstripe.webhooks.signature import sign

ATTEMPTS = 3
RETRY_DELAY = 0.2
"""Seconds before the next attempt, multiplied by the number of attempts so far."""
TIMEOUT = 10.0
"""Seconds to wait for the response of an endpoint."""
MAX_DELIVERIES = 10_000
"""The number of deliveries that are stored for `Emulator.deliveries`."""


@dataclass
class Delivery:
    """The delivery of an event to an endpoint. ``status`` is that of the last response, or 0 if there was none."""

    url: str
    secret: str
    event: Object
    endpoint: str = ""
    account: str = ""
    owner: str = ""
    attempts: int = 0
    status: int = 0
    done: bool = False

    @property
    def delivered(self) -> bool:
        """Whether the endpoint has accepted the event with a status of 2xx."""
        return 200 <= self.status < 300


class Deliverer:
    """Sends deliveries; each endpoint has a worker thread, which starts with its first delivery."""

    def __init__(self, on_end: Callable[[Delivery], None]) -> None:
        self.deliveries: deque[Delivery] = deque(maxlen=MAX_DELIVERIES)
        self._on_end = on_end
        self._queues: dict[str, queue.Queue[Delivery | None]] = {}
        self._workers: list[threading.Thread] = []
        self._stopped = threading.Event()

    def deliver(
        self, state: AccountState, platform: AccountState, event_ids: Iterable[str], endpoint_id: str | None = None
    ) -> None:
        """Send events to the endpoints that receive them: the account's own, and the platform's for connected accounts.

        With ``endpoint_id``, they are sent only to the endpoint with this id.
        """
        endpoints = [(state, endpoint) for endpoint in _enabled_endpoints(state)]
        if state is not platform:
            endpoints += [
                (platform, endpoint)
                for endpoint in _enabled_endpoints(platform)
                if platform.tables.endpoint_secrets[endpoint["id"]].connect
            ]
        for event_id in event_ids if endpoints else ():
            stored = state.events.by_id[event_id]
            receivers = [
                (owner, endpoint)
                for owner, endpoint in endpoints
                if endpoint_id in (None, endpoint["id"]) and _receives(endpoint, stored, connect=owner is not state)
            ]
            if not receivers:
                continue
            if stored.thin:
                event = {name: value for name, value in stored.object.items() if name != "data"}
            else:
                event = dict(state.events.set_pending_webhooks(event_id, len(receivers)))
            for owner, endpoint in receivers:
                rendered = event if stored.thin else render_event(event, _version(endpoint))
                secret = owner.tables.endpoint_secrets[endpoint["id"]].secret
                self.send(Delivery(_url(endpoint), secret, rendered, endpoint["id"], state.id, state.owner))

    def send(self, delivery: Delivery) -> None:
        """Queue a delivery for its endpoint."""
        self.deliveries.append(delivery)
        if delivery.endpoint not in self._queues:
            deliveries = self._queues[delivery.endpoint] = queue.Queue()
            worker = threading.Thread(
                target=self._work, args=(deliveries,), name="pinstripe-emulator-webhooks", daemon=True
            )
            self._workers.append(worker)
            worker.start()
        self._queues[delivery.endpoint].put(delivery)

    def _work(self, deliveries: queue.Queue[Delivery | None]) -> None:
        with httpx.Client(timeout=TIMEOUT) as client:
            while (delivery := deliveries.get()) is not None:
                while not delivery.delivered and delivery.attempts < ATTEMPTS and not self._stopped.is_set():
                    self._attempt(client, delivery)
                delivery.done = True
                self._on_end(delivery)
                deliveries.task_done()

    def _attempt(self, client: httpx.Client, delivery: Delivery) -> None:
        if delivery.attempts:
            self._stopped.wait(RETRY_DELAY * delivery.attempts)
        delivery.attempts += 1
        payload = json.dumps(delivery.event, indent=2).encode()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": sign(payload, delivery.secret),
        }
        try:
            delivery.status = client.post(delivery.url, content=payload, headers=headers).status_code
        except (httpx.HTTPError, httpx.InvalidURL):
            delivery.status = 0

    def wait(self) -> None:
        """Wait until every delivery so far was accepted or has failed."""
        for deliveries in list(self._queues.values()):
            deliveries.join()

    def close(self) -> None:
        """Stop the workers."""
        self._stopped.set()
        for deliveries in self._queues.values():
            deliveries.put(None)
        for worker in self._workers:
            worker.join(TIMEOUT)


def _url(endpoint: Object) -> str:
    return str(endpoint["url"] if endpoint["object"] == "webhook_endpoint" else endpoint["webhook_endpoint"]["url"])


def _version(endpoint: Object) -> str:
    """Return the version that events are rendered for: the endpoint's own, or the default version of the account."""
    name = "api_version" if endpoint["object"] == "webhook_endpoint" else "snapshot_api_version"
    return endpoint.get(name) or API_VERSION


def _enabled_endpoints(state: AccountState) -> list[Object]:
    return [
        endpoint
        for object_type in ("v2.core.event_destination", "webhook_endpoint")
        for endpoint_id in state.objects.ids(object_type)
        if (endpoint := state.objects.find(object_type, endpoint_id)) is not None
        and not endpoint.get("deleted")
        and endpoint["status"] == "enabled"
        and endpoint_id in state.tables.endpoint_secrets
    ]


def _receives(endpoint: Object, event: StoredEvent, *, connect: bool) -> bool:
    if endpoint["object"] == "v2.core.event_destination":
        if (endpoint["event_payload"] == "thin") is not event.thin:
            return False
        if connect and "other_accounts" not in (endpoint.get("events_from") or []):
            return False
    elif event.thin:
        return False
    return bool({"*", event.type} & set(endpoint["enabled_events"]))
