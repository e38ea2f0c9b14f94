"""An emulator of Stripe, in process or over HTTP, without a Stripe account or a network.

``Emulator`` is the public class; the subpackages are private. The documentation has a page on what the emulator does and
how it differs from Stripe.
"""

from pinstripe.emulator._emulator import Emulator
from pinstripe.emulator._events import Events
from pinstripe.emulator._hosted import CheckoutPage, InvoicePage, PortalPage
from pinstripe.emulator.state.delivery import Delivery

__all__ = ["CheckoutPage", "Delivery", "Emulator", "Events", "InvoicePage", "PortalPage"]
