"""Sum the payments of each customer, with concurrent requests. Runs on the emulator."""

from __future__ import annotations

import asyncio

import pinstripe
from pinstripe.emulator import Emulator


async def total_paid(client: pinstripe.AsyncClient, customer: str) -> int:
    """Return the sum of all payments of a customer, in cents."""
    return sum([intent.amount_received or 0 async for intent in client.payment_intents.list(customer=customer)])


async def main() -> None:
    """Create customers with payments, and print the total of each."""
    async with Emulator().async_client() as client:
        customers = [await client.customers.create(email=f"{name}@example.com") for name in ("ada", "grace", "mary")]
        for index, customer in enumerate(customers):
            await client.payment_intents.create(
                amount=1000 * (index + 1),
                currency="usd",
                customer=customer.id,
                payment_method="pm_card_visa",
                confirm=True,
                return_url="https://example.com",
            )
        totals = await asyncio.gather(*(total_paid(client, customer.id) for customer in customers))
        for customer, total in zip(customers, totals, strict=True):
            print(f"{customer.email}: {total / 100:.2f} USD")


if __name__ == "__main__":
    asyncio.run(main())
