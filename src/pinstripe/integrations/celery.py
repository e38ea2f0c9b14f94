"""Beyond one machine: the receiver verifies and answers at once, and a Celery worker runs the handlers.

``queue = webhook_queue(app, handlers, inbox)``, then give ``queue`` to a receiver in the place of the handlers. With an inbox in
front, an event that Stripe or the broker delivers again does not take effect again.
https://docs.celeryq.dev/en/stable/userguide/tasks.html
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pinstripe import webhooks

if TYPE_CHECKING:
    from pinstripe.events import Event, EventNotification
    from pinstripe.webhooks.handlers import Dispatcher
    from pinstripe.webhooks.inbox import Once

__all__ = ["WebhookQueue", "webhook_queue"]

TASK = "pinstripe.webhook"
RETRY_AFTER = 1.0
"""Seconds before a failed or a busy event is tried again, doubled each time."""
MAX_RETRY_AFTER = 600.0


@dataclass(frozen=True)
class WebhookQueue:
    """Hands events to the workers, for a receiver to use in the place of handlers."""

    task: Any  # Any: a Celery task

    def dispatch(self, event: Event | EventNotification) -> bool:
        """Queue an event; raises where the broker does not take it, so that Stripe sends it again."""
        self.task.delay(event.model_dump_json(by_alias=True, exclude_unset=True))
        return True

    async def adispatch(self, event: Event | EventNotification) -> bool:
        """Queue an event, in a thread."""
        return await asyncio.to_thread(self.dispatch, event)


def webhook_queue(
    app: Any,  # Any: a Celery application
    handlers: Dispatcher,
    inbox: Once,
    *,
    name: str = TASK,
    max_retries: int | None = 20,
    retry_after: float = RETRY_AFTER,
) -> WebhookQueue:
    """Register the task that runs handlers in a worker, and give the queue to it. Call it where workers import it, too.

    An event is acknowledged only when it was handled; a worker that dies gives it back to the broker. One that fails, or that
    another worker has claimed, is tried again after ``retry_after`` seconds, doubled each time, at most ``max_retries`` times.
    """

    @app.task(name=name, bind=True, acks_late=True, reject_on_worker_lost=True, max_retries=max_retries)  # type: ignore[untyped-decorator]  # Celery has no types
    def run(self: Any, payload: str) -> str:  # Any: a Celery task
        wait = min(retry_after * 2.0**self.request.retries, MAX_RETRY_AFTER)
        try:
            outcome = inbox.process(webhooks.read(payload), handlers.dispatch)
        except Exception as error:
            raise self.retry(exc=error, countdown=wait) from error
        if outcome == "busy":
            raise self.retry(countdown=wait)
        return outcome

    return WebhookQueue(run)
