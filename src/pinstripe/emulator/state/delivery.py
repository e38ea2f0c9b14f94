"""Sends events to webhook endpoints, signed, over real HTTP: in order for each endpoint, with a few attempts each."""

from __future__ import annotations

import json
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import httpx

from pinstripe.emulator.state.account import Happening, Object, World
from pinstripe.webhooks.signature import sign

ATTEMPTS = 3
PAUSE = 0.2
"""Seconds before another attempt, times the number of attempts so far."""
TIMEOUT = 10.0
REMEMBERED = 10_000


@dataclass
class Delivery:
    """One event on its way to one endpoint; ``status`` is the receiver's last answer, 0 where there was none."""

    url: str
    secret: str
    event: Object
    endpoint: str = ""
    account: str = ""
    attempts: int = 0
    status: int = 0
    done: bool = False

    @property
    def delivered(self) -> bool:
        """Whether the receiver took it."""
        return 200 <= self.status < 300


class Deliverer:
    """One worker for each endpoint, started with its first delivery."""

    def __init__(self, on_end: Callable[[Delivery], None]) -> None:
        self.deliveries: deque[Delivery] = deque(maxlen=REMEMBERED)
        self._on_end = on_end
        self._queues: dict[str, queue.Queue[Delivery | None]] = {}
        self._workers: list[threading.Thread] = []
        self._stopped = threading.Event()

    def announce(self, world: World, platform: World, news: Iterable[str]) -> None:
        """Send each event to every endpoint that wants it: the account's own, and the platform's for its accounts."""
        endpoints = [(world, one) for one in _endpoints(world)]
        if world is not platform:
            endpoints += [(platform, one) for one in _endpoints(platform) if platform.hidden[one["id"]]["connect"]]
        for identifier in news if endpoints else ():
            happening = world.happened[identifier]
            wanted = [(place, one) for place, one in endpoints if _wants(one, happening, connect=place is not world)]
            if not wanted:
                continue
            event = {**happening.whole, "pending_webhooks": len(wanted)} if not happening.thin else happening.whole
            world.happened[identifier] = happening._replace(text=json.dumps(event))
            sent = {name: value for name, value in event.items() if not (happening.thin and name == "data")}
            for place, one in wanted:
                secret = place.hidden[one["id"]]["secret"]
                url = one["url"] if one["object"] == "webhook_endpoint" else one["webhook_endpoint"]["url"]
                self.send(Delivery(url, secret, sent, one["id"], world.account))

    def send(self, delivery: Delivery) -> None:
        """Put a delivery behind those that wait for the same endpoint."""
        self.deliveries.append(delivery)
        if delivery.endpoint not in self._queues:
            waiting = self._queues[delivery.endpoint] = queue.Queue()
            worker = threading.Thread(
                target=self._work, args=(waiting,), name="pinstripe-emulator-webhooks", daemon=True
            )
            self._workers.append(worker)
            worker.start()
        self._queues[delivery.endpoint].put(delivery)

    def _work(self, waiting: queue.Queue[Delivery | None]) -> None:
        with httpx.Client(timeout=TIMEOUT) as client:
            while (delivery := waiting.get()) is not None:
                while not delivery.delivered and delivery.attempts < ATTEMPTS and not self._stopped.is_set():
                    self._attempt(client, delivery)
                delivery.done = True
                self._on_end(delivery)
                waiting.task_done()

    def _attempt(self, client: httpx.Client, delivery: Delivery) -> None:
        if delivery.attempts:
            self._stopped.wait(PAUSE * delivery.attempts)
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

    def settle(self) -> None:
        """Wait until every delivery so far has been taken, or given up."""
        for waiting in list(self._queues.values()):
            waiting.join()

    def close(self) -> None:
        """Stop the workers."""
        self._stopped.set()
        for waiting in self._queues.values():
            waiting.put(None)
        for worker in self._workers:
            worker.join(TIMEOUT)


def _endpoints(world: World) -> list[Object]:
    found = [one for kind in ("webhook_endpoint", "v2.core.event_destination") for one in world.every(kind)]
    return [one for one in reversed(found) if one["status"] == "enabled" and one["id"] in world.hidden]


def _wants(endpoint: Object, happening: Happening, *, connect: bool) -> bool:
    if endpoint["object"] == "v2.core.event_destination":
        if (endpoint["event_payload"] == "thin") is not happening.thin:
            return False
        if connect and "other_accounts" not in (endpoint.get("events_from") or []):
            return False
    elif happening.thin:
        return False
    return bool({"*", happening.type} & set(endpoint["enabled_events"]))
