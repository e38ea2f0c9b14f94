"""Flask blueprint that receives webhooks: ``app.register_blueprint(webhook_blueprint(handlers, secret))``."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Blueprint, Response, request

from pinstripe.integrations.wsgi import handle_request
from pinstripe.webhooks.inbox import EventProcessor
from pinstripe.webhooks.receiver import MAX_BODY, Dispatcher, Receiver
from pinstripe.webhooks.signature import TOLERANCE, mask_secrets

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
    inbox: EventProcessor | None = None,
) -> Blueprint:
    """Return a blueprint with one webhook endpoint at ``url``; several blueprints need different names.

    The other arguments are those of `pinstripe.integrations.asgi.webhook_app`.
    """
    secret = mask_secrets(secret)
    receiver = Receiver(handlers, secret, tolerance, max_body, inbox)
    blueprint = Blueprint(name, __name__)

    @blueprint.route(url, methods=METHODS, provide_automatic_options=False)
    def receive() -> Response:
        response = handle_request(receiver, request.environ)
        return Response(response.body, response.status, response.headers)

    return blueprint
