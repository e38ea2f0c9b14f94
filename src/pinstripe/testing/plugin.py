"""Fixtures for pytest: an emulator for each test, its clients, and signed webhook requests.

In a process with this plugin, clients refuse to send requests with live keys (``PINSTRIPE_TEST_MODE=1``).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pinstripe._client import AsyncClient, Client
    from pinstripe.emulator import Emulator
    from pinstripe.testing import SignedRequest

# Fixtures import what they need, so that a test run without them does not load it.


def pytest_configure() -> None:
    """Let clients refuse to send requests with live keys, unless the environment says otherwise."""
    os.environ.setdefault("PINSTRIPE_TEST_MODE", "1")


@pytest.fixture
def stripe_emulator() -> Iterator[Emulator]:
    """Provide a new emulator, whose ids are the same in every run."""
    from pinstripe.emulator import Emulator

    with Emulator(seed=0) as emulator:
        yield emulator


@pytest.fixture
def stripe_client(stripe_emulator: Emulator) -> Client:
    """Provide an in-process client of the emulator; it raises if a response does not match its model."""
    return stripe_emulator.client(validation="strict")


@pytest.fixture
def stripe_async_client(stripe_emulator: Emulator) -> AsyncClient:
    """Provide an in-process async client of the emulator; it raises if a response does not match its model."""
    return stripe_emulator.async_client(validation="strict")


@pytest.fixture
def stripe_signed_request() -> Callable[..., SignedRequest]:
    """Provide `pinstripe.testing.signed_request`: ``stripe_signed_request("invoice.paid", {"amount_paid": 2900})``."""
    from pinstripe.testing import signed_request

    return signed_request
