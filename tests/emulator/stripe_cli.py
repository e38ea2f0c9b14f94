"""Run Stripe's CLI against an emulator, and print what it did as JSON: ``python -m tests.emulator.stripe_cli CLI HOME``.

`tests.emulator.test_stripe_cli` runs this in a network namespace, in which the CLI can reach nothing but the emulator.
"""

from __future__ import annotations

import fcntl
import json
import re
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, TypedDict
from urllib.parse import unquote_plus

from pinstripe import form
from pinstripe.emulator import Emulator
from tests.emulator.conftest import NEW_YEAR, at

OLDER_VERSION = "2026-05-27.dahlia"
"""The API version for triggers that do not fit today's."""
EVENT_TYPES = {
    "subscription.payment_failed": "invoice.payment_failed",
    "subscription.payment_succeeded": "invoice.payment_succeeded",
}
"""The event types of the triggers with other names."""
FIXTURES = {
    "_meta": {"template_version": 0},
    "fixtures": [
        {"name": "owner", "path": "/v1/customers", "method": "post", "params": {"email": "owner@example.com"}},
        {"name": "named", "path": "/v1/customers/${owner:id}", "method": "post", "params": {"name": "${owner:email}"}},
    ],
}
NOWHERE = "http://127.0.0.1:9"
"""A proxy that refuses connections, for where no namespace can be made."""


class Trigger(TypedDict):
    """The result of a trigger with an API version, which is empty for today's."""

    event: str
    version: str
    sent: bool
    error: str


class Report(TypedDict):
    """The results of the CLI."""

    triggers: list[Trigger]
    commands: dict[str, Any]  # Any: the objects that commands print


@dataclass(frozen=True)
class Cli:
    """The CLI, pointed at an emulator."""

    path: str
    home: str
    url: str
    key: str = "sk_test_emulator"

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command."""
        proxies = {"HTTP_PROXY": NOWHERE, "HTTPS_PROXY": NOWHERE, "NO_PROXY": "127.0.0.1"}
        return subprocess.run(
            [self.path, *arguments, "--api-base", self.url, "--api-key", self.key],
            env={"HOME": self.home, "STRIPE_CLI_TELEMETRY_OPTOUT": "1", **proxies},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def object(self, *arguments: str) -> Any:  # Any: an object of the API
        """Run a command, and return the object that it prints."""
        done = self(*arguments)
        if done.returncode or "{" not in done.stdout:
            return {"failed": done.stdout + done.stderr}
        return json.loads(done.stdout[done.stdout.index("{") :])


class Receiver(BaseHTTPRequestHandler):
    """A webhook endpoint that accepts everything."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


def enable_loopback() -> None:
    """Bring the loopback interface up, which is down in a new network namespace."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sh14x", b"lo", 0x1 | 0x40)  # IFF_UP | IFF_RUNNING
        try:
            fcntl.ioctl(control, 0x8914, request)  # SIOCSIFFLAGS
        except PermissionError:
            return  # this is the namespace of the machine, where it is up


def run_trigger(emulator: Emulator, cli: Cli, event: str) -> Iterator[Trigger]:
    """Run a trigger with today's API, and with an older version if it fails."""
    event_type = re.sub(r"\.(eu|gb)$", "", EVENT_TYPES.get(event, event))
    for version in ("", OLDER_VERSION):
        key = "sk_test_" + re.sub(r"\W", "_", event + version)
        before = len(emulator.events)
        done = replace(cli, key=key)("trigger", event, *(["--api-version", version] if version else []))
        emulator.client(key).events.list(limit=1)  # what happens after the last request happens at the next one
        sent = emulator.events.types[before:]
        message = re.search(r'"message": "((?:[^"\\]|\\.)*)"', done.stdout + done.stderr)
        error = message[1] if message else (done.stdout + done.stderr).strip().rpartition("\n")[2]
        yield Trigger(
            event=event,
            version=version,
            sent=not done.returncode and event_type in sent,
            error=error * bool(done.returncode),
        )
        if event_type in sent and not done.returncode:
            return


def run_commands(emulator: Emulator, cli: Cli) -> dict[str, Any]:  # Any: objects of the API
    """Run the commands for resources, fixtures and events; return the objects that they print."""
    created = cli.object("customers", "create", "--email", "a@example.com", "-d", "metadata[plan]=gold")
    results = {
        "created": created,
        "got": cli.object("get", created["id"]),
        "listed": cli.object("customers", "list", "--limit", "1"),
        "deleted": cli.object("customers", "delete", created["id"], "--confirm"),
        "missing": cli("customers", "retrieve", created["id"] + "x").stdout,
        "thin": cli.object("v2", "core", "events", "list", "--object-id", created["id"]),
    }
    file = Path(cli.home, "fixtures.json")
    file.write_text(json.dumps(FIXTURES))
    fixtures = replace(cli, key="sk_test_of_fixtures")
    results["fixtures"] = fixtures("fixtures", str(file)).returncode
    results["filled"] = fixtures.object("customers", "list")
    results["billing"] = run_billing(replace(cli, key="sk_test_of_billing"))
    results["resent"] = resend(emulator, replace(cli, key="sk_test_of_events"))
    return results


def run_billing(cli: Cli) -> list[Any]:  # Any: values of the API
    """Run the scenario of `tests.emulator.test_clients`, and return its results."""

    def send(*command: str, **params: object) -> Any:  # Any: an object of the API
        pairs = [pair.split("=", 1) for pair in unquote_plus(form.encode(params)).split("&")] if params else []
        return cli.object(*command, *(part for name, value in pairs for part in ("-d", f"{name}={value}")))

    clock = send("test_helpers", "test_clocks", "create", frozen_time=NEW_YEAR)["id"]
    customer = send("customers", "create", email="jenny@example.com", test_clock=clock)["id"]
    card = send("payment_methods", "attach", "pm_card_visa", customer=customer)["id"]
    send("customers", "update", customer, invoice_settings={"default_payment_method": card})
    recurring = {"interval": "month"}
    price = send(
        "prices", "create", currency="usd", unit_amount=2900, recurring=recurring, product_data={"name": "Gold"}
    )["id"]
    subscription = send("subscriptions", "create", customer=customer, items=[{"price": price, "quantity": 2}])
    results: list[Any] = [["started", subscription["status"]]]

    def invoices() -> list[Any]:  # Any: invoices
        return list(send("invoices", "list", subscription=subscription["id"])["data"])

    def totals() -> list[list[Any]]:  # Any: values of the API
        return [[item["status"], item["total"], item["amount_paid"]] for item in invoices()]

    def status() -> str:
        return str(send("subscriptions", "retrieve", subscription["id"])["status"])

    send("test_helpers", "test_clocks", "advance", clock, frozen_time=at(2, 1, 1))
    results.append(["renewed", totals()])
    bad = send("payment_methods", "attach", "pm_card_chargeCustomerFail", customer=customer)["id"]
    send("customers", "update", customer, invoice_settings={"default_payment_method": bad})
    send("test_helpers", "test_clocks", "advance", clock, frozen_time=at(3, 1, 1))
    results.append(["failed", status(), totals()])
    latest = invoices()[0]["id"]
    error = send("invoices", "pay", latest)["error"]
    results.append(["declined", error["code"], error["decline_code"]])
    send("invoices", "pay", latest, payment_method=card)
    results.append(["paid", status()])
    charge = send("charges", "list", customer=customer, limit=1)["data"][0]["id"]
    refund = send("refunds", "create", charge=charge, amount=1000)
    refunded = send("charges", "retrieve", charge)["amount_refunded"]
    results.append(["refunded", refund["status"], refund["amount"], refunded])
    portal = send("billing_portal", "sessions", "create", customer=customer, return_url="https://example.com")
    results.append(["portal", portal["url"].startswith(cli.url)])
    events = send("events", "list", type="invoice.*", limit=100)["data"]
    results.append(["events", [event["type"] for event in events][::-1]])
    return results


def resend(emulator: Emulator, cli: Cli) -> dict[str, Any]:  # Any: objects of the API
    """Send an event again, to one endpoint and to all; return the event and the endpoints of the deliveries."""
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    create = ("webhook_endpoints", "create", "--url", url, "--enabled-events", "customer.created")
    first, second = cli.object(*create)["id"], cli.object(*create)["id"]
    cli("trigger", "customer.created")
    event = cli.object("events", "list")["data"][0]["id"]
    printed = cli.object("events", "resend", event, "--webhook-endpoint", second)
    cli("events", "resend", event)
    missing = cli("events", "resend", event, "--webhook-endpoint", "we_missing").stdout
    emulator.settle()
    server.shutdown()
    server.server_close()
    names = {first: "first", second: "second"}
    receivers = [names[delivery.endpoint] for delivery in emulator.deliveries if delivery.event["id"] == event]
    return {"event": event, "printed": printed, "receivers": receivers, "missing": missing}


def main(path: str, home: str) -> None:
    """Run triggers and other commands, and print the report."""
    enable_loopback()
    with Emulator(account_per_key=True) as emulator, emulator.serve() as url:
        cli = Cli(path, home, url)
        events = re.findall(r"^  ([a-z]\w*\.[\w.]+)$", cli("trigger", "--help").stdout, re.MULTILINE)
        triggers = [trigger for event in events for trigger in run_trigger(emulator, cli, event)]
        sys.stdout.write(json.dumps(Report(triggers=triggers, commands=run_commands(emulator, cli))))


if __name__ == "__main__":
    main(*sys.argv[1:])
