"""Command line: ``python -m pinstripe demo`` and ``python -m pinstripe emulator``."""

from __future__ import annotations

import argparse
import logging
import sys
import threading
from collections.abc import Sequence
from urllib.parse import urlsplit

from pinstripe import __version__

__all__ = ["main"]

USAGE = """\
Stripe emulator at {url}: set STRIPE_API_BASE={url} and any key that begins with sk_test_.
To see its requests, events and objects, open {url} in a browser.
Each key has an account of its own, so that several processes can use the emulator side by side.

  pinstripe   pinstripe.Client("{key}", base_url="{url}")
  Python      stripe.StripeClient("{key}", base_addresses={{"api": "{url}"}})
  Node.js     new Stripe("{key}", {{protocol: "{scheme}", host: "{host}", port: {port}}})
  Ruby        Stripe::StripeClient.new("{key}", api_base: "{url}")
  PHP         new \\Stripe\\StripeClient(["api_key" => "{key}", "api_base" => "{url}"])
  Go          stripe.NewClient("{key}", stripe.WithBackends(stripe.NewBackendsWithConfig(
                &stripe.BackendConfig{{URL: stripe.String("{url}")}})))
  Java        StripeClient.builder().setApiKey("{key}").setApiBase("{url}").build()
  .NET        new StripeClient("{key}", apiBase: "{url}")
  Stripe CLI  stripe trigger customer.created --api-key {key} --api-base {url}"""

# Each command imports what it needs, so that the other command and `--help` start fast.


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return the exit code."""
    options = _parser().parse_args(arguments)
    if options.command == "demo":
        return _demo(options)
    return _emulator(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pinstripe", description="A typed, model-first Python SDK for Stripe."
    )
    parser.add_argument("--version", action="version", version=f"pinstripe {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser("demo", help="create a customer, a saved card and a subscription, and receive webhooks")
    demo.add_argument(
        "--live-test-mode", action="store_true", help="run against Stripe's test mode, with the key in STRIPE_API_KEY"
    )
    emulator = commands.add_parser("emulator", help="serve a Stripe emulator over HTTP")
    emulator.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    emulator.add_argument(
        "--port", type=int, default=12111, help="port to listen on, 0 for a free one (default: %(default)s)"
    )
    emulator.add_argument("--db", help="SQLite file to store the state in; without it, the state is lost at the end")
    emulator.add_argument("--seed", type=int, help="generate the same ids and times in every run")
    emulator.add_argument(
        "--fixtures", help="file of requests that fill each new account, in the format of Stripe's CLI"
    )
    emulator.add_argument("--log", action="store_true", help="write each request and its status")
    return parser


def _usage(url: str) -> str:
    """Return how to use the emulator with each library of Stripe."""
    address = urlsplit(url)
    return USAGE.format(
        url=url, key="sk_test_emulator", scheme=address.scheme, host=address.hostname, port=address.port
    )


def _demo(options: argparse.Namespace) -> int:
    from pinstripe import demo

    return demo.main(live_test_mode=options.live_test_mode)


def _emulator(options: argparse.Namespace) -> int:
    """Serve the emulator until it is interrupted."""
    from pinstripe.emulator import Emulator
    from pinstripe.errors import InvalidArgumentError

    if options.log:
        logging.basicConfig(format="%(asctime)s %(message)s", datefmt="%H:%M:%S", stream=sys.stdout)
        logging.getLogger("pinstripe.emulator").setLevel(logging.INFO)
    try:
        with (
            Emulator(seed=options.seed, db=options.db, account_per_key=True, fixtures=options.fixtures) as emulator,
            emulator.serve(options.host, options.port) as url,
        ):
            print(_usage(url), flush=True)
            threading.Event().wait()
    except KeyboardInterrupt:
        print("Stopped.")
    except (ImportError, InvalidArgumentError, OSError, OverflowError) as error:  # missing extra, bad file, bad port
        print(error, file=sys.stderr)
        return 1
    return 0
