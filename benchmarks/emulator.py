"""How fast the emulator answers, in process and over HTTP, and what it holds: ``python -m benchmarks.emulator``.

Calls are whole calls of a client: encoded, carried out, answered, decoded into models.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable

import pinstripe
from pinstripe.emulator import Emulator

CALLS = 2000
TURNS = 5
MANY = 100_000


def rate(call: Callable[[], object]) -> float:
    """Calls a second: the best of several turns."""
    best = 0.0
    for _ in range(TURNS):
        start = time.perf_counter()
        for _ in range(CALLS):
            call()
        best = max(best, CALLS / (time.perf_counter() - start))
    return best


def memory() -> float:
    """The most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024 * 1024)


def calls(client: pinstripe.Client) -> dict[str, float]:
    """Calls a second of a few kinds of calls."""
    customer = client.customers.create(email="jenny@example.com", payment_method="pm_card_visa").id
    client.customers.update(
        customer, invoice_settings={"default_payment_method": client.payment_methods.list(customer=customer).data[0].id}
    )
    price = client.prices.create(
        currency="usd", unit_amount=2900, recurring={"interval": "month"}, product_data={"name": "Gold"}
    ).id
    return {
        "retrieve a customer": rate(lambda: client.customers.retrieve(customer)),
        "create a customer": rate(
            lambda: client.customers.create(email="jenny@example.com", metadata={"order": "6735"})
        ),
        "pay": rate(
            lambda: client.payment_intents.create(
                amount=900, currency="usd", payment_method="pm_card_visa", confirm=True
            )
        ),
        "subscribe": rate(lambda: client.subscriptions.create(customer=customer, items=[{"price": price}])),
    }


def main() -> None:
    """Measure, and print. Memory comes first: what is measured is the most that there ever was."""
    with Emulator() as emulator, emulator.client() as client:
        before, start = memory(), time.perf_counter()
        for number in range(MANY):
            client.customers.create(
                email=f"{number}@example.com", name=f"Customer {number}", metadata={"number": str(number)}
            )
        seconds = time.perf_counter() - start
        print(f"{MANY:,} customers and their events: {memory() - before:,.0f} MB, made in {seconds:.0f} s")
    with Emulator() as emulator, emulator.client() as client:
        inside = calls(client)
    with Emulator() as emulator, emulator.serve() as url, pinstripe.Client("sk_test_x", base_url=url) as client:
        outside = calls(client)
    print(f"{'calls a second, one client':32}{'in process':>12}{'over HTTP':>12}")
    for name, found in inside.items():
        print(f"{name:32}{found:12,.0f}{outside[name]:12,.0f}")


if __name__ == "__main__":
    main()
