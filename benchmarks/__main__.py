"""Run benchmarks and print their ratios and budgets: ``python -m benchmarks [NAME ...]``."""

from __future__ import annotations

import argparse
import platform

import stripe

import pinstripe
from benchmarks.measure import Result
from benchmarks.suite import BENCHMARKS


def main() -> int:
    """Run the named benchmarks, or all of them, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    names = parser.parse_args().names or list(BENCHMARKS)
    if unknown := [name for name in names if name not in BENCHMARKS]:
        parser.error(f"unknown benchmark {unknown[0]!r}; choose from {', '.join(BENCHMARKS)}")
    version = f"pinstripe {pinstripe.__version__}, stripe {stripe.VERSION}, Python {platform.python_version()}"
    print(f"{version}\nThe best of several rounds; a ratio of 0.5 is half of what the official package takes.\n")
    print(f"{'benchmark':<46} {'pinstripe':>12} {'reference':>12} {'ratio':>8} {'budget':>8}")
    over_budget = 0
    for name in names:
        for result in BENCHMARKS[name]():
            print(_format(result), flush=True)
            over_budget += not result.within_budget
    print(f"\n{over_budget} over budget")
    return 0


def _format(result: Result) -> str:
    scale, unit = (1e6, "µs") if result.unit == "s" and result.reference < 0.01 else (1.0, result.unit)
    value, reference = f"{result.value * scale:.3g} {unit}", f"{result.reference * scale:.3g} {unit}"
    mark = "" if result.within_budget else "  over budget"
    return f"{result.name:<46} {value:>12} {reference:>12} {result.ratio:>8.3f} {result.budget:>8.3f}{mark}"


if __name__ == "__main__":
    raise SystemExit(main())
