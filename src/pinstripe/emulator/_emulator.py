"""`Emulator`: an emulator of Stripe, in process or over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypeVar

import httpx
from typing_extensions import TypedDict, Unpack

from pinstripe._base import StripeModel
from pinstripe._client import AsyncClient, Client
from pinstripe._decoding import Validation, decode
from pinstripe._registry import registry
from pinstripe.emulator._events import Events
from pinstripe.emulator._hosted import CheckoutPage, InvoicePage, PortalPage, Run, open_payment_link
from pinstripe.emulator.making import M, make
from pinstripe.emulator.operations.checkout_completion import complete_challenge
from pinstripe.emulator.operations.test_clocks import advance_all_clocks
from pinstripe.emulator.server.asgi import asgi_app
from pinstripe.emulator.server.dispatch import Server
from pinstripe.emulator.server.faults import Fault, FaultKind
from pinstripe.emulator.server.fixtures import read_fixtures
from pinstripe.emulator.server.requests import DEFAULT_API_KEY, DEFAULT_BASE_URL
from pinstripe.emulator.server.serving import serve
from pinstripe.emulator.server.transports import InProcessTransport
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.accounts import PLATFORM, Accounts
from pinstripe.emulator.state.delivery import Deliverer, Delivery
from pinstripe.emulator.state.environment import Environment
from pinstripe.emulator.state.persistence import StateFile
from pinstripe.emulator.state.tables import ACCOUNT_KEY, PaymentRetries
from pinstripe.emulator.state.thin_versions import add_thin_versions
from pinstripe.emulator.validation.errors import ErrorResponse
from pinstripe.errors import Drift, InvalidArgumentError, ResponseValidationError
from pinstripe.hooks import RequestInfo, ResponseInfo, RetryInfo
from pinstripe.resources import endpoints

T = TypeVar("T")


class ClientOptions(TypedDict, total=False):
    """The options of a client of the emulator: those of `Client`, except for URLs and the HTTP client."""

    api_version: str
    stripe_account: str | None
    stripe_context: str | None
    max_retries: int
    timeout: float
    validation: Validation
    on_drift: Callable[[Drift], None] | None
    on_request: Callable[[RequestInfo], object] | None
    on_response: Callable[[ResponseInfo], object] | None
    on_retry: Callable[[RetryInfo], object] | None


class Emulator:
    """An emulator of Stripe: ``Emulator().client()`` is a `Client` whose requests never leave the process.

    With a ``seed``, ids and times are the same in every run: time starts at 2026-01-01, and every request that may change
    something is a second later. With ``db``, a path, the state is stored in a SQLite file and loaded from it at the next start.
    With ``account_per_key``, each API key has an account of its own; otherwise they share one. ``fixtures`` is a file of requests
    that fill a new account, in the format of Stripe's CLI: https://docs.stripe.com/cli/fixtures.
    Safe to use from many threads. https://docs.stripe.com/testing
    """

    def __init__(
        self,
        *,
        seed: int | None = None,
        db: str | Path | None = None,
        account_per_key: bool = False,
        fixtures: str | Path | None = None,
    ) -> None:
        self._accounts = Accounts(Environment(seed))
        self._server = Server(self._accounts, account_per_key=account_per_key)
        self._deliverer = Deliverer(self._on_delivery_end)
        self._accounts.on_events = self._publish
        self.events: Events = Events(self._accounts)
        self._file = StateFile(db) if db is not None else None
        if self._file is not None:
            self._file.load(self._accounts)
            self._accounts.on_commit = self._write
            self._deliver_pending()
        if fixtures is not None:
            self._server.fixtures = read_fixtures(fixtures)
            self._server.fill(PLATFORM, DEFAULT_API_KEY)

    def _write(self, changed: Sequence[AccountState]) -> None:
        if self._file is not None:
            self._file.commit(self._accounts, changed)

    def _publish(self, state: AccountState, event_ids: Sequence[str]) -> None:
        add_thin_versions(state, self._accounts.state(state.owner), event_ids)
        self._deliver(state, state.events.new)
        for event_id, endpoint_id in state.events.resent:
            self._deliver(state, [event_id], endpoint_id)

    def _deliver(self, state: AccountState, event_ids: Sequence[str], endpoint_id: str | None = None) -> None:
        self._deliverer.deliver(state, self._accounts.state(state.owner), event_ids, endpoint_id)

    def _deliver_pending(self) -> None:
        """Deliver the events that the previous process had not delivered; a delivery may be repeated, as at Stripe."""
        for account_id, event_id in self._accounts.event_order:
            state = self._accounts.state(account_id)
            event = state.events.by_id[event_id]
            if not event.thin and event.object["pending_webhooks"]:
                self._deliver(state, [event_id])

    def _on_delivery_end(self, delivery: Delivery) -> None:
        with self._accounts.changed:
            state = self._accounts.state(delivery.owner + delivery.account)
            event_id: str = delivery.event["id"]
            if delivery.delivered and event_id in state.events.by_id and not state.events.by_id[event_id].thin:
                pending: int = state.events.by_id[event_id].object["pending_webhooks"]
                state.events.set_pending_webhooks(event_id, pending - 1)
                if self._file is not None:
                    self._file.write_event(state, event_id)
            self._accounts.announce()

    def client(self, api_key: str = DEFAULT_API_KEY, **options: Unpack[ClientOptions]) -> Client:
        """Return a client of the emulator, which works in process, without sockets or threads."""
        http_client = httpx.Client(transport=InProcessTransport(self._server))
        return Client(api_key, base_url=DEFAULT_BASE_URL, http_client=http_client, **options)

    def async_client(self, api_key: str = DEFAULT_API_KEY, **options: Unpack[ClientOptions]) -> AsyncClient:
        """Return an async client of the emulator, which works in process."""
        http_client = httpx.AsyncClient(transport=InProcessTransport(self._server))
        return AsyncClient(api_key, base_url=DEFAULT_BASE_URL, http_client=http_client, **options)

    def fail_next(
        self, match: str = "*", fault: FaultKind = "error", *, times: int = 1, status: int = 500, seconds: float = 1.0
    ) -> None:
        """Make the next requests that match fail.

        ``match`` is a pattern of operations (``"charges.create"``, ``"invoices.*"``), or a verb and a path
        (``"POST /v1/charges"``). ``error`` responds with ``status`` and ``rate_limit`` with 429, both without any effect;
        ``timeout`` runs the request and never responds; ``reset_before`` and ``reset_after`` reset the connection before and
        after the effect; ``slow`` responds after ``seconds``, and until then other requests with its idempotency key get a 409.
        Raises `InvalidArgumentError` for a pattern that matches no operation, and for invalid values.
        """
        next_fault = Fault(match, fault, times, status, seconds)
        next_fault.check(endpoints())
        with self._server.faults_lock:
            self._server.faults.append(next_fault)

    def _run(self, action: Callable[[AccountState], T], account_id: str = PLATFORM) -> T:
        """Change an account without a request; raise `InvalidArgumentError` for an error of the API."""
        try:
            return self._accounts.run(account_id, action, base_url=DEFAULT_BASE_URL)
        except ErrorResponse as error:
            raise InvalidArgumentError(str(error), param=error.error.get("param")) from None

    def add(self, object_type: str, *, stripe_account: str = "", **fields: Any) -> Any:  # Any: JSON values, and a model
        """Add an object that no operation of the API creates, and return it: ``emulator.add("review", charge=charge.id)``.

        ``object_type`` is the value of its ``object`` field. Fields that are not passed have default values. Raises
        `InvalidArgumentError` for a type that does not exist, and for fields that do not fit its model.
        """
        if object_type not in registry().objects:
            raise InvalidArgumentError(f"object_type: Stripe has no object type {object_type!r}.", param="object_type")
        names = registry().load(registry().objects[object_type]).model_fields.keys()
        if unknown := fields.keys() - names:
            listed = ", ".join(sorted(unknown))
            raise InvalidArgumentError(f"{object_type} has no field {listed}.", param=min(unknown))

        def store(state: AccountState) -> Any:  # Any: a model
            value = {**state.draft(object_type), **fields}
            try:
                model = decode(value, validation="strict")
            except ResponseValidationError as error:
                raise InvalidArgumentError(f"The fields do not fit the model of {object_type}: {error}") from None
            state.events.emit("created", state.objects.add(value))
            return model

        return self._run(store, stripe_account)

    def make(
        self, model: type[M], /, *, stripe_account: str = "", **fields: Any
    ) -> M:  # Any: values of the model's fields
        """Make an object with what belongs to it, and return it: ``emulator.make(Subscription, status="past_due")``.

        The subscription has a customer, a price, a paid first invoice, an open one and the events of all of them. Fields are
        those of the model, or parameters of the operation that creates it. What no recipe makes is stored as it is passed, with
        default values, like an object of `pinstripe.testing.make`. Raises `InvalidArgumentError` for fields and for a status
        that the object cannot have.
        """
        return self._run(lambda state: make(state, model, fields), stripe_account)

    def checkout(self, session: str | StripeModel, *, stripe_account: str = "") -> CheckoutPage:
        """Return the page of a checkout session, to complete it in process: ``emulator.checkout(session).pay()``.

        Raises `InvalidRequestError` for a session that does not exist.
        """
        return CheckoutPage(self._runner(stripe_account), session)

    def hosted_invoice(self, invoice: str | StripeModel, *, stripe_account: str = "") -> InvoicePage:
        """Return the hosted page of an invoice, to pay it in process."""
        return InvoicePage(self._runner(stripe_account), invoice)

    def portal(self, session: str | StripeModel, *, stripe_account: str = "") -> PortalPage:
        """Return the customer portal of a session, to use it in process."""
        return PortalPage(self._runner(stripe_account), session)

    def payment_link(self, link: str | StripeModel, *, stripe_account: str = "") -> CheckoutPage:
        """Open a payment link, and return the page of the checkout session that it creates."""
        return open_payment_link(self._runner(stripe_account), link)

    def _runner(self, account_id: str) -> Run:
        """Return what runs actions on an account as requests are run: in one transaction."""

        def run(action: Callable[[AccountState], T]) -> T:
            self._accounts.environment.tick()
            return self._accounts.run(account_id, action, base_url=DEFAULT_BASE_URL)

        return run

    def authenticate(self, intent: str, *, success: bool = True, stripe_account: str = "") -> Any:  # Any: a model
        """Complete or fail the 3-D Secure challenge of a payment or setup intent, and return the intent.

        Raises `InvalidArgumentError` for an intent without a challenge. https://docs.stripe.com/payments/3d-secure
        """

        def complete(state: AccountState) -> Any:  # Any: a model
            return decode(complete_challenge(state, intent, success=success))

        return self._run(complete, stripe_account)

    def advance(self, until: datetime | int) -> None:
        """Move the time to a later one, and run everything that is due on the way: of all accounts and test clocks.

        ``until`` is a time or unix seconds. Unlike test clocks of the API, it has no limits. Raises `InvalidArgumentError` for a
        time that is not later than the emulator's.
        """
        seconds = until if isinstance(until, int) else int(until.timestamp())
        environment = self._accounts.environment
        if seconds < environment.time():
            raise InvalidArgumentError("until: the time can only move forwards.", param="until")
        environment.offset += seconds - environment.time()
        for account_id in self._accounts:
            self._run(lambda state: advance_all_clocks(state, seconds), account_id)

    def retry_payments(
        self, days: Sequence[int] = (3, 5, 7), then: Literal["unpaid", "canceled", "past_due"] = "unpaid"
    ) -> None:
        """Set when failed payments of renewals are retried, and the status of the subscription after the last attempt.

        ``days`` are counted from the previous attempt. These are the retry settings of the Dashboard, for the platform's own
        account. Raises `InvalidArgumentError` for negative days or another status.
        """
        if min(days, default=0) < 0 or then not in ("unpaid", "canceled", "past_due"):
            raise InvalidArgumentError(
                "days must be 0 or more, and then must be unpaid, canceled or past_due.",
                param="days" if min(days, default=0) < 0 else "then",
            )
        retries = PaymentRetries(tuple(days), then)
        self._run(lambda state: state.tables.payment_retries.set(ACCOUNT_KEY, retries))

    def snapshot(self) -> bytes:
        """Return the state of the emulator as bytes, for `restore`."""
        return self._accounts.snapshot()

    def restore(self, snapshot: bytes) -> None:
        """Restore the state of a snapshot of this emulator or another one.

        Restore only snapshots that you created: they are pickles. Raises `InvalidArgumentError` for other bytes.
        """
        self._accounts.restore(snapshot)
        with self._server.faults_lock:
            self._server.faults.clear()
        if self._file is not None:
            self._file.rewrite(self._accounts)

    @property
    def deliveries(self) -> list[Delivery]:
        """The deliveries to webhook endpoints, oldest first: the last ten thousand."""
        return list(self._deliverer.deliveries)

    def redeliver(self, delivery: Delivery) -> Delivery:
        """Send the event of a delivery to its endpoint again, and return the new delivery."""
        repeated = Delivery(
            delivery.url, delivery.secret, delivery.event, delivery.endpoint, delivery.account, delivery.owner
        )
        self._deliverer.send(repeated)
        return repeated

    def settle(self) -> None:
        """Wait until every delivery so far was accepted or has failed."""
        self._deliverer.wait()

    @property
    def app(self) -> Any:  # Any: an ASGI application
        """The emulator as an ASGI application, to serve it yourself; its status page is at ``/``."""
        from pinstripe.emulator.web import Pages

        return asgi_app(self._server, Pages(self._server, self).respond)

    def serve(self, host: str = "127.0.0.1", port: int = 0) -> AbstractContextManager[str]:
        """Serve the emulator over HTTP while the block runs; the value of the ``with`` statement is its base URL.

        A port of 0 takes a free one. Needs ``pip install pinstripe[emulator]``.
        """
        return serve(self.app, host, port)

    def close(self) -> None:
        """Stop delivering webhooks, and close the state file."""
        self._deliverer.close()
        if self._file is not None:
            self._accounts.on_commit = lambda changed: None
            self._file.close()

    def __enter__(self) -> Emulator:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
