"""The Celery application of the test: each event's effect is a row, written in the event's own transaction."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import celery
import psycopg

from pinstripe.integrations.celery import webhook_queue
from pinstripe.webhooks import Handlers
from pinstripe.webhooks.stores import PostgreSQL, Transactions

DEADLY = 300
"""The number of the event in the middle of which a worker is killed."""
FOLDER = Path(os.environ["PINSTRIPE_TEST_FOLDER"])
app = celery.Celery("worker", broker=os.environ["PINSTRIPE_TEST_BROKER"])
app.conf.update(
    broker_transport_options={"visibility_timeout": 4, "unacked_restore_interval": 1, "unacked_restore_throttle": 1},
    worker_prefetch_multiplier=4,
    broker_connection_retry_on_startup=True,
    worker_hijack_root_logger=False,
)
handlers = Handlers()


inbox = Transactions(PostgreSQL(lambda: psycopg.connect(os.environ["PINSTRIPE_TEST_DATABASE"])))


@handlers.on("invoice.paid")
def paid(event: Any) -> None:  # Any: the event
    """One effect: a row. Every hundredth event fails the first time, and one kills its worker, after the write."""
    number = event.data.object.amount_paid
    inbox.connection.execute("insert into effects values (%s, %s)", (event.id, os.getpid()))
    first = FOLDER / f"first-{number}"
    if number % 100 == 0 and not first.exists():
        first.touch()
        if number == DEADLY:
            os.kill(os.getpid(), signal.SIGKILL)
        raise RuntimeError("the first attempt fails")


queue = webhook_queue(app, handlers, inbox, retry_after=0.2)
