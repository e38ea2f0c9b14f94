"""Stripe's CLI against the emulator: triggers, as docs/emulator.md lists them, resources, fixtures and resent events.

The CLI is installed with npm and runs where it can reach nothing but the emulator.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.emulator.stripe_cli import OLDER_VERSION, Report, Trigger
from tests.emulator.test_clients import EXPECTED

VERSION = "1.52.0"
DOCS = Path("docs/emulator.md")
METER_EVENTS = "the fixture sends to `meter-events.stripe.com`, whatever `--api-base` is"
FAULTS_OF_FIXTURES = {
    "checkout.session.async_payment_failed": "the fixture passes `payment_method_types`, which the API no longer has",
    "subscription_schedule.aborted": "the fixture cancels a schedule, which sends `subscription_schedule.canceled`",
    "subscription_schedule.expiring": "the fixture stops nine days before the end, and the event is sent seven days before",
    "v1.billing.meter.error_report_triggered": METER_EVENTS,
    "v1.billing.meter.no_meter_found": METER_EVENTS,
    "payment_intent.partially_funded": "the fixture passes `jp_bank_account`, and the type is called `jp_bank_transfer`",
}
"""The reasons of triggers that do not send their event, where no error of the emulator is the reason."""
UNSUPPORTED = re.compile(r"`(\w+)` is no longer supported|Received unknown parameter: (?:\w+\[\w+\]\[)?(\w+)")
"""The errors of parameters that were removed."""
ORDER = ("yes", "with", "no")
"""The first words of results, in the order of the rows."""


@pytest.fixture(scope="module")
def report(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Report:
    if pytestconfig.cache is None or not shutil.which("npm"):
        pytest.skip("needs npm and the cache of pytest")
    folder = pytestconfig.cache.mkdir(f"stripe-cli-{VERSION}")
    if not (paths := list(folder.glob("node_modules/@stripe/cli-*/bin/stripe"))):
        install = [
            "npm",
            "install",
            "--silent",
            "--no-audit",
            "--no-fund",
            "--ignore-scripts",
            f"@stripe/cli@{VERSION}",
        ]
        done = subprocess.run(install, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
        paths = list(folder.glob("node_modules/@stripe/cli-*/bin/stripe"))
        if done.returncode or not paths:
            pytest.skip(f"npm cannot install @stripe/cli@{VERSION} here: {done.stderr[-200:]}")
    command = [sys.executable, "-m", "tests.emulator.stripe_cli", str(paths[0]), str(tmp_path_factory.mktemp("home"))]
    isolate = ["unshare", "--map-root-user", "--net"]
    if shutil.which("unshare") and not subprocess.run([*isolate, "true"], capture_output=True, check=False).returncode:
        command = [*isolate, *command]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    result: Report = json.loads(done.stdout)
    return result


def result_of(trigger: Trigger, older: Trigger | None) -> str:
    """Return the result of a trigger as the documentation words it."""
    if trigger["sent"]:
        return "yes"
    if trigger["event"] in FAULTS_OF_FIXTURES:
        why = FAULTS_OF_FIXTURES[trigger["event"]]
    elif "`return_url`" in trigger["error"]:
        why = "the fixture confirms an intent with automatic payment methods without a `return_url`"
    elif passed := UNSUPPORTED.search(trigger["error"]):
        why = f"the fixture passes `{passed[1] or passed[2]}`, which the API no longer has"
    else:
        why = trigger["error"].partition(".")[0] or "the event is not sent"
    if older is not None and older["sent"]:
        return f"with `--api-version {OLDER_VERSION}`: {why}"
    return f"no: {why}"


def table_of(triggers: list[Trigger]) -> str:
    """Return the table of triggers, those with the same result in one row."""
    older = {trigger["event"]: trigger for trigger in triggers if trigger["version"]}
    rows: dict[str, list[str]] = {}
    for trigger in triggers:
        if not trigger["version"]:
            rows.setdefault(result_of(trigger, older.get(trigger["event"])), []).append(f"`{trigger['event']}`")
    ordered = sorted(rows, key=lambda result: (ORDER.index(re.split(r"\W", result)[0]), result))
    lines = [f"| {', '.join(rows[result])} | {result} |" for result in ordered]
    return "\n".join(["| `stripe trigger` | works |", "| --- | --- |", *lines])


def test_each_trigger_does_what_the_documentation_says(report: Report) -> None:
    table = table_of(report["triggers"])
    documented = DOCS.read_text()
    assert table in documented, f"The table of triggers in {DOCS} must be:\n{table}"


def test_the_commands_for_resources_work(report: Report) -> None:
    commands = report["commands"]
    created = commands["created"]
    assert (created["email"], created["metadata"]) == ("a@example.com", {"plan": "gold"})
    assert commands["got"] == created
    assert commands["listed"]["data"] == [created]
    assert commands["deleted"] == {"id": created["id"], "object": "customer", "deleted": True}
    assert "No such customer" in commands["missing"]
    assert commands["thin"]["data"] == []


def test_the_fixtures_command_fills_the_account_of_its_key(report: Report) -> None:
    assert report["commands"]["fixtures"] == 0
    [customer] = report["commands"]["filled"]["data"]
    assert customer["email"] == customer["name"] == "owner@example.com"


def test_the_billing_scenario_has_the_same_results_as_with_other_clients(report: Report) -> None:
    assert report["commands"]["billing"] == EXPECTED


def test_an_event_is_sent_again_to_one_endpoint_or_to_all(report: Report) -> None:
    resent = report["commands"]["resent"]
    assert resent["printed"]["id"] == resent["event"]
    assert resent["receivers"] == ["first", "second", "second", "first", "second"]
    assert "No such webhook endpoint: 'we_missing'" in resent["missing"]
