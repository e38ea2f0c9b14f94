"""The webhook examples, each on a real server, at the URLs that they print."""

from __future__ import annotations

import ast
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from pinstripe.emulator import Emulator
from pinstripe.testing import deliver, signed_request
from tests.webhooks.servers import free_port, redis_server

ROOT = Path(__file__).parents[2]
SERVERS = {
    "fastapi": "-m uvicorn --log-level warning --port={port} examples.webhooks_fastapi:app",
    "flask": "-m waitress --host=127.0.0.1 --port={port} examples.webhooks_flask:app",
    "django": "examples/webhooks_django.py runserver --noreload 127.0.0.1:{port}",
}


def urls_of(example: str, port: int) -> list[str]:
    """Return the URLs in the docstring of an example, at this port."""
    text = (ROOT / f"examples/webhooks_{example}.py").read_text()
    return re.findall(r"http://\S+", (ast.get_docstring(ast.parse(text)) or "").replace(":8000", f":{port}"))


def pay_an_invoice(emulator: Emulator) -> None:
    """Let the emulator deliver an ``invoice.paid``, and wait for the responses."""
    client = emulator.client()
    customer = client.customers.create()
    invoice = client.invoices.create(customer=customer.id, currency="eur")
    client.invoice_items.create(customer=customer.id, invoice=invoice.id, amount=2900, currency="eur")
    method = client.payment_methods.attach("pm_card_visa", customer=customer.id)
    client.invoices.pay(invoice.id, payment_method=method.id)
    emulator.settle()


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
def test_example_handles_each_event_once(name: str, tmp_path: Path, stripe_emulator: Emulator) -> None:
    port = free_port()
    url, *others = urls_of(name, port)
    create = stripe_emulator.client().webhook_endpoints.create
    secret = create(url=url, enabled_events=["invoice.paid"]).secret
    assert secret is not None
    environment = {"INBOX": str(tmp_path / "inbox.sqlite"), "STRIPE_WEBHOOK_SECRET": secret}
    with running(SERVERS[name].format(port=port), **environment) as process:
        wait_for_port(port, process)
        pay_an_invoice(stripe_emulator)
        (delivery,) = stripe_emulator.deliveries
        assert (delivery.status, delivery.attempts) == (200, 1)
        request = signed_request("invoice.paid", {"amount_paid": 500, "currency": "eur"}, secret=secret)
        assert deliver(request, url).text == "ok"
        assert deliver(request, url).text == "already processed"
        assert deliver(signed_request("invoice.paid", secret="whsec_other"), url).status_code == 400
        assert httpx.get(url).status_code == 405
        for other in others:
            assert deliver(request, other).json() == {"type": "invoice.paid"}
        assert wait_for_output(process, "paid 2900 eur")
        assert wait_for_output(process, "paid 500 eur")


def test_celery_example_responds_before_a_worker_handles_the_event(stripe_emulator: Emulator) -> None:
    with redis_server() as broker:
        if broker is None:
            pytest.skip("redis is not installed")
        port = free_port()
        (url,) = urls_of("celery", port)
        secret = stripe_emulator.client().webhook_endpoints.create(url=url, enabled_events=["invoice.paid"]).secret
        assert secret is not None
        worker_command = "-m celery -A examples.webhooks_celery worker --pool solo"
        server_command = f"-m uvicorn --log-level warning --port={port} examples.webhooks_celery:receiver"
        environment = {"BROKER": broker, "STRIPE_WEBHOOK_SECRET": secret}
        with running(worker_command, **environment) as worker, running(server_command, **environment) as server:
            wait_for_port(port, server)
            pay_an_invoice(stripe_emulator)
            assert [delivery.status for delivery in stripe_emulator.deliveries] == [200]
            assert wait_for_output(worker, "paid 2900 eur")
