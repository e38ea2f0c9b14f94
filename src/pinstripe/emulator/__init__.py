"""A Stripe to run against, in process or over HTTP; no account and no network needed.

``Emulator`` is the public class. The subpackages are private. What the emulator does, and where it differs from Stripe, is in
the documentation's page on the emulator.
"""

from pinstripe.emulator._emulator import Emulator
from pinstripe.emulator._events import Events
from pinstripe.emulator.state.delivery import Delivery

__all__ = ["Delivery", "Emulator", "Events"]
