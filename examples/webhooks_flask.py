"""Webhooks with Flask: a blueprint that runs registered handlers through an inbox.

waitress-serve --port 8000 examples.webhooks_flask:app

Stripe's endpoint: http://localhost:8000/webhooks/stripe
"""

from __future__ import annotations

import os

from flask import Flask

from pinstripe.events import InvoicePaidEvent
from pinstripe.integrations.flask import webhook_blueprint
from pinstripe.webhooks import Handlers
from pinstripe.webhooks.inbox import Inbox
from pinstripe.webhooks.stores import SQLite

handlers = Handlers()


@handlers.on("invoice.paid")
def paid(event: InvoicePaidEvent) -> None:
    """Extend the customer's access."""
    print(f"paid {event.data.object.amount_paid} {event.data.object.currency}", flush=True)


app = Flask(__name__)
app.register_blueprint(
    webhook_blueprint(
        handlers,
        os.environ.get("STRIPE_WEBHOOK_SECRET", "whsec_pinstripe_testing"),
        url="/webhooks/stripe",
        inbox=Inbox(SQLite(os.environ.get("INBOX", "inbox.sqlite"))),
    )
)
