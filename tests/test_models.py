"""Models: lossless, frozen, open to unknown fields, and thread-safe."""

from __future__ import annotations

import copy
import json
import pickle
import subprocess
import sys
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

import pinstripe
from pinstripe import Ref, StripeObject, decode
from pinstripe.models import Customer, DeletedCustomer, Event, Invoice, PaymentMethod, SetupIntent, Subscription
from pinstripe.types import JSON

SAMPLES = {
    path.stem: json.loads(path.read_text()) for path in sorted((Path(__file__).parent / "samples").glob("*.json"))
}
NAMED = {"subscription": Subscription, "customer": Customer, "setup_intent": SetupIntent, "event": Event}
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def to_json(model: BaseModel) -> JSON:
    return json.loads(model.model_dump_json(by_alias=True, exclude_unset=True))


def sample(name: str) -> dict[str, JSON]:
    raw: dict[str, Any] = copy.deepcopy(SAMPLES[name])
    return raw


def test_there_are_samples_of_four_important_models_and_of_twenty_others() -> None:
    assert set(NAMED) < set(SAMPLES)
    assert len(SAMPLES) >= 24


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize(
    "form", [lambda raw: raw, json.dumps, lambda raw: json.dumps(raw).encode()], ids=["dict", "str", "bytes"]
)
def test_a_sample_decodes_strictly_and_serializes_to_the_same_json(
    name: str, form: Any
) -> None:  # Any: three representations of JSON
    model = decode(form(sample(name)), validation="strict")
    assert model.model_dump()["object"] == name
    assert to_json(model) == SAMPLES[name]
    assert isinstance(model, NAMED.get(name, pinstripe.StripeModel))


@pytest.mark.parametrize("name", SAMPLES)
def test_models_can_be_pickled_copied_and_compared(name: str) -> None:
    model = decode(sample(name))
    for twin in (pickle.loads(pickle.dumps(model)), copy.copy(model), copy.deepcopy(model), decode(sample(name))):
        assert twin == model
        assert type(twin) is type(model)
        assert to_json(twin) == SAMPLES[name]
    other = decode({**sample(name), "livemode": "other"})
    assert other != model


@pytest.mark.parametrize("name", SAMPLES)
def test_unknown_fields_are_preserved(name: str) -> None:
    raw = {**sample(name), "new_field": {"deep": [1, None, "x"]}}
    model = decode(raw, validation="strict")
    assert (model.model_extra or {})["new_field"] == {"deep": [1, None, "x"]}
    assert to_json(model) == raw


def paths(value: JSON, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(path for key, inner in items for path in paths(inner, (*at, key)))]


@given(st.sampled_from(sorted(SAMPLES)), st.data())
def test_json_that_does_not_match_serializes_to_the_same_json(name: str, data: st.DataObject) -> None:
    raw = sample(name)
    for path in data.draw(st.lists(st.sampled_from(paths(raw)[1:]), max_size=3, unique=True)):
        node: JSON = raw
        try:
            for step in path[:-1]:
                node = node[step]
            if data.draw(st.booleans()):
                node[path[-1]] = data.draw(json_values)
            else:
                del node[path[-1]]
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change removed this place
    expected = json.loads(json.dumps(raw))
    assert to_json(decode(raw)) == expected
    assert to_json(decode(json.dumps(raw))) == expected


@given(st.dictionaries(st.text(), json_values, max_size=5))
def test_any_json_object_decodes_and_serializes_to_the_same_json(raw: dict[str, JSON]) -> None:
    assert to_json(decode(raw)) == json.loads(json.dumps(raw))


def test_an_object_without_a_model_is_a_stripe_object() -> None:
    model = decode({"object": "hologram", "id": "holo_1", "color": "blue"}, validation="strict")
    assert type(model) is StripeObject
    assert (model.model_extra or {})["color"] == "blue"


@pytest.mark.parametrize("data", [b"", b"[]", "null", b"{", "5", b"\xff"])
def test_data_that_is_not_a_json_object_raises_an_error(data: Any) -> None:  # Any: bytes or str
    with pytest.raises(pinstripe.ResponseValidationError):
        decode(data)


# --- values -----------------------------------------------------------------------------------------------------------


def test_times_are_aware_and_decimals_exact() -> None:
    customer = decode(sample("customer"))
    assert isinstance(customer, Customer)
    assert customer.created == datetime(2024, 7, 24, 15, 22, 32, tzinfo=timezone.utc)
    price = decode(sample("price"))
    assert isinstance(price, pinstripe.models.Price)
    assert price.tiers is not None
    assert price.tiers[0].unit_amount_decimal == Decimal("0.5")
    account = decode(sample("v2.core.account"))
    assert isinstance(account, pinstripe.models.V2CoreAccount)
    assert account.created == datetime(2026, 1, 27, 12, 0, 0, 123000, tzinfo=timezone.utc)


def test_a_reference_has_an_id_expanded_or_not() -> None:
    subscription = decode(sample("subscription"))
    assert isinstance(subscription, Subscription)
    assert isinstance(subscription.customer, Ref)
    assert subscription.customer == subscription.customer.id == "cus_QXg1o8vcGmoR32"
    customer = decode(sample("customer"))
    assert isinstance(customer, Customer)
    assert customer.invoice_settings is not None
    method = customer.invoice_settings.default_payment_method
    assert isinstance(method, PaymentMethod)
    assert method.id == "pm_1"


def test_a_deleted_object_has_its_own_model() -> None:
    invoice = decode(sample("invoice"))
    assert isinstance(invoice, Invoice)
    assert isinstance(invoice.customer, DeletedCustomer)


def test_an_unknown_enum_value_decodes_even_strictly() -> None:
    model = decode({**sample("subscription"), "status": "hibernating"}, validation="strict")
    assert model.model_dump()["status"] == "hibernating"
    assert to_json(model)["status"] == "hibernating"


def test_models_are_frozen() -> None:
    customer = decode(sample("customer"))
    with pytest.raises(ValidationError, match="frozen"):
        setattr(customer, "email", "x")  # noqa: B010  # by name, since type checkers reject the assignment


def test_models_can_be_constructed() -> None:
    customer = Customer(
        id="cus_1", object="customer", created=datetime(2026, 1, 1, tzinfo=timezone.utc), livemode=False
    )
    assert to_json(customer) == {"id": "cus_1", "object": "customer", "created": 1767225600, "livemode": False}


# --- drift ------------------------------------------------------------------------------------------------------------


def test_a_missing_field_is_reported_and_reading_it_raises_an_error(caplog: pytest.LogCaptureFixture) -> None:
    raw = sample("charge")
    del raw["paid"]
    drifts: list[pinstripe.Drift] = []
    charge = decode(raw, on_drift=drifts.append)
    assert [(drift.model, drift.path, drift.kind) for drift in drifts] == [("Charge", "paid", "missing")]
    assert isinstance(charge, pinstripe.models.Charge)
    with pytest.raises(AttributeError, match=r"Charge\.paid is not in the response"):
        charge.paid  # noqa: B018  # reading it raises
    assert to_json(charge) == raw
    assert "paid" in repr(drifts[0])
    decode(raw)
    assert (
        len(
            [
                record
                for record in caplog.records
                if "no field paid, which the API description of Charge requires" in record.message
            ]
        )
        <= 1
    )


def test_a_value_of_another_type_is_preserved_and_reported_with_its_path() -> None:
    raw = sample("subscription")
    raw["items"]["data"][0]["price"]["created"] = "yesterday"
    raw["items"]["data"][0]["quantity"] = "many"
    drifts: list[pinstripe.Drift] = []
    subscription = decode(raw, on_drift=drifts.append)
    assert {(drift.model, drift.path, drift.kind) for drift in drifts} == {
        ("Price", "items.data[].price.created", "type"),
        ("SubscriptionItem", "items.data[].quantity", "type"),
    }
    assert isinstance(subscription, Subscription)
    assert subscription.items.data[0].price.unit_amount == 2000
    assert subscription.items.data[0].price.created == "yesterday"


def test_strict_validation_raises_an_error_with_the_drifts() -> None:
    raw = sample("charge")
    raw["amount"] = "much"
    with pytest.raises(pinstripe.ResponseValidationError, match="amount is of type str") as caught:
        decode(raw, validation="strict")
    assert [drift.path for drift in caught.value.drifts] == ["amount"]


def test_each_drift_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        decode(
            {"object": "coupon", "id": "c", "created": 1, "duration": "once", "livemode": False, "valid": "logged once"}
        )
    messages = [record.message for record in caplog.records if record.name == "pinstripe._decoding"]
    assert len([message for message in messages if message.startswith("valid is of type str")]) <= 1
    assert len(set(messages)) == len(messages)


def test_the_items_of_a_page_are_typed_even_after_the_class_of_the_page_was_built() -> None:
    """Pydantic uses the validator of a complete class instead of any other schema for this class."""
    assert decode({"object": "list", "data": [], "has_more": False, "url": "/"}).model_dump()
    done = subprocess.run(
        [sys.executable, "-c", AFTER],
        input=json.dumps(SAMPLES["subscription"]),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["SubscriptionItem", "ResponseValidationError"]


AFTER = """
import json, sys, pinstripe
pinstripe.decode({"object": "list", "data": [], "has_more": False, "url": "/"}).model_dump()
raw = json.load(sys.stdin)
print(type(pinstripe.decode(raw, validation="strict").items.data[0]).__name__)
raw["items"]["data"][0]["quantity"] = "many"
try:
    pinstripe.decode(raw, validation="strict")
except pinstripe.StripeError as error:
    print(type(error).__name__)
"""


# --- schemas and threads ----------------------------------------------------------------------------------------------


def test_every_model_has_a_json_schema() -> None:
    names = dir(pinstripe.models)
    assert len(names) > 1000
    for name in names:
        model = getattr(pinstripe.models, name)
        if isinstance(model, type) and issubclass(model, BaseModel):
            for mode in ("validation", "serialization"):
                schema = model.model_json_schema(mode=mode)
                assert json.dumps(schema)


def test_the_schema_of_a_model_does_not_contain_all_models() -> None:
    assert len(json.dumps(Customer.model_json_schema())) < 40_000


def test_a_model_can_be_a_field_of_another_pydantic_model() -> None:
    class Order(BaseModel):
        customer: Customer
        items: list[Subscription]

    order = Order.model_validate({"customer": sample("customer"), "items": [sample("subscription")]})
    assert json.loads(order.model_dump_json(by_alias=True, exclude_unset=True))["customer"] == SAMPLES["customer"]
    assert TypeAdapter(list[Customer]).validate_python([sample("customer")])[0].name == "Ada Lovelace"


THREADS = """
import json, sys, threading
from pydantic import BaseModel
from pinstripe import decode
building, together, build = set(), [], BaseModel.model_rebuild.__func__
def observed(cls, **options):
    building.add(threading.get_ident())
    try:
        together.append(len(building))
        return build(cls, **{**options, "_parent_namespace_depth": options["_parent_namespace_depth"] + 1})
    finally:
        building.discard(threading.get_ident())
BaseModel.model_rebuild = classmethod(observed)
samples = json.load(sys.stdin)
barrier = threading.Barrier(16)
failed = []
def work():
    barrier.wait()
    try:
        for _ in range(3):
            for raw in samples:
                model = decode(raw, validation="strict")
                assert json.loads(model.model_dump_json(by_alias=True, exclude_unset=True)) == raw
    except BaseException as error:
        failed.append(repr(error))
sys.setswitchinterval(1e-5)
threads = [threading.Thread(target=work) for _ in range(16)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(failed[:3], max(together))
"""


@pytest.mark.parametrize("attempt", range(3))
def test_models_can_be_built_from_many_threads(attempt: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", THREADS],
        input=json.dumps(list(SAMPLES.values())),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[] 1", attempt  # and no two threads build at the same time
