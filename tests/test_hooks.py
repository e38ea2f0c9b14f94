"""Hooks and logs of calls, and ``PINSTRIPE_LOG``."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
from typing import Any

import httpx
import pytest

import pinstripe
from pinstripe.hooks import RequestInfo, ResponseInfo, RetryInfo

CUSTOMER = {"id": "cus_1", "object": "customer", "created": 1, "livemode": False}
OK = httpx.Response(200, json=CUSTOMER, headers={"request-id": "req_2", "idempotent-replayed": "true"})


@pytest.fixture(autouse=True)
def no_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pinstripe._retry.INITIAL_DELAY", 0.0)


def transport(*outcomes: httpx.Response | Exception) -> httpx.MockTransport:
    remaining = list(outcomes)

    def handle(request: httpx.Request) -> httpx.Response:
        outcome = remaining.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return httpx.Response(outcome.status_code, headers=outcome.headers, content=outcome.content)

    return httpx.MockTransport(handle)


def run(kind: str, outcomes: list[httpx.Response | Exception], **options: Any) -> None:  # Any: those of a client
    """Create a customer with a client of this kind."""
    if kind == "sync":
        client = pinstripe.Client("sk_test_x", http_client=httpx.Client(transport=transport(*outcomes)), **options)
        client.customers.create(email="private@b.c", request_options={"stripe_account": "acct_1"})
        return

    async def run_async() -> None:
        http_client = httpx.AsyncClient(transport=transport(*outcomes))
        client = pinstripe.AsyncClient("sk_test_x", http_client=http_client, **options)
        await client.customers.create(email="private@b.c", request_options={"stripe_account": "acct_1"})

    asyncio.run(run_async())


FAILED = httpx.Response(503, json={}, headers={"request-id": "req_1"})


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_the_hooks_see_each_attempt_and_each_retry(kind: str) -> None:
    seen: list[Any] = []  # Any: infos of three types
    hooks: dict[str, Any] = dict.fromkeys(("on_request", "on_response", "on_retry"), seen.append)  # Any: hooks
    run(kind, [httpx.ReadError("cut"), FAILED, OK], **hooks)
    assert [type(info) for info in seen] == [
        RequestInfo,
        ResponseInfo,
        RetryInfo,
        RequestInfo,
        ResponseInfo,
        RetryInfo,
        RequestInfo,
        ResponseInfo,
    ]
    first: RequestInfo = seen[0]
    assert (first.operation, first.verb, first.path, first.attempt) == ("customers.create", "POST", "/v1/customers", 1)
    assert (first.stripe_account, first.stripe_context) == ("acct_1", None)
    assert first.api_version == pinstripe.API_VERSION
    assert first.idempotency_key
    assert {info.idempotency_key for info in seen if isinstance(info, RequestInfo)} == {first.idempotency_key}
    cut, failed, ok = (info for info in seen if isinstance(info, ResponseInfo))
    assert cut.status_code is None
    assert "cut" in (cut.error or "")
    assert (failed.status_code, failed.request_id, failed.replayed) == (503, "req_1", False)
    assert (ok.status_code, ok.request_id, ok.replayed, ok.error) == (200, "req_2", True, None)
    assert ok.elapsed >= 0
    assert ok.request.attempt == 3
    retries = [info for info in seen if isinstance(info, RetryInfo)]
    assert [retry.reason for retry in retries][1] == "status 503"
    assert [retry.request.attempt for retry in retries] == [1, 2]
    assert "private" not in repr(seen)
    assert "sk_test" not in repr(seen)


def test_a_hook_that_raises_does_not_lose_the_response(caplog: pytest.LogCaptureFixture) -> None:
    def fail(info: object) -> None:
        raise RuntimeError("the hook is broken")

    run("sync", [OK], on_request=fail, on_response=fail)
    assert len([record for record in caplog.records if "hook" in record.getMessage()]) == 2
    assert "the hook is broken" in caplog.text


def test_with_options_changes_a_hook() -> None:
    seen: list[object] = []
    client = pinstripe.Client(
        "sk_test_x", http_client=httpx.Client(transport=transport(OK, OK)), on_response=seen.append
    )
    client.with_options(on_response=None).customers.create()
    assert seen == []
    client.customers.create()
    assert len(seen) == 1


async def coroutine_function(info: object) -> None: ...


@pytest.mark.parametrize("hook", [coroutine_function, "x"])
@pytest.mark.parametrize("name", ["on_request", "on_response", "on_retry", "on_drift"])
def test_a_hook_must_be_a_plain_function(name: str, hook: Any) -> None:  # Any: the mistake
    with pytest.raises(pinstripe.InvalidArgumentError, match=name):
        pinstripe.Client("sk_test_x", **{name: hook})


def test_a_retry_is_logged_with_its_reason_and_delay(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "pinstripe")
    run("sync", [httpx.ReadError("cut"), FAILED, OK])
    first, second = (record for record in caplog.records if record.name == "pinstripe")
    assert first.levelname == "INFO"
    assert "POST /v1/customers: retrying in " in first.getMessage()
    assert "cut" in first.getMessage()
    assert "after status 503" in second.getMessage()
    assert "private" not in caplog.text


def test_a_call_logs_nothing_unless_it_is_retried(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "pinstripe")
    run("sync", [OK])
    assert [record for record in caplog.records if record.name == "pinstripe"] == []


PROGRAM = f"""
import httpx, pinstripe
body = {json.dumps(json.dumps(CUSTOMER))}
responses = [httpx.Response(503, headers={{"retry-after": "0.001"}}), httpx.Response(200, content=body)]
transport = httpx.MockTransport(lambda request: responses.pop(0))
pinstripe._retry.INITIAL_DELAY = 0.0
pinstripe.Client("sk_test_x", http_client=httpx.Client(transport=transport)).customers.create(email="private@b.c")
"""


@pytest.mark.parametrize(
    ("level", "expected"),
    [("", []), ("info", ["retrying"]), ("DEBUG", ["503", "retrying", "200"]), ("loud", ["it may be info or debug"])],
)
def test_pinstripe_log_writes_to_stderr(level: str, expected: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.replace("import httpx, pinstripe", "import httpx, pinstripe, pinstripe._retry")],
        env={**os.environ, "PINSTRIPE_LOG": level},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = done.stderr.splitlines()
    assert len(lines) == len(expected)
    for line, text in zip(lines, expected, strict=True):
        assert text in line
    assert "private" not in done.stderr
