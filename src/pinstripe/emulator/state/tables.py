"""Side tables: facts about objects that responses do not contain, one typed table for each kind.

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
        """Set a row that was read from a snapshot or a state file."""
        self._rows[key] = row


@dataclass(frozen=True)
class PaymentRetries:
    """The days after which failed payments of renewals are retried, and the status of the subscription after the last retry."""

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
    used: bool = False
    """Whether a payment has used it while it belonged to no customer."""
    debit: str = "success"
    """The end of debits of a bank account; with a ``+``, it comes after a delay."""


@dataclass(frozen=True)
class TokenContents:
    """The content of a token: a test card, or the parameters of a bank account."""

    card: str | None = None
    bank_account: Object | None = None


@dataclass(frozen=True)
class CheckoutSessionDetails:
    """The parameters of a checkout session for the objects that it creates when it is completed."""

    payment_intent_data: Object
    subscription_data: Object
    setup_intent_data: Object
    discounts: tuple[str, ...] = ()
    customer: str | None = None
    """The customer that was created for the session."""
    subscription: str | None = None
    """The subscription that was started for the session."""
    challenge: str | None = None
    """The intent that the customer must authenticate."""


@dataclass(frozen=True)
class IntentDetails:
    """The owner of a payment or setup intent, and the URL that the customer returns to after 3-D Secure."""

    checkout_session: str | None = None
    subscription: str | None = None
    invoice_payment: str | None = None
    return_url: str | None = None


@dataclass(frozen=True)
class InvoiceDetails:
    """The default payment of an invoice, its shares for connected accounts, and the items of the pending update that it pays."""

    payment: str | None = None
    shares: Object | None = None
    pending_items: list[Object] | None = None


@dataclass(frozen=True)
class InvoiceLineDetails:
    """The tax rates of an invoice line, and its invoice item."""

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
    """A secret of the app secret store."""

    text: str


@dataclass(frozen=True)
class Flag:
    """A row without content: its key is in the table or not."""


@dataclass(frozen=True)
class UsageEvent:
    """A meter event."""

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
    """The side tables of an account. The key is the id of the described object, unless the docstring names another."""

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
    confirmation_token_methods: Table[str, Reference]
    """The payment method of a confirmation token."""
    owners: Table[str, Reference]
    """The object under whose path an object was created."""
    entitlements: Table[tuple[str, str], Reference]
    """The active entitlement of a customer to a feature."""
    deleted_coupons: Table[str, StoredObject]
    """The coupon of a discount that was deleted since."""
    singletons: Table[tuple[str, str], StoredObject]
    """By object type, and the id of the owner or an empty text for the account."""
    capabilities: Table[tuple[str, str], StoredObject]
    """By account and name."""
    balances: Table[tuple[str, str], Amount]
    """By status (``pending`` or ``available``) and currency."""
    billed_until: Table[str, Timestamp]
    """The time until which the usage of a subscription item was billed."""
    announced_subscriptions: Table[str, Flag]
    """The subscriptions whose ``created`` event was emitted."""
    creation_times: Table[str, Timestamp]
    """The time of the creation of an object that has no field for it."""
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
        self._by_name: dict[str, Table[Any, Any]] = {}  # Any: tables of many types, as annotated above
        for name in table_names():
            self._by_name[name] = Table(transaction)
            setattr(self, name, self._by_name[name])

    def __getitem__(self, name: str) -> Table[Any, Any]:  # Any: tables of many types
        """Return a table by its name."""
        return self._by_name[name]

    def changed(self) -> list[tuple[str, Table[Any, Any]]]:  # Any: tables of many types
        """Return the tables with rows that were set since the last commit, with their names."""
        return [(name, table) for name, table in self._by_name.items() if table.changed]


ACCOUNT_KEY = ""
"""The key of the only row of a table that describes the account itself."""


@cache
def table_names() -> tuple[str, ...]:
    """Return the names of the side tables."""
    return tuple(SideTables.__annotations__)


@cache
def row_adapter(name: str) -> TypeAdapter[Any]:  # Any: rows of many types
    """Return the adapter that reads and writes the rows of a table as JSON."""
    return TypeAdapter(get_args(get_type_hints(SideTables)[name])[1])
