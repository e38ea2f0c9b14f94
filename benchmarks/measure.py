"""Measure alternatives in alternating rounds and take the best result of each, since machines are noisy."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """A measured value, the reference it is compared with, and the maximum of their ratio."""

    name: str
    value: float
    reference: float
    budget: float
    unit: str = "s"

    @property
    def ratio(self) -> float:
        """The value divided by the reference."""
        return self.value / self.reference

    @property
    def within_budget(self) -> bool:
        """True if the ratio is at most the budget."""
        return self.ratio <= self.budget


def best_of_rounds(measurements: Sequence[Callable[[], float]], rounds: int) -> list[float]:
    """Take each measurement once per round and return the smallest value of each."""
    best = [float("inf")] * len(measurements)
    for _ in range(rounds):
        for index, measure in enumerate(measurements):
            best[index] = min(best[index], measure())
    return best


def compare(
    name: str, measurement: Callable[[], float], reference: Callable[[], float], budget: float, rounds: int = 7
) -> Result:
    """Compare a measurement with its reference."""
    value, reference_value = best_of_rounds([measurement, reference], rounds)
    return Result(name, value, reference_value, budget)


def seconds_per_call(
    function: Callable[[], object], calls: int, timer: Callable[[], float] = time.perf_counter
) -> Callable[[], float]:
    """Return a measurement of the seconds that one call takes, on average over several calls."""

    def run() -> float:
        started = timer()
        for _ in range(calls):
            function()
        return (timer() - started) / calls

    return run


def cpu_seconds_per_call(function: Callable[[], object], calls: int) -> Callable[[], float]:
    """Return the same measurement in seconds of CPU time, for work without waiting: other processes matter less."""
    return seconds_per_call(function, calls, time.process_time)


def seconds_of_process(code: str) -> Callable[[], float]:
    """Return a measurement of the seconds that a Python process takes to start, run code and exit."""
    command = [sys.executable, "-c", code]

    def run() -> float:
        started = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - started

    return run


def seconds_in_process(code: str) -> Callable[[], float]:
    """Return a measurement of the seconds that code takes in a new Python process, without its startup."""
    timed = f"import time\nstarted = time.perf_counter()\n{code}\nprint(time.perf_counter() - started)"

    def run() -> float:
        process = subprocess.run([sys.executable, "-c", timed], check=True, capture_output=True, text=True)
        return float(process.stdout)

    return run
