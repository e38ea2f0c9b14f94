"""The Celery application of the test: the handler writes a row per event, in the transaction that marks the event."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import celery
import psycopg

from pinstripe.integrations.celery import webhook_queue
from pinstripe.webhooks import Handlers
from pinstripe.webhooks.stores import PostgreSQL, TransactionalInbox

KILLS_WORKER = 300
"""Number of the event whose first handler kills its worker."""
FOLDER = Path(os.environ["PINSTRIPE_TEST_FOLDER"])
app = celery.Celery("worker", broker=os.environ["PINSTRIPE_TEST_BROKER"])
app.conf.update(
    broker_transport_options={"visibility_timeout": 4, "unacked_restore_interval": 1, "unacked_restore_throttle": 1},
    worker_prefetch_multiplier=4,
    broker_connection_retry_on_startup=True,
    worker_hijack_root_logger=False,
)
handlers = Handlers()
inbox = TransactionalInbox(PostgreSQL(lambda: psycopg.connect(os.environ["PINSTRIPE_TEST_DATABASE"])))


@handlers.on("invoice.paid")
def paid(event: Any) -> None:  # Any: the event
    """Write a row. Every hundredth event then fails the first time, and one kills its worker."""
    number = event.data.object.amount_paid
    inbox.connection.execute("insert into effects values (%s, %s)", (event.id, os.getpid()))
    attempted = FOLDER / f"attempted-{number}"
    if number % 100 == 0 and not attempted.exists():
        attempted.touch()
        if number == KILLS_WORKER:
            os.kill(os.getpid(), signal.SIGKILL)
        raise RuntimeError("the first attempt fails")


queue = webhook_queue(app, handlers, inbox, retry_after=0.2)
