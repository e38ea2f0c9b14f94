"""The webhook examples, each on a real server."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from pinstripe.testing import deliver, signed_request
from tests.webhooks.servers import free_port, redis_server

ROOT = Path(__file__).parents[2]
SERVERS = {
    "fastapi": ("-m uvicorn --log-level warning --port={port} examples.webhooks_fastapi:app", "/webhooks/stripe/"),
    "flask": ("-m waitress --host=127.0.0.1 --port={port} examples.webhooks_flask:app", "/webhooks/stripe"),
    "django": ("examples/webhooks_django.py runserver --noreload 127.0.0.1:{port}", "/webhooks/stripe"),
}


@contextmanager
def running(arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """Run Python with these arguments and yield the process."""
    with subprocess.Popen(
        [sys.executable, *arguments.split()],
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for_port(port: int, process: subprocess.Popen[str]) -> None:
    """Connect until the server listens; fail if it exits."""
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            continue
        return
    pytest.fail("the server exited: " + (process.stdout.read() if process.stdout else ""))


def wait_for_output(process: subprocess.Popen[str], text: str) -> bool:
    """Read the output of a process until it contains a text; return False if it ends before."""
    assert process.stdout is not None
    return any(text in line for line in process.stdout)


@pytest.mark.parametrize("name", SERVERS)
def test_example_handles_each_event_once(name: str, tmp_path: Path) -> None:
    command, path = SERVERS[name]
    port = free_port()
    with running(command.format(port=port), INBOX=str(tmp_path / "inbox.sqlite")) as process:
        wait_for_port(port, process)
        url = f"http://127.0.0.1:{port}{path}"
        request = signed_request("invoice.paid", {"amount_paid": 2900, "currency": "eur"})
        assert deliver(request, url).text == "ok"
        assert deliver(request, url).text == "already processed"
        assert deliver(signed_request("invoice.paid", secret="whsec_other"), url).status_code == 400
        assert httpx.get(url).status_code == 405
        if name == "fastapi":
            assert deliver(request, f"http://127.0.0.1:{port}/webhooks/raw").json() == {"type": "invoice.paid"}
        assert wait_for_output(process, "paid 2900 eur")


def test_celery_example_responds_before_a_worker_handles_the_event() -> None:
    with redis_server() as broker:
        if broker is None:
            pytest.skip("redis is not installed")
        port = free_port()
        worker_command = "-m celery -A examples.webhooks_celery worker --pool solo"
        server_command = f"-m uvicorn --log-level warning --port={port} examples.webhooks_celery:receiver"
        with running(worker_command, BROKER=broker) as worker, running(server_command, BROKER=broker) as server:
            wait_for_port(port, server)
            request = signed_request("invoice.paid", {"amount_paid": 2900, "currency": "eur"})
            assert deliver(request, f"http://127.0.0.1:{port}/").text == "ok"
            assert wait_for_output(worker, "paid 2900 eur")
