"""Renew the claims of running handlers, so that a slow handler keeps its claim."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from typing import Protocol

__all__ = ["Heartbeat"]


class Renewable(Protocol):
    """A claim, as a heartbeat sees it."""

    def renew(self) -> None:
        """Renew; never raise."""
        ...


class Heartbeat:
    """Renews claims every ``interval`` seconds, in one daemon thread that ends when there are none.

    The thread holds no reference to anything but the heartbeat and its claims. A forked process begins without claims.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._reset()

    def _reset(self) -> None:
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._claims: set[Renewable] = set()
        self._thread: threading.Thread | None = None

    def add(self, claim: Renewable) -> None:
        """Renew a claim from now on."""
        if self._process != os.getpid():
            self._reset()  # threads do not survive a fork, and the lock may have been held
        with self._lock:
            self._claims.add(claim)
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="pinstripe inbox heartbeat", daemon=True)
                with suppress(RuntimeError):  # the interpreter is shutting down
                    thread.start()
                    self._thread = thread

    def remove(self, claim: Renewable) -> None:
        """Stop renewing a claim."""
        with self._lock:
            self._claims.discard(claim)

    def beat(self) -> None:
        """Renew all claims once."""
        with self._lock:
            claims = list(self._claims)
        for claim in claims:
            claim.renew()

    def _run(self) -> None:
        pause = threading.Event()  # never set: waits for the interval
        while True:
            pause.wait(self._interval)
            with self._lock:
                if not self._claims:
                    self._thread = None
                    return
            self.beat()
