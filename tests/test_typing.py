"""The errors that type checkers report: from a wheel and from an editable install, outside of the repository."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.installs import environment, install

__all__ = ["environment"]  # a fixture
BIN = Path(sys.executable).parent

CORRECT = """
import asyncio
from datetime import datetime, timezone
from decimal import Decimal

import pinstripe
from typing_extensions import assert_type
from pinstripe.emulator import Emulator
from pinstripe.errors import CardError
from pinstripe.events import (
    AnyEvent,
    CustomerCreatedEvent,
    Event,
    EventNotification,
    InvoicePaidEvent,
    V1BalanceAvailableEventNotification,
    V1BillingMeterErrorReportTriggeredEventNotification,
)
from pinstripe.models import BillingMeter, Customer, DeletedCustomer, Invoice, Subscription
from pinstripe.params import CustomerCreateParams, SubscriptionCreateParamsItem, SubscriptionCreateParamsItemPriceData
from pinstripe.webhooks.handlers import HandlerRun

client = pinstripe.Client("sk_test_x", max_retries=0, validation="strict")
customer: Customer = client.customers.create(email="a@b.c", metadata={"user.id": "1"}, request_options={"idempotency_key": "k"})
name: str | None = customer.name
params: CustomerCreateParams = {"email": "a@b.c", "address": {"city": "Paris"}}
client.customers.create(**params)
data: SubscriptionCreateParamsItemPriceData = {"currency": "eur", "product": "prod_1", "recurring": {"interval": "month"}}
item: SubscriptionCreateParamsItem = {"price_data": data}
client.subscriptions.create(customer="cus_1", items=[item, {"price": "price_1"}])
subscription = client.subscriptions.create(customer=customer.id, items=[{"price": "price_1", "quantity": 2}])
identifier: str = subscription.customer.id
if subscription.status == "active":
    end: datetime = subscription.items.data[0].current_period_end
for subscription_item in subscription.items:
    price_id: str = subscription_item.price.id
text_of_json: str = subscription.to_json()
email_of_dict: object = customer.to_dict()["email"]
cents: int = pinstripe.money.to_amount(Decimal("10.50"), "usd")
members: set[Customer] = {customer}
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
    code: str | None = error.code
    if error.code == "card_declined" or error.code == "a_new_code":
        reason: str | None = error.decline_code
    advice: str | None = error.advice_code
    network_code: str | None = error.network_decline_code
    log: str | None = error.request_log_url
request: str | None = customer.last_response.request_id
status_code: int = page.last_response.status_code


def narrow(customer: Customer | DeletedCustomer, other: Customer | DeletedCustomer) -> None:
    if customer.deleted is True:
        assert_type(customer, DeletedCustomer)
    else:
        assert_type(customer, Customer)
    if isinstance(other, DeletedCustomer):
        assert_type(other, DeletedCustomer)
    else:
        assert_type(other.name, "str | None")


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
    meter_id: str = event.related_object.id


@handlers.on("v1.balance.available")
def available(event: V1BalanceAvailableEventNotification) -> None:
    without_id: str | None = event.related_object.id


waited: int = Emulator().events.wait(InvoicePaidEvent, where=lambda event: event.data.object.total > 0).data.object.amount_paid


@handlers.otherwise
def rest(event: Event | EventNotification) -> None: ...


@handlers.on_any("invoice.*", "v1.account.updated")
def newer(event: Event | EventNotification) -> None: ...


@handlers.before
def before(run: HandlerRun) -> None:
    name: str = run.handler


types: tuple[str, ...] = handlers.registered_types


async def main() -> None:
    async with pinstripe.AsyncClient("sk_test_x") as aclient:
        async for one in aclient.subscriptions.list(status="active"):
            status: str = one.status
            async for item_of_one in one.items:
                price_of_one: str = item_of_one.price.id
        first = await aclient.subscriptions.list(limit=10)
        data: list[Subscription] = first.data
        found = await aclient.customers.retrieve("cus_1", expand=["tax"])
        if isinstance(found, Customer):
            created: datetime = found.created


asyncio.run(main())
"""
# Each line is one mistake.
ERRORS = {
    "parameter": 'client.customers.create(emial="a@b.c")',
    "nested parameter": 'client.customers.create(address={"town": "Paris"})',
    "parameter in a list": 'client.subscriptions.create(customer="c", items=[{"prise": "price_1"}])',
    "key of a variable": 'pinstripe.params.CustomerCreateParams(emial="a@b.c")',
    "field of a deleted object": '(customer_or_deleted.name if customer_or_deleted.deleted is True else "")',
    "attribute of an error": "pinstripe.StripeError().declinecode",
    "field of a response": "customer.last_response.requestid",
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
    "type of a handler": 'handlers.on("invoice.payd")(takes_an_invoice)',
    "one of several types of a handler": 'handlers.on("invoice.paid", "invoice.payd")(takes_any_event)',
    "handler of any type that takes one": 'handlers.on_any("invoice.*")(takes_an_invoice)',
    "client option": 'pinstripe.Client("sk_test_x", max_retry=2)',
    "model": "pinstripe.models.Custommer",
    "params": "pinstripe.params.CustommerCreateParams",
    "event class": "pinstripe.events.InvoicePayedEvent",
    "event to wait for": 'Emulator().events.wait("invoice.payd")',
    "option of the emulator's client": "Emulator().client(max_retry=2)",
    "fault": 'Emulator().fail_next("charges.create", "timeuot")',
    "forgotten await": 'pinstripe.AsyncClient("sk_test_x").customers.create(email="a").id',
}
# Calls of deprecated operations; ty and pyrefly warn.
DEPRECATED = {"deprecated operation": 'client.customers.cards.list("cus_1")'}
# Comparisons that can never hold; only mypy --strict speaks of them.
ERRORS_FOR_MYPY = {
    "status": 'subscription.status == "activ"',
    "event type": 'event.type == "invoice.payd"',
}
# What a checker cannot see yet.
NOT_REPORTED = {
    "pyrefly": ("one of several types of a handler", "event to wait for"),  # takes more than 256 literals for any text
    "ty": ("option of the emulator's client",),  # takes any keyword for `**options: Unpack[...]`
}
HEAD = """
import pinstripe
from pinstripe.emulator import Emulator

client = pinstripe.Client("sk_test_x")
customer = client.customers.create()
customer_or_deleted = client.customers.retrieve("cus_1")
subscription = client.subscriptions.create(customer="cus_1", items=[])
event = pinstripe.webhooks.construct_event(b"", "", "")
handlers = pinstripe.webhooks.Handlers()
def takes_an_invoice(event: pinstripe.events.InvoicePaidEvent) -> None: ...
async def awaits_an_invoice(event: pinstripe.events.InvoicePaidEvent) -> None: ...
def takes_any_event(event: pinstripe.events.AnyEvent) -> None: ...
"""


def programs(folder: Path, lines: dict[str, str]) -> dict[str, int]:
    """Write a program without mistakes and one with a mistake in each line; return the lines of the mistakes."""
    (folder / "good.py").write_text(CORRECT)
    bad = HEAD + "\n".join(f"_{index} = {line}" for index, line in enumerate(lines.values())) + "\n"
    (folder / "bad.py").write_text(bad)
    first = HEAD.count("\n") + 1
    return {name: first + index for index, name in enumerate(lines)}


Errors: TypeAlias = set[tuple[str, int]]  # the name of a file, and a line


def errors_of_mypy(folder: Path, environment: Path) -> Errors:
    python = environment / "bin" / "python"
    (folder / "mypy.ini").write_text("[mypy]\nenable_error_code = deprecated\n")
    output = run(
        folder, "mypy", "--strict", "--python-executable", python, "--cache-dir", os.devnull, "--no-pretty", "."
    )
    return errors_in(output, ": error:")


def errors_of_pyright(folder: Path, environment: Path) -> Errors:
    (folder / "pyrightconfig.json").write_text('{"reportDeprecated": "error"}')
    output = run(folder, "pyright", "--pythonpath", environment / "bin" / "python", "--outputjson", ".")
    reported = [item for item in json.loads(output)["generalDiagnostics"] if item["severity"] == "error"]
    return {(Path(item["file"]).name, item["range"]["start"]["line"] + 1) for item in reported}


def errors_of_ty(folder: Path, environment: Path) -> Errors:
    return errors_in(run(folder, "ty", "check", "--python", environment, "--output-format", "concise", "."), ": error[")


def errors_of_pyrefly(folder: Path, environment: Path) -> Errors:
    (folder / "pyrefly.toml").write_text('preset = "strict"\n')
    python = environment / "bin" / "python"
    output = run(folder, "pyrefly", "check", "--python-interpreter-path", python, "--output-format", "json")
    reported = [item for item in json.loads(output)["errors"] if item["severity"] == "error"]
    return {(Path(item["path"]).name, item["line"]) for item in reported}


def run(folder: Path, command: str, *arguments: object) -> str:
    """Run a type checker in a folder; return its output."""
    done = subprocess.run(
        [BIN / command, *map(str, arguments)], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


def errors_in(output: str, mark: str) -> Errors:
    """Return the errors in lines such as ``bad.py:7: error: ...``."""
    lines = [line.split(":") for line in output.splitlines() if mark in line]
    return {(Path(name).name, int(line)) for name, line, *_ in lines}


CHECKERS = {"mypy": errors_of_mypy, "pyright": errors_of_pyright, "ty": errors_of_ty, "pyrefly": errors_of_pyrefly}


@pytest.mark.parametrize("checker", CHECKERS)
def test_a_checker_accepts_what_is_right_and_finds_each_mistake(
    checker: str, environment: Path, tmp_path: Path
) -> None:
    lines = {
        **ERRORS,
        **(DEPRECATED if checker in ("mypy", "pyright") else {}),
        **(ERRORS_FOR_MYPY if checker == "mypy" else {}),
    }
    for name in NOT_REPORTED.get(checker, ()):
        del lines[name]
    places = programs(tmp_path, lines)
    reported = CHECKERS[checker](tmp_path, environment)
    assert {line for name, line in reported if name == "good.py"} == set()
    assert {name for name, line in places.items() if ("bad.py", line) not in reported} == set()


def test_pyright_knows_the_types_of_everything_public(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = install("wheel", tmp_path / "environment")
    monkeypatch.setenv("PATH", str(home / "bin"), prepend=os.pathsep)  # pyright verifies what `python` finds
    report = json.loads(run(home, "pyright", "--verifytypes", "pinstripe", "--ignoreexternal", "--outputjson"))
    completeness = report["typeCompleteness"]
    assert Path(completeness["pyTypedPath"]).is_relative_to(home)
    unknown = {item["name"] for item in completeness["symbols"] if item["isExported"] and not item["isTypeKnown"]}
    assert unknown == set()
    assert completeness["completenessScore"] == 1
