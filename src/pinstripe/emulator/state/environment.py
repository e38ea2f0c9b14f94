"""Time and random ids, shared by all accounts of an emulator."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Sequence

from pinstripe.emulator.state.object_types import id_prefix

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
START = 1_767_225_600
"""When an emulator with a seed begins: 2026-01-01 00:00:00 UTC. Each request that changes something is a second later."""


class Environment:
    """Real time and random ids, or with a seed the same times and ids in every run."""

    def __init__(self, seed: int | None = None) -> None:
        self.seed = seed
        self.ticks = 0
        """How many requests that may change something there were."""
        self.random = random.Random(seed)  # noqa: S311  # ids of an emulator need not be secret
        self._lock = threading.Lock()

    def time(self) -> int:
        """Return the time in unix seconds."""
        return int(time.time()) if self.seed is None else START + self.ticks

    def tick(self) -> None:
        """Count a request that may change something."""
        with self._lock:
            self.ticks += 1

    def choices(self, alphabet: Sequence[str], length: int) -> str:
        """Return a random text."""
        return "".join(self.random.choices(alphabet, k=length))

    def new_id(self, object_type: str, length: int = 16) -> str:
        """Return an id as Stripe makes them: a prefix for the object type, then letters and digits."""
        return id_prefix(object_type) + self.choices(ALPHABET, length)
