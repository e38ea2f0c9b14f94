"""Beyond one machine: a real Redis broker, two worker processes, one of them killed in the middle of a thousand events."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

from pinstripe.integrations.asgi import webhook_app
from pinstripe.testing import SECRET, Delivery, deliver, delivery
from tests.webhooks.servers import postgresql_server, redis_server

ROOT = Path(__file__).parents[2]
EVENTS = 1000
LIMIT = 120.0
"""Seconds after which the test gives up."""


def start(name: str, environment: dict[str, str], stack: ExitStack) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "tests.webhooks.worker",
        "worker",
        "--pool",
        "solo",
        "-n",
        f"{name}@test",
    ]
    options = ["--loglevel", "WARNING", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    process = subprocess.Popen(
        [*command, *options], cwd=ROOT, env=environment, text=True, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    stack.callback(process.wait)
    stack.callback(process.kill)
    return process


def count(database: str) -> tuple[int, int, set[int]]:
    """How many effects there are, of how many events, by which workers."""
    with psycopg.connect(database) as connection:
        rows = connection.execute("select event_id, worker from effects").fetchall()
    return len(rows), len({row[0] for row in rows}), {row[1] for row in rows}


def wait_until(happened: Callable[[], bool], client: redis.Redis) -> None:
    """Look again whenever the broker has nothing to tell; it blocks instead of sleeping."""
    for _ in range(int(LIMIT / 0.2)):
        if happened():
            return
        client.blpop(["nothing is ever here"], timeout=0.2)
    pytest.fail("it did not happen in time")


def test_a_thousand_events_survive_a_killed_worker_and_take_effect_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as stack:
        url = stack.enter_context(redis_server())
        database = stack.enter_context(postgresql_server())
        if url is None or database is None:
            pytest.skip("redis or postgresql is not on this machine")
        with psycopg.connect(database) as connection:
            connection.execute("create table effects (event_id text, worker integer)")
        ours = {
            "PINSTRIPE_TEST_FOLDER": str(tmp_path),
            "PINSTRIPE_TEST_BROKER": url,
            "PINSTRIPE_TEST_DATABASE": database,
        }
        for name, value in ours.items():
            monkeypatch.setenv(name, value)
        from tests.webhooks.worker import queue  # here, since it reads the environment

        client = stack.enter_context(closing(redis.Redis.from_url(url)))
        app = webhook_app(queue, SECRET)
        made: list[Delivery] = [
            delivery("invoice.paid", {"amount_paid": number}, id=f"evt_{number}") for number in range(EVENTS)
        ]
        workers = [start(name, {**os.environ, **ours}, stack) for name in ("first", "second")]
        for number, one in enumerate(made):
            assert deliver(one, app).status_code == 200
            if number % 10 == 0:  # Stripe delivers at least once
                assert deliver(one, app).status_code == 200
        wait_until(lambda: any(worker.poll() == -signal.SIGKILL for worker in workers), client)
        wait_until(lambda: count(database)[1] == EVENTS and _is_idle(client), client)
        effects, events, by = count(database)
        assert (effects, events) == (EVENTS, EVENTS)
        assert len(by) == 2
        assert [worker.poll() for worker in workers].count(None) == 1
        again: Any = deliver(made[0], app)  # Any: a response
        assert again.status_code == 200
        wait_until(lambda: _is_idle(client), client)
        assert count(database)[0] == EVENTS


def _is_idle(client: redis.Redis) -> bool:
    """Nothing waits, and nothing is on its way to a worker."""
    return not client.llen("celery") and not client.hlen("unacked")
