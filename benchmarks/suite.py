"""The benchmarks: each does the same work with pinstripe and with a reference, mostly the official package."""

from __future__ import annotations

import contextlib
import json
import logging
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import stripe
from stripe._encode import _api_encode

import pinstripe
from benchmarks.measure import (
    Result,
    best_of_rounds,
    compare,
    cpu_seconds_per_call,
    seconds_in_process,
    seconds_of_process,
    seconds_per_call,
)
from pinstripe import webhooks
from pinstripe._base import ListObject
from pinstripe._decoding import decode_as
from pinstripe.emulator import Emulator
from pinstripe.form import encode
from pinstripe.models import Subscription

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "tests" / "samples"
SUBSCRIPTION = json.loads((SAMPLES / "subscription.json").read_text())
DRIFTING = {key: value for key, value in SUBSCRIPTION.items() if key not in ("billing_mode", "collection_method")}
NEW_VALUE = {**SUBSCRIPTION, "status": "hibernating"}


def event(subscription: dict[str, Any], api_version: str) -> str:  # Any: JSON
    """Return the JSON of an event about a subscription."""
    fields = {"type": "customer.subscription.updated", "api_version": api_version, "data": {"object": subscription}}
    return json.dumps({**json.loads((SAMPLES / "event.json").read_text()), **fields})


def page(subscriptions: list[dict[str, Any]]) -> str:  # Any: JSON
    """Return the JSON of a page of subscriptions."""
    return json.dumps({"object": "list", "data": subscriptions, "has_more": False, "url": "/v1/subscriptions"})


PAGE = page([SUBSCRIPTION] * 100)
NESTED = {
    "customer": "cus_1",
    "items": [{"price": f"price_{n}", "quantity": n, "metadata": {"a": "b c", "d": "é"}} for n in range(5)],
    "payment_settings": {
        "payment_method_options": {"card": {"request_three_d_secure": "any"}},
        "save_default_payment_method": "off",
    },
    "metadata": {"user.id": "1", "note": "a & b"},
    "off_session": True,
    "expand": ["latest_invoice", "customer"],
}
SECRET = "whsec_benchmark"


def importing() -> Iterator[Result]:
    """Import the package and create a client."""
    ours = seconds_in_process("import pinstripe; pinstripe.Client('sk_test_x')")
    yield compare(
        "import and create a client", ours, seconds_in_process("import stripe; stripe.StripeClient('sk_test_x')"), 0.35
    )


def testing() -> Iterator[Result]:
    """Run pytest in a project that does not use pinstripe, with its plugin and without."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_one.py").write_text("def test_one():\n    pass\n")
        start = (
            "import os; os.environ['PYTEST_DISABLE_PLUGIN_AUTOLOAD'] = '1'; import pytest;"
            f"pytest.main(['-q', '-p', 'no:cacheprovider', '--rootdir', {folder!r}, {folder!r}"
        )
        ours, without = (
            seconds_of_process(f"{start}{plugin}])") for plugin in (", '-p', 'pinstripe.testing.plugin'", "")
        )
        yield compare("pytest of a project without pinstripe", ours, without, 1.05)


def first_response() -> Iterator[Result]:
    """Start a process and make a call over a real socket."""
    with Emulator(seed=1) as emulator, emulator.serve() as url:
        customer = emulator.client().customers.create(email="a@b.c").id
        # httpcore imports trio wherever it is installed, as for our tests; few users have it.
        ours = (
            "import sys; sys.modules['trio'] = None;"
            f"import pinstripe; client = pinstripe.Client('sk_test_x', base_url={url!r});"
            f"client.customers.retrieve({customer!r}).email"
        )
        official = (
            f"import stripe; client = stripe.StripeClient('sk_test_x', base_addresses={{'api': {url!r}}});"
            f"client.v1.customers.retrieve({customer!r}).email"
        )
        name = "first typed response, from process start"
        yield compare(name, seconds_of_process(ours), seconds_of_process(official), 1.2)


def decoding() -> Iterator[Result]:
    """Decode 100 subscriptions from JSON to validated models."""
    target: Any = ListObject[Subscription]  # Any: a generic alias
    ours = cpu_seconds_per_call(lambda: decode_as(target, PAGE), 5)
    list_object: Any = stripe.ListObject  # Any: its constructor is not typed
    official = cpu_seconds_per_call(lambda: list_object.construct_from(json.loads(PAGE), "sk_test_x"), 1)
    plain = cpu_seconds_per_call(lambda: json.loads(PAGE), 5)
    best_ours, best_official, best_plain = best_of_rounds([ours, official, plain], 15)
    yield Result("100 subscriptions to models", best_ours, best_official, 1 / 12)
    yield Result("the same, relative to json.loads", best_ours, best_plain, 2.5)


def drifting() -> Iterator[Result]:
    """Decode subscriptions that do not match the API description, relative to those that do."""

    def decode(target: Any, content: str, calls: int) -> Callable[[], float]:  # Any: as in decoding
        return cpu_seconds_per_call(lambda: decode_as(target, content), calls)

    pages: Any = ListObject[Subscription]  # Any: a generic alias
    with quiet():
        yield compare(
            "one drifting subscription, relative to clean",
            decode(Subscription, json.dumps(DRIFTING), 200),
            decode(Subscription, json.dumps(SUBSCRIPTION), 200),
            1.5,
        )
        for name, subscriptions in {
            "100 drifting subscriptions, relative to clean": [DRIFTING] * 100,
            "new enum value in one of 100": [*[SUBSCRIPTION] * 99, NEW_VALUE],
            "new enum value in each of 100": [NEW_VALUE] * 100,
        }.items():
            yield compare(name, decode(pages, page(subscriptions), 5), decode(pages, PAGE, 5), 1.5, 15)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Disable logging."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


SERVER = """
import socket
head = b"HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\nRequest-Id: req_1\\r\\nContent-Length: %d\\r\\n\\r\\n"
response = head % len({body!r}) + {body!r}
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    connection, _ = listener.accept()
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        data = b""
        while True:
            while b"\\r\\n\\r\\n" not in data or len(data.partition(b"\\r\\n\\r\\n")[2]) < {length}:
                chunk = connection.recv(65536)
                if not chunk:
                    break
                data += chunk
            else:
                connection.sendall(response)
                data = b""
                continue
            break
"""


@contextlib.contextmanager
def server(body: bytes, length: int) -> Iterator[str]:
    """Run a server in another process that responds with this body to every request whose body has this length."""
    command = [sys.executable, "-c", SERVER.format(body=body, length=length)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.kill()


def calling() -> Iterator[Result]:
    """Make a call, compared with a raw httpx post of the same bytes."""
    customer = json.loads((SAMPLES / "customer.json").read_text())
    customer["invoice_settings"]["default_payment_method"] = "pm_1"
    body, sent = json.dumps(customer).encode(), encode({"email": "a@b.c", "metadata": {"a": "b"}}).encode()
    with contextlib.ExitStack() as stack:
        raw_url, our_url = (stack.enter_context(server(body, len(sent))) for _ in range(2))
        http, client = httpx.Client(), pinstripe.Client("sk_test_x", base_url=our_url)
        headers = {"Authorization": "Bearer sk_test_x", "Content-Type": "application/x-www-form-urlencoded"}
        headers |= {"Stripe-Version": pinstripe.API_VERSION, "Idempotency-Key": "1fb8e2ce-0d4b-4f8a-b5a9-5f39c5b0c0a1"}
        raw = seconds_per_call(lambda: http.post(f"{raw_url}/v1/customers", content=sent, headers=headers).read(), 200)
        ours = seconds_per_call(lambda: client.customers.create(email="a@b.c", metadata={"a": "b"}), 200)
        yield compare("one call, relative to a raw httpx post", ours, raw, 1.15)
        http.close()
        client.close()


def receiving() -> Iterator[Result]:
    """Verify a webhook and construct its typed event, of the API version of the package and of an older one."""
    now = int(time.time())
    construct: Any = stripe.Webhook.construct_event  # Any: it is not typed
    events = {
        "webhook: verify and construct": event(SUBSCRIPTION, pinstripe.API_VERSION),
        "webhook of an older API version": event(DRIFTING, "2020-08-27"),
    }
    with quiet():
        for name, payload in events.items():
            header = webhooks.sign(payload, SECRET, now)
            ours = cpu_seconds_per_call(partial(webhooks.construct_event, payload, header, SECRET), 200)
            official = cpu_seconds_per_call(partial(construct, payload, header, SECRET), 40)
            yield compare(name, ours, official, 1 / 8)


def encoding() -> Iterator[Result]:
    """Encode the parameters of a nested request as a form."""
    from urllib.parse import urlencode

    ours = cpu_seconds_per_call(lambda: encode(NESTED), 500)
    official = cpu_seconds_per_call(lambda: urlencode(list(_api_encode(NESTED))), 500)
    yield compare("form encoding of a nested request", ours, official, 1 / 3)


PINSTRIPE_INTEGRATION = """
import pinstripe

client = pinstripe.Client("sk_test_x")


def subscribe(email: str, price: str) -> str:
    customer = client.customers.create(email=email, metadata={"source": "web"})
    url = "https://example.com"
    intent = client.setup_intents.create(customer=customer.id, payment_method="pm_card_visa", return_url=url, confirm=True)
    assert intent.status == "succeeded"
    subscription = client.subscriptions.create(customer=customer.id, items=[{"price": price}])
    return subscription.id


def receive(payload: bytes, header: str) -> None:
    event = pinstripe.webhooks.construct_event(payload, header, "whsec_x")
    if event.type == "invoice.paid":
        print(event.data.object.amount_paid)


print(subscribe("a@b.c", "price_1"))
"""
OFFICIAL_INTEGRATION = """
import stripe

client = stripe.StripeClient("sk_test_x")


def subscribe(email: str, price: str) -> str:
    customer = client.v1.customers.create({"email": email, "metadata": {"source": "web"}})
    card, url = "pm_card_visa", "https://example.com"
    intent = client.v1.setup_intents.create({"customer": customer.id, "payment_method": card, "return_url": url, "confirm": True})
    assert intent.status == "succeeded"
    subscription = client.v1.subscriptions.create({"customer": customer.id, "items": [{"price": price}]})
    return subscription.id


def receive(payload: bytes, header: str) -> None:
    event = client.construct_event(payload, header, "whsec_x")
    if event.type == "invoice.paid":
        print(event.data.object["amount_paid"])


print(subscribe("a@b.c", "price_1"))
"""
MYPY = """
import resource, subprocess, sys, time
started = time.perf_counter()
command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", sys.argv[1], sys.argv[2]]
process = subprocess.run(command, cwd=sys.argv[3], stdout=subprocess.DEVNULL)
print(time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, process.returncode)
"""


def checking() -> Iterator[Result]:
    """Check a 20-line integration with ``mypy --strict`` and no cache: time and memory."""
    with tempfile.TemporaryDirectory() as folder:
        memory = {"ours": float("inf"), "official": float("inf")}

        def run(name: str, code: str) -> float:
            path = Path(folder) / f"{name}.py"
            path.write_text(code)
            command = [sys.executable, "-c", MYPY, "/dev/null", str(path), folder]
            duration, size, exit_code = subprocess.run(
                command, check=True, capture_output=True, text=True
            ).stdout.split()
            if name == "ours" and exit_code != "0":
                raise RuntimeError("mypy reports errors in the pinstripe integration")
            memory[name] = min(memory[name], float(size) / 1024)
            return float(duration)

        ours, official = best_of_rounds(
            [partial(run, "ours", PINSTRIPE_INTEGRATION), partial(run, "official", OFFICIAL_INTEGRATION)], 3
        )
        yield Result("cold mypy --strict of 20 lines", ours, official, 0.6)
        yield Result("memory of that run", memory["ours"], memory["official"], 0.65, "MB")


def shipping() -> Iterator[Result]:
    """Build the wheel: its size relative to one megabyte."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        (wheel,) = Path(folder).glob("*.whl")
        yield Result("wheel, relative to 1 MB", wheel.stat().st_size / 1e6, 1.0, 1.6, "MB")


BENCHMARKS: dict[str, Callable[[], Iterator[Result]]] = {
    benchmark.__name__: benchmark
    for benchmark in (
        importing,
        testing,
        first_response,
        decoding,
        drifting,
        calling,
        receiving,
        encoding,
        checking,
        shipping,
    )
}
