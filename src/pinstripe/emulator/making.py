"""Make objects in a state that takes many calls to reach: a subscription that is past due, an invoice that is open.

They are made by the operations of the API, at the times when they would have been called. So they have everything that belongs
to them (customers, prices, invoices, events) and live on as any other object.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from typing import Any, TypeAlias, TypeVar

from pinstripe._base import StripeModel
from pinstripe._decoding import decode_as
from pinstripe._endpoint import Endpoint
from pinstripe._registry import registry
from pinstripe.emulator.billing.periods import DAY, HOUR, add
from pinstripe.emulator.examples import AMOUNT, example, to_json
from pinstripe.emulator.operations import checkout_completion
from pinstripe.emulator.operations._crud import run_operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import JSON, Object
from pinstripe.emulator.state.tables import ACCOUNT_KEY, PaymentRetries
from pinstripe.emulator.state.timer_handlers import run_due_timers
from pinstripe.emulator.validation.errors import DECLINED, ErrorResponse
from pinstripe.emulator.validation.parameters import validate
from pinstripe.emulator.validation.references import check_references
from pinstripe.errors import InvalidArgumentError, ResponseValidationError
from pinstripe.resources import endpoints

M = TypeVar("M", bound=StripeModel)
Recipe: TypeAlias = Callable[["Maker", str], Object]
"""Makes an object with a status; the empty status is the one that a new object has."""
RECIPES: dict[str, Recipe] = {}
GOOD, BAD, CHALLENGE = "pm_card_visa", "pm_card_chargeCustomerFail", "pm_card_authenticationRequired"
EMAIL = "jenny@example.com"
NO_REDIRECTS: Object = {"enabled": True, "allow_redirects": "never"}


def make(state: AccountState, model: type[M], fields: dict[str, Any]) -> M:  # Any: values of the model's fields
    """Make an object of a model and return it.

    ``fields`` are fields of the model, or parameters of the operation that creates it. Raises `InvalidArgumentError` for
    others, for a status that the object cannot have, and for values that do not fit.
    """
    by_name = {name: field.alias or name for name, field in model.model_fields.items()}
    maker = Maker(state, {by_name.get(name, name): _reference(value) for name, value in fields.items()})
    object_type = registry().object_type(model.__name__)
    if not object_type:
        raise InvalidArgumentError(
            f"{model.__name__} is not an object of its own: use pinstripe.testing.make.", param="model"
        )
    recipe = RECIPES.get(object_type)
    try:
        value = recipe(maker, str(maker.fields.pop("status", ""))) if recipe else _add(maker, model)
    except ErrorResponse as error:
        raise InvalidArgumentError(
            f"This {object_type} cannot be made: {error}", param=error.error.get("param")
        ) from None
    changes = {name: item for name, item in maker.fields.items() if value.get(name) != item}
    if unknown := changes.keys() - set(by_name.values()):
        raise InvalidArgumentError(f"{model.__name__} has no field {', '.join(sorted(unknown))}.", param=min(unknown))
    try:
        result: M = decode_as(model, {**value, **changes}, validation="strict")
    except ResponseValidationError as error:
        raise InvalidArgumentError(f"The fields do not fit {model.__name__}: {error}") from None
    state.objects.update(value, **changes)
    return result


def _reference(value: object) -> JSON:
    """Return a value as JSON, and the id of an object instead of it."""
    if isinstance(value, StripeModel) and isinstance(object_id := getattr(value, "id", None), str):
        return object_id
    if isinstance(value, dict):
        return {name: _reference(item) for name, item in value.items()}
    return [_reference(item) for item in value] if isinstance(value, (list, tuple)) else to_json(value)


def _add(maker: Maker, model: type[StripeModel]) -> Object:
    """Store an example object, for object types without a recipe."""
    fields = {name: maker.fields.pop(name) for name in list(maker.fields)}
    value = maker.state.objects.add(example(maker.state, model.__name__, fields))
    maker.state.events.emit("created", value)
    return value


class Maker:
    """Runs operations for a recipe. ``fields`` are those that no operation has used as parameters yet."""

    def __init__(self, state: AccountState, fields: Object) -> None:
        self.state: AccountState = state
        self.fields: Object = fields

    def run(self, operation: str, *path: str, **params: JSON) -> Object:
        """Run an operation as a request does, and return its result."""
        endpoint = _endpoints()[operation]
        names = [segment[1:-1] for segment in endpoint.path.split("/") if segment.startswith("{")]
        typed = validate(endpoint.params, params)
        context = OperationContext(self.state, endpoint, dict(zip(names, path, strict=True)), typed)
        check_references(self.state, endpoint.service, typed)
        result: Object = run_operation(context)  # type: ignore[assignment]  # PDF files are not made
        return next(self.state.objects.with_id(result["id"]), result)

    def create(self, operation: str, **defaults: JSON) -> Object:
        """Run an operation with the fields that are its parameters, and default values of others."""
        params_type = getattr(import_module("pinstripe.params"), _endpoints()[operation].params or "")
        names = params_type.__annotations__.keys() & self.fields.keys()
        return self.run(operation, **{**defaults, **{name: self.fields.pop(name) for name in names}})

    def customer(self, card: str = GOOD) -> str:
        """Return the customer that was passed, or a new one with a default card."""
        if customer := self.fields.pop("customer", None):
            return str(customer)
        customer = self.run("customers.create", email=EMAIL, name="Jenny Rosen")["id"]
        if card:
            self.set_card(customer, card)
        return str(customer)

    def set_card(self, customer: str, card: str) -> None:
        """Attach a card and make it the default one."""
        method = self.run("payment_methods.attach", card, customer=customer)["id"]
        self.run("customers.update", customer, invoice_settings={"default_payment_method": method})

    def has_card(self, customer: str) -> bool:
        """Return whether a customer has a default card."""
        value = self.state.objects.get("customer", customer, "customer")
        return bool(value["invoice_settings"]["default_payment_method"] or value.get("default_source"))

    def price(self, **params: JSON) -> str:
        """Return a new price of a new product."""
        currency = self.fields.get("currency") or "usd"
        price = {"currency": currency, "unit_amount": AMOUNT, "product_data": {"name": "Product"}, **params}
        return str(self.run("prices.create", **price)["id"])

    @contextmanager
    def at(self, time: int) -> Iterator[None]:
        """Make objects at an earlier time."""
        with self.state.clock.at(time):
            yield


@cache
def _endpoints() -> dict[str, Endpoint]:
    return {f"{endpoint.service}.{endpoint.method}": endpoint for endpoint in endpoints()}


def recipe(object_type: str) -> Callable[[Recipe], Recipe]:
    """Register the decorated function as the recipe of an object type."""

    def register(function: Recipe) -> Recipe:
        RECIPES[object_type] = function
        return function

    return register


def _check(status: str, *possible: str) -> str:
    """Return a status, or the first possible one if it is empty; raise `InvalidArgumentError` for an impossible one."""
    if status and status not in possible:
        raise InvalidArgumentError(
            f"status: {status!r} cannot be made. Possible are: {', '.join(possible)}.", param="status"
        )
    return status or possible[0]


@recipe("customer")
def _customer(maker: Maker, status: str) -> Object:
    return maker.create("customers.create", email=EMAIL, name="Jenny Rosen")


@recipe("product")
def _product(maker: Maker, status: str) -> Object:
    return maker.create("products.create", name="Product")


@recipe("price")
def _price(maker: Maker, status: str) -> Object:
    product = {} if "product" in maker.fields else {"product_data": {"name": "Product"}}
    return maker.create("prices.create", currency="usd", unit_amount=AMOUNT, **product)


@recipe("coupon")
def _coupon(maker: Maker, status: str) -> Object:
    discount = {"percent_off": 10} if not maker.fields.get("amount_off") else {"currency": "usd"}
    return maker.create("coupons.create", **discount)


@recipe("promotion_code")
def _promotion_code(maker: Maker, status: str) -> Object:
    promotion = maker.fields.get("promotion") or {
        "type": "coupon",
        "coupon": maker.run("coupons.create", percent_off=10)["id"],
    }
    return maker.create("promotion_codes.create", promotion=promotion)


@recipe("account")
def _account(maker: Maker, status: str) -> Object:
    return maker.create("accounts.create", country="US")


@recipe("payment_link")
def _payment_link(maker: Maker, status: str) -> Object:
    items = maker.fields.get("line_items") or [{"price": maker.price(), "quantity": 1}]
    return maker.create("payment_links.create", line_items=items)


@recipe("payment_method")
def _payment_method(maker: Maker, status: str) -> Object:
    customer = maker.fields.pop("customer", None)
    card = {} if "type" in maker.fields else {"type": "card", "card": {"token": "tok_visa"}}
    method = maker.create("payment_methods.create", **card)
    return maker.run("payment_methods.attach", method["id"], customer=customer) if customer else method


@recipe("payment_intent")
def _payment_intent(maker: Maker, status: str) -> Object:
    possible = ("requires_confirmation", "requires_action", "requires_capture", "succeeded", "canceled")
    status = _check(status, "requires_payment_method", *possible)
    params: Object = {"amount": AMOUNT, "currency": "usd", "automatic_payment_methods": NO_REDIRECTS}
    if status not in ("requires_payment_method", "canceled"):
        params["payment_method"] = CHALLENGE if status == "requires_action" else GOOD
        params["confirm"] = status != "requires_confirmation"
    if status == "requires_capture":
        params["capture_method"] = "manual"
    intent = maker.create("payment_intents.create", **params)
    return maker.run("payment_intents.cancel", intent["id"]) if status == "canceled" else intent


@recipe("setup_intent")
def _setup_intent(maker: Maker, status: str) -> Object:
    possible = ("requires_confirmation", "requires_action", "succeeded", "canceled")
    status = _check(status, "requires_payment_method", *possible)
    params: Object = {"automatic_payment_methods": NO_REDIRECTS}
    if status not in ("requires_payment_method", "canceled"):
        params["payment_method"] = CHALLENGE if status == "requires_action" else GOOD
        params["confirm"] = status != "requires_confirmation"
    intent = maker.create("setup_intents.create", **params)
    return maker.run("setup_intents.cancel", intent["id"]) if status == "canceled" else intent


@recipe("charge")
def _charge(maker: Maker, status: str) -> Object:
    status, refunded = _check(status, "succeeded", "failed"), maker.fields.pop("refunded", False)
    source = "tok_chargeDeclined" if status == "failed" else "tok_visa"
    captured = {"capture": maker.fields.pop("captured")} if "captured" in maker.fields else {}
    try:
        charge = maker.create("charges.create", amount=AMOUNT, currency="usd", source=source, **captured)
    except ErrorResponse as error:
        if error.status != DECLINED or status != "failed":
            raise
        charge = next(iter(maker.state.objects.all("charge")))
    if refunded:
        maker.run("refunds.create", charge=charge["id"])
    return charge


@recipe("refund")
def _refund(maker: Maker, status: str) -> Object:
    if not maker.fields.keys() & {"charge", "payment_intent"}:
        amount = maker.fields.get("amount") or AMOUNT
        maker.fields["charge"] = maker.run("charges.create", amount=amount, currency="usd", source="tok_visa")["id"]
    return maker.create("refunds.create")


@recipe("dispute")
def _dispute(maker: Maker, status: str) -> Object:
    amount = maker.fields.pop("amount", AMOUNT)
    maker.run("charges.create", amount=amount, currency="usd", source="tok_createDispute")
    if status:
        maker.fields["status"] = status
    return next(iter(maker.state.objects.all("dispute")))


@recipe("checkout.session")
def _checkout_session(maker: Maker, status: str) -> Object:
    status, mode = _check(status, "open", "complete", "expired"), maker.fields.get("mode") or "payment"
    params: Object = {"mode": mode, "success_url": "https://example.com/success"}
    amount = maker.fields.pop("amount_total", AMOUNT)
    if mode == "setup":
        params |= {"currency": "usd", "customer": maker.customer()}
    elif "line_items" not in maker.fields:
        recurring = {"recurring": {"interval": "month"}} if mode == "subscription" else {}
        params["line_items"] = [{"price": maker.price(unit_amount=amount, **recurring), "quantity": 1}]
    session = maker.create("checkout.sessions.create", **params)
    if status == "expired":
        return maker.run("checkout.sessions.expire", session["id"])
    if status == "complete":
        card = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2034, "cvc": "123"}
        person = {"email": (session["customer_details"] or {}).get("email") or EMAIL, "name": "Jenny Rosen"}
        checkout_completion.complete(maker.state, session, {**person, "card": card})
    return session


@recipe("invoice")
def _invoice(maker: Maker, status: str) -> Object:
    status = _check(status, "open", "draft", "paid", "uncollectible", "void")
    amounts = [maker.fields.pop(name) for name in ("total", "subtotal", "amount_due") if name in maker.fields]
    lines = maker.fields.pop("lines", None) or [{"amount": amounts[0] if amounts else AMOUNT}]
    customer, currency = maker.customer(), maker.fields.pop("currency", "usd")
    invoice = maker.create("invoices.create", customer=customer, currency=currency, auto_advance=False)
    for line in lines["data"] if isinstance(lines, dict) else lines:
        params = {"description": "Product", "currency": currency, **line}
        maker.run("invoice_items.create", customer=customer, invoice=invoice["id"], **params)
    if status == "draft":
        return invoice
    maker.run("invoices.finalize_invoice", invoice["id"], auto_advance=False)
    if status == "paid" and invoice["status"] != "paid":
        method = {} if maker.has_card(customer) else {"paid_out_of_band": True}
        maker.run("invoices.pay", invoice["id"], **method)
    if status in ("uncollectible", "void"):
        maker.run("invoices." + {"void": "void_invoice"}.get(status, "mark_uncollectible"), invoice["id"])
    return invoice


@recipe("subscription")
def _subscription(maker: Maker, status: str) -> Object:
    possible = ("trialing", "past_due", "unpaid", "canceled", "incomplete", "incomplete_expired", "paused")
    status = _check(status, "active", *possible)
    customer = maker.customer(BAD if status.startswith("incomplete") else GOOD)
    maker.state.clock.follow(maker.state.objects.get("customer", customer, "customer"))
    now = maker.state.clock.now()
    if status.startswith("incomplete"):
        maker.set_card(customer, BAD)
    elif not maker.has_card(customer):
        maker.set_card(customer, GOOD)
    items = maker.fields.pop("items", None) or [{"price": maker.price(recurring={"interval": "month"})}]
    items = items["data"] if isinstance(items, dict) else items
    start = int(maker.fields.pop("start_date", 0)) or now - _age(maker, status, items, now)
    params: Object = {"customer": customer, "items": items}
    if status == "trialing" and not maker.fields.keys() & {"trial_end", "trial_period_days"}:
        params["trial_period_days"] = 14
    if status.startswith("incomplete"):
        params["payment_behavior"] = "allow_incomplete"
    with maker.at(start):
        subscription = maker.create("subscriptions.create", **params)
    if status in ("past_due", "unpaid"):
        maker.set_card(customer, BAD)
    with _ending_unpaid(maker, status):
        run_due_timers(maker.state, maker.state.clock.test_clock, now)
    if status == "canceled":
        maker.run("subscriptions.cancel", subscription["id"])
    elif status == "paused":
        maker.run("subscriptions.pause", subscription["id"], type="subscription")
    return subscription


def _age(maker: Maker, status: str, items: list[Object], now: int) -> int:
    """Return how many seconds ago a subscription started, so that it has its status by now."""
    if status == "incomplete_expired":
        return DAY
    if status not in ("past_due", "unpaid"):
        return 0
    retries = maker.state.tables.payment_retries.get(ACCOUNT_KEY) or PaymentRetries()
    ended = now - 2 * HOUR - (sum(retries.days) * DAY if status == "unpaid" else 0)
    price = maker.state.objects.find("price", items[0].get("price")) or items[0].get("price_data") or {}
    recurring = price.get("recurring") or {"interval": "month"}
    return now - add(ended, recurring["interval"], -int(recurring.get("interval_count") or 1))


@contextmanager
def _ending_unpaid(maker: Maker, status: str) -> Iterator[None]:
    """Leave a subscription unpaid after the last retry, whatever the account's settings are."""
    table = maker.state.tables.payment_retries
    before = table.get(ACCOUNT_KEY) or PaymentRetries()
    if status == "unpaid":
        table.set(ACCOUNT_KEY, PaymentRetries(before.days, "unpaid"))
    try:
        yield
    finally:
        if status == "unpaid":
            table.set(ACCOUNT_KEY, before)
