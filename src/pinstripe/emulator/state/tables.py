"""What Stripe knows of an object and does not show: one typed table for each kind of fact.

Rows are frozen dataclasses of JSON values. Setting a row is undone with the request, and written to the state file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Generic, Literal, TypeVar, get_args, get_type_hints

from pydantic import TypeAdapter

from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.state.transaction import Transaction

K = TypeVar("K", str, "tuple[str, str]")
R = TypeVar("R")


class Table(Generic[K, R]):
    """Rows of one type by key."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._rows: dict[K, R] = {}
        self.changed: set[K] = set()
        """The keys of the rows that were set since the last commit."""

    def get(self, key: K) -> R | None:
        """Return a row, or ``None``."""
        return self._rows.get(key)

    def __getitem__(self, key: K) -> R:
        return self._rows[key]

    def __contains__(self, key: K) -> bool:
        return key in self._rows

    def __iter__(self) -> Iterator[K]:
        return iter(self._rows)

    def set(self, key: K, row: R) -> None:
        """Set a row."""
        previous = self._rows.get(key)
        self._rows[key] = row
        self.changed.add(key)

        def undo() -> None:
            if previous is None:
                self._rows.pop(key, None)
            else:
                self._rows[key] = previous

        self._transaction.record(undo)

    def load(self, key: K, row: R) -> None:
        """Put a row back that was written before."""
        self._rows[key] = row


@dataclass(frozen=True)
class PaymentRetries:
    """When the failed payment of a renewal is retried, in days after the previous attempt, and what follows the last one."""

    days: tuple[int, ...] = (3, 5, 7)
    then: Literal["unpaid", "canceled", "past_due"] = "unpaid"


@dataclass(frozen=True)
class EndpointSecret:
    """The signing secret of a webhook endpoint, and whether it receives the events of connected accounts."""

    secret: str
    connect: bool = False


@dataclass(frozen=True)
class Instrument:
    """The test card behind a payment method, card, source or token."""

    card: str = "visa"
    set_up: bool = False
    """Whether the cardholder has agreed to off-session payments."""
    detached: bool = False


@dataclass(frozen=True)
class TokenContents:
    """What a token stands for: a test card, or the parameters of a bank account."""

    card: str | None = None
    bank_account: Object | None = None


@dataclass(frozen=True)
class CheckoutSessionDetails:
    """What a checkout session was created with, for the objects it will create."""

    payment_intent_data: Object
    subscription_data: Object
    setup_intent_data: Object
    discounts: tuple[str, ...] = ()
    customer: str | None = None
    """The customer that was created for the session."""


@dataclass(frozen=True)
class IntentDetails:
    """What a payment or setup intent belongs to."""

    checkout_session: str | None = None
    invoice_payment: str | None = None
    return_url: str | None = None


@dataclass(frozen=True)
class InvoiceDetails:
    """The payment of an invoice, and the subscription items that become effective when it is paid."""

    payment: str | None = None
    pending_items: list[Object] | None = None


@dataclass(frozen=True)
class InvoiceLineDetails:
    """The tax rates of an invoice line, and the invoice item it was made of."""

    tax_rates: tuple[str, ...] = ()
    invoice_item: str | None = None


@dataclass(frozen=True)
class LineItems:
    """The line items of a checkout session, payment link, quote or tax calculation."""

    items: list[Object]


@dataclass(frozen=True)
class LineItemDetails:
    """The tax rates of a line item."""

    tax_rates: tuple[str, ...] = ()


@dataclass(frozen=True)
class PriceDetails:
    """The tiers of a price, and the price in other currencies."""

    tiers: list[Object] | None = None
    currency_options: dict[str, Object] = field(default_factory=dict)


@dataclass(frozen=True)
class Reference:
    """The id of another object."""

    id: str


@dataclass(frozen=True)
class StoredObject:
    """An object that has no id of its own, such as the settings of an account."""

    value: Object


@dataclass(frozen=True)
class Amount:
    """An amount in the currency's smallest unit."""

    amount: int


@dataclass(frozen=True)
class Timestamp:
    """Unix seconds."""

    seconds: int


@dataclass(frozen=True)
class Secret:
    """A secret text."""

    text: str


@dataclass(frozen=True)
class Flag:
    """A row that only says that something has happened."""


@dataclass(frozen=True)
class UsageEvent:
    """One meter event: when, how much, and its identifier."""

    timestamp: int
    value: str
    identifier: str | None = None


@dataclass(frozen=True)
class MeterUsage:
    """The meter events of a customer."""

    events: tuple[UsageEvent, ...] = ()


@dataclass(frozen=True)
class StoredResponse:
    """The response to a request with an idempotency key, and a fingerprint of the request."""

    fingerprint: str
    status: int
    body: str
    headers: dict[str, str]


class SideTables:
    """The side tables of an account. Each is keyed by the id of the object it describes unless it says otherwise."""

    payment_retries: Table[str, PaymentRetries]
    """One row, under `ACCOUNT_KEY`."""
    endpoint_secrets: Table[str, EndpointSecret]
    instruments: Table[str, Instrument]
    token_contents: Table[str, TokenContents]
    checkout_sessions: Table[str, CheckoutSessionDetails]
    intents: Table[str, IntentDetails]
    invoices: Table[str, InvoiceDetails]
    invoice_lines: Table[str, InvoiceLineDetails]
    line_items: Table[str, LineItems]
    line_item_details: Table[str, LineItemDetails]
    prices: Table[str, PriceDetails]
    plan_prices: Table[str, Reference]
    """The price of a plan."""
    confirmation_token_methods: Table[str, Reference]
    """The payment method of a confirmation token."""
    owners: Table[str, Reference]
    """The object under whose path an object was created."""
    entitlements: Table[tuple[str, str], Reference]
    """The active entitlement of a customer to a feature."""
    deleted_coupons: Table[str, StoredObject]
    singletons: Table[tuple[str, str], StoredObject]
    """By object type, and the id of the owner or an empty text for the account."""
    capabilities: Table[tuple[str, str], StoredObject]
    """By account and name."""
    balances: Table[tuple[str, str], Amount]
    """By status (``pending`` or ``available``) and currency."""
    billed_until: Table[str, Timestamp]
    """Until when the usage of a subscription item was billed."""
    announced_subscriptions: Table[str, Flag]
    """The subscriptions whose creation event was sent."""
    creation_times: Table[str, Timestamp]
    """When an object was created that has no field for it."""
    resumptions: Table[str, Flag]
    """The invoices whose payment resumes a paused subscription."""
    used_discounts: Table[str, Flag]
    """The discounts of coupons with the duration ``once`` that an invoice has used."""
    app_secrets: Table[str, Secret]
    meter_usage: Table[tuple[str, str], MeterUsage]
    """By meter and customer."""
    idempotent_responses: Table[str, StoredResponse]
    """By idempotency key."""

    def __init__(self, transaction: Transaction) -> None:
        for name in table_names():
            setattr(self, name, Table[Any, Any](transaction))  # Any: the annotation of the attribute says it

    def __getitem__(self, name: str) -> Table[Any, Any]:  # Any: tables of many types
        """Return a table by its name."""
        table: Table[Any, Any] = getattr(self, name)  # Any: as above
        return table

    def changed(self) -> Iterator[tuple[str, Table[Any, Any]]]:  # Any: as above
        """Iterate over the tables with rows that were set since the last commit."""
        for name in table_names():
            if (table := self[name]).changed:
                yield name, table


ACCOUNT_KEY = ""
"""The key of the only row of a table that describes the account itself."""


@cache
def table_names() -> tuple[str, ...]:
    """Return the names of the side tables."""
    return tuple(SideTables.__annotations__)


@cache
def row_adapter(name: str) -> TypeAdapter[Any]:  # Any: rows of many types
    """Return what reads and writes the rows of a table as JSON."""
    return TypeAdapter(get_args(get_type_hints(SideTables)[name])[1])
