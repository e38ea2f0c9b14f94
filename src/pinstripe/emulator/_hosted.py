"""The pages that Stripe hosts, completed in process as a customer completes them in a browser.

The pages of `pinstripe.emulator.web` submit the same forms to the same functions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

from pinstripe._base import StripeModel
from pinstripe._decoding import decode
from pinstripe.emulator.operations import (
    checkout_codes,
    checkout_completion,
    checkout_sessions,
    invoice_payments,
    payment_links,
)
from pinstripe.emulator.operations.payment_methods import create_payment_method
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.validation.errors import DECLINED, ErrorResponse
from pinstripe.emulator.web import hosted
from pinstripe.errors import CardError, InvalidArgumentError, from_response
from pinstripe.models import (
    BillingPortalSession,
    CheckoutSession,
    Invoice,
    PaymentLink,
    PaymentMethod,
    Subscription,
    SubscriptionItem,
)

T = TypeVar("T")
M = TypeVar("M", bound=StripeModel)
CARD = "4242424242424242"
EMAIL = "jenny@example.com"
"""The email of customers who have none yet."""


class Run(Protocol):
    """Runs an action on an account of an emulator."""

    def __call__(self, action: Callable[[AccountState], T], /) -> T:
        """Return the result of the action."""
        ...


class _Page(Generic[M]):
    """A page about an object, of which ``M`` is the model."""

    object_type = ""

    def __init__(self, run: Run, subject: str | StripeModel) -> None:
        self._run = run
        self.id: str = subject if isinstance(subject, str) else str(getattr(subject, "id", ""))
        self._act(lambda state, value: None)

    def _act(self, action: Callable[[AccountState, Object], object]) -> M:
        """Run an action on the object of the page and return the object; raise the error that the API would respond with."""

        def run(state: AccountState) -> M:
            value = state.objects.get(self.object_type, self.id)
            state.clock.follow(value)
            action(state, value)
            model: Any = decode(value)  # Any: a StripeModel, which M is by the type of the object
            result: M = model
            return result

        try:
            return self._run(run)
        except ErrorResponse as error:
            raise from_response(error.status, {}, b"", {"error": error.error}) from None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id}>"


class CheckoutPage(_Page[CheckoutSession]):
    """The page of a checkout session. https://docs.stripe.com/payments/checkout"""

    object_type = "checkout.session"

    @property
    def session(self) -> CheckoutSession:
        """The session as it is now."""
        return self._act(lambda state, session: None)

    def pay(
        self,
        card: str | None = CARD,
        *,
        email: str | None = None,
        name: str | None = None,
        exp_month: int = 12,
        exp_year: int = 2034,
        cvc: str = "123",
    ) -> CheckoutSession:
        """Submit the page with the number of a test card: pay, subscribe or save the card. Return the session.

        The session stays open if the card requires 3-D Secure: call `authenticate`. Without a card (``None``), a session
        that needs none is completed. Raises `CardError` for a declined card.
        """

        def complete(state: AccountState, session: Object) -> None:
            customer = state.objects.find("customer", session["customer"]) or {}
            known = (session["customer_details"] or {}).get("email") or customer.get("email")
            details = {} if card is None else {"card": _card(card, exp_month, exp_year, cvc)}
            person = {"email": email or known or EMAIL, "name": name or customer.get("name")}
            checkout_completion.complete(state, session, {**person, **details})

        return self._act(complete)

    def apply_code(self, code: str | None) -> CheckoutSession:
        """Enter a promotion code, or remove the one that was entered, and return the session.

        Raises `InvalidRequestError` for a code that cannot be redeemed.
        """

        def change(state: AccountState, session: Object) -> None:
            if message := checkout_codes.change_code(state, session, code):
                raise ErrorResponse(message, param="promotion_code")

        return self._act(change)

    def authenticate(self, *, success: bool = True) -> CheckoutSession:
        """Complete or fail the 3-D Secure challenge of the card, and return the session."""

        def authenticate(state: AccountState, session: Object) -> None:
            _authenticate(state, session, checkout_completion.challenge_of(state, session), success=success)

        return self._act(authenticate)

    def expire(self) -> CheckoutSession:
        """Let the session expire, and return it."""
        return self._act(checkout_sessions.expire_session)


class InvoicePage(_Page[Invoice]):
    """The hosted page of an invoice. https://docs.stripe.com/invoicing/hosted-invoice-page"""

    object_type = "invoice"

    @property
    def invoice(self) -> Invoice:
        """The invoice as it is now."""
        return self._act(lambda state, invoice: None)

    def pay(self, card: str = CARD, *, exp_month: int = 12, exp_year: int = 2034, cvc: str = "123") -> Invoice:
        """Pay the invoice with the number of a test card, and return it.

        It stays open if the card requires 3-D Secure: call `authenticate`. Raises `CardError` for a declined card.
        """

        def pay(state: AccountState, invoice: Object) -> None:
            if invoice["status"] != "open":
                raise ErrorResponse(f"This invoice is {invoice['status']} and cannot be paid.")
            details = _card(card, exp_month, exp_year, cvc)
            method = create_payment_method(state, {"type": "card", "card": details})
            invoice_payments.pay(state, invoice, method)

        return self._act(pay)

    def authenticate(self, *, success: bool = True) -> Invoice:
        """Complete or fail the 3-D Secure challenge of the card, and return the invoice."""

        def authenticate(state: AccountState, invoice: Object) -> None:
            payment = invoice_payments.payment_of(state, invoice)
            _authenticate(state, invoice, payment.intent if payment else None, success=success)

        return self._act(authenticate)


class PortalPage(_Page[BillingPortalSession]):
    """The customer portal of a session. https://docs.stripe.com/customer-management"""

    object_type = "billing_portal.session"

    @property
    def session(self) -> BillingPortalSession:
        """The session as it is now."""
        return self._act(lambda state, session: None)

    def cancel(self, subscription: str | Subscription) -> Subscription:
        """Cancel a subscription, immediately or at the end of the period as the configuration says. Return it."""
        return self._change_subscription("cancel", subscription)

    def renew(self, subscription: str | Subscription) -> Subscription:
        """Take back the cancellation at the end of the period, and return the subscription."""
        return self._change_subscription("renew", subscription)

    def update_quantity(self, item: str | SubscriptionItem, quantity: int) -> Subscription:
        """Change the quantity of an item, if the configuration allows it, and return the subscription.

        Raises `CardError` if the payment of the change is declined.
        """
        item_id = item if isinstance(item, str) else item.id
        self._submit({"item": item_id, "quantity": str(quantity)})
        return self._subscription(
            self._run(lambda state: str(state.objects["subscription_item", item_id]["subscription"]))
        )

    def add_card(
        self, card: str = CARD, *, exp_month: int = 12, exp_year: int = 2034, cvc: str = "123"
    ) -> PaymentMethod:
        """Add a card and make it the default one. Return its payment method. Raises `CardError` for a declined card."""
        self._submit({"number": card, "expiry": f"{exp_month}/{exp_year}", "cvc": cvc})

        def default_card(state: AccountState) -> Any:  # Any: a model
            session = state.objects.get(self.object_type, self.id)
            customer = state.objects["customer", session["customer"]]
            return decode(state.objects["payment_method", customer["invoice_settings"]["default_payment_method"]])

        method: PaymentMethod = self._run(default_card)
        return method

    def _change_subscription(self, action: str, subscription: str | Subscription) -> Subscription:
        subscription_id = subscription if isinstance(subscription, str) else subscription.id
        self._submit({action: subscription_id})
        return self._subscription(subscription_id)

    def _subscription(self, subscription_id: str) -> Subscription:
        model: Any = self._run(lambda state: decode(state.objects["subscription", subscription_id]))  # Any: as in _act
        result: Subscription = model
        return result

    def _submit(self, form: hosted.Form) -> None:
        def submit(state: AccountState, session: Object) -> None:
            content = hosted.PAGES["portal", ""](state, session, form)
            if isinstance(content, hosted.Template) and content.status == DECLINED:
                raise CardError(content.values["error"], status_code=DECLINED)

        self._act(submit)


def open_payment_link(run: Run, link: str | StripeModel) -> CheckoutPage:
    """Open a payment link as a customer does, and return the page of its new checkout session."""
    opened: list[str] = []
    page = _LinkPage(run, link)
    page._act(lambda state, value: opened.append(payment_links.open_link(state, value)["id"]))
    return CheckoutPage(run, opened[-1])


class _LinkPage(_Page[PaymentLink]):
    """The page of a payment link."""

    object_type = "payment_link"


def _card(number: str, exp_month: int, exp_year: int, cvc: str) -> Object:
    return {"number": number.replace(" ", ""), "exp_month": exp_month, "exp_year": exp_year, "cvc": cvc}


def _authenticate(state: AccountState, value: Object, intent: Object | None, *, success: bool) -> None:
    if intent is None or intent["status"] != "requires_action":
        raise InvalidArgumentError(
            f"{value['id']} does not wait for 3-D Secure: pay first, with a card that requires it."
        )
    checkout_completion.complete_challenge(state, intent["id"], success=success)
