"""Time and random ids, shared by all accounts of an emulator."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Sequence

from pinstripe.emulator.state.object_types import id_prefix

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
START = 1_767_225_600
"""The time at which an emulator with a seed starts: 2026-01-01 00:00:00 UTC."""


class Environment:
    """Real time and random ids; with a seed, the same times and ids in every run.

    With a seed, every request that may change something is a second after the one before.
    """

    def __init__(self, seed: int | None = None) -> None:
        self.seed = seed
        self.ticks: int = 0
        """The number of requests so far that may have changed something."""
        self.offset: int = 0
        """The number of seconds by which `Emulator.advance` has moved the time."""
        self.random: random.Random = random.Random(seed)  # noqa: S311  # ids of an emulator need not be secret
        self._lock = threading.Lock()

    def time(self) -> int:
        """Return the time in unix seconds."""
        return self.offset + (int(time.time()) if self.seed is None else START + self.ticks)

    def tick(self) -> None:
        """Count a request that may change something."""
        with self._lock:
            self.ticks += 1

    def choices(self, alphabet: Sequence[str], length: int) -> str:
        """Return a random text."""
        return "".join(self.random.choices(alphabet, k=length))

    def new_id(self, object_type: str, length: int = 16) -> str:
        """Return a new id: the prefix of the object type, then random letters and digits."""
        return id_prefix(object_type) + self.choices(ALPHABET, length)
