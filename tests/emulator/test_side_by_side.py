"""The emulator for several users at once: an account for each API key, each filled from a file of fixtures."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path
from threading import Thread

import httpx
import pytest

import pinstripe
from pinstripe.cli import main
from pinstripe.emulator import Emulator
from pinstripe.errors import InvalidArgumentError

CATALOG = {
    "_meta": {"template_version": 0},
    "fixtures": [
        {
            "name": "owner",
            "path": "/v1/customers",
            "method": "post",
            "params": {"email": "${.env:OWNER|a@example.com}"},
        },
        {
            "name": "plan",
            "path": "/v1/prices",
            "method": "post",
            "params": {
                "currency": "usd",
                "unit_amount": 500,
                "recurring[interval]": "month",
                "product_data": {"name": "Plan of ${owner:email}"},
                "metadata": {"city": "${owner:address.city|Paris}", "id": "${generate-uuid}"},
            },
        },
        {"name": "found", "path": "/v1/prices/${plan:id}", "method": "get"},
        {"name": "pages", "path": "/v1/customers", "method": "get", "params": {"limit": 1}},
        {
            "name": "renamed",
            "path": "/v1/customers/${pages:data.0.id}",
            "method": "post",
            "params": {"name": "Owner", "preferred_locales": ["fr"]},
        },
        {
            "name": "declined",
            "path": "/v1/payment_intents",
            "method": "post",
            "params": {
                "amount": 100,
                "currency": "usd",
                "confirm": True,
                "payment_method": "pm_card_chargeDeclined",
                "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
            },
            "expected_error_type": "card_error",
        },
    ],
}


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    path = tmp_path / "fixtures.json"
    path.write_text(json.dumps(CATALOG))
    return path


def test_each_key_has_an_account_of_its_own() -> None:
    with Emulator(account_per_key=True) as emulator:
        first, second = emulator.client("sk_test_first"), emulator.client("sk_test_second")
        customer = first.customers.create(email="a@example.com")
        assert list(second.customers.list()) == []
        with pytest.raises(pinstripe.errors.InvalidRequestError, match="No such customer"):
            second.customers.retrieve(customer.id)
        assert list(emulator.client("rk_test_first").customers.list()) == [customer]
        assert first.coupons.create(id="gold", percent_off=10).id == second.coupons.create(id="gold", percent_off=20).id
        assert len(first.events.list().data) == 2
        assert len(second.events.list().data) == 1


def test_connected_accounts_belong_to_the_key_of_their_platform() -> None:
    with Emulator(account_per_key=True) as emulator:
        first, second = emulator.client("sk_test_first"), emulator.client("sk_test_second")
        account = first.accounts.create()
        connected = first.with_options(stripe_account=account.id)
        connected.customers.create()
        assert len(list(connected.customers.list())) == 1
        assert list(second.with_options(stripe_account=account.id).customers.list()) == []
        with pytest.raises(pinstripe.errors.StripeError):
            second.accounts.retrieve(account.id)
        assert {event.account for event in emulator.events if event.type == "customer.created"} == {account.id}


def test_the_token_of_a_meter_event_session_belongs_to_the_account_of_its_key() -> None:
    with Emulator(account_per_key=True) as emulator:
        client = emulator.client("sk_test_first")
        meter = client.billing.meters.create(
            display_name="Calls", event_name="calls", default_aggregation={"formula": "sum"}
        )
        customer = client.customers.create()
        payload = {"stripe_customer_id": customer.id, "value": "5"}
        stream = client.v2.billing.meter_event_stream  # with the token of a session
        stream.create(events=[{"event_name": "calls", "payload": payload}])
        now = customer.created.replace(second=0, microsecond=0)
        summaries = client.billing.meters.event_summaries.list(
            meter.id, customer=customer.id, start_time=int(now.timestamp()), end_time=int(now.timestamp()) + 600
        )
        assert [summary.aggregated_value for summary in summaries] == [5]


def test_the_accounts_of_keys_are_stored_in_the_file(tmp_path: Path) -> None:
    for expected in (0, 1):
        with Emulator(account_per_key=True, db=tmp_path / "db") as emulator:
            customers = emulator.client("sk_test_first").customers
            assert len(list(customers.list())) == expected
            assert list(emulator.client("sk_test_second").customers.list()) == []
            customers.create()


def test_one_account_is_shared_by_all_keys_by_default() -> None:
    with Emulator() as emulator:
        emulator.client("sk_test_first").customers.create()
        assert len(list(emulator.client("sk_test_second").customers.list())) == 1


def test_fixtures_fill_the_account_of_every_key(catalog: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OWNER", "b@example.com")
    with Emulator(account_per_key=True, fixtures=catalog) as emulator:
        for client in (emulator.client(), emulator.client("sk_test_first"), emulator.client("rk_test_second")):
            [customer] = client.customers.list()
            [price] = client.prices.list()
            [product] = client.products.list()
            assert (customer.email, customer.name, customer.preferred_locales) == ("b@example.com", "Owner", ["fr"])
            assert (price.product, product.name) == (product.id, "Plan of b@example.com")
            assert price.metadata["city"] == "Paris"
            assert len(price.metadata["id"]) == 36


def test_requests_wait_until_the_account_of_their_key_is_filled(catalog: Path) -> None:
    with Emulator(account_per_key=True, fixtures=catalog) as emulator:
        counts: list[int] = []

        def count() -> None:
            counts.append(len(list(emulator.client("sk_test_first").customers.list(email="a@example.com"))))

        threads = [Thread(target=count) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert counts == [1] * 8


def test_fixtures_run_once_for_a_stored_account(catalog: Path, tmp_path: Path) -> None:
    for _ in range(2):
        with Emulator(db=tmp_path / "db", fixtures=catalog) as emulator:
            assert len(list(emulator.client().prices.list())) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not JSON"),
        ('{"fixtures": [{"name": "customer"}]}', "has no list of fixtures"),
        (
            '{"fixtures": [{"name": "a", "path": "/v1/customers", "method": "post", "params": {"emial": "x"}}]}',
            "The fixture a failed: Received unknown parameter: emial",
        ),
        ('{"fixtures": [{"name": "a", "path": "/v1/customers/${b:id}", "method": "get"}]}', "refers to no fixture"),
    ],
)
def test_bad_fixtures_are_reported(content: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "fixtures.json"
    path.write_text(content)
    with pytest.raises(InvalidArgumentError, match=message):
        Emulator(fixtures=path)


def test_the_command_reports_bad_fixtures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["emulator", "--port", "0", "--fixtures", str(tmp_path / "missing.json")]) == 1
    assert "missing.json" in capsys.readouterr().err


def test_every_request_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "pinstripe.emulator")
    with Emulator() as emulator, emulator.serve() as url:
        httpx.get(f"{url}/v1/customers/cus_1", headers={"Authorization": "Bearer sk_test_x"})
    [record] = [record for record in caplog.records if record.name == "pinstripe.emulator"]
    assert "GET /v1/customers/cus_1 404 No such customer: 'cus_1'" in record.getMessage()


def test_the_command_prints_how_to_use_it_and_serves_each_key(catalog: Path) -> None:
    command = [sys.executable, "-m", "pinstripe", "emulator", "--port", "0", "--log", "--fixtures", str(catalog)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            lines = []
            while "Stripe CLI" not in (line := process.stdout.readline()):
                lines.append(line)
                assert line, "the command ended"
            hints = {line[2:12].strip(): line[14:].strip() for line in [*lines, line] if line.startswith("  ")}
            assert {"pinstripe", "Python", "Node.js", "Ruby", "PHP", "Go", "Java", ".NET", "Stripe CLI"} <= hints.keys()
            assert hints["Python"].startswith("stripe.StripeClient(")
            with eval(hints["pinstripe"]) as first:  # the hint is what users paste
                first.customers.create()
                assert len(list(first.customers.list())) == 2
            with eval(hints["pinstripe"].replace("sk_test_emulator", "sk_test_second")) as second:
                assert len(list(second.customers.list())) == 1
        finally:
            process.kill()
        assert "POST /v1/customers 200" in process.stdout.read()
