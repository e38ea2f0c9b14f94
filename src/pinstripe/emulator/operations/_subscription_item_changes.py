"""Changes of the items of a subscription: what the parameter ``items`` of an update describes."""

from __future__ import annotations

from typing import NamedTuple

from pinstripe.emulator.billing import proration
from pinstripe.emulator.billing.periods import period_at
from pinstripe.emulator.billing.pricing import cost, is_metered
from pinstripe.emulator.operations._subscription_params import build_item, recurring_price
from pinstripe.emulator.operations.discounts import redeem_all
from pinstripe.emulator.operations.plans import item_fields, plan_of
from pinstripe.emulator.operations.trial_offers import begin_trial
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object, merge_metadata
from pinstripe.emulator.validation.errors import ErrorResponse, missing_object

PRICE_PARAMS = {"price", "plan", "price_data", "current_trial"}
"""The parameters of an item that say its price."""


class ItemChange(NamedTuple):
    """A subscription item before and after an update; ``old`` is ``None`` for a new item, ``new`` for a removed one."""

    old: Object | None
    new: Object | None

    @property
    def has_new_interval(self) -> bool:
        """Whether the update changes the item's billing interval."""
        if self.old is None or self.new is None:
            return False
        old, new = self.old["price"]["recurring"], self.new["price"]["recurring"]
        return any(old[name] != new[name] for name in ("interval", "interval_count"))

    @property
    def has_new_price(self) -> bool:
        """Whether the update changes the item's price or quantity."""
        if self.old is None or self.new is None:
            return True
        old, new = self.old, self.new
        return (old["price"]["id"], old.get("quantity")) != (new["price"]["id"], new.get("quantity"))


def item_changes(state: AccountState, subscription: Object, params: list[Object]) -> list[ItemChange]:
    """Return the changes that the parameter ``items`` describes."""
    current = list(subscription["items"]["data"])
    return [
        _item_change(state, subscription, current, item_params, f"items[{index}]")
        for index, item_params in enumerate(params)
    ]


def _item_change(
    state: AccountState, subscription: Object, current: list[Object], params: Object, path: str
) -> ItemChange:
    item_id = params.get("id")
    if item_id is None:
        price = recurring_price(state, params, path)
        if any(item["price"]["id"] == price["id"] for item in current):
            raise ErrorResponse(
                f"A subscription item with the price {price['id']} exists already: pass its id.", param=f"{path}[price]"
            )
        return ItemChange(None, build_item(state, subscription, params, path))
    old = next((item for item in current if item["id"] == item_id), None)
    if old is None:
        raise missing_object("subscription_item", item_id, f"{path}[id]")
    if params.get("deleted"):
        return ItemChange(old, None)
    return ItemChange(old, _updated_item(state, subscription, old, params, path))


def _updated_item(state: AccountState, subscription: Object, old: Object, params: Object, path: str) -> Object:
    price = recurring_price(state, params, path) if PRICE_PARAMS & set(params) else old["price"]
    cost(state, price, 1, subscription["currency"])  # raises when the price does not have the currency
    new = {**old, "plan": plan_of(state, price), "price": price}
    begin_trial(state, new, params)
    if is_metered(price):
        new.pop("quantity", None)
    else:
        new["quantity"] = params.get("quantity", old.get("quantity", 1))
    if "metadata" in params:
        new["metadata"] = merge_metadata(old["metadata"], params["metadata"])
    if "tax_rates" in params:
        new["tax_rates"] = [state.objects["tax_rate", rate_id] for rate_id in params["tax_rates"] or []]
    if "discounts" in params:
        owner = {"customer": subscription["customer"], "subscription_item": old["id"]}
        new["discounts"] = redeem_all(state, params["discounts"], f"{path}[discounts]", **owner)
    return new


def prorate_change(state: AccountState, subscription: Object, change: ItemChange, at: int) -> None:
    """Credit the old item and charge the new one for the rest of the period."""
    old, new = change
    if not change.has_new_price:
        return
    if old is not None and not is_metered(old["price"]):
        proration.credit_item(state, subscription, old, at)
    if new is not None and not is_metered(new["price"]):
        item = old
        if item is None:
            start, end = period_at(subscription["billing_cycle_anchor"], new["price"]["recurring"], at)
            item = {**new, "current_period_start": start, "current_period_end": end}
        proration.charge_item(state, subscription, item, new["price"], new["quantity"], at)


def apply_change(state: AccountState, subscription: Object, change: ItemChange) -> None:
    """Add, replace or remove an item of a subscription."""
    old, new = change
    items = subscription["items"]["data"]
    if new is None and old is not None:
        state.objects.mark_deleted(old)
        items = [item for item in items if item["id"] != old["id"]]
    elif old is None and new is not None:
        items = [*items, state.objects.add(new)]
    elif old is not None and new is not None:
        stored = state.objects.add(new)
        items = [stored if item["id"] == old["id"] else item for item in items]
    state.objects.update(subscription, **item_fields(subscription, items))
