"""Files of fixtures, in the format of Stripe's CLI: requests that fill an account.

https://docs.stripe.com/cli/fixtures
"""

from __future__ import annotations

import json
import os
import re
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from pathlib import Path

from pinstripe import form
from pinstripe.emulator.server.requests import Request
from pinstripe.emulator.server.responses import Response
from pinstripe.emulator.state.json_values import JSON, Object
from pinstripe.errors import InvalidArgumentError

QUERY = re.compile(r"\$\{([^:|}]+)(?::([^|}]+))?(?:\|([^}]*))?\}")
"""A reference such as ``${customer:id}``, ``${customer:address.city|Paris}`` or ``${.env:EMAIL}``."""
GENERATED: Mapping[str, Callable[[], str]] = {
    "generate-uuid": lambda: str(uuid.uuid4()),
    "time-now-RFC3339": lambda: datetime.now(timezone.utc).isoformat(timespec="seconds"),
}


def read_fixtures(path: str | Path) -> list[Object]:
    """Return the requests of a file; raise `InvalidArgumentError` for a file of another format."""
    try:
        content = json.loads(Path(path).read_bytes())
    except ValueError as error:
        raise InvalidArgumentError(f"{path} is not JSON: {error}", param="fixtures") from None
    fixtures = content.get("fixtures") if isinstance(content, dict) else None
    if not isinstance(fixtures, list) or any(not {"name", "path", "method"} <= fixture.keys() for fixture in fixtures):
        raise InvalidArgumentError(
            f"{path} has no list of fixtures, each with name, path and method: https://docs.stripe.com/cli/fixtures",
            param="fixtures",
        )
    return fixtures


def run_fixtures(fixtures: list[Object], api_key: str, handle: Callable[[Request], Response]) -> None:
    """Send the requests of fixtures; raise `InvalidArgumentError` for one that fails and is not expected to."""
    responses: dict[str, JSON] = {}
    for fixture in fixtures:
        response = handle(_request(fixture, api_key, responses))
        responses[fixture["name"]] = body = json.loads(response.body)
        if response.status >= 400 and body["error"]["type"] != fixture.get("expected_error_type"):
            raise InvalidArgumentError(f"The fixture {fixture['name']} failed: {body['error']['message']}")


def _request(fixture: Object, api_key: str, responses: Mapping[str, JSON]) -> Request:
    verb, path = fixture["method"].upper(), _resolve(fixture["path"], responses)
    params = _resolve(fixture.get("params") or {}, responses)
    headers: dict[str, str] = {
        "authorization": f"Bearer {api_key}",
        "content-type": "application/x-www-form-urlencoded",
    }
    if "idempotency_key" in fixture:
        headers["idempotency-key"] = _resolve(fixture["idempotency_key"], responses)
    for name, value in (fixture.get("headers") or {}).items():
        headers[name.lower()] = _resolve(value, responses)
    if verb != "POST":
        return Request(verb, path, form.encode(params), headers, b"")
    if path.startswith("/v2/"):
        return Request(verb, path, "", {**headers, "content-type": "application/json"}, json.dumps(params).encode())
    return Request(verb, path, "", headers, form.encode(params).encode())


def _resolve(value: JSON, responses: Mapping[str, JSON]) -> JSON:
    """Return a value with its references replaced."""
    if isinstance(value, dict):
        return {name: _resolve(item, responses) for name, item in value.items()}
    if isinstance(value, list):
        return [_resolve(item, responses) for item in value]
    if isinstance(value, str):
        return QUERY.sub(lambda match: _referenced(match, responses), value)
    return value


def _referenced(match: re.Match[str], responses: Mapping[str, JSON]) -> str:
    name, path, default = match.groups()
    if name in GENERATED:
        return GENERATED[name]()
    if name == ".env":
        return os.environ.get(path) or default or ""
    if name not in responses or path is None:
        raise InvalidArgumentError(f"{match[0]} refers to no fixture before it.", param="fixtures")
    value = responses[name]
    for step in path.split("."):
        if isinstance(value, list):
            value = value[int(step)] if step.isdigit() and int(step) < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    text = value if isinstance(value, str) or value is None else json.dumps(value)
    return text or default or ""
