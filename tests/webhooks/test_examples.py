"""The examples of webhooks, each under a real server of its own, over a real socket."""

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

from pinstripe.testing import deliver, delivery
from tests.webhooks.servers import free_port, redis_server

ROOT = Path(__file__).parents[2]
PYTHON = sys.executable
SERVERS = {
    "fastapi": (
        [PYTHON, "-m", "uvicorn", "--log-level", "warning", "--port"],
        "/webhooks/stripe/",
    ),
    "flask": (
        [PYTHON, "-m", "waitress", "--host=127.0.0.1", "--port"],
        "/webhooks/stripe",
    ),
    "django": ([PYTHON, "examples/webhooks_django.py", "runserver", "--noreload"], "/webhooks/stripe"),
}


@contextmanager
def running(command: list[str], **environment: str) -> Iterator[subprocess.Popen[str]]:
    full = {**os.environ, "PYTHONUNBUFFERED": "1", **environment}
    with subprocess.Popen(
        command, cwd=ROOT, env=full, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def connected(port: int, process: subprocess.Popen[str]) -> None:
    """Try until the server listens; each try takes the kernel's time, not a clock's."""
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            continue
        return
    pytest.fail("the server ended: " + (process.stdout.read() if process.stdout else ""))


def said(process: subprocess.Popen[str], text: str) -> bool:
    """Read what a process prints until it says something."""
    assert process.stdout is not None
    return any(text in line for line in process.stdout)


@pytest.mark.parametrize("name", SERVERS)
def test_an_example_receives_handles_and_remembers(name: str, tmp_path: Path) -> None:
    command, path = SERVERS[name]
    port = free_port()
    if name == "django":
        command = [*command, f"127.0.0.1:{port}"]
    else:  # the application comes last
        command = [*command[:-1], f"--port={port}", f"examples.webhooks_{name}:app"]
    with running(command, INBOX=str(tmp_path / "inbox.sqlite")) as process:
        connected(port, process)
        url = f"http://127.0.0.1:{port}{path}"
        made = delivery("invoice.paid", {"amount_paid": 2900, "currency": "eur"})
        assert deliver(made, url).text == "ok"
        assert deliver(made, url).text == "already processed"
        assert deliver(delivery("invoice.paid", secret="whsec_other"), url).status_code == 400
        assert httpx.get(url).status_code == 405
        if name == "fastapi":
            assert deliver(made, f"http://127.0.0.1:{port}/webhooks/raw").json() == {"type": "invoice.paid"}
        assert said(process, "paid 2900 eur")


def test_the_celery_example_answers_at_once_and_a_worker_handles() -> None:
    with redis_server() as broker:
        if broker is None:
            pytest.skip("redis is not on this machine")
        port = free_port()
        worker = [PYTHON, "-m", "celery", "-A", "examples.webhooks_celery", "worker", "--pool", "solo"]
        server = [
            PYTHON,
            "-m",
            "uvicorn",
            "--log-level",
            "warning",
            "examples.webhooks_celery:receiver",
            f"--port={port}",
        ]
        with running(worker, BROKER=broker) as working, running(server, BROKER=broker) as serving:
            connected(port, serving)
            made = delivery("invoice.paid", {"amount_paid": 2900, "currency": "eur"})
            assert deliver(made, f"http://127.0.0.1:{port}/").text == "ok"
            assert said(working, "paid 2900 eur")
