"""``python -m benchmarks [NAME ...]``: measure, and print ratios against their budgets."""

from __future__ import annotations

import argparse
import platform

import stripe

import pinstripe
from benchmarks.work import WORK


def main() -> int:
    """Measure what was asked for, or everything; the answer is the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(WORK))
    names = parser.parse_args().names or list(WORK)
    if unknown := [name for name in names if name not in WORK]:
        parser.error(f"there is no {unknown[0]}; there are {', '.join(WORK)}")
    version = f"pinstripe {pinstripe.__version__}, stripe {stripe.VERSION}, Python {platform.python_version()}"
    print(f"{version}; the best of several turns; a ratio of 0.5 is half of theirs\n")
    print(f"{'what':<46} {'ours':>12} {'theirs':>12} {'ratio':>8} {'budget':>8}")
    missed = 0
    for name in names:
        for one in WORK[name]():
            scale, unit = (1e6, "µs") if one.unit == "s" and one.theirs < 0.01 else (1.0, one.unit)
            ours, theirs = f"{one.ours * scale:.3g} {unit}", f"{one.theirs * scale:.3g} {unit}"
            mark = "" if one.holds else "  over budget"
            print(f"{one.name:<46} {ours:>12} {theirs:>12} {one.ratio:>8.3f} {one.budget:>8.3f}{mark}", flush=True)
            missed += not one.holds
    print(f"\n{missed} over budget")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
