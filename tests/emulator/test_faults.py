"""Injected faults, and retries that change nothing twice."""

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
    monkeypatch.setattr("pinstripe._retry.retry_delay", lambda retries, minimum, random: 0.0)


@pytest.fixture(params=["in process", "over HTTP"])
def make_client(
    request: pytest.FixtureRequest, emulator: Emulator
) -> Iterator[Any]:  # Any: a function that makes clients
    """Return a function that makes clients, in process or over HTTP."""
    with ExitStack() as stack:
        if request.param == "in process":
            yield lambda **options: stack.enter_context(emulator.client(**options))
        else:
            url = stack.enter_context(emulator.serve())
            yield lambda **options: stack.enter_context(pinstripe.Client("sk_test_x", base_url=url, **options))


def customers_created(emulator: Emulator) -> int:
    return emulator.events.types.count("customer.created")


def test_an_injected_error_changes_nothing_and_is_retried(emulator: Emulator, make_client: Any) -> None:
    emulator.fail_next("customers.create", "error", status=503)
    assert make_client().customers.create(name="Jenny").name == "Jenny"
    assert customers_created(emulator) == 1


def test_a_connection_reset_before_the_request_is_retried(emulator: Emulator, make_client: Any) -> None:
    emulator.fail_next("POST /v1/customers", "reset_before")
    make_client().customers.create()
    assert customers_created(emulator) == 1


def test_a_retry_after_a_lost_response_changes_nothing_twice(emulator: Emulator, make_client: Any) -> None:
    emulator.fail_next("customers.*", "reset_after", times=2)
    customer = make_client().customers.create()
    assert customers_created(emulator) == 1
    assert customer.last_response.headers["idempotent-replayed"] == "true"


def test_a_timeout_is_retried_with_the_same_idempotency_key(emulator: Emulator, make_client: Any) -> None:
    emulator.fail_next("customers.create", "timeout")
    client = make_client(timeout=0.3)
    client.customers.create()
    assert customers_created(emulator) == 1
    emulator.fail_next("customers.create", "timeout")
    with pytest.raises(pinstripe.APITimeoutError):
        client.with_options(max_retries=0).customers.create()


def test_a_rate_limit_raises_its_own_error(emulator: Emulator, make_client: Any) -> None:
    emulator.fail_next("*", "rate_limit")
    with pytest.raises(pinstripe.RateLimitError):
        make_client(max_retries=0).customers.list()
    assert make_client().customers.list().data == []


def test_a_repeated_error_is_raised_with_its_status(emulator: Emulator, make_client: Any) -> None:
    emulator.fail_next("products.create", "error", status=500, times=3)
    with pytest.raises(pinstripe.APIError) as caught:
        make_client().products.create(name="x")
    assert caught.value.status_code == 500
    assert make_client().products.create(name="x").name == "x"


def test_a_fault_waits_for_its_operation(emulator: Emulator, client: pinstripe.Client) -> None:
    emulator.fail_next("charges.create", "error")
    client.customers.create()
    with pytest.raises(pinstripe.APIError):
        client.with_options(max_retries=0).charges.create(amount=100, currency="usd", source="tok_visa")


def test_async_clients_receive_the_same_faults(emulator: Emulator) -> None:
    async def run() -> None:
        client = emulator.async_client(max_retries=0)
        emulator.fail_next("customers.create", "timeout")
        with pytest.raises(pinstripe.APITimeoutError):
            await client.customers.create()
        emulator.fail_next("customers.create", "slow", seconds=0.01)
        await client.customers.create()

    asyncio.run(run())
    assert customers_created(emulator) == 2


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
def test_an_invalid_fault_is_refused(emulator: Emulator, fault: dict[str, Any], param: str) -> None:
    with pytest.raises(pinstripe.InvalidArgumentError) as caught:
        emulator.fail_next(**fault)
    assert caught.value.param == param


def test_invalid_arguments_of_the_emulator_raise_an_error_that_names_them(
    emulator: Emulator, client: pinstripe.Client, tmp_path: Path
) -> None:
    customer = client.customers.create().id
    events = len(emulator.events)
    mistakes: list[tuple[Callable[[], object], str]] = [
        (lambda: emulator.add("nonsense"), "nonsense"),
        (lambda: emulator.add("review", chrge="ch_1"), "chrge"),
        (lambda: emulator.add("review", charge=3), "charge is of type int"),
        (lambda: emulator.authenticate("pi_none"), "pi_none"),
        (lambda: emulator.authenticate(customer), customer),
        (lambda: emulator.retry_payments([-1]), "days"),
        (lambda: emulator.restore(b"junk"), "snapshot"),
        (lambda: Emulator(db=tmp_path), "unable to open"),
    ]
    for call, words in mistakes:
        with pytest.raises(pinstripe.InvalidArgumentError, match=words):
            call()
    assert len(emulator.events) == events
    assert emulator.add("review", charge="ch_1").charge == "ch_1"
