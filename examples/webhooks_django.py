"""Webhooks with Django in one file: a view that runs registered handlers through an inbox.

python examples/webhooks_django.py runserver --noreload

Stripe's endpoint: http://localhost:8000/webhooks/stripe
"""

from __future__ import annotations

import os
import sys

from django.conf import settings

from pinstripe.events import InvoicePaidEvent
from pinstripe.webhooks import Handlers
from pinstripe.webhooks.inbox import Inbox
from pinstripe.webhooks.stores import SQLite

settings.configure(
    DEBUG=False,
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    SECRET_KEY=os.environ.get("DJANGO_SECRET_KEY", "for this example only"),
    MIDDLEWARE=["django.middleware.csrf.CsrfViewMiddleware"],
    PINSTRIPE_WEBHOOK_SECRET=os.environ.get("STRIPE_WEBHOOK_SECRET", "whsec_pinstripe_testing"),
)

from django.core.management import execute_from_command_line  # noqa: E402  # needs the settings
from django.urls import path  # noqa: E402  # needs the settings

from pinstripe.integrations.django import webhook_view  # noqa: E402  # needs the settings

handlers = Handlers()


@handlers.on("invoice.paid")
def paid(event: InvoicePaidEvent) -> None:
    """Extend the customer's access."""
    print(f"paid {event.data.object.amount_paid} {event.data.object.currency}", flush=True)


inbox = Inbox(SQLite(os.environ.get("INBOX", "inbox.sqlite")))
urlpatterns = [path("webhooks/stripe", webhook_view(handlers, inbox=inbox))]

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
