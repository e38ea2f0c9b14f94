"""Run webhook handlers in Celery workers: the receiver verifies events and queues them.

Pass ``webhook_queue(app, handlers, inbox)`` to a receiver instead of the handlers. The workers process events through
the inbox, so an event that Stripe or the broker delivers again takes effect once.
https://docs.celeryq.dev/en/stable/userguide/tasks.html
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pinstripe import webhooks
from pinstripe._lazy import LazyModule
from pinstripe.webhooks.inbox import EventProcessor, bind
from pinstripe.webhooks.receiver import Dispatcher

if TYPE_CHECKING:
    from pinstripe import events as _events
else:
    _events = LazyModule("pinstripe.events")

__all__ = ["WebhookQueue", "webhook_queue"]

TASK_NAME = "pinstripe.webhook"
RETRY_AFTER = 1.0
"""Default seconds before the first retry of a failed or busy event; doubled for each further retry."""
MAX_RETRY_AFTER = 600.0


@dataclass(frozen=True)
class WebhookQueue:
    """Dispatches events to the workers; pass it to a receiver instead of handlers."""

    task: Any  # Any: a Celery task, untyped

    def dispatch(self, event: _events.Event | _events.EventNotification) -> bool:
        """Queue an event; raise if the broker does not accept it, so that Stripe sends the event again."""
        self.task.delay(event.to_json())
        return True

    async def adispatch(self, event: _events.Event | _events.EventNotification) -> bool:
        """Queue an event in a thread."""
        return await asyncio.to_thread(self.dispatch, event)


def webhook_queue(
    app: Any,  # Any: a Celery application, untyped
    handlers: Dispatcher,
    inbox: EventProcessor,
    *,
    name: str = TASK_NAME,
    max_retries: int | None = 20,
    retry_after: float = RETRY_AFTER,
) -> WebhookQueue:
    """Register the Celery task that runs the handlers, and return its queue.

    Call this in a module that the workers import. An event is acknowledged when it has been handled; if a worker dies,
    the broker delivers the event again. An event that fails, or that another worker is processing, is retried after
    ``retry_after`` seconds, doubled for each further retry, at most ``max_retries`` times.
    """
    bind(inbox, handlers)

    @app.task(name=name, bind=True, acks_late=True, reject_on_worker_lost=True, max_retries=max_retries)  # type: ignore[untyped-decorator]  # Celery is untyped
    def run(self: Any, payload: str) -> str:  # Any: a Celery task, untyped
        countdown = min(retry_after * 2.0**self.request.retries, MAX_RETRY_AFTER)
        try:
            outcome = inbox.process(webhooks.read(payload), handlers.dispatch)
        except Exception as error:
            raise self.retry(exc=error, countdown=countdown) from error
        if outcome == "busy":
            raise self.retry(countdown=countdown)
        return outcome

    return WebhookQueue(run)
