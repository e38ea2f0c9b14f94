"""A Stripe to run against: in process, or over HTTP. No account, no network.

What it does and what it does not is in the documentation's page on the emulator.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx

from pinstripe.client import AsyncClient, Client
from pinstripe.drift import decode_as
from pinstripe.emulator.core import Core
from pinstripe.emulator.delivery import Deliverer, Delivery
from pinstripe.emulator.doors import InProcess, asgi
from pinstripe.emulator.world import World
from pinstripe.model import model_for

if TYPE_CHECKING:
    from pinstripe.events import AnyEvent

__all__ = ["Delivery", "Emulator"]

KEY = "sk_test_emulator"
BASE_URL = "http://emulator.pinstripe.test"


class Emulator:
    """A Stripe of one's own: ``Emulator().client()`` is a `Client` whose calls never leave the process.

    ``seed`` makes ids the same every time. https://docs.stripe.com/testing
    """

    def __init__(self, *, seed: int | None = None) -> None:
        self._deliverer = Deliverer()
        self._events: list[Any] = []  # Any: JSON
        self._core = Core(seed=seed, on_news=self._announce)

    def _announce(self, world: World, news: list[Any]) -> None:  # Any: JSON
        self._deliverer.announce(world, news)
        self._events.extend(news)

    def client(self, api_key: str = KEY, **options: Any) -> Client:  # Any: the options of Client
        """A client in process: no sockets, no threads."""
        http_client = httpx.Client(transport=InProcess(self._core))
        return Client(api_key, base_url=BASE_URL, http_client=http_client, **options)

    def async_client(self, api_key: str = KEY, **options: Any) -> AsyncClient:  # Any: the options of AsyncClient
        """An async client in process."""
        http_client = httpx.AsyncClient(transport=InProcess(self._core))
        return AsyncClient(api_key, base_url=BASE_URL, http_client=http_client, **options)

    @property
    def events(self) -> list[AnyEvent]:
        """Every event so far, oldest first, typed."""
        return [decode_as(model_for(event), event) for event in list(self._events)]

    @property
    def deliveries(self) -> list[Delivery]:
        """What went to webhook endpoints, oldest first."""
        return list(self._deliverer.deliveries)

    def settle(self) -> None:
        """Wait until every webhook that is on its way was taken or given up."""
        self._deliverer.settle()

    @property
    def app(self) -> Any:  # Any: ASGI's own type
        """The emulator as an ASGI application, for a server of one's own."""
        return asgi(self._core)

    @contextmanager
    def serve(self, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
        """Real HTTP on a loopback port, a free one unless one is asked for; gives the base URL.

        Needs ``pip install pinstripe[emulator]``.
        """
        with served(self.app, host, port) as url:
            yield url

    def close(self) -> None:
        """Stop sending webhooks."""
        self._deliverer.close()

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
    listener = server.config.bind_socket()
    thread = threading.Thread(target=server.run, args=([listener],), name="pinstripe-emulator", daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
