"""Checkout sessions: a page on which a customer pays, subscribes, or saves a card. https://docs.stripe.com/payments/checkout"""

from __future__ import annotations

from typing import Any

from pinstripe.emulator.billing import line_items
from pinstripe.emulator.billing.periods import DAY
from pinstripe.emulator.operations import payment_intents, setup_intents
from pinstripe.emulator.operations._crud import life
from pinstripe.emulator.operations._lists import filtered
from pinstripe.emulator.operations.customers import make as make_customer
from pinstripe.emulator.operations.discounts import redeem
from pinstripe.emulator.operations.payment_methods import attach_to, from_data
from pinstripe.emulator.operations.subscriptions import start
from pinstripe.emulator.state.account import Ask, Object, World
from pinstripe.emulator.state.timers import timer
from pinstripe.emulator.validation.errors import Refusal, missing_param, wrong_state

NO_DETAILS: Object = {"address": None, "business_name": None, "email": None, "individual_name": None, "name": None,
"phone": None, "tax_exempt": "none", "tax_ids": None}  # fmt: skip


@life("checkout.sessions.create")
def create(ask: Ask) -> Object:
    """A session, open for a day; ``url`` is its page."""
    return open_session(ask.world, ask.params)


def open_session(world: World, params: Object, **fields: Any) -> Object:  # Any: JSON
    """A session as the parameters of its creation say; kept."""
    mode = params.get("mode", "payment" if params.get("line_items") else "setup")
    if mode != "setup" and not params.get("line_items"):
        raise missing_param("line_items")
    hosted = params.get("ui_mode", "hosted_page") == "hosted_page"
    if hosted and not params.get("success_url") and not fields:
        raise missing_param("success_url")
    items = line_items.items(world, params.get("line_items") or [], params.get("currency"))
    recurring = [one["price"]["type"] == "recurring" for one in items]
    if mode == "payment" and any(recurring):
        raise Refusal(
            "You specified `payment` mode but passed a recurring price. Use `subscription` mode.", param="mode"
        )
    if mode == "subscription" and not any(recurring):
        raise Refusal("You must provide at least one recurring price in `subscription` mode.", param="line_items")
    own = (
        "line_items",
        "discounts",
        "customer",
        "expires_at",
        "shipping_options",
        "payment_intent_data",
        "subscription_data",
        "setup_intent_data",
    )
    session = world.draft("checkout.session", {name: value for name, value in params.items() if name not in own})
    owner = {"customer": params.get("customer"), "checkout_session": session["id"]}
    discounts = [
        redeem(world, one, f"discounts[{at}]", **owner) for at, one in enumerate(params.get("discounts") or [])
    ]
    totals = line_items.total_up(world, items, discounts)
    customer = world.get("customer", params["customer"], "customer") if params.get("customer") else None
    email = params.get("customer_email") or (customer or {}).get("email")
    session.update(
        amount_subtotal=totals.subtotal if items else None,
        amount_total=totals.total if items else None,
        automatic_tax={"enabled": bool((params.get("automatic_tax") or {}).get("enabled")), "liability": None,
        "provider": None, "status": None},
        client_secret=None if hosted else f"{session['id']}_secret_{world.new_id('secret', 25)}",
        currency=items[0]["currency"] if items else params.get("currency", "usd"),
        custom_fields=session.get("custom_fields") or [],
        customer=customer["id"] if customer else None,
        customer_creation=_creation(mode, params),
        customer_details={**NO_DETAILS, "email": email} if email else None,
        discounts=[{"coupon": one["source"]["coupon"], "promotion_code": one["promotion_code"]} for one in discounts],
        expires_at=params.get("expires_at") or world.now() + DAY,
        mode=mode,
        payment_method_collection=params.get("payment_method_collection", "always" if mode == "subscription" else "if_required"),
        payment_method_types=params.get("payment_method_types") or ["card"],
        payment_status="no_payment_required" if mode == "setup" or not totals.total else "unpaid",
        shipping_options=[],
        status="open",
        total_details=totals.details,
        ui_mode=params.get("ui_mode", "hosted_page"),
        url=f"{world.base}/checkout/{session['id']}" if hosted else None,
        **fields,
    )  # fmt: skip
    world.hide(f"items:{session['id']}", items)
    data = {name: params.get(name) or {} for name in ("payment_intent_data", "subscription_data", "setup_intent_data")}
    world.hide(f"session:{session['id']}", {**data, "discounts": [one["id"] for one in discounts]})
    world.keep(session)
    world.later(session["expires_at"], "session.expire", session)
    return session


def _creation(mode: str, params: Object) -> str | None:
    if mode == "payment":
        return str(params.get("customer_creation") or "if_required")
    return "always" if mode == "subscription" else None


@life("checkout.sessions.update")
def update(ask: Ask) -> Object:
    """Change a session, and while it is open what is bought."""
    world, params = ask.world, dict(ask.params)
    session = world.get("checkout.session", ask.target)
    if given := params.pop("line_items", None):
        if session["status"] != "open":
            raise wrong_state(session, "update")
        bought = line_items.changed(world, session, given)
        discounts = [world.objects[one] for one in world.hidden[f"session:{session['id']}"]["discounts"]]
        totals = line_items.total_up(world, bought, discounts)
        world.hide(f"items:{session['id']}", bought)
        sums = {"amount_subtotal": totals.subtotal, "amount_total": totals.total, "total_details": totals.details}
        world.change(session, **sums)
    return world.update(session, params)


line_items.show("checkout.session", "/v1/checkout/sessions", "checkout.sessions.line_items.list")


@filtered("checkout.session", "customer_details")
def _is_by(session: Object, wanted: Object) -> bool:
    return bool((session["customer_details"] or {}).get("email") == wanted["email"])


@life("checkout.sessions.expire")
def expire(ask: Ask) -> Object:
    """Close a session that is open."""
    session = ask.world.get("checkout.session", ask.target)
    if session["status"] != "open":
        raise wrong_state(session, "expire")
    _expire(ask.world, session)
    return session


@timer("session.expire")
def _expire(world: World, session: Object) -> None:
    if session["status"] == "open":
        world.change(session, status="expired", url=None)
        world.emit("expired", session)


def complete(world: World, session: Object, given: Object) -> Object:
    """What the page's button does: ``given`` is what the customer typed. Raises a `Refusal` where the card is declined."""
    if session["status"] != "open":
        raise Refusal(
            f"This session is {session['status']}: it can't be paid any more.", code="checkout_session_not_open"
        )
    method = from_data(
        world,
        {
            "type": "card",
            "card": given["card"],
            "billing_details": {"email": given.get("email"), "name": given.get("name")},
        },
    )
    customer = _customer(world, session, given)
    shown = (session["customer_details"] or {}) | {"email": given.get("email"), "name": given.get("name")}
    details = {**NO_DETAILS, **shown}
    kept = world.hidden[f"session:{session['id']}"]
    fields: Object = {"customer_details": details, "customer": customer["id"] if customer else None}
    fields |= {"payment": _pay, "subscription": _subscribe, "setup": _set_up}[session["mode"]](
        world, session, customer, method, kept
    )
    if fields.get("waits"):
        return session
    world.change(session, status="complete", url=None, **fields)
    world.emit("completed", session)
    return session


def _customer(world: World, session: Object, given: Object) -> Object | None:
    if session["customer"]:
        return world.get("customer", session["customer"])
    if session["customer_creation"] != "always":
        return None
    key = f"customer:{session['id']}"
    if key not in world.hidden:  # one customer, however often the card is declined
        world.hide(key, make_customer(world, {"email": given.get("email"), "name": given.get("name")})["id"])
    return world.get("customer", world.hidden[key])


def _pay(world: World, session: Object, customer: Object | None, method: Object, kept: Object) -> Object:
    data = kept["payment_intent_data"]
    if not session["amount_total"]:
        return {"payment_status": "no_payment_required"}
    intent = world.objects.get(session["payment_intent"] or "")
    if intent is None:
        asked = {**data, "amount": session["amount_total"], "currency": session["currency"]}
        intent = payment_intents.make(world, asked, customer=customer["id"] if customer else None, payment_method=None)
        world.emit("created", intent)
        world.change(session, payment_intent=intent["id"])
    world.change(intent, payment_method=method["id"], customer=customer["id"] if customer else None)
    payment_intents.confirmed(world, intent, {})
    if intent["status"] == "requires_action":
        world.hide(f"checkout:{intent['id']}", session["id"])
        return {"waits": True}
    return {"payment_status": "paid" if intent["status"] == "succeeded" else "unpaid"}


def _subscribe(world: World, session: Object, customer: Object | None, method: Object, kept: Object) -> Object:
    assert customer is not None  # noqa: S101  # sessions that subscribe always have one
    data, items = kept["subscription_data"], line_items.kept(world, session)
    attach_to(world, method, customer)
    given: Object = {
        "customer": customer["id"],
        "default_payment_method": method["id"],
        "items": [_asked(one) for one in items if one["price"]["recurring"]],
        "add_invoice_items": [_asked(one) for one in items if not one["price"]["recurring"]],
        "payment_behavior": "error_if_incomplete",
        "discounts": [{"discount": one} for one in kept["discounts"]],
    }
    known = (
        "trial_period_days",
        "trial_end",
        "metadata",
        "description",
        "default_tax_rates",
        "billing_cycle_anchor",
        "proration_behavior",
        "trial_settings",
    )
    subscription = start(world, {**given, **{name: data[name] for name in known if name in data}})
    return {"subscription": subscription["id"], "invoice": subscription["latest_invoice"], "payment_status": "paid"}


def _asked(item: Object) -> Object:
    metered = (item["price"]["recurring"] or {}).get("usage_type") == "metered"
    return {"price": item["price"]["id"], **({} if metered else {"quantity": item["quantity"]})}


def _set_up(world: World, session: Object, customer: Object | None, method: Object, kept: Object) -> Object:
    asked = {**kept["setup_intent_data"], "customer": customer["id"] if customer else None}
    intent = setup_intents.make(world, asked, method)
    setup_intents.confirmed(world, intent, {})
    return {"setup_intent": intent["id"]}


def _after_intent(world: World, intent: Object) -> None:
    """The customer has answered a challenge: the session is paid."""
    session = world.objects.get(world.hidden.get(f"checkout:{intent['id']}", ""))
    if session is not None and session["status"] == "open":
        world.change(session, status="complete", url=None, payment_status="paid", customer=intent["customer"])
        world.emit("completed", session)


payment_intents.WATCHERS["succeeded"].append(_after_intent)


def answer_challenge(world: World, identifier: str, *, success: bool) -> Object:
    """The bank's customer has answered: go on with the intent, and with what waits for it."""
    intent = world.objects.get(identifier, {})
    if intent.get("object") == "setup_intent":
        return setup_intents.answered(world, intent, success=success)
    intent = world.get("payment_intent", identifier)
    return payment_intents.answered(world, intent, success=success)
