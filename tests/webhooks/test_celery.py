"""Celery with a real Redis broker and two worker processes, one of which is killed while it handles an event."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

import psycopg
import pytest
import redis

from pinstripe.integrations.asgi import webhook_app
from pinstripe.testing import SECRET, SignedRequest, deliver, signed_request
from tests.webhooks.servers import postgresql_server, redis_server

ROOT = Path(__file__).parents[2]
EVENTS = 1000
TIMEOUT = 120.0
"""Seconds after which the test fails."""
POLL_INTERVAL = 0.2


def start_worker(name: str, environment: dict[str, str], stack: ExitStack) -> subprocess.Popen[str]:
    command = f"-m celery -A tests.webhooks.worker worker --pool solo -n {name}@test --loglevel WARNING".split()
    command += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment,
        text=True,
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    stack.callback(process.wait)
    stack.callback(process.kill)
    return process


def count_effects(database: str) -> tuple[int, int, set[int]]:
    """Return the number of rows, the number of events in them and the workers that wrote them."""
    with psycopg.connect(database) as connection:
        rows = connection.execute("select event_id, worker from effects").fetchall()
    return len(rows), len({row[0] for row in rows}), {row[1] for row in rows}


def wait_until(condition: Callable[[], bool], client: redis.Redis) -> None:
    """Check a condition until it holds; between checks, block on an empty Redis list."""
    for _ in range(int(TIMEOUT / POLL_INTERVAL)):
        if condition():
            return
        client.blpop(["always empty"], timeout=POLL_INTERVAL)
    pytest.fail(f"the condition did not hold within {TIMEOUT:g} seconds")


def test_thousand_events_take_effect_once_although_a_worker_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as stack:
        url = stack.enter_context(redis_server())
        database = stack.enter_context(postgresql_server())
        if url is None or database is None:
            pytest.skip("redis or postgresql is not installed")
        with psycopg.connect(database) as connection:
            connection.execute("create table effects (event_id text, worker integer)")
        variables = {
            "PINSTRIPE_TEST_FOLDER": str(tmp_path),
            "PINSTRIPE_TEST_BROKER": url,
            "PINSTRIPE_TEST_DATABASE": database,
        }
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        from tests.webhooks.worker import queue  # imported here because it reads the environment

        client = stack.enter_context(closing(redis.Redis.from_url(url)))
        app = webhook_app(queue, SECRET)
        requests: list[SignedRequest] = [
            signed_request("invoice.paid", {"amount_paid": number}, id=f"evt_{number}") for number in range(EVENTS)
        ]
        workers = [start_worker(name, {**os.environ, **variables}, stack) for name in ("first", "second")]
        for number, request in enumerate(requests):
            assert deliver(request, app).status_code == 200
            if number % 10 == 0:  # Stripe may deliver an event twice
                assert deliver(request, app).status_code == 200
        wait_until(lambda: any(worker.poll() == -signal.SIGKILL for worker in workers), client)
        wait_until(lambda: count_effects(database)[1] == EVENTS and _is_idle(client), client)
        effects, events, writers = count_effects(database)
        assert (effects, events) == (EVENTS, EVENTS)
        assert len(writers) == 2
        assert [worker.poll() for worker in workers].count(None) == 1
        assert deliver(requests[0], app).status_code == 200
        wait_until(lambda: _is_idle(client), client)
        assert count_effects(database)[0] == EVENTS


def _is_idle(client: redis.Redis) -> bool:
    """Return whether no task is queued or assigned to a worker."""
    return not client.llen("celery") and not client.hlen("unacked")
