"""Payment links. https://docs.stripe.com/payment-links"""

from __future__ import annotations

from collections.abc import Mapping

from pinstripe.emulator.billing.line_items import (
    build_line_items,
    line_items_of,
    register_line_items,
    set_line_items,
    update_line_items,
)
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.checkout_codes import can_change_code, change_code
from pinstripe.emulator.operations.checkout_sessions import open_session
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.validation.errors import ErrorResponse

QUERY_FIELDS = {
    "client_reference_id": "client_reference_id",
    "prefilled_email": "customer_email",
    "locked_prefilled_email": "customer_email",
}
"""The parameters in the URL of a payment link, with the fields of the session that they set."""


@operation("payment_links.create")
def create(context: OperationContext) -> Object:
    """Create a payment link; its page is at ``url``."""
    state, params = context.state, context.params
    items = build_line_items(state, params["line_items"], params.get("currency"))
    link = state.draft("payment_link", {name: value for name, value in params.items() if name != "line_items"})
    recurring = any(item["price"]["recurring"] for item in items)
    link.update(
        active=True,
        after_completion=_after_completion(params.get("after_completion") or {}),
        allow_promotion_codes=params.get("allow_promotion_codes", False),
        currency=items[0]["currency"],
        customer_creation="always" if recurring else params.get("customer_creation", "if_required"),
        shipping_options=[],
        url=f"{state.base_url}/pay/{link['id']}",
    )
    set_line_items(state, link, items)
    state.events.emit("created", state.objects.add(link))
    return link


def _after_completion(params: Object) -> Object:
    if redirect := params.get("redirect"):
        return {"type": "redirect", "redirect": redirect}
    confirmation = {"custom_message": None, **(params.get("hosted_confirmation") or {})}
    return {"type": params.get("type", "hosted_confirmation"), "hosted_confirmation": confirmation}


@operation("payment_links.update")
def update(context: OperationContext) -> Object:
    """Update a payment link and the quantities of its line items."""
    state, params = context.state, dict(context.params)
    link = state.objects.get("payment_link", context.target_id)
    if item_params := params.pop("line_items", None):
        set_line_items(state, link, update_line_items(state, link, item_params))
    return state.apply_update(link, params)


register_line_items("payment_link", "/v1/payment_links", "payment_links.line_items.list")


def open_link(state: AccountState, link: Object, query: Mapping[str, str] | None = None) -> Object:
    """Create the checkout session of a customer who opens a payment link; the query may fill in fields.

    https://docs.stripe.com/payment-links/url-parameters
    """
    if not link["active"]:
        raise ErrorResponse(link["inactive_message"] or "This link is no longer active.", code="payment_link_inactive")
    items, query = line_items_of(state, link), query or {}
    params: Object = {
        "line_items": [{"price": item["price"]["id"], "quantity": item["quantity"]} for item in items],
        "metadata": dict(link["metadata"]),
        "allow_promotion_codes": link["allow_promotion_codes"],
    }
    if any(item["price"]["recurring"] for item in items):
        params["mode"] = "subscription"
    else:
        params |= {"mode": "payment", "customer_creation": link["customer_creation"]}
    for name in ("subscription_data", "payment_intent_data"):
        if data := link[name]:
            params[name] = {field: value for field, value in data.items() if value is not None}
    if redirect := (link["after_completion"].get("redirect") or {}).get("url"):
        params["success_url"] = redirect
    for name, field in QUERY_FIELDS.items():
        if value := query.get(name):
            params[field] = value
    session = open_session(state, params, payment_link=link["id"])
    if (code := query.get("prefilled_promo_code")) and can_change_code(state, session):
        change_code(state, session, code)  # an invalid code is ignored
    return session
