"""Receivers on real servers: they verify the raw body, and responses reveal neither the secret nor the payload."""

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
from starlette.routing import Route
from waitress import wasyncore
from waitress.server import create_server

from pinstripe import InvalidArgumentError, webhooks
from pinstripe.emulator.server.serving import serve as served
from pinstripe.integrations import asgi, wsgi
from pinstripe.integrations.fastapi import verified_event
from pinstripe.integrations.flask import webhook_blueprint
from pinstripe.webhooks import Handlers
from pinstripe.webhooks.inbox import EntryKey, Inbox
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


class RecordingHandlers:
    """Handlers that record the ids of their events."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.handlers = Handlers()
        self.handlers.on("customer.created")(self.record)
        self.handlers.on("v2.core.account.closed")(self.record)

        @self.handlers.on("invoice.paid")
        async def fail(event: Any) -> None:  # Any: the event
            raise RuntimeError(f"secret {SECRET}, payload {event.id}")

    def record(self, event: Any) -> None:  # Any: the event
        self.ids.append(event.id)


@contextmanager
def wsgi_server(application: Any, port: int = 0) -> Iterator[str]:  # Any: a WSGI application
    """Serve a WSGI application with Waitress, on a free port unless given, and yield its URL."""
    listener = socket.create_server(("127.0.0.1", port))
    server: Any = create_server(application, sockets=[listener], threads=2)  # Any: one of two classes of Waitress
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.trigger.pull_trigger(lambda: wasyncore.close_all(server._map))  # in its own thread, with its connections
        thread.join(10)
        listener.close()


def starlette_app(handlers: RecordingHandlers) -> Any:  # Any: an ASGI application
    app = asgi.webhook_app(handlers.handlers, [OLD, SECRET], max_body=MAX_BODY)
    return Starlette(routes=[Route("/hooks", app, methods=["POST"])])


def fastapi_app(handlers: RecordingHandlers) -> Any:  # Any: an ASGI application
    app = fastapi.FastAPI()

    @app.post("/hooks")
    async def receive(event: Verified) -> str:
        await handlers.handlers.adispatch(event)
        return "ok"

    app.router.redirect_slashes = False
    return app


def flask_app(handlers: RecordingHandlers) -> Any:  # Any: a WSGI application
    app = flask.Flask(__name__)
    app.register_blueprint(webhook_blueprint(handlers.handlers, [OLD, SECRET], url="/hooks", max_body=MAX_BODY))
    return app


def django_apps(handlers: RecordingHandlers) -> tuple[Any, Any]:  # Any: a WSGI and an ASGI application
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
        urlpatterns = [  # noqa: RUF012  # Django reads it, nothing changes it
            path("hooks", webhook_view(handlers.handlers)),
            path("ahooks", async_webhook_view(handlers.handlers)),
        ]

    settings.ROOT_URLCONF = Urls
    return get_wsgi_application(), get_asgi_application()


@contextmanager
def running(framework: str, handlers: RecordingHandlers) -> Iterator[str]:
    """Run a receiver on a real server and yield the URL of its endpoint."""
    with ExitStack() as stack:
        if framework in ("starlette", "fastapi"):
            app = starlette_app(handlers) if framework == "starlette" else fastapi_app(handlers)
            yield stack.enter_context(served(app)) + "/hooks"
        elif framework == "flask":
            yield stack.enter_context(wsgi_server(flask_app(handlers))) + "/hooks"
        elif framework == "wsgi":
            application = wsgi.webhook_app(handlers.handlers, [OLD, SECRET], max_body=MAX_BODY)
            yield stack.enter_context(wsgi_server(application)) + "/"
        elif framework == "django":
            yield stack.enter_context(wsgi_server(django_apps(handlers)[0])) + "/hooks"
        else:
            yield stack.enter_context(served(django_apps(handlers)[1])) + "/ahooks"


Endpoint = tuple[str, RecordingHandlers, str]
FRAMEWORKS = ["starlette", "fastapi", "flask", "wsgi", "django", "django async"]


@pytest.fixture(scope="module", params=FRAMEWORKS)
def endpoint(request: pytest.FixtureRequest) -> Iterator[Endpoint]:
    handlers = RecordingHandlers()
    with running(request.param, handlers) as url:
        yield url, handlers, request.param


def signed(event: Any, secret: str = SECRET) -> tuple[bytes, dict[str, str]]:  # Any: JSON
    body = json.dumps(event, indent=2, ensure_ascii=False).encode()
    return body, {"Stripe-Signature": webhooks.sign(body, secret), "Content-Type": "application/json"}


def test_signed_event_is_handled(endpoint: Endpoint) -> None:
    url, handlers, _ = endpoint
    for secret in (SECRET, OLD):
        body, headers = signed({**EVENT, "id": f"evt_{secret}", "account": "é"}, secret)
        response = httpx.post(url, content=body, headers=headers)
        assert response.status_code == 200, response.text
        assert handlers.ids[-1] == f"evt_{secret}"


def test_signature_of_the_official_package_is_accepted(endpoint: Endpoint) -> None:
    url, handlers, _ = endpoint
    body = json.dumps({**EVENT, "id": "evt_official"})
    header = stripe.WebhookSignature.generate_signature_header(body, SECRET)
    assert httpx.post(url, content=body.encode(), headers={"Stripe-Signature": header}).status_code == 200
    assert handlers.ids[-1] == "evt_official"


def test_thin_events_are_handled(endpoint: Endpoint) -> None:
    url, handlers, _ = endpoint
    body, headers = signed(THIN)
    assert httpx.post(url, content=body, headers=headers).status_code == 200
    assert handlers.ids[-1] == "evt_2"


def test_unhandled_events_are_accepted_and_counted(endpoint: Endpoint) -> None:
    url, handlers, _ = endpoint
    before = handlers.handlers.unhandled["invoice.sent"]
    body, headers = signed({**EVENT, "type": "invoice.sent"})
    assert httpx.post(url, content=body, headers=headers).status_code == 200
    assert handlers.handlers.unhandled["invoice.sent"] == before + 1


@pytest.mark.parametrize(
    "tamper",
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
def test_invalid_request_is_rejected_with_400_and_not_handled(
    endpoint: Endpoint, tamper: Callable[[bytes, str], Any]
) -> None:  # Any: a body and a header
    url, handlers, _ = endpoint
    before = list(handlers.ids)
    body, headers = signed(EVENT)
    tampered, header = tamper(body, headers["Stripe-Signature"])
    response = httpx.post(url, content=tampered, headers={"Stripe-Signature": header} if header is not None else {})
    assert response.status_code == 400
    assert SECRET not in response.text
    assert "cus_1" not in response.text
    assert handlers.ids == before


def test_methods_other_than_post_are_405(endpoint: Endpoint) -> None:
    url, _, _ = endpoint
    for method in ("GET", "PUT", "DELETE"):
        response = httpx.request(method, url)
        assert response.status_code == 405
        assert response.headers["allow"] == "POST"


@pytest.mark.parametrize("chunked", [False, True])
def test_body_over_the_limit_is_413(endpoint: Endpoint, *, chunked: bool) -> None:
    url, handlers, framework = endpoint
    before = list(handlers.ids)
    body, headers = signed({**EVENT, "padding": "x" * MAX_BODY})
    content: Any = iter([body[:1000], body[1000:]]) if chunked else body  # Any: bytes or chunks
    response = httpx.post(url, content=content, headers=headers)
    # Under WSGI, Django reads no body without a length, so the signature does not match.
    assert response.status_code in ((413, 400) if chunked and framework == "django" else (413,))
    assert handlers.ids == before


def test_failing_handler_is_500_and_reveals_nothing(endpoint: Endpoint, caplog: pytest.LogCaptureFixture) -> None:
    url, _, framework = endpoint
    if framework == "fastapi":
        pytest.skip("the route of the user calls the handlers")
    body, headers = signed({**EVENT, "type": "invoice.paid"})
    response = httpx.post(url, content=body, headers=headers)
    assert response.status_code == 500
    assert "secret" not in response.text
    assert "evt_1" not in response.text
    assert any("invoice.paid" in record.message for record in caplog.records)


def test_with_an_inbox_a_second_delivery_is_not_handled(tmp_path: Any) -> None:  # Any: a path
    handlers = RecordingHandlers()
    inbox = Inbox(SQLite(tmp_path / "inbox.sqlite"))
    body, headers = signed(EVENT)
    failing, failing_headers = signed({**EVENT, "type": "invoice.paid", "id": "evt_f"})
    with served(asgi.webhook_app(handlers.handlers, SECRET, inbox=inbox)) as url:
        assert [httpx.post(url, content=body, headers=headers).text for _ in range(2)] == ["ok", "already processed"]
        statuses = [httpx.post(url, content=failing, headers=failing_headers).status_code for _ in range(2)]
    assert statuses == [500, 500]
    with wsgi_server(wsgi.webhook_app(handlers.handlers, SECRET, inbox=inbox)) as url:
        assert httpx.post(url, content=body, headers=headers).text == "already processed"
    assert handlers.ids == ["evt_1"]


def test_concurrent_delivery_is_409_so_that_stripe_sends_it_again(tmp_path: Any) -> None:  # Any: a path
    inbox = Inbox(SQLite(tmp_path / "inbox.sqlite"))
    inbox.store.claim(EntryKey("default", "evt_1"), "other", inbox.now(), 60)
    receiver = Receiver(Handlers(), SECRET, inbox=inbox)
    body, headers = signed(EVENT)
    assert receiver.receive(body, headers["Stripe-Signature"]).status == 409


@pytest.mark.parametrize("secret", ["", " ", [], [""], [None]])
def test_endpoint_without_a_secret_is_rejected(secret: Any) -> None:  # Any: invalid secrets
    with pytest.raises(InvalidArgumentError, match="secret"):
        asgi.webhook_app(Handlers(), secret)


def test_repr_of_a_receiver_does_not_contain_its_secret() -> None:
    assert SECRET not in repr(Receiver(Handlers(), SECRET))


def test_fifty_thousand_corrupted_requests_are_400(caplog: pytest.LogCaptureFixture) -> None:
    """Send corrupted bodies and headers to the ASGI application: any of them it accepts would be a forgery."""
    handlers = RecordingHandlers()
    app = asgi.webhook_app(handlers.handlers, [OLD, SECRET])
    rng = random.Random(7)
    body, headers = signed(EVENT)
    valid_header = headers["Stripe-Signature"].encode()
    caplog.set_level(logging.CRITICAL, "pinstripe.webhooks")

    def corrupt(text: bytes) -> bytes:
        data = bytearray(text)
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(data) + 1)
            action = rng.random()
            if action < 0.4 and at < len(data):
                data[at] = rng.randrange(256)
            elif action < 0.7:
                data[at:at] = bytes([rng.randrange(256)])
            else:
                del data[at : at + rng.randint(1, 5)]
        return bytes(data)

    async def deliver(payload: bytes, header: bytes) -> int:
        statuses: list[int] = []

        async def receive() -> Any:  # Any: an ASGI message
            return {"type": "http.request", "body": payload, "more_body": False}

        async def send(message: Any) -> None:  # Any: an ASGI message
            if "status" in message:
                statuses.append(message["status"])

        await app({"type": "http", "method": "POST", "headers": [(b"stripe-signature", header)]}, receive, send)
        return statuses[0]

    def is_valid(payload: bytes, header: bytes) -> bool:
        """Check with the official package, since a corrupted header such as `t= 1,v1=x,junk` may still be valid."""
        try:
            stripe.WebhookSignature.verify_header(payload, header.decode("latin-1"), SECRET)
        except Exception:
            return False
        return True

    async def deliver_all() -> dict[int, int]:
        counts: dict[int, int] = {}
        for number in range(50_000):
            payload, header = (corrupt(body), valid_header) if number % 2 else (body, corrupt(valid_header))
            if is_valid(payload, header):
                header = b""
            status = await deliver(payload, header)
            counts[status] = counts.get(status, 0) + 1
        return counts

    assert asyncio.run(deliver_all()) == {400: 50_000}
    assert handlers.ids == []
