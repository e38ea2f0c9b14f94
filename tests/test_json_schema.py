"""JSON schemas of models: they describe each field, as FastAPI's OpenAPI documents do."""

from __future__ import annotations

import subprocess
import sys

from fastapi import FastAPI
from pydantic import ConfigDict

from pinstripe._field_docs import field_docs
from pinstripe.events import CustomerUpdatedEvent
from pinstripe.models import Customer, Event, Subscription


def test_fields_are_described_by_their_documentation() -> None:
    properties = Subscription.model_json_schema()["properties"]
    assert properties["cancel_at_period_end"]["description"] == field_docs(Subscription)["cancel_at_period_end"]
    documented = field_docs(Subscription).keys() & properties.keys()
    assert len(documented) > 20
    assert all(properties[name]["description"] == field_docs(Subscription)[name] for name in documented)


def test_the_fields_of_objects_inside_are_described() -> None:
    inside = Subscription.model_json_schema()["$defs"]["SubscriptionAutomaticTax"]["properties"]
    assert inside["enabled"]["description"]


def test_a_class_has_the_descriptions_of_its_bases() -> None:
    class Own(Customer):
        segment: str
        """Segment of the market."""

    described = Own.model_json_schema()["properties"]
    assert described["email"]["description"] == field_docs(Customer)["email"]
    assert CustomerUpdatedEvent.model_json_schema()["properties"]["id"]["description"] == field_docs(Event)["id"]


def test_a_description_of_the_users_own_class_is_preserved() -> None:
    class Own(Customer):
        """A customer of ours."""

        model_config = ConfigDict(json_schema_extra={"description": "Ours."})

    assert Own.model_json_schema()["description"] == "Ours."
    assert Customer.model_json_schema()["description"].startswith(str(Customer.__doc__).split("\n")[0])


def test_the_openapi_document_of_fastapi_describes_the_fields() -> None:
    app = FastAPI()

    def read() -> None:
        """Return a customer."""

    app.get("/customer", response_model=Customer)(read)
    properties = app.openapi()["components"]["schemas"]["Customer"]["properties"]
    assert properties["email"]["description"] == field_docs(Customer)["email"]


def test_a_class_without_source_has_no_descriptions() -> None:
    namespace: dict[str, type] = {}
    exec("class Made:\n    name: str\n    'The name.'", {"__name__": "nowhere"}, namespace)
    assert field_docs(namespace["Made"]) == {}


def test_decoding_reads_no_source() -> None:
    code = (
        "import sys, pinstripe; pinstripe.decode({'object': 'coupon'}); print('pinstripe._field_docs' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
