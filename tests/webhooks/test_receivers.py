"""Receivers under real servers: the raw body, the right answer, and nothing said about secret or payload."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Annotated, Any

import django
import fastapi
import flask
import httpx
import pytest
import stripe
from django.conf import settings
from starlette.applications import Starlette
from starlette.routing import Mount
from waitress.server import create_server

from pinstripe import InvalidArgumentError, webhooks
from pinstripe.emulator.server.serving import serve as served
from pinstripe.integrations import asgi, wsgi
from pinstripe.integrations.fastapi import verified_event
from pinstripe.integrations.flask import webhook_blueprint
from pinstripe.webhooks import Handlers
from pinstripe.webhooks.inbox import Inbox
from pinstripe.webhooks.receiver import Receiver
from pinstripe.webhooks.stores import SQLite

SECRET, OLD = "whsec_new", "whsec_old"
MAX_BODY = 64 * 1024
EVENT = {
    "id": "evt_1",
    "object": "event",
    "created": 1,
    "data": {"object": {"id": "cus_1", "object": "customer", "created": 1, "livemode": False}},
    "livemode": False,
    "pending_webhooks": 1,
    "type": "customer.created",
}
THIN = {
    "id": "evt_2",
    "object": "v2.core.event",
    "type": "v2.core.account.closed",
    "created": "2026-01-01T00:00:00Z",
    "livemode": False,
}


Verified = Annotated[Any, fastapi.Depends(verified_event([OLD, SECRET], max_body=MAX_BODY))]  # Any: the event


class Seen:
    """Handlers, and what they saw."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.handlers = Handlers()
        self.handlers.on("customer.created")(self.keep)
        self.handlers.on("v2.core.account.closed")(self.keep)

        @self.handlers.on("invoice.paid")
        async def fail(event: Any) -> None:  # Any: the event
            raise RuntimeError(f"secret {SECRET}, payload {event.id}")

    def keep(self, event: Any) -> None:  # Any: the event
        self.ids.append(event.id)


@contextmanager
def wsgi_server(application: Any) -> Iterator[str]:  # Any: WSGI's own
    """Waitress, on a free port."""
    listener = socket.create_server(("127.0.0.1", 0))
    server: Any = create_server(application, sockets=[listener], threads=2)  # Any: one of its two kinds
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.trigger.pull_trigger(server.close)  # in the server's own thread
        thread.join(10)
        listener.close()


def starlette_app(seen: Seen) -> Any:  # Any: ASGI's own
    app = asgi.webhook_app(seen.handlers, [OLD, SECRET], max_body=MAX_BODY)
    return Starlette(routes=[Mount("/hooks", app)])


def fastapi_app(seen: Seen) -> Any:  # Any: ASGI's own
    app = fastapi.FastAPI()

    @app.post("/hooks")
    async def receive(event: Verified) -> str:
        await seen.handlers.adispatch(event)
        return "ok"

    app.router.redirect_slashes = False
    return app


def flask_app(seen: Seen) -> Any:  # Any: WSGI's own
    app = flask.Flask(__name__)
    app.register_blueprint(webhook_blueprint(seen.handlers, [OLD, SECRET], url="/hooks", max_body=MAX_BODY))
    return app


def django_apps(seen: Seen) -> tuple[Any, Any]:  # Any: WSGI's and ASGI's own
    from django.core.asgi import get_asgi_application
    from django.core.wsgi import get_wsgi_application
    from django.urls import path

    if not settings.configured:
        settings.configure(
            ROOT_URLCONF=None,
            ALLOWED_HOSTS=["*"],
            MIDDLEWARE=["django.middleware.csrf.CsrfViewMiddleware"],
            SECRET_KEY="x",
            PINSTRIPE_WEBHOOK_SECRET=[OLD, SECRET],
            PINSTRIPE_WEBHOOK_MAX_BODY=MAX_BODY,
        )
        django.setup()
    from pinstripe.integrations.django import async_webhook_view, webhook_view

    class Urls:
        urlpatterns = [path("hooks", webhook_view(seen.handlers)), path("ahooks", async_webhook_view(seen.handlers))]  # noqa: RUF012

    settings.ROOT_URLCONF = Urls
    return get_wsgi_application(), get_asgi_application()


@contextmanager
def running(kind: str, seen: Seen) -> Iterator[str]:
    """A receiver of a kind under a real server; gives the endpoint's URL."""
    with ExitStack() as stack:
        if kind in ("starlette", "fastapi"):
            app = starlette_app(seen) if kind == "starlette" else fastapi_app(seen)
            yield stack.enter_context(served(app)) + ("/hooks/" if kind == "starlette" else "/hooks")
        elif kind == "flask":
            yield stack.enter_context(wsgi_server(flask_app(seen))) + "/hooks"
        elif kind == "wsgi":
            application = wsgi.webhook_app(seen.handlers, [OLD, SECRET], max_body=MAX_BODY)
            yield stack.enter_context(wsgi_server(application)) + "/"
        elif kind == "django":
            yield stack.enter_context(wsgi_server(django_apps(seen)[0])) + "/hooks"
        else:
            yield stack.enter_context(served(django_apps(seen)[1])) + "/ahooks"


KINDS = ["starlette", "fastapi", "flask", "wsgi", "django", "django async"]


@pytest.fixture(scope="module", params=KINDS)
def receiver(request: pytest.FixtureRequest) -> Iterator[tuple[str, Seen, str]]:
    seen = Seen()
    with running(request.param, seen) as url:
        yield url, seen, request.param


def signed(event: Any, secret: str = SECRET) -> tuple[bytes, dict[str, str]]:  # Any: JSON
    body = json.dumps(event, indent=2, ensure_ascii=False).encode()
    return body, {"Stripe-Signature": webhooks.sign(body, secret), "Content-Type": "application/json"}


Endpoint = tuple[str, Seen, str]


def test_a_signed_event_is_handled(receiver: Endpoint) -> None:
    url, seen, _ = receiver
    for secret in (SECRET, OLD):
        body, headers = signed({**EVENT, "id": f"evt_{secret}", "account": "é"}, secret)
        answer = httpx.post(url, content=body, headers=headers)
        assert answer.status_code == 200, answer.text
        assert seen.ids[-1] == f"evt_{secret}"


def test_a_signature_made_by_the_official_package_is_good(receiver: Endpoint) -> None:
    url, seen, _ = receiver
    body = json.dumps({**EVENT, "id": "evt_official"})
    header = stripe.WebhookSignature.generate_signature_header(body, SECRET)
    assert httpx.post(url, content=body.encode(), headers={"Stripe-Signature": header}).status_code == 200
    assert seen.ids[-1] == "evt_official"


def test_thin_events_arrive_beside_the_others(receiver: Endpoint) -> None:
    url, seen, _ = receiver
    body, headers = signed(THIN)
    assert httpx.post(url, content=body, headers=headers).status_code == 200
    assert seen.ids[-1] == "evt_2"


def test_what_nobody_handles_is_fine_and_counted(receiver: Endpoint) -> None:
    url, seen, _ = receiver
    before = seen.handlers.unhandled["invoice.sent"]
    body, headers = signed({**EVENT, "type": "invoice.sent"})
    assert httpx.post(url, content=body, headers=headers).status_code == 200
    assert seen.handlers.unhandled["invoice.sent"] == before + 1


@pytest.mark.parametrize(
    "bend",
    [
        lambda body, header: (body + b" ", header),
        lambda body, header: (json.dumps(json.loads(body)).encode(), header),
        lambda body, header: (body, header.replace("v1=", "v1=0")),
        lambda body, header: (body, ""),
        lambda body, header: (body, None),
        lambda body, header: (body, webhooks.sign(body, "whsec_other")),
        lambda body, header: (body, webhooks.sign(body, SECRET, 1)),
        lambda body, header: (b"[1]", webhooks.sign(b"[1]", SECRET)),
        lambda body, header: (b"{", webhooks.sign(b"{", SECRET)),
    ],
)
def test_what_is_bent_is_400_and_runs_nothing(
    receiver: Endpoint, bend: Callable[[bytes, str], Any]
) -> None:  # Any: bent
    url, seen, _ = receiver
    before = list(seen.ids)
    body, headers = signed(EVENT)
    bent, header = bend(body, headers["Stripe-Signature"])
    answer = httpx.post(url, content=bent, headers={"Stripe-Signature": header} if header is not None else {})
    assert answer.status_code == 400
    assert SECRET not in answer.text
    assert "cus_1" not in answer.text
    assert seen.ids == before


def test_only_post_is_taken(receiver: Endpoint) -> None:
    url, _, _ = receiver
    for method in ("GET", "PUT", "DELETE"):
        answer = httpx.request(method, url)
        assert answer.status_code == 405
        assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit_is_413(receiver: Endpoint, *, chunked: bool) -> None:
    url, seen, kind = receiver
    before = list(seen.ids)
    body, headers = signed({**EVENT, "padding": "x" * MAX_BODY})
    content: Any = iter([body[:1000], body[1000:]]) if chunked else body  # Any: bytes or chunks
    answer = httpx.post(url, content=content, headers=headers)
    # Django's WSGI side reads no body without a length, so that nothing was signed.
    assert answer.status_code in ((413, 400) if chunked and kind == "django" else (413,))
    assert seen.ids == before


def test_a_handler_that_fails_is_500_and_says_nothing(receiver: Endpoint, caplog: pytest.LogCaptureFixture) -> None:
    url, _, kind = receiver
    if kind == "fastapi":
        pytest.skip("the route is the user's own")
    body, headers = signed({**EVENT, "type": "invoice.paid"})
    answer = httpx.post(url, content=body, headers=headers)
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "evt_1" not in answer.text
    assert any("invoice.paid" in record.message for record in caplog.records)


def test_with_an_inbox_a_second_delivery_runs_nothing(tmp_path: Any) -> None:  # Any: pytest's own
    seen = Seen()
    inbox = Inbox(SQLite(tmp_path / "inbox.sqlite"))
    body, headers = signed(EVENT)
    failing, failing_headers = signed({**EVENT, "type": "invoice.paid", "id": "evt_f"})
    with served(asgi.webhook_app(seen.handlers, SECRET, inbox=inbox)) as url:
        assert [httpx.post(url, content=body, headers=headers).text for _ in range(2)] == ["ok", "already processed"]
        statuses = [httpx.post(url, content=failing, headers=failing_headers).status_code for _ in range(2)]
    assert statuses == [500, 500]
    with wsgi_server(wsgi.webhook_app(seen.handlers, SECRET, inbox=inbox)) as url:
        assert httpx.post(url, content=body, headers=headers).text == "already processed"
    assert seen.ids == ["evt_1"]


def test_a_delivery_during_another_is_409_so_that_stripe_sends_it_again(tmp_path: Any) -> None:  # Any: pytest's own
    inbox = Inbox(SQLite(tmp_path / "inbox.sqlite"))
    inbox.store.claim("evt_1", "somebody", inbox.now(), 60)
    receiver = Receiver(Handlers(), SECRET, inbox=inbox)
    body, headers = signed(EVENT)
    assert receiver.receive(body, headers["Stripe-Signature"]).status == 409


@pytest.mark.parametrize("secret", ["", " ", [], [""], [None]])
def test_an_endpoint_without_a_secret_is_refused_at_once(secret: Any) -> None:  # Any: mistakes
    with pytest.raises(InvalidArgumentError, match="secret"):
        asgi.webhook_app(Handlers(), secret)


def test_a_receiver_does_not_show_its_secret() -> None:
    assert SECRET not in repr(Receiver(Handlers(), SECRET))


def test_fifty_thousand_bent_deliveries_are_400_every_time(caplog: pytest.LogCaptureFixture) -> None:
    """Through the ASGI application itself, header bytes and all; what gets through would be a forgery."""
    seen = Seen()
    app = asgi.webhook_app(seen.handlers, [OLD, SECRET])
    chance = random.Random(7)  # not for secrets
    body, headers = signed(EVENT)
    good = headers["Stripe-Signature"].encode()
    caplog.set_level(logging.CRITICAL, "pinstripe.webhooks")

    def bent(text: bytes) -> bytes:
        data = bytearray(text)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(data) + 1)
            action = chance.random()
            if action < 0.4 and at < len(data):
                data[at] = chance.randrange(256)
            elif action < 0.7:
                data[at:at] = bytes([chance.randrange(256)])
            else:
                del data[at : at + chance.randint(1, 5)]
        return bytes(data)

    async def deliver(payload: bytes, header: bytes) -> int:
        statuses: list[int] = []

        async def receive() -> Any:  # Any: ASGI's own
            return {"type": "http.request", "body": payload, "more_body": False}

        async def send(message: Any) -> None:  # Any: ASGI's own
            if "status" in message:
                statuses.append(message["status"])

        await app({"type": "http", "method": "POST", "headers": [(b"stripe-signature", header)]}, receive, send)
        return statuses[0]

    def is_good(payload: bytes, header: bytes) -> bool:
        """A bend may leave all that counts as it was, such as in `t= 1,v1=x,junk`; the official package says which."""
        try:
            stripe.WebhookSignature.verify_header(payload, header.decode("latin-1"), SECRET)
        except Exception:
            return False
        return True

    async def story() -> dict[int, int]:
        counted: dict[int, int] = {}
        for number in range(50_000):
            payload, header = (bent(body), good) if number % 2 else (body, bent(good))
            if is_good(payload, header):
                header = b""
            status = await deliver(payload, header)
            counted[status] = counted.get(status, 0) + 1
        return counted

    assert asyncio.run(story()) == {400: 50_000}
    assert seen.ids == []
