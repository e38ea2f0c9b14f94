"""A Flask blueprint that receives webhooks: ``app.register_blueprint(webhook_blueprint(handlers, secret))``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Blueprint, Response, request

from pinstripe.integrations.wsgi import answer
from pinstripe.webhooks.receiver import MAX_BODY, Receiver
from pinstripe.webhooks.signature import TOLERANCE

if TYPE_CHECKING:
    from pinstripe.webhooks.handlers import Dispatcher
    from pinstripe.webhooks.inbox import Once

__all__ = ["webhook_blueprint"]

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def webhook_blueprint(
    handlers: Dispatcher,
    secret: str | Iterable[str],
    *,
    url: str = "/webhooks/stripe",
    name: str = "pinstripe_webhooks",
    tolerance: float | None = TOLERANCE,
    max_body: int = MAX_BODY,
    inbox: Once | None = None,
) -> Blueprint:
    """A blueprint with one webhook endpoint at ``url``; give each of several its own ``name``.

    The other arguments are those of `pinstripe.integrations.asgi.webhook_app`.
    """
    receiver = Receiver(handlers, secret, tolerance, max_body, inbox)
    blueprint = Blueprint(name, __name__)

    @blueprint.route(url, methods=METHODS, provide_automatic_options=False)
    def receive() -> Response:
        reply = answer(receiver, request.environ)
        return Response(reply.body, reply.status, reply.headers)

    return blueprint
