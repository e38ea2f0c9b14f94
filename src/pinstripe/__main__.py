"""``python -m pinstripe demo`` and ``python -m pinstripe emulator``."""

from __future__ import annotations

import argparse
import sys

from pinstripe import __version__


def main(arguments: list[str] | None = None) -> int:
    """Run a command; the answer is the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m pinstripe", description="A typed, model-first Python SDK for Stripe."
    )
    parser.add_argument("--version", action="version", version=f"pinstripe {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser("demo", help="a customer, a saved card, a subscription and its webhooks")
    demo.add_argument(
        "--live-test-mode", action="store_true", help="use STRIPE_API_KEY, a test key, against Stripe itself"
    )
    emulator = commands.add_parser("emulator", help="serve a Stripe emulator over HTTP")
    emulator.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    emulator.add_argument(
        "--port", type=int, default=12111, help="port to listen on, 0 for a free one (default: %(default)s)"
    )
    emulator.add_argument("--db", help="keep the state in this SQLite file; without it, it is gone at the end")
    emulator.add_argument("--seed", type=int, help="the same ids and times every time")
    options = parser.parse_args(arguments)
    if options.command == "demo":
        from pinstripe import demo as story  # here, so that each command loads only what it needs

        return story.main(live_test_mode=options.live_test_mode)
    return serve(options.host, options.port, options.db, options.seed)


def serve(host: str, port: int, db: str | None = None, seed: int | None = None) -> int:
    """Serve the emulator until it is interrupted."""
    import threading

    from pinstripe.emulator import Emulator  # here, as above
    from pinstripe.errors import InvalidArgumentError

    try:
        with Emulator(seed=seed, db=db) as emulator, emulator.serve(host, port) as url:
            print(f"Stripe emulator at {url}: set STRIPE_API_BASE={url} and any key that begins with sk_test_.")
            print(f"What happens in it: open {url} in a browser.", flush=True)
            threading.Event().wait()
    except KeyboardInterrupt:
        print("Stopped.")
    except (ImportError, InvalidArgumentError, OSError, OverflowError) as error:  # no extra, no such file, no such port
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
