"""Webhooks with FastAPI: registered handlers that run through an inbox, and a route that receives the typed event.

uvicorn examples.webhooks_fastapi:app

Stripe's endpoints: http://localhost:8000/webhooks/stripe and http://localhost:8000/webhooks/raw
"""

from __future__ import annotations

import os
from typing import Annotated, Any

from fastapi import Depends, FastAPI

from pinstripe.events import CustomerSubscriptionDeletedEvent, InvoicePaidEvent
from pinstripe.integrations.asgi import webhook_app
from pinstripe.integrations.fastapi import verified_event
from pinstripe.webhooks import Handlers
from pinstripe.webhooks.inbox import Inbox
from pinstripe.webhooks.stores import SQLite

SECRET = os.environ.get("STRIPE_WEBHOOK_SECRET", "whsec_pinstripe_testing")
handlers = Handlers()


@handlers.on("invoice.paid")
async def paid(event: InvoicePaidEvent) -> None:
    """Extend the customer's access."""
    print(f"paid {event.data.object.amount_paid} {event.data.object.currency}", flush=True)


@handlers.on("customer.subscription.deleted")
def ended(event: CustomerSubscriptionDeletedEvent) -> None:
    """End the customer's access; a sync handler runs in a thread."""
    print(f"ended {event.data.object.customer.id}", flush=True)


inbox = Inbox(SQLite(os.environ.get("INBOX", "inbox.sqlite")))
app = FastAPI()


@app.post("/webhooks/raw")
async def receive(event: Annotated[Any, Depends(verified_event(SECRET))]) -> dict[str, str]:  # Any: the typed event
    """Receive a typed event in a route of the application."""
    return {"type": event.type}


app.add_route("/webhooks/stripe", webhook_app(handlers, SECRET, inbox=inbox), methods=["POST"])
