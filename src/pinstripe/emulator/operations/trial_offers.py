"""Trial offers: a price for the first periods of a subscription item, and the price that follows.

https://docs.stripe.com/billing/subscriptions/trials
"""

from __future__ import annotations

from typing import Any

from pinstripe.emulator.billing import periods
from pinstripe.emulator.operations._filters import BOUNDS, filter_objects
from pinstripe.emulator.operations._pagination import paginate
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.plans import item_fields, plan_of
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.state.tables import Timestamp
from pinstripe.emulator.state.timer_handlers import timer_handler
from pinstripe.emulator.validation.errors import ErrorResponse

TRIAL_OFFER = "product_catalog.trial_offer"


@operation("product_catalog.trial_offers.create")
def create(context: OperationContext) -> Object:
    """Create a trial offer; both of its prices are recurring."""
    state, params = context.state, context.params
    _check_recurring(state, params["price"], "price")
    next_price = params["end_behavior"]["transition"]["price"]
    _check_recurring(state, next_price, "end_behavior[transition][price]")
    duration = params["duration"]
    iterations = (duration.get("relative") or {}).get("iterations", 1)
    if iterations < 1:
        raise ErrorResponse(
            "Invalid positive integer", code="parameter_invalid_integer", param="duration[relative][iterations]"
        )
    offer = state.create(
        TRIAL_OFFER,
        params,
        active=params.get("active", True),
        duration={"type": duration["type"], "relative": {"iterations": iterations}},
        end_behavior={"type": "transition", "transition": {"price": next_price}},
        price=params["price"],
    )
    state.tables.creation_times.set(offer["id"], Timestamp(state.clock.now()))
    return offer


def _check_recurring(state: AccountState, price_id: str, param: str) -> None:
    if state.objects.get("price", price_id, param)["recurring"] is None:
        raise ErrorResponse("The prices of a trial offer are recurring.", param=param)


@operation("product_catalog.trial_offers.list")
def list_offers(context: OperationContext) -> Object:
    """Return a page of trial offers."""
    state, prices = context.state, context.params.get("prices")
    offers = filter_objects(context, state.objects.all(TRIAL_OFFER), "created", "prices")
    return paginate(
        context,
        (
            offer
            for offer in offers
            if (not prices or offer["price"] in prices) and _created_within(state, offer, context.params.get("created"))
        ),
    )


def _created_within(state: AccountState, offer: Object, wanted: Any) -> bool:  # Any: a time or a range
    row = state.tables.creation_times.get(offer["id"])
    if wanted is None or row is None:
        return wanted is None
    bounds = {"gte": wanted, "lte": wanted} if isinstance(wanted, int) else wanted
    return all(BOUNDS[name](row.seconds, bound) for name, bound in bounds.items())


# Trials of subscription items


def offered_price(state: AccountState, params: Object, where: str) -> str | None:
    """Return the price of an item whose parameters name a trial offer, or ``None``."""
    offer_id = (params.get("current_trial") or {}).get("trial_offer")
    if offer_id is None:
        return None
    param = f"{where}[current_trial][trial_offer]"
    offer = state.objects.get(TRIAL_OFFER, offer_id, param)
    if not offer["active"]:
        raise ErrorResponse(f"The trial offer {offer_id} is not active.", param=param)
    if params.get("price") not in (None, offer["price"]):
        raise ErrorResponse("The price of an item in a trial is that of its trial offer.", param=f"{where}[price]")
    price: str = offer["price"]
    return price


def begin_trial(state: AccountState, item: Object, params: Object) -> None:
    """Begin the trial of an item that is not stored yet, if its parameters name a trial offer."""
    offer_id = (params.get("current_trial") or {}).get("trial_offer")
    if offer_id is None:
        return
    recurring, start = item["price"]["recurring"], item["current_period_start"]
    iterations = state.objects[TRIAL_OFFER, offer_id]["duration"]["relative"]["iterations"]
    end = periods.add(start, recurring["interval"], recurring["interval_count"] * iterations)
    item["current_trial"] = {"start_date": start, "end_date": end, "trial_offer": offer_id}
    state.clock.schedule(end, "subscription_item.end_trial", item)


@timer_handler("subscription_item.end_trial")
def _end_trial(state: AccountState, item: Object) -> None:
    trial = item.get("current_trial")
    subscription = state.objects.find("subscription", item["subscription"])
    if trial is None or trial["end_date"] > state.clock.now() or subscription is None:
        return
    offer = state.objects[TRIAL_OFFER, trial["trial_offer"]]
    price = state.objects["price", offer["end_behavior"]["transition"]["price"]]
    state.objects.update(item, plan=plan_of(state, price), price=price, current_trial=None)
    state.objects.update(subscription, **item_fields(subscription, subscription["items"]["data"]))
