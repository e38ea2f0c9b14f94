"""A Stripe to run against: in process, or over HTTP. No account, no network.

What it does and what it does not is in the documentation's page on the emulator.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import httpx
from typing_extensions import TypedDict, Unpack

from pinstripe._base import model_for
from pinstripe._client import AsyncClient, Client
from pinstripe._decoding import Drift, Validation, decode_as
from pinstripe._endpoint import endpoints
from pinstripe._registry import registry
from pinstripe.emulator._events import Events
from pinstripe.emulator.operations.checkout_sessions import answer_challenge
from pinstripe.emulator.server.dispatch import Core
from pinstripe.emulator.server.faults import Fault, Trouble
from pinstripe.emulator.server.transports import InProcess, asgi
from pinstripe.emulator.state.account import NOBODY, World
from pinstripe.emulator.state.delivery import Deliverer, Delivery
from pinstripe.emulator.state.persistence import Store
from pinstripe.emulator.validation.errors import Refusal
from pinstripe.errors import InvalidArgumentError, ResponseValidationError

__all__ = ["Delivery", "Emulator", "Events"]

KEY = "sk_test_emulator"
BASE_URL = "http://emulator.pinstripe.test"


class ClientOptions(TypedDict, total=False):
    """What a client of the emulator may be told: the options of `Client` but for where it calls and how."""

    api_version: str
    stripe_account: str | None
    stripe_context: str | None
    max_retries: int
    timeout: float
    validation: Validation
    on_drift: Callable[[Drift], None] | None


class Emulator:
    """A Stripe of one's own: ``Emulator().client()`` is a `Client` whose calls never leave the process.

    With a ``seed``, ids and times are the same every time: it begins at 2026-01-01, and every request that may change
    something is a second later. With ``db``, a path, the state lives in a SQLite file and is there again after a restart.
    https://docs.stripe.com/testing
    """

    def __init__(self, *, seed: int | None = None, db: str | Path | None = None) -> None:
        self._core = Core(seed=seed, on_news=self._announce)
        self._deliverer = Deliverer(self._delivered)
        self.events = Events(self._core)
        self._store = Store(db) if db is not None else None
        if self._store is not None:
            self._store.load(self._core)
            self._core.on_commit = self._store.commit
            self._resume()

    def _announce(self, world: World, news: list[str]) -> None:
        self._deliverer.announce(world, self._core.world(), news)

    def _resume(self) -> None:
        """Send again what a process that was stopped had not delivered: at least once, as Stripe does."""
        for account, identifier in self._core.order:
            world = self._core.world(account)
            happening = world.happened[identifier]
            if not happening.thin and happening.whole["pending_webhooks"]:
                self._announce(world, [identifier])

    def _delivered(self, delivery: Delivery) -> None:
        with self._core.changed:
            world = self._core.worlds.get(delivery.account)
            if world and delivery.delivered and not delivery.event["object"].startswith("v2."):
                world.delivered(delivery.event["id"])
                if self._store is not None:
                    self._store.write_event(world, delivery.event["id"])
            self._core.announce()

    def client(self, api_key: str = KEY, **options: Unpack[ClientOptions]) -> Client:
        """A client in process: no sockets, no threads."""
        http_client = httpx.Client(transport=InProcess(self._core))
        return Client(api_key, base_url=BASE_URL, http_client=http_client, **options)

    def async_client(self, api_key: str = KEY, **options: Unpack[ClientOptions]) -> AsyncClient:
        """An async client in process."""
        http_client = httpx.AsyncClient(transport=InProcess(self._core))
        return AsyncClient(api_key, base_url=BASE_URL, http_client=http_client, **options)

    def fail_next(
        self, match: str = "*", trouble: Trouble = "error", *, times: int = 1, status: int = 500, seconds: float = 1.0
    ) -> None:
        """Let something go wrong with the next requests that match.

        ``match`` is an operation or several (``"charges.create"``, ``"invoices.*"``), or a verb and a path
        (``"POST /v1/charges"``). ``error`` answers ``status`` and ``rate_limit`` 429, both without any effect; ``timeout``
        carries the request out and never answers; ``reset_before`` and ``reset_after`` cut the connection before and after
        the effect; ``slow`` answers after ``seconds``, and until then other requests with its idempotency key get a 409.
        """
        fault = Fault(match, trouble, times, status, seconds)
        fault.check(endpoints())
        with self._core.changed:
            self._core.faults.append(fault)

    @contextmanager
    def _change(self, account: str = "") -> Iterator[World]:
        """Change a world as nobody's request; what it refuses is an error of the caller's."""
        try:
            with self._core.session(account, NOBODY, BASE_URL) as world:
                yield world
        except Refusal as refusal:
            raise InvalidArgumentError(str(refusal), param=refusal.error.get("param")) from None

    def add(self, kind: str, *, stripe_account: str = "", **fields: Any) -> Any:  # Any: JSON; a model
        """Put an object in place that no operation of the API makes: ``emulator.add("review", charge=charge.id)``.

        ``kind`` is the value of its ``object`` field. Fields that are not passed are those of a new object of the kind.
        Raises `InvalidArgumentError` for a kind that does not exist, and for fields that do not fit its model.
        """
        if kind not in registry().objects:
            raise InvalidArgumentError(f"No object of Stripe's is called {kind!r}.", param="kind")
        with self._change(stripe_account) as world:
            made = world.draft(kind) | fields
            if unknown := fields.keys() - registry().load(registry().objects[kind]).model_fields.keys():
                raise InvalidArgumentError(f"A {kind} has no field {', '.join(sorted(unknown))}.", param=min(unknown))
            try:
                typed = decode_as(model_for(made), made, validation="strict")
            except ResponseValidationError as error:
                raise InvalidArgumentError(f"That is no {kind}: {error}") from None
            world.emit("created", world.keep(made))
            return typed

    def authenticate(self, intent: str, *, success: bool = True, stripe_account: str = "") -> Any:  # Any: a model
        """Answer the 3-D Secure challenge of a payment or setup intent, as the bank's customer; gives the intent.

        Raises `InvalidArgumentError` where the intent does not wait for one.
        """
        with self._change(stripe_account) as world:
            found = answer_challenge(world, intent, success=success)
            return decode_as(model_for(found), found)

    def retry_payments(
        self, days: Sequence[int] = (3, 5, 7), then: Literal["unpaid", "canceled", "past_due"] = "unpaid"
    ) -> None:
        """When the failed payment of a renewal is tried again, in days after the try before, and what becomes of the
        subscription when the last has failed: what Stripe's Dashboard calls retries. Of the platform's own account.
        """
        if min(days, default=0) < 0 or then not in ("unpaid", "canceled", "past_due"):
            raise InvalidArgumentError("days are 0 or more, and then is unpaid, canceled or past_due.")
        with self._change() as world:
            world.hide("retries", {"days": list(days), "then": then})

    def snapshot(self) -> bytes:
        """Everything there is, in one piece, for `restore`."""
        return self._core.state()

    def restore(self, snapshot: bytes) -> None:
        """Be again as when the snapshot was taken, here or in another emulator.

        Only for snapshots of one's own: they are pickles. Raises `InvalidArgumentError` for anything else.
        """
        with self._core.changed:
            self._core.put_back(snapshot)
            if self._store is not None:
                self._store.rewrite(self._core)
                self._store.commit(self._core)
            self._core.forget_changes()

    @property
    def deliveries(self) -> list[Delivery]:
        """What went to webhook endpoints, oldest first: the last ten thousand."""
        return list(self._deliverer.deliveries)

    def redeliver(self, delivery: Delivery) -> Delivery:
        """Send a delivery's event to its endpoint once more; gives the new delivery."""
        again = Delivery(delivery.url, delivery.secret, delivery.event, delivery.endpoint, delivery.account)
        self._deliverer.send(again)
        return again

    def settle(self) -> None:
        """Wait until every webhook that is on its way was taken or given up."""
        self._deliverer.settle()

    @property
    def app(self) -> Any:  # Any: ASGI's own type
        """The emulator as an ASGI application, for a server of one's own; at ``/`` it shows what happens."""
        from pinstripe.emulator.web import Pages

        return asgi(self._core, Pages(self._core, self).answer)

    @contextmanager
    def serve(self, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
        """Real HTTP on a loopback port, a free one unless one is asked for; gives the base URL.

        Needs ``pip install pinstripe[emulator]``.
        """
        with served(self.app, host, port) as url:
            yield url

    def close(self) -> None:
        """Stop sending webhooks, and close the file."""
        self._deliverer.close()
        if self._store is not None:
            self._core.on_commit = lambda core: None
            self._store.close()

    def __enter__(self) -> Emulator:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def served(app: Any, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:  # Any: ASGI's own type
    """An ASGI application on a real port, in a thread of its own; gives its URL."""
    try:
        import uvicorn
    except ImportError as error:
        raise ImportError("The emulator's server needs uvicorn: pip install 'pinstripe[emulator]'") from error
    server = uvicorn.Server(uvicorn.Config(app, host=host, port=port, log_level="error", lifespan="off"))
    listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else an answer's body waits 40 ms for its head
    thread = threading.Thread(target=server.run, args=([listener],), name="pinstripe-emulator", daemon=True)
    thread.start()
    try:
        yield f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
