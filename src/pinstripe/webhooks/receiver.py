"""What every receiver does, without I/O of its own: judge a delivery, and say what to answer.

400 for a wrong signature or what is no event, 405 for anything but POST, 413 for a body over the limit, 409 while another
delivery of the event is being handled, 500 where a handler failed (Stripe sends the event again), 200 for everything else.
Answers say nothing about the secret or the payload. https://docs.stripe.com/webhooks
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pinstripe import webhooks
from pinstripe.errors import InvalidArgumentError, ResponseValidationError, SignatureVerificationError
from pinstripe.webhooks.signature import TOLERANCE

if TYPE_CHECKING:
    from pinstripe.events import AnyEvent, AnyNotification
    from pinstripe.webhooks.handlers import Dispatcher
    from pinstripe.webhooks.inbox import Once

__all__ = ["MAX_BODY", "Reply", "Receiver"]

logger: logging.Logger = logging.getLogger("pinstripe.webhooks")
MAX_BODY = 1024 * 1024
"""The largest body that is read, in bytes."""
HEADER = "stripe-signature"


@dataclass(frozen=True)
class Reply:
    """What to answer."""

    status: int
    text: str

    @property
    def body(self) -> bytes:
        """The text, to be sent."""
        return self.text.encode()

    @property
    def headers(self) -> dict[str, str]:
        """The headers that belong to it."""
        allow = {"Allow": "POST"} if self.status == 405 else {}
        return {"Content-Type": "text/plain; charset=utf-8", "Content-Length": str(len(self.body)), **allow}


OK = Reply(200, "ok")
DUPLICATE = Reply(200, "already processed")
BAD_SIGNATURE = Reply(400, "bad signature")
BAD_PAYLOAD = Reply(400, "not an event")
WRONG_METHOD = Reply(405, "use POST")
BUSY = Reply(409, "being processed")
TOO_LARGE = Reply(413, "too large")
FAILED = Reply(500, "handler failed")


@dataclass(frozen=True)
class Receiver:
    """One webhook endpoint: whose handlers it runs, and which secrets it takes (several while one is rotated, or for Connect)."""

    handlers: Dispatcher
    secret: str | Iterable[str]
    tolerance: float | None = TOLERANCE
    max_body: int = MAX_BODY
    inbox: Once | None = None

    def __post_init__(self) -> None:
        secrets = (self.secret,) if isinstance(self.secret, str) else tuple(self.secret)
        if not secrets or not all(isinstance(one, str) and one.strip() for one in secrets):
            raise InvalidArgumentError("secret: pass the endpoint's secret (whsec_...), or several.", param="secret")
        object.__setattr__(self, "secret", secrets)

    def __repr__(self) -> str:
        return f"<Receiver of {self.handlers!r}>"

    def refuse(self, method: str, content_length: str | None) -> Reply | None:
        """What can be said before the body is read."""
        if method != "POST":
            return WRONG_METHOD
        return (
            TOO_LARGE if content_length and content_length.isdigit() and int(content_length) > self.max_body else None
        )

    def open(self, payload: bytes, signature: str | bytes | None) -> AnyEvent | AnyNotification | Reply:
        """The verified event in a body, or what to answer instead."""
        if len(payload) > self.max_body:
            return TOO_LARGE
        try:
            webhooks.verify(payload, signature, self.secret, self.tolerance)
            return webhooks.read(payload)
        except SignatureVerificationError as error:
            logger.warning("refused a webhook: %s", error)
            return BAD_SIGNATURE
        except ResponseValidationError as error:
            logger.warning("refused a webhook: %s", error)
            return BAD_PAYLOAD

    def receive(self, payload: bytes, signature: str | bytes | None) -> Reply:
        """Verify a delivery, handle its event, and say what to answer."""
        event = self.open(payload, signature)
        if isinstance(event, Reply):
            return event
        try:
            if self.inbox is None:
                self.handlers.dispatch(event)
                return OK
            return _REPLIES[self.inbox.process(event, self.handlers.dispatch)]
        except Exception:
            logger.exception("a handler of %s failed (%s)", event.type, event.id)
            return FAILED

    async def areceive(self, payload: bytes, signature: str | bytes | None) -> Reply:
        """The same, awaiting."""
        event = self.open(payload, signature)
        if isinstance(event, Reply):
            return event
        try:
            if self.inbox is None:
                await self.handlers.adispatch(event)
                return OK
            return _REPLIES[await self.inbox.aprocess(event, self.handlers.adispatch)]
        except Exception:
            logger.exception("a handler of %s failed (%s)", event.type, event.id)
            return FAILED


_REPLIES = {"processed": OK, "duplicate": DUPLICATE, "busy": BUSY}
