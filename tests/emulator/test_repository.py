"""The state of one account: object types and ids, unknown fields, the undo log, indexes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pinstripe
from pinstripe.emulator.operations import _filters
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.accounts import Accounts
from pinstripe.emulator.state.environment import Environment
from pinstripe.emulator.state.json_values import clone
from pinstripe.emulator.state.object_types import INDEXES
from pinstripe.emulator.state.tables import Flag, Reference, table_names
from pinstripe.emulator.validation.errors import ErrorResponse

OBJECT_TYPES = ("invoice", "customer", "product")
IDS = ("gold", "silver")
CUSTOMERS = ("cus_1", "cus_2", None)


@pytest.fixture
def state() -> AccountState:
    return new_state()


def new_state() -> AccountState:
    return Accounts(Environment(seed=1)).state()


def contents(state: AccountState) -> Any:  # Any: plain data of many types, to compare
    """Return a copy of everything that a rollback must restore."""
    return {
        "objects": clone(state.objects.in_order()),
        "order": {object_type: state.objects.ids(object_type) for object_type in OBJECT_TYPES},
        "keys": [list(value) for value in state.objects.in_order()],
        "tables": {name: {key: state.tables[name][key] for key in state.tables[name]} for name in table_names()},
        "events": dict(state.events.by_id),
        "new_events": list(state.events.new),
        "timers": sorted(
            (clock, timer.at, timer.number, timer.name, timer.object_type, timer.object_id)
            for clock, timers in state.clock.timers.items()
            for timer in timers
            if not timer.canceled
        ),
    }


def check_indexes(state: AccountState) -> None:
    """Assert that a search by an indexed field finds what a scan finds, in the same order."""
    for object_type in OBJECT_TYPES:
        everything = list(state.objects.all(object_type))
        for field in INDEXES.get(object_type, ()):
            for value in {item.get(field) for item in everything} | {*CUSTOMERS, "unused"}:
                scanned = [item["id"] for item in everything if item.get(field) == value]
                assert [item["id"] for item in state.objects.all(object_type, **{field: value})] == scanned


def test_a_plan_and_a_product_can_have_the_same_id(client: pinstripe.Client) -> None:
    product = client.products.create(id="gold", name="Gold")
    plan = client.plans.create(id="gold", amount=900, currency="usd", interval="month", product="gold")
    assert (product.object, plan.object) == ("product", "plan")
    client.plans.update("gold", nickname="Monthly")
    client.products.update("gold", name="Gold 2")
    assert (client.products.retrieve("gold").name, client.plans.retrieve("gold").nickname) == ("Gold 2", "Monthly")
    client.plans.delete("gold")
    assert client.products.retrieve("gold").id == "gold"
    with pytest.raises(pinstripe.InvalidRequestError, match="No such plan"):
        client.plans.retrieve("gold")


def test_an_id_can_be_used_once_in_each_object_type(client: pinstripe.Client) -> None:
    client.products.create(id="gold", name="Gold")
    with pytest.raises(pinstripe.InvalidRequestError, match="already exists"):
        client.products.create(id="gold", name="Other")
    assert client.coupons.create(id="gold", percent_off=10).id == "gold"


def test_the_id_of_a_deleted_object_can_be_used_again(client: pinstripe.Client) -> None:
    client.products.create(id="gold", name="Gold")
    client.products.create(id="silver", name="Silver")
    client.products.delete("gold")
    assert client.products.create(id="gold", name="New gold").id == "gold"
    assert [product.name for product in client.products.list()] == ["New gold", "Silver"]
    plan: Any = {"id": "monthly", "currency": "usd", "interval": "month", "product": "gold"}  # Any: a literal
    for amount in (900, 1200):
        client.plans.create(amount=amount, **plan)
        with pytest.raises(pinstripe.InvalidRequestError, match="already exists"):
            client.plans.create(amount=amount, **plan)
        assert client.prices.retrieve("monthly").unit_amount == amount
        client.plans.delete("monthly")
    with pytest.raises(pinstripe.InvalidRequestError, match="No such price"):
        client.prices.retrieve("monthly")


def test_a_coupon_that_is_created_again_changes_no_earlier_discount(client: pinstripe.Client) -> None:
    client.coupons.create(id="gold", percent_off=50, duration="forever")
    code = client.promotion_codes.create(promotion={"type": "coupon", "coupon": "gold"})
    price = client.prices.create(
        currency="usd", unit_amount=1000, recurring={"interval": "month"}, product_data={"name": "Plan"}
    )

    def total(**params: Any) -> int:  # Any: parameters of a subscription
        customer = client.customers.create(
            payment_method="pm_card_visa", invoice_settings={"default_payment_method": "pm_card_visa"}
        )
        client.subscriptions.create(customer=customer.id, items=[{"price": price.id}], **params)
        return client.invoices.create_preview(customer=customer.id).total

    subscription = client.subscriptions.create(
        customer=client.customers.create().id,
        items=[{"price": price.id}],
        discounts=[{"coupon": "gold"}],
        payment_behavior="default_incomplete",
    )
    client.coupons.delete("gold")
    client.coupons.create(id="gold", percent_off=10, duration="forever")
    assert client.invoices.create_preview(subscription=subscription.id).total == 500
    assert total(discounts=[{"coupon": "gold"}]) == 900
    with pytest.raises(pinstripe.InvalidRequestError, match="no longer active"):
        total(discounts=[{"promotion_code": code.id}])


def test_an_unknown_field_is_an_error_and_changes_nothing(state: AccountState) -> None:
    invoice = state.create("invoice", amount_due=900)
    before = contents(state)
    with pytest.raises(AttributeError, match="invoice has no field amout_due"):
        state.objects.update(invoice, amount_due=0, amout_due=0)
    with pytest.raises(AttributeError, match="invoice has no field amout_due"):
        state.create("invoice", amout_due=0)
    assert contents(state) == before


def test_an_object_that_is_not_stored_cannot_be_updated(state: AccountState) -> None:
    draft = state.draft("customer")
    with pytest.raises(ValueError, match="not stored"):
        state.objects.update(draft, name="Jenny")
    state.objects.add(draft)
    with pytest.raises(ValueError, match="not stored"):
        state.objects.update(dict(draft), name="Jenny")


def test_deleted_objects_are_neither_returned_nor_listed(state: AccountState) -> None:
    customer = state.create("customer", {"email": "jenny@example.com"})
    state.objects.mark_deleted(customer)
    with pytest.raises(ErrorResponse, match="No such customer"):
        state.objects.get("customer", customer["id"])
    assert list(state.objects.all("customer", email="jenny@example.com")) == []
    assert state.objects["customer", customer["id"]] == {"id": customer["id"], "object": "customer", "deleted": True}


def test_objects_are_listed_newest_first_also_by_an_index(state: AccountState) -> None:
    ids = [state.create("invoice", customer="cus_1")["id"] for _ in range(3)]
    first = state.objects["invoice", ids[0]]
    state.objects.update(first, customer="cus_2")
    state.objects.update(first, customer="cus_1")  # indexed last, and still the oldest
    assert [invoice["id"] for invoice in state.objects.all("invoice", customer="cus_1")] == ids[::-1]


def test_lists_with_a_filter_do_not_scan_other_objects(
    client: pinstripe.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        client.customers.create(email=f"{number}@example.com")
    compared: list[str] = []

    def matches(value: Any, name: str, wanted: str) -> bool:  # Any: an object
        compared.append(value["email"])
        return bool(value[name] == wanted)

    monkeypatch.setattr(_filters, "matches", matches)
    assert [customer.email for customer in client.customers.list(email="3@example.com")] == ["3@example.com"]
    assert compared == ["3@example.com"]


def test_a_rollback_to_a_savepoint_keeps_earlier_changes(state: AccountState) -> None:
    customer = state.create("customer", {"name": "Jenny"})
    savepoint = state.transaction.savepoint()
    state.objects.update(customer, name="Ann")
    state.objects.remove(customer)
    state.transaction.rollback(savepoint)
    assert state.objects["customer", customer["id"]]["name"] == "Jenny"
    state.transaction.rollback()
    assert ("customer", customer["id"]) not in state.objects


def test_an_event_contains_the_object_as_it_was(state: AccountState) -> None:
    customer = state.create("customer", {"name": "Jenny"})
    state.events.emit("created", customer)
    state.objects.update(customer, name="Ann")
    (event,) = state.events.by_id.values()
    assert event.object["data"]["object"]["name"] == "Jenny"


Change = Callable[[AccountState], object]
keys = st.tuples(st.sampled_from(OBJECT_TYPES), st.sampled_from(IDS))


def add(key: tuple[str, str], customer: str | None) -> Change:
    def change(state: AccountState) -> None:
        fields = {"customer": customer} if key[0] == "invoice" else {"metadata": {"customer": str(customer)}}
        state.create(key[0], {"id": key[1]}, **fields)

    return change


def on_object(key: tuple[str, str], change: Callable[[AccountState, Any], object]) -> Change:  # Any: an object
    """Return a change of an object, which does nothing when there is no such object."""

    def change_if_stored(state: AccountState) -> None:
        value = state.objects.find(*key)
        if value is not None and not value.get("deleted"):
            change(state, value)

    return change_if_stored


def update(state: AccountState, value: Any, customer: str | None) -> None:  # Any: an object
    if value["object"] == "invoice":
        state.objects.update(value, customer=customer, metadata={"number": str(customer)})
    elif value["object"] == "customer":
        state.objects.update(value, email=customer, test_clock=customer)
    else:
        state.objects.update(value, metadata={"customer": str(customer)})


changes: st.SearchStrategy[Change] = st.one_of(
    st.builds(add, keys, st.sampled_from(CUSTOMERS)),
    st.builds(
        lambda key, customer: on_object(key, lambda state, value: update(state, value, customer)),
        keys,
        st.sampled_from(CUSTOMERS),
    ),
    st.builds(lambda key: on_object(key, lambda state, value: state.objects.remove(value)), keys),
    st.builds(lambda key: on_object(key, lambda state, value: state.objects.mark_deleted(value)), keys),
    st.builds(lambda key: on_object(key, lambda state, value: state.events.emit("created", value)), keys),
    st.builds(
        lambda key, at: on_object(key, lambda state, value: state.clock.schedule(at, "test", value)),
        keys,
        st.integers(0, 9),
    ),
    st.builds(lambda until: lambda state: state.clock.next_due("", until), st.integers(0, 9)),
    st.just(lambda state: state.clock.drop("")),
    st.builds(lambda key: lambda state: state.tables.used_discounts.set(key, Flag()), st.sampled_from(IDS)),
    st.builds(
        lambda key, target: lambda state: state.tables.owners.set(key, Reference(target)),
        st.sampled_from(IDS),
        st.sampled_from(IDS),
    ),
)


def state_after(committed: list[Change]) -> AccountState:
    """Return a state with an object of each type, and with other committed changes."""
    state = new_state()
    for object_type in OBJECT_TYPES:
        add((object_type, "gold"), "cus_1")(state)
    for change in committed:
        change(state)
    state.commit()
    return state


@given(st.lists(changes, max_size=8), st.lists(changes, max_size=12))
def test_a_rollback_restores_everything(committed: list[Change], undone: list[Change]) -> None:
    state = state_after(committed)
    before = contents(state)
    for change in undone:
        change(state)
    check_indexes(state)
    state.transaction.rollback()
    assert contents(state) == before
    check_indexes(state)
    state.commit()
    assert contents(state) == before


@given(st.lists(changes, max_size=8), st.lists(changes, max_size=8), st.lists(changes, max_size=8))
def test_a_rollback_to_a_savepoint_restores_the_state_at_the_savepoint(
    committed: list[Change], earlier: list[Change], undone: list[Change]
) -> None:
    state = state_after(committed)
    for change in earlier:
        change(state)
    before, savepoint = contents(state), state.transaction.savepoint()
    for change in undone:
        change(state)
    state.transaction.rollback(savepoint)
    assert contents(state) == before
    state.commit()
    check_indexes(state)
    assert contents(state)["objects"] == before["objects"]


@given(st.lists(st.tuples(changes, st.booleans()), max_size=20))
def test_indexes_agree_with_a_scan_after_any_changes(steps: list[tuple[Change, bool]]) -> None:
    state = state_after([])
    for change, commit in steps:
        change(state)
        check_indexes(state)
        if commit:
            state.commit()
            check_indexes(state)
