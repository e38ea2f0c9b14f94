"""The types of the installed package in type checkers and editors: from a wheel, and from an editable install."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable
from pathlib import Path

import jedi
import pytest

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent

CORRECT = """
import asyncio
from datetime import datetime, timezone

import pinstripe
from pinstripe.emulator import Emulator
from pinstripe.errors import CardError
from pinstripe.events import (
    AnyEvent,
    CustomerCreatedEvent,
    Event,
    EventNotification,
    InvoicePaidEvent,
    V1BillingMeterErrorReportTriggeredEventNotification,
)
from pinstripe.models import BillingMeter, Customer, Invoice, Subscription
from pinstripe.params import CustomerCreateParams

client = pinstripe.Client("sk_test_x", max_retries=0, validation="strict")
customer: Customer = client.customers.create(email="a@b.c", metadata={"user.id": "1"}, request_options={"idempotency_key": "k"})
name: str | None = customer.name
params: CustomerCreateParams = {"email": "a@b.c", "address": {"city": "Paris"}}
subscription = client.subscriptions.create(customer=customer.id, items=[{"price": "price_1", "quantity": 2}])
identifier: str = subscription.customer.id
if subscription.status == "active":
    end: datetime = subscription.items.data[0].current_period_end
for invoice in client.invoices.list(customer=customer.id, created={"gte": datetime.now(timezone.utc)}):
    total: int = invoice.total
    if isinstance(invoice.customer, Customer):
        email: str | None = invoice.customer.email
page = client.invoices.list(limit=10)
following: list[Invoice] = page.next_page().data
client.customers.update(customer.id, shipping=None, metadata=None)
upcoming: Invoice = client.request(Invoice, "GET", "/v1/invoices/upcoming", params={"customer": "cus_1"})
pdf: bytes = client.quotes.pdf("qt_1")
written: int = client.quotes.pdf("qt_1", to="quote.pdf")
account = client.v2.core.accounts.create(display_name="Ada")
event = pinstripe.webhooks.construct_event(b"", "t=1,v1=x", ["a", "b"])
if event.type == "customer.subscription.updated":
    changed: Subscription = event.data.object
elif event.type == "invoice.paid":
    paid: int = event.data.object.amount_paid
try:
    client.payment_intents.create(amount=100, currency="usd", confirm=True)
except CardError as error:
    code: str | None = error.decline_code


handlers = pinstripe.webhooks.Handlers()


@handlers.on("invoice.paid")
def receive(event: InvoicePaidEvent) -> None:
    amount: int = event.data.object.amount_paid


@handlers.on("customer.created")
async def welcome(event: CustomerCreatedEvent | InvoicePaidEvent) -> None: ...


@handlers.on("invoice.voided", "invoice.deleted")
def gone(event: AnyEvent) -> None: ...


@handlers.on("v1.billing.meter.error_report_triggered")
def metered(event: V1BillingMeterErrorReportTriggeredEventNotification) -> None:
    summary: str = event.fetch_event(client).data.developer_message_summary
    meter: BillingMeter = event.fetch_related_object(client)


waited: int = Emulator().events.wait(InvoicePaidEvent, where=lambda event: event.data.object.total > 0).data.object.amount_paid


@handlers.otherwise
def rest(event: Event | EventNotification) -> None: ...


async def main() -> None:
    async with pinstripe.AsyncClient("sk_test_x") as aclient:
        async for one in aclient.subscriptions.list(status="active"):
            status: str = one.status
        first = await aclient.subscriptions.list(limit=10)
        data: list[Subscription] = first.data
        found = await aclient.customers.retrieve("cus_1", expand=["tax"])
        if isinstance(found, Customer):
            created: datetime = found.created


asyncio.run(main())
"""
# Each line has one error.
ERRORS = {
    "parameter": 'client.customers.create(emial="a@b.c")',
    "nested parameter": 'client.customers.create(address={"town": "Paris"})',
    "value": 'client.subscriptions.create(customer="c", collection_method="by_hand")',
    "missing parameter": "client.prices.create(unit_amount=5)",
    "type of a parameter": 'client.payment_intents.create(amount="5", currency="usd")',
    "field": "customer.emial",
    "field of an event's object": '(event.data.object.invoice_pdff if event.type == "invoice.paid" else 0)',
    "text for a list of texts": 'client.customers.retrieve("cus_1", expand="tax")',
    "clearing what cannot be cleared": "client.customers.create(email=None)",
    "option": 'client.customers.create(request_options={"idempotencykey": "x"})',
    "service": "client.custmers",
    "handler of another event": 'handlers.on("customer.created")(takes_an_invoice)',
    "async handler of another event": 'handlers.on("customer.created")(awaits_an_invoice)',
    "type of a handler": 'handlers.on("invoice.payd")',
    "one of several types of a handler": 'handlers.on("invoice.paid", "invoice.payd")',
    "client option": 'pinstripe.Client("sk_test_x", max_retry=2)',
    "model": "pinstripe.models.Custommer",
    "params": "pinstripe.params.CustommerCreateParams",
    "event class": "pinstripe.events.InvoicePayedEvent",
    "event to wait for": 'Emulator().events.wait("invoice.payd")',
    "option of the emulator's client": "Emulator().client(max_retry=2)",
    "fault": 'Emulator().fail_next("charges.create", "timeuot")',
    "forgotten await": 'pinstripe.AsyncClient("sk_test_x").customers.create(email="a").id',
}
# Comparisons that are never true; only mypy --strict reports them.
ERRORS_FOR_MYPY = {
    "status": 'subscription.status == "activ"',
    "event type": 'event.type == "invoice.payd"',
}
# The errors that a type checker does not report.
NOT_REPORTED = {
    "pyrefly": ("one of several types of a handler", "event to wait for"),  # treats more than 256 literals as str
    "ty": ("option of the emulator's client",),  # accepts any keyword for `**options: Unpack[...]`
}
HEAD = """
import pinstripe
from pinstripe.emulator import Emulator

client = pinstripe.Client("sk_test_x")
customer = client.customers.create()
subscription = client.subscriptions.create(customer="cus_1", items=[])
event = pinstripe.webhooks.construct_event(b"", "", "")
handlers = pinstripe.webhooks.Handlers()
def takes_an_invoice(event: pinstripe.events.InvoicePaidEvent) -> None: ...
async def awaits_an_invoice(event: pinstripe.events.InvoicePaidEvent) -> None: ...
"""


@pytest.fixture(scope="module", params=["wheel", "editable"])
def python(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the interpreter of a new environment with pinstripe installed; it shares the dependencies of this one."""
    home = tmp_path_factory.mktemp(str(request.param))
    venv.create(home, symlinks=True, with_pip=False)
    python = home / "bin" / "python"
    command = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    site = Path(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    target = ["--editable", str(ROOT)] if request.param == "editable" else [str(ROOT)]
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(python),
        "install",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
    ]
    subprocess.run([*pip, "--ignore-installed", *target], check=True, capture_output=True)
    return python


def write(folder: Path, lines: dict[str, str]) -> tuple[Path, dict[str, int]]:
    """Write a file with one error per line; return it with the line of each error."""
    path = folder / "bad.py"
    path.write_text(HEAD + "\n".join(f"_{index} = {line}" for index, line in enumerate(lines.values())) + "\n")
    first = HEAD.count("\n") + 1
    return path, {name: first + index for index, name in enumerate(lines)}


def errors_of_mypy(path: Path, python: Path) -> set[int]:
    command = [
        BIN / "mypy",
        "--strict",
        "--python-executable",
        python,
        "--cache-dir",
        path.parent / ".cache",
        "--no-pretty",
        path,
    ]
    return lines_of(
        command, path.parent, lambda text: {int(line.split(":")[1]) for line in text.splitlines() if ": error:" in line}
    )


def errors_of_pyright(path: Path, python: Path) -> set[int]:
    command = [BIN / "pyright", "--pythonpath", python, "--outputjson", path]

    def read(text: str) -> set[int]:
        items = json.loads(text)["generalDiagnostics"]
        return {item["range"]["start"]["line"] + 1 for item in items if item["severity"] == "error"}

    return lines_of(command, path.parent, read)


def errors_of_ty(path: Path, python: Path) -> set[int]:
    command = [BIN / "ty", "check", "--python", python.parents[1], "--output-format", "concise", path]
    return lines_of(
        command, path.parent, lambda text: {int(line.split(":")[1]) for line in text.splitlines() if ": error[" in line}
    )


def errors_of_pyrefly(path: Path, python: Path) -> set[int]:
    (path.parent / "pyrefly.toml").write_text("")  # without a configuration, pyrefly checks only the basics
    command = [BIN / "pyrefly", "check", "--python-interpreter-path", python, "--output-format", "json", path]
    return lines_of(
        command,
        path.parent,
        lambda text: {item["line"] for item in json.loads(text)["errors"] if item["severity"] == "error"},
    )


def lines_of(command: list[object], folder: Path, read: Callable[[str], set[int]]) -> set[int]:
    done = subprocess.run([str(part) for part in command], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return read(done.stdout)


CHECKERS = {"mypy": errors_of_mypy, "pyright": errors_of_pyright, "ty": errors_of_ty, "pyrefly": errors_of_pyrefly}


@pytest.mark.parametrize("checker", CHECKERS)
def test_a_type_checker_accepts_correct_code(checker: str, python: Path, tmp_path: Path) -> None:
    path = tmp_path / "good.py"
    path.write_text(CORRECT)
    assert CHECKERS[checker](path, python) == set()


@pytest.mark.parametrize("checker", CHECKERS)
def test_a_type_checker_reports_each_error(checker: str, python: Path, tmp_path: Path) -> None:
    lines = {**ERRORS, **(ERRORS_FOR_MYPY if checker == "mypy" else {})}
    for name in NOT_REPORTED.get(checker, ()):
        del lines[name]
    path, places = write(tmp_path, lines)
    reported = CHECKERS[checker](path, python)
    assert {name for name, line in places.items() if line not in reported} == set()


def test_jedi_completes_and_shows_the_parameters(python: Path) -> None:
    environment = jedi.create_environment(str(python.parents[1]), safe=False)
    code = 'import pinstripe\nclient = pinstripe.Client("sk_test_x")\nclient.customers.create('
    (signature,) = jedi.Script(code, environment=environment).get_signatures(3, len("client.customers.create("))
    names = [param.name for param in signature.params]
    assert {"email", "metadata", "payment_method", "request_options"} <= set(names)
    code += "ema"
    completed = [
        completion.name
        for completion in jedi.Script(code, environment=environment).complete(3, len("client.customers.create(ema"))
    ]
    assert "email=" in completed
    code = code.replace("client.customers.create(ema", "client.customers.create().delinq")
    assert [
        completion.name
        for completion in jedi.Script(code, environment=environment).complete(
            3, len("client.customers.create().delinq")
        )
    ] == ["delinquent"]
