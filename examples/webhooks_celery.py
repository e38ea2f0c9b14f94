"""Webhooks with Celery: the receiver verifies and queues events, and workers run the handlers.

celery -A examples.webhooks_celery worker        # on any number of machines
uvicorn examples.webhooks_celery:receiver

Stripe's endpoint: http://localhost:8000/webhooks/stripe
"""

from __future__ import annotations

import os

from celery import Celery
from redis import Redis as RedisClient

from pinstripe.events import InvoicePaidEvent
from pinstripe.integrations.asgi import webhook_app
from pinstripe.integrations.celery import webhook_queue
from pinstripe.webhooks import Handlers
from pinstripe.webhooks.inbox import Inbox
from pinstripe.webhooks.stores import Redis

BROKER = os.environ.get("BROKER", "redis://localhost:6379/0")
app = Celery("webhooks", broker=BROKER)
app.conf.broker_connection_retry_on_startup = True
handlers = Handlers()


@handlers.on("invoice.paid")
def paid(event: InvoicePaidEvent) -> None:
    """Extend the customer's access. Idempotent, since a worker may die before the inbox marks the event."""
    print(f"paid {event.data.object.amount_paid} {event.data.object.currency}", flush=True)


queue = webhook_queue(app, handlers, Inbox(Redis(RedisClient.from_url(BROKER))))
receiver = webhook_app(queue, os.environ.get("STRIPE_WEBHOOK_SECRET", "whsec_pinstripe_testing"))
