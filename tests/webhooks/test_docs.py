"""The receivers of docs/webhooks.md, as pasted, at the URL that the page prints; the emulator delivers to them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from pinstripe.emulator import Emulator
from pinstripe.emulator.server.serving import serve
from pinstripe.events import Event, EventNotification
from pinstripe.webhooks import Handlers
from tests.webhooks.servers import free_port
from tests.webhooks.test_examples import pay_an_invoice
from tests.webhooks.test_receivers import RecordingHandlers, django_apps, wsgi_server

PAGE = (Path(__file__).parents[2] / "docs/webhooks.md").read_text()
SECTION = PAGE.partition("## Receivers\n")[2].partition("\n## ")[0]
URL = re.findall(r"https://<your host>(/[\w/]+)", SECTION)[0]
BLOCKS = re.findall(r"```python\n(.*?)```", SECTION, re.DOTALL)
MOUNTED = """
from starlette.applications import Starlette
from starlette.routing import Mount
from pinstripe.integrations.asgi import webhook_app
app = Starlette(routes=[Mount("/webhooks", webhook_app(handlers, "whsec_..."))])
"""
ROUTE = """
from starlette.applications import Starlette
from starlette.routing import Route
from pinstripe.integrations.asgi import webhook_app
app = Starlette(routes=[Route("/webhooks/stripe", webhook_app(handlers, "whsec_..."), methods=["POST"])])
"""
ALONE = """
from pinstripe.integrations.asgi import webhook_app
app = webhook_app(handlers, "whsec_...")
"""


def test_the_page_has_a_block_for_each_framework() -> None:
    names = ("asgi import", "fastapi import verified_event", "flask import", "wsgi import", "django import")
    assert [name for name, block in zip(names, BLOCKS, strict=True) if f"pinstripe.integrations.{name}" in block] == [
        *names
    ]


@pytest.mark.parametrize("block", [*BLOCKS, ROUTE, MOUNTED, ALONE], ids=range(len(BLOCKS) + 3))
def test_emulator_delivers_to_the_printed_url(block: str, stripe_emulator: Emulator) -> None:
    types: list[str] = []
    handlers = Handlers()

    @handlers.on_any("*")
    def record(event: Event | EventNotification) -> None:
        types.append(event.type)

    create, port = stripe_emulator.client().webhook_endpoints.create, free_port()
    secret = str(create(url=f"http://127.0.0.1:{port}{URL}", enabled_events=["invoice.paid"]).secret)
    names: dict[str, Any] = {"handlers": handlers, "__name__": "pasted"}
    exec(block.replace("whsec_...", secret), names)
    is_django = "urlpatterns" in names
    app = django_apps(RecordingHandlers())[0] if is_django else names["app"]
    urls = type("Urls", (), names)
    if is_django:
        with override_settings(ROOT_URLCONF=urls, PINSTRIPE_WEBHOOK_SECRET=secret), wsgi_server(app, port):
            pay_an_invoice(stripe_emulator)
    elif "flask" in block or "wsgi" in block:
        with wsgi_server(app, port):
            pay_an_invoice(stripe_emulator)
    else:
        with serve(app, port=port):
            pay_an_invoice(stripe_emulator)
    assert [(delivery.status, delivery.attempts) for delivery in stripe_emulator.deliveries] == [(200, 1)]
    assert types == ([] if "verified_event" in block else ["invoice.paid"])
