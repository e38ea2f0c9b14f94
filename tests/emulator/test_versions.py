"""Older versions of the API: their parameters, responses and events. https://docs.stripe.com/api/versioning"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

import pinstripe
from pinstripe.emulator import Emulator
from pinstripe.emulator.server.requests import DEFAULT_BASE_URL
from pinstripe.emulator.server.transports import InProcessTransport
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.versions import CHANGES, VERSIONS, render_event

DAHLIA: Final = "2026-05-27.dahlia"
SCRIPT = Path(__file__).parent / "official" / "versions.py"
ANCHOR = 1_767_225_600


class Sender:
    """Sends requests of a version as they are on the wire."""

    def __init__(self, emulator: Emulator, version: str = DAHLIA) -> None:
        self._client = httpx.Client(transport=InProcessTransport(emulator._server), base_url=DEFAULT_BASE_URL)
        self._headers = {"Authorization": "Bearer sk_test_x", "Stripe-Version": version}

    def __call__(self, path: str, body: str | None = "", **headers: str) -> Any:  # Any: JSON values
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        verb = "GET" if body is None else "POST"
        return self._client.request(verb, path, content=body or "", headers={**self._headers, **form, **headers}).json()


@pytest.fixture
def older(emulator: Emulator) -> Sender:
    return Sender(emulator)


@pytest.fixture
def today(emulator: Emulator) -> Sender:
    return Sender(emulator, pinstripe.API_VERSION)


def test_versions_and_changes_are_in_order() -> None:
    assert list(VERSIONS) == sorted(VERSIONS)
    assert VERSIONS[-1] == pinstripe.API_VERSION
    assert [change.version for change in CHANGES] == sorted(change.version for change in CHANGES)
    assert {change.version for change in CHANGES} <= set(VERSIONS)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_response_names_the_version_of_its_request(emulator: Emulator, version: str) -> None:
    client = emulator.client(api_version=version)
    assert client.customers.create().last_response.headers["stripe-version"] == version


@pytest.mark.parametrize("version", ["yesterday", "2026-05-28.dahlia", "2024-06-20", "2030-01-01.fuchsia", ""])
def test_a_version_that_is_not_served_is_refused(emulator: Emulator, version: str) -> None:
    error = Sender(emulator, version)("/v1/customers")["error"]
    assert error["type"] == "invalid_request_error"
    assert error["message"].startswith(f"Invalid Stripe API version: {version}")


def test_an_ephemeral_key_is_created_for_any_version_of_a_mobile_sdk(emulator: Emulator) -> None:
    customer = emulator.client().customers.create().id
    assert Sender(emulator, "2020-08-27")("/v1/ephemeral_keys", f"customer={customer}")["object"] == "ephemeral_key"


def test_payment_method_types_are_parameters_until_endive(older: Sender, today: Sender) -> None:
    body = "amount=500&currency=usd&payment_method_types[]=card"
    intent = older("/v1/payment_intents", body)
    assert intent["payment_method_types"] == ["card"]
    assert intent["automatic_payment_methods"] is None
    assert "allowed_payment_method_types" not in intent
    assert today(f"/v1/payment_intents/{intent['id']}", None)["allowed_payment_method_types"] == ["card"]
    assert older("/v1/setup_intents", "payment_method_types[]=card")["payment_method_types"] == ["card"]
    refused = today("/v1/payment_intents", body)["error"]
    assert (refused["code"], refused["param"]) == ("payment_method_types_no_longer_supported", "payment_method_types")


def test_types_that_do_not_support_the_currency_are_left_out_since_endive(older: Sender, today: Sender) -> None:
    types = "amount=500&currency=usd&{0}[]=card&{0}[]=ideal"
    assert (
        older("/v1/payment_intents", types.format("payment_method_types"))["error"]["param"]
        == "payment_method_types[1]"
    )
    assert today("/v1/payment_intents", types.format("allowed_payment_method_types"))["payment_method_types"] == [
        "card"
    ]


def test_objects_in_lists_and_expanded_objects_have_the_shape_of_the_version(older: Sender) -> None:
    body = "amount=500&currency=usd&payment_method_types[]=card&payment_method=pm_card_visa&confirm=true"
    intent = older("/v1/payment_intents", body)
    assert "allowed_payment_method_types" not in older("/v1/payment_intents", None)["data"][0]
    charge = older(f"/v1/charges/{intent['latest_charge']}?expand[]=payment_intent", None)
    assert charge["payment_intent"]["id"] == intent["id"]
    assert "allowed_payment_method_types" not in charge["payment_intent"]


def test_an_error_names_the_parameters_and_objects_of_the_version(older: Sender) -> None:
    types = "amount=500&currency=usd&payment_method_types[]=nothing"
    assert older("/v1/payment_intents", types)["error"]["param"] == "payment_method_types[0]"
    declined = older(
        "/v1/payment_intents",
        "amount=500&currency=usd&payment_method_types[]=card&payment_method=pm_card_visa_chargeDeclined&confirm=true",
    )["error"]
    assert declined["code"] == "card_declined"
    assert "allowed_payment_method_types" not in declined["payment_intent"]


@pytest.mark.parametrize(
    ("anchor", "param"),
    [
        ("billing_cycle_anchor=later", "billing_cycle_anchor"),
        ("billing_cycle_anchor[type]=now", "billing_cycle_anchor"),
    ],
)
def test_a_billing_cycle_anchor_cannot_be_a_hash_until_endive(
    emulator: Emulator, older: Sender, anchor: str, param: str
) -> None:
    subscription = _subscription(emulator)
    assert older(f"/v1/subscriptions/{subscription}", anchor)["error"]["param"] == param


def test_billing_cycle_anchors_are_scalars_until_endive(emulator: Emulator, older: Sender, today: Sender) -> None:
    subscription = _subscription(emulator)
    updated = older(f"/v1/subscriptions/{subscription}", "billing_cycle_anchor=now&proration_behavior=none")
    assert updated["id"] == subscription
    details = "subscription_details[billing_cycle_anchor]"
    body = f"subscription={subscription}&{details}"
    for anchor in ("now", "unchanged"):
        assert older("/v1/invoices/create_preview", f"{body}={anchor}")["object"] == "invoice"
        assert today("/v1/invoices/create_preview", f"{body}[type]={anchor}")["object"] == "invoice"
        refused = today("/v1/invoices/create_preview", f"{body}={anchor}")["error"]
        assert refused["param"] == details
    refused = older("/v1/invoices/create_preview", f"{body}=later")["error"]
    assert refused["param"] == details


def _subscription(emulator: Emulator) -> str:
    client = emulator.client()
    customer = client.customers.create(payment_method="pm_card_visa")
    price = client.prices.create(
        currency="usd", unit_amount=500, recurring={"interval": "month"}, product_data={"name": "Plan"}
    )
    method = client.payment_methods.list(customer=customer.id).data[0].id
    return client.subscriptions.create(
        customer=customer.id, items=[{"price": price.id}], default_payment_method=method
    ).id


def test_the_mandate_of_a_card_cannot_be_expanded_until_endive(older: Sender, today: Sender) -> None:
    body = "amount=500&currency=usd&source=tok_visa"
    path = f"/v1/charges/{older('/v1/charges', body)['id']}?expand[]=payment_method_details.card.mandate"
    assert older(path, None)["error"]["code"] == "property_cannot_be_expanded"
    assert today(path, None)["object"] == "charge"


def test_the_reason_fraud_rejects_an_account_until_endive(emulator: Emulator, older: Sender, today: Sender) -> None:
    path = f"/v1/accounts/{emulator.client().accounts.create().id}/reject"
    assert today(path, "reason=fraud")["error"]["param"] == "reason"
    assert older(path, "reason=fraud")["requirements"]["disabled_reason"] == "rejected.platform_fraud"


def test_sessions_of_financial_connections_have_countries_until_endive(
    emulator: Emulator, older: Sender, today: Sender
) -> None:
    holder = f"account_holder[type]=customer&account_holder[customer]={emulator.client().customers.create().id}"
    path = "/v1/financial_connections/sessions"
    created = older(path, f"{holder}&permissions[]=balances&filters[countries][]=US&filters[countries][]=GB")
    assert created["filters"]["countries"] == ["US"]
    assert older(f"{path}/{created['id']}", None)["filters"]["countries"] == ["US"]
    assert today(f"{path}/{created['id']}", None)["filters"]["country"] == "US"


def test_account_links_have_configurations_until_endive(emulator: Emulator, older: Sender) -> None:
    account = emulator.client().v2.core.accounts.create(contact_email="jenny@example.com").id
    values: Object = {"refresh_url": "https://example.com", "configurations": ["merchant"]}
    params = {"account": account, "use_case": {"type": "account_onboarding", "account_onboarding": values}}
    json_body = {"Content-Type": "application/json"}
    link = older("/v2/core/account_links", json.dumps(params), **json_body)
    assert link["use_case"]["account_onboarding"]["configurations"] == ["merchant"]
    del values["configurations"]
    refused = older("/v2/core/account_links", json.dumps(params), **json_body)["error"]
    assert refused["param"] == "use_case[account_onboarding][configurations]"


def test_a_score_that_is_not_available_was_a_number_until_endive() -> None:
    event = _event({"object": "radar.payment_evaluation", "signals": {"fraudulent_payment": {"score": None}}})
    assert render_event(event, DAHLIA)["data"]["object"]["signals"]["fraudulent_payment"]["score"] == -1
    assert event["data"]["object"]["signals"]["fraudulent_payment"]["score"] is None


def test_previous_attributes_of_an_event_have_the_shape_of_the_version() -> None:
    event = _event({"object": "payment_intent", "allowed_payment_method_types": ["card"]})
    event["data"]["previous_attributes"] = {"allowed_payment_method_types": None, "amount": 400}
    rendered = render_event(event, DAHLIA)
    assert rendered["api_version"] == DAHLIA
    assert rendered["data"] == {"object": {"object": "payment_intent"}, "previous_attributes": {"amount": 400}}
    assert render_event(event, pinstripe.API_VERSION) == {**event, "api_version": pinstripe.API_VERSION}


def _event(subject: Object) -> Object:
    return {"object": "event", "api_version": pinstripe.API_VERSION, "data": {"object": subject}}


def test_parameters_that_few_accounts_can_use_have_no_effect(older: Sender, today: Sender) -> None:
    body = (
        "mode=payment&success_url=https://example.com&line_items[0][quantity]=1&line_items[0][price_data][currency]=usd"
        "&line_items[0][price_data][unit_amount]=500&line_items[0][price_data][product_data][name]=A"
        "&line_items[0][dynamic_tax_rates][0]=txr_1"
    )
    assert older("/v1/checkout/sessions", body)["status"] == "open"
    assert today("/v1/checkout/sessions", body)["error"]["code"] == "parameter_unknown"


def test_endpoints_receive_events_of_their_version(emulator: Emulator, client: pinstripe.Client, older: Sender) -> None:
    url = "http://127.0.0.1:9"
    old = client.webhook_endpoints.create(url=url, enabled_events=["*"], api_version=DAHLIA)
    new = client.webhook_endpoints.create(url=url, enabled_events=["*"])
    older("/v1/payment_intents", "amount=500&currency=usd&payment_method_types[]=card")
    sent = {delivery.endpoint: delivery.event for delivery in emulator.deliveries}
    assert sent[old.id]["api_version"] == DAHLIA
    assert "allowed_payment_method_types" not in sent[old.id]["data"]["object"]
    assert sent[new.id]["api_version"] == pinstripe.API_VERSION
    assert sent[new.id]["data"]["object"]["allowed_payment_method_types"] == ["card"]
    stored = older(f"/v1/events/{sent[old.id]['id']}", None)
    assert stored["api_version"] == pinstripe.API_VERSION, "an event that is retrieved has the default version"
    assert "allowed_payment_method_types" in stored["data"]["object"]


def test_an_endpoint_of_a_version_that_is_not_served_is_refused(client: pinstripe.Client) -> None:
    with pytest.raises(pinstripe.InvalidRequestError, match="Invalid Stripe API version") as caught:
        client.webhook_endpoints.create(url="https://example.com", enabled_events=["*"], api_version="2024-06-20")
    assert caught.value.param == "api_version"


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Install two versions of the official package, each in a folder of its own."""
    folders = {}
    for version in ("15.2.1", "16.1.0"):
        folders[version] = tmp_path_factory.mktemp("stripe")
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folders[version])]
        installed = subprocess.run([*command, f"stripe=={version}"], capture_output=True, text=True, check=False)
        if installed.returncode:
            pytest.skip(f"stripe {version} cannot be installed: {installed.stderr.strip()[-200:]}")
    return folders


def test_official_packages_of_both_versions_side_by_side(emulator: Emulator, packages: dict[str, Path]) -> None:
    results = {}
    with emulator.serve() as url:
        for version, folder in packages.items():
            run = subprocess.run(
                [sys.executable, str(SCRIPT), url],
                capture_output=True,
                text=True,
                check=False,
                env={"PYTHONPATH": str(folder)},
            )
            assert not run.returncode, run.stderr[-2000:]
            results[version] = json.loads(run.stdout)
    same: Object = {
        "setup": ["requires_payment_method", ["card"]],
        "session": ["open", ["card"]],
        "preview": True,
        "anchor": True,
        "rejected": "rejected.platform_fraud",
    }
    assert results["15.2.1"] == {
        **same,
        "version": DAHLIA,
        "intent": ["succeeded", ["card"], False],
        "filters": ["US"],
        "link": ["merchant"],
        "refused": [400, None, "automatic_payment_methods[enabled]"],
    }
    assert results["16.1.0"] == {
        **same,
        "version": pinstripe.API_VERSION,
        "intent": ["succeeded", ["card"], True],
        "filters": "US",
        "link": None,
        "refused": [400, "payment_method_types_no_longer_supported", "payment_method_types"],
    }


def test_the_documentation_names_the_versions() -> None:
    page = (Path(__file__).parents[2] / "docs" / "emulator.md").read_text()
    assert f"from {VERSIONS[0]} to {VERSIONS[-1]}" in page.replace("\n", " ")
