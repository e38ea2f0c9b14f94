"""Webhook endpoints. https://docs.stripe.com/api/webhook_endpoints"""

from __future__ import annotations

from pinstripe.emulator.generic import life
from pinstripe.emulator.refusal import Refusal
from pinstripe.emulator.world import Ask, Object


@life("webhook_endpoints.create")
def create(ask: Ask) -> Object:
    """A webhook endpoint; its secret is in this answer only."""
    world, params = ask.world, ask.params
    if not params["url"].startswith(("http://", "https://")):
        raise Refusal(
            "Invalid URL: a webhook endpoint's begins with http:// or https://", code="url_invalid", param="url"
        )
    endpoint = world.make("webhook_endpoint", params, status="enabled")
    secret = world.hidden[endpoint["id"]] = world.new_id("webhook_secret")
    return {**endpoint, "secret": secret}


@life("webhook_endpoints.update")
def update(ask: Ask) -> Object:
    """Change a webhook endpoint, or disable it."""
    params = dict(ask.params)
    endpoint = ask.world.get("webhook_endpoint", ask.target)
    fields: Object = {"status": "disabled" if params.pop("disabled") else "enabled"} if "disabled" in params else {}
    return ask.world.update(endpoint, params, **fields)
