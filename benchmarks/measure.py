"""How things are timed: by turns, several times each, and the best of each counts. Machines are noisy."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """One line of the table: ours over theirs, and what the ratio may be at most."""

    name: str
    ours: float
    theirs: float
    budget: float
    unit: str = "s"

    @property
    def ratio(self) -> float:
        """How much of theirs ours is."""
        return self.ours / self.theirs

    @property
    def holds(self) -> bool:
        """Whether the ratio keeps to its budget."""
        return self.ratio <= self.budget


def by_turns(contestants: Sequence[Callable[[], float]], rounds: int) -> list[float]:
    """The best result of each contestant, who take turns."""
    best = [float("inf")] * len(contestants)
    for _ in range(rounds):
        for index, contestant in enumerate(contestants):
            best[index] = min(best[index], contestant())
    return best


def compared(
    name: str, ours: Callable[[], float], theirs: Callable[[], float], budget: float, rounds: int = 7
) -> Result:
    """One line of the table: ours against theirs."""
    best_ours, best_theirs = by_turns([ours, theirs], rounds)
    return Result(name, best_ours, best_theirs, budget)


def seconds(work: Callable[[], object], times: int) -> Callable[[], float]:
    """A contestant that does its work so many times; its result is the seconds for one."""

    def run() -> float:
        started = time.perf_counter()
        for _ in range(times):
            work()
        return (time.perf_counter() - started) / times

    return run


def process(code: str, **environment: str) -> Callable[[], float]:
    """A contestant that is a whole process; its result is the seconds until it has ended."""
    command = [sys.executable, "-c", code]

    def run() -> float:
        started = time.perf_counter()
        subprocess.run(command, check=True, env={**os.environ, **environment})
        return time.perf_counter() - started

    return run


def inside(code: str) -> Callable[[], float]:
    """A contestant that is code in a fresh process; its result is the seconds without the interpreter's own start."""
    timed = f"import time\nstarted = time.perf_counter()\n{code}\nprint(time.perf_counter() - started)"

    def run() -> float:
        done = subprocess.run([sys.executable, "-c", timed], check=True, capture_output=True, text=True)
        return float(done.stdout)

    return run
