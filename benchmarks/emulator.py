"""Measure the emulator's speed, in process and over HTTP, and its memory: ``python -m benchmarks.emulator``.

Each call is a complete call of a client, from keyword arguments to a validated model.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable

import pinstripe
from pinstripe.emulator import Emulator

CALLS = 2000
ROUNDS = 5
CUSTOMERS = 100_000


def calls_per_second(call: Callable[[], object]) -> float:
    """Return the calls per second in the best of several rounds."""
    best = 0.0
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(CALLS):
            call()
        best = max(best, CALLS / (time.perf_counter() - start))
    return best


def peak_memory() -> float:
    """Return the peak memory of this process, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024 * 1024)


def measure_calls(client: pinstripe.Client) -> dict[str, float]:
    """Return the calls per second of typical operations."""
    customer = client.customers.create(email="jenny@example.com", payment_method="pm_card_visa").id
    client.customers.update(
        customer, invoice_settings={"default_payment_method": client.payment_methods.list(customer=customer).data[0].id}
    )
    price = client.prices.create(
        currency="usd", unit_amount=2900, recurring={"interval": "month"}, product_data={"name": "Gold"}
    ).id
    return {
        "retrieve a customer": calls_per_second(lambda: client.customers.retrieve(customer)),
        "create a customer": calls_per_second(
            lambda: client.customers.create(email="jenny@example.com", metadata={"order": "6735"})
        ),
        "pay": calls_per_second(
            lambda: client.payment_intents.create(
                amount=900,
                currency="usd",
                payment_method="pm_card_visa",
                confirm=True,
                return_url="https://example.com",
            )
        ),
        "subscribe": calls_per_second(lambda: client.subscriptions.create(customer=customer, items=[{"price": price}])),
    }


def main() -> None:
    """Measure memory, which must come first because it is the peak, then speed."""
    with Emulator() as emulator, emulator.client() as client:
        before, start = peak_memory(), time.perf_counter()
        for number in range(CUSTOMERS):
            client.customers.create(
                email=f"{number}@example.com", name=f"Customer {number}", metadata={"number": str(number)}
            )
        seconds = time.perf_counter() - start
        print(f"{CUSTOMERS:,} customers and their events: {peak_memory() - before:,.0f} MB, created in {seconds:.0f} s")
    with Emulator() as emulator, emulator.client() as client:
        in_process = measure_calls(client)
    with Emulator() as emulator, emulator.serve() as url, pinstripe.Client("sk_test_x", base_url=url) as client:
        over_http = measure_calls(client)
    print(f"{'calls per second, one client':32}{'in process':>12}{'over HTTP':>12}")
    for name, speed in in_process.items():
        print(f"{name:32}{speed:12,.0f}{over_http[name]:12,.0f}")


if __name__ == "__main__":
    main()
