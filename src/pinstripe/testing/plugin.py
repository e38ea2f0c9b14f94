"""Fixtures for pytest: an emulator for each test, its clients, and signed deliveries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pinstripe._client import AsyncClient, Client
    from pinstripe.emulator import Emulator
    from pinstripe.testing import Delivery


@pytest.fixture
def stripe_emulator() -> Iterator[Emulator]:
    """A Stripe of the test's own, with the same ids every time."""
    from pinstripe.emulator import Emulator  # here, so that test runs that do not need it do not load it

    with Emulator(seed=0) as emulator:
        yield emulator


@pytest.fixture
def stripe_client(stripe_emulator: Emulator) -> Client:
    """A client of the emulator, in process; an answer that does not fit its model is an error."""
    return stripe_emulator.client(validation="strict")


@pytest.fixture
def stripe_async_client(stripe_emulator: Emulator) -> AsyncClient:
    """An async client of the emulator, in process."""
    return stripe_emulator.async_client(validation="strict")


@pytest.fixture
def stripe_delivery() -> Callable[..., Delivery]:
    """Makes signed deliveries: ``stripe_delivery("invoice.paid", {"amount_paid": 2900})``."""
    from pinstripe.testing import delivery  # here, as above

    return delivery
