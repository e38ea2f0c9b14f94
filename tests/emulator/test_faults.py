"""Faults by rule, and that the client's retries never do a thing twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

import pinstripe
from pinstripe.emulator import Emulator


@pytest.fixture(autouse=True)
def _no_waiting_between_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pinstripe._retry.wait", lambda retries, asked, random: 0.0)


@pytest.fixture(params=["in process", "over HTTP"])
def door(request: pytest.FixtureRequest, emulator: Emulator) -> Iterator[Any]:  # Any: a function that makes clients
    """Clients of both doors."""
    with ExitStack() as stack:
        if request.param == "in process":
            yield lambda **options: stack.enter_context(emulator.client(**options))
        else:
            url = stack.enter_context(emulator.serve())
            yield lambda **options: stack.enter_context(pinstripe.Client("sk_test_x", base_url=url, **options))


def created(emulator: Emulator) -> int:
    return emulator.events.types.count("customer.created")


def test_an_error_has_no_effect_and_is_tried_again(emulator: Emulator, door: Any) -> None:
    emulator.fail_next("customers.create", "error", status=503)
    assert door().customers.create(name="Jenny").name == "Jenny"
    assert created(emulator) == 1


def test_a_connection_cut_before_the_effect_is_tried_again(emulator: Emulator, door: Any) -> None:
    emulator.fail_next("POST /v1/customers", "reset_before")
    door().customers.create()
    assert created(emulator) == 1


def test_a_connection_cut_after_the_effect_does_nothing_twice(emulator: Emulator, door: Any) -> None:
    emulator.fail_next("customers.*", "reset_after", times=2)
    made = door().customers.create()
    assert created(emulator) == 1
    assert made.last_response.headers["idempotent-replayed"] == "true"


def test_no_answer_at_all_is_a_timeout_and_then_the_same_answer(emulator: Emulator, door: Any) -> None:
    emulator.fail_next("customers.create", "timeout")
    client = door(timeout=0.3)
    client.customers.create()
    assert created(emulator) == 1
    emulator.fail_next("customers.create", "timeout")
    with pytest.raises(pinstripe.APITimeoutError):
        client.with_options(max_retries=0).customers.create()


def test_a_rate_limit_is_an_error_of_its_own(emulator: Emulator, door: Any) -> None:
    emulator.fail_next("*", "rate_limit")
    with pytest.raises(pinstripe.RateLimitError):
        door(max_retries=0).customers.list()
    assert door().customers.list().data == []


def test_an_error_that_lasts_is_raised_with_its_status(emulator: Emulator, door: Any) -> None:
    emulator.fail_next("products.create", "error", status=500, times=3)
    with pytest.raises(pinstripe.APIError) as caught:
        door().products.create(name="x")
    assert caught.value.status_code == 500
    assert door().products.create(name="x").name == "x"


def test_faults_wait_for_their_operation(emulator: Emulator, client: pinstripe.Client) -> None:
    emulator.fail_next("charges.create", "error")
    client.customers.create()
    with pytest.raises(pinstripe.APIError):
        client.with_options(max_retries=0).charges.create(amount=100, currency="usd", source="tok_visa")


def test_async_clients_meet_the_same_faults(emulator: Emulator) -> None:
    async def story() -> None:
        client = emulator.async_client(max_retries=0)
        emulator.fail_next("customers.create", "timeout")
        with pytest.raises(pinstripe.APITimeoutError):
            await client.customers.create()
        emulator.fail_next("customers.create", "slow", seconds=0.01)
        await client.customers.create()

    asyncio.run(story())
    assert created(emulator) == 2


@pytest.mark.parametrize(
    ("fault", "param"),
    [
        ({"match": "chrges.create"}, "match"),
        ({"match": "POST /v1/chrges"}, "match"),
        ({"fault": "timeuot"}, "fault"),
        ({"times": 0}, "times"),
        ({"status": 200}, "status"),
        ({"seconds": -1}, "seconds"),
    ],
)
def test_a_fault_that_could_never_happen_is_refused(emulator: Emulator, fault: dict[str, Any], param: str) -> None:
    with pytest.raises(pinstripe.InvalidArgumentError) as caught:
        emulator.fail_next(**fault)
    assert caught.value.param == param


def test_what_a_test_asks_of_the_emulator_wrongly_is_an_error_that_says_so(
    emulator: Emulator, client: pinstripe.Client, tmp_path: Path
) -> None:
    customer = client.customers.create().id
    events = len(emulator.events)
    mistakes: list[tuple[Callable[[], object], str]] = [
        (lambda: emulator.add("nonsense"), "nonsense"),
        (lambda: emulator.add("review", chrge="ch_1"), "chrge"),
        (lambda: emulator.add("review", charge=3), "charge is a int"),
        (lambda: emulator.authenticate("pi_none"), "pi_none"),
        (lambda: emulator.authenticate(customer), customer),
        (lambda: emulator.retry_payments([-1]), "days"),
        (lambda: emulator.restore(b"junk"), "snapshot"),
        (lambda: Emulator(db=tmp_path), "unable to open"),
    ]
    for wrong, said in mistakes:
        with pytest.raises(pinstripe.InvalidArgumentError, match=said):
            wrong()
    assert len(emulator.events) == events
    assert emulator.add("review", charge="ch_1").charge == "ch_1"
