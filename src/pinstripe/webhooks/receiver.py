"""The logic of a webhook endpoint without I/O, shared by all framework integrations.

Responses: 200 if the event was handled, has no handler or was processed before; 400 for an invalid signature or a
payload that is not an event; 405 for methods other than POST; 409 while another delivery of the event is being
processed; 413 for a body over the limit; 500 if a handler failed, so that Stripe sends the event again. Responses never
contain the secret or the payload. https://docs.stripe.com/webhooks
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pinstripe import webhooks
from pinstripe._lazy import LazyModule
from pinstripe.errors import InvalidArgumentError, ResponseValidationError, SignatureVerificationError
from pinstripe.webhooks.inbox import EventProcessor, bind
from pinstripe.webhooks.signature import TOLERANCE, check_secrets, check_tolerance, mask_secrets

if TYPE_CHECKING:
    from pinstripe import events as _events
else:
    _events = LazyModule("pinstripe.events")

__all__ = ["MAX_BODY", "SIGNATURE_HEADER", "Dispatcher", "Receiver", "WebhookResponse"]

logger: logging.Logger = logging.getLogger("pinstripe.webhooks")
MAX_BODY = 1024 * 1024
"""Default maximum size of a request body, in bytes."""
SIGNATURE_HEADER = "stripe-signature"


@dataclass(frozen=True)
class WebhookResponse:
    """The HTTP response to a webhook request."""

    status: int
    text: str

    @property
    def body(self) -> bytes:
        """The encoded text."""
        return self.text.encode()

    @property
    def headers(self) -> dict[str, str]:
        """The response headers."""
        allow = {"Allow": "POST"} if self.status == 405 else {}
        return {"Content-Type": "text/plain; charset=utf-8", "Content-Length": str(len(self.body)), **allow}


OK = WebhookResponse(200, "ok")
DUPLICATE = WebhookResponse(200, "already processed")
BAD_SIGNATURE = WebhookResponse(400, "bad signature")
BAD_PAYLOAD = WebhookResponse(400, "not an event")
WRONG_METHOD = WebhookResponse(405, "use POST")
BUSY = WebhookResponse(409, "being processed")
TOO_LARGE = WebhookResponse(413, "too large")
FAILED = WebhookResponse(500, "handler failed")

_RESPONSES = {"processed": OK, "duplicate": DUPLICATE, "busy": BUSY}


def parse_content_length(text: str) -> int | None:
    """Return the value of a ``Content-Length`` header, or None if it is not a number."""
    if not (text.isascii() and text.isdigit()):
        return None
    return int(text[:20])  # Python refuses to convert thousands of digits


class Dispatcher(Protocol):
    """Takes the verified events of a receiver: `pinstripe.webhooks.Handlers`, or a queue in front of them."""

    def dispatch(self, event: _events.Event | _events.EventNotification) -> bool:
        """Handle an event; return whether a handler took it."""
        ...

    async def adispatch(self, event: _events.Event | _events.EventNotification) -> bool:
        """Handle an event; return whether a handler took it."""
        ...


@dataclass(frozen=True)
class Receiver:
    """One webhook endpoint: its handlers, and one or several secrets (while one is rotated, or for Connect)."""

    handlers: Dispatcher
    secret: str | Iterable[str]
    tolerance: float | None = TOLERANCE
    max_body: int = MAX_BODY
    inbox: EventProcessor | None = None

    def __post_init__(self) -> None:
        secrets = tuple(mask_secrets(self.secret))
        object.__setattr__(self, "secret", secrets)
        check_secrets(secrets)
        if not secrets or not all(secret.strip() for secret in secrets):
            raise InvalidArgumentError("secret: pass the endpoint's secret (whsec_...), or several.", param="secret")
        check_tolerance(self.tolerance)
        if self.inbox is not None:
            bind(self.inbox, self.handlers)

    def __repr__(self) -> str:
        return f"<Receiver of {self.handlers!r}>"

    def check_request(self, method: str, content_length: str | None) -> WebhookResponse | None:
        """Return an error response if a request can be rejected before its body is read."""
        if method != "POST":
            return WRONG_METHOD
        if content_length and (parse_content_length(content_length) or 0) > self.max_body:
            return TOO_LARGE
        return None

    def construct_event(
        self, payload: bytes, signature: str | bytes | None
    ) -> _events.AnyEvent | _events.AnyNotification | WebhookResponse:
        """Verify a request body and return its event, or the error response."""
        if len(payload) > self.max_body:
            return TOO_LARGE
        try:
            webhooks.verify(payload, signature, self.secret, self.tolerance)
            return webhooks.read(payload)
        except SignatureVerificationError as error:
            logger.warning("rejected a webhook request: %s", error)
            return BAD_SIGNATURE
        except ResponseValidationError as error:
            logger.warning("rejected a webhook request: %s", error)
            return BAD_PAYLOAD

    def receive(self, payload: bytes, signature: str | bytes | None) -> WebhookResponse:
        """Verify a request body, handle its event and return the response."""
        event = self.construct_event(payload, signature)
        if isinstance(event, WebhookResponse):
            return event
        try:
            if self.inbox is None:
                self.handlers.dispatch(event)
                return OK
            return _RESPONSES[self.inbox.process(event, self.handlers.dispatch)]
        except Exception as error:
            logger.exception("failed to handle %s (%s): %s", event.type, event.id, type(error).__name__)
            return FAILED

    async def areceive(self, payload: bytes, signature: str | bytes | None) -> WebhookResponse:
        """Verify a request body, handle its event asynchronously and return the response."""
        event = self.construct_event(payload, signature)
        if isinstance(event, WebhookResponse):
            return event
        try:
            if self.inbox is None:
                await self.handlers.adispatch(event)
                return OK
            return _RESPONSES[await self.inbox.aprocess(event, self.handlers.adispatch)]
        except Exception as error:
            logger.exception("failed to handle %s (%s): %s", event.type, event.id, type(error).__name__)
            return FAILED
