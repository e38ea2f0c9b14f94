"""Sends events to webhook endpoints, signed, over real HTTP: one worker, in order, with a few attempts each."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterable
from dataclasses import dataclass

import httpx

from pinstripe.emulator.world import Object, World
from pinstripe.webhooks.signature import sign

ATTEMPTS = 3
PAUSE = 0.2
"""Seconds before another attempt, times the number of attempts so far."""
TIMEOUT = 10.0


@dataclass
class Delivery:
    """One event on its way to one endpoint; ``status`` is the receiver's last answer, 0 where there was none."""

    url: str
    secret: str
    event: Object
    attempts: int = 0
    status: int = 0

    @property
    def delivered(self) -> bool:
        """Whether the receiver took it."""
        return 200 <= self.status < 300


class Deliverer:
    """The worker, started with the first delivery."""

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []
        self._queue: queue.Queue[Delivery | None] = queue.Queue()
        self._worker: threading.Thread | None = None
        self._stopped = threading.Event()

    def announce(self, world: World, news: Iterable[Object]) -> None:
        """Send each event to every endpoint that wants it."""
        endpoints = [one for one in world.every("webhook_endpoint") if one["status"] == "enabled"]
        for event in news:
            for endpoint in endpoints:
                if {"*", event["type"]} & set(endpoint["enabled_events"]):
                    event["pending_webhooks"] += 1
                    self._send(Delivery(endpoint["url"], world.hidden[endpoint["id"]], dict(event)))

    def _send(self, delivery: Delivery) -> None:
        self.deliveries.append(delivery)
        self._queue.put(delivery)
        if self._worker is None:
            self._worker = threading.Thread(target=self._work, name="pinstripe-emulator-webhooks", daemon=True)
            self._worker.start()

    def _work(self) -> None:
        with httpx.Client(timeout=TIMEOUT) as client:
            while (delivery := self._queue.get()) is not None:
                while not delivery.delivered and delivery.attempts < ATTEMPTS and not self._stopped.is_set():
                    self._attempt(client, delivery)
                self._queue.task_done()

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
        except httpx.HTTPError:
            delivery.status = 0

    def settle(self) -> None:
        """Wait until every delivery so far has been taken, or given up."""
        self._queue.join()

    def close(self) -> None:
        """Stop the worker."""
        self._stopped.set()
        if self._worker is not None:
            self._queue.put(None)
            self._worker.join(TIMEOUT)
