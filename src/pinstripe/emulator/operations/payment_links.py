"""Payment links: an address that opens a new checkout for everybody who follows it. https://docs.stripe.com/payment-links"""

from __future__ import annotations

from pinstripe.emulator.billing import line_items
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.checkout_sessions import open_session
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.validation.errors import ErrorResponse


@operation("payment_links.create")
def create(context: OperationContext) -> Object:
    """A link; its page is at ``url``."""
    state, params = context.state, context.params
    items = line_items.items(state, params["line_items"], params.get("currency"))
    link = state.draft("payment_link", {name: value for name, value in params.items() if name != "line_items"})
    after = params.get("after_completion") or {}
    shown = {"type": after.get("type", "hosted_confirmation"), "hosted_confirmation": {"custom_message": None}}
    if redirect := after.get("redirect"):
        shown = {"type": "redirect", "redirect": redirect}
    recurring = any(one["price"]["recurring"] for one in items)
    link.update(
        active=True,
        after_completion=shown,
        allow_promotion_codes=params.get("allow_promotion_codes", False),
        currency=items[0]["currency"],
        customer_creation="always" if recurring else params.get("customer_creation", "if_required"),
        shipping_options=[],
        url=f"{state.base_url}/pay/{link['id']}",
    )
    line_items.store(state, link, items)
    return state.objects.add(link)


@operation("payment_links.update")
def update(context: OperationContext) -> Object:
    """Change a link, and the quantities of what it sells."""
    state, params = context.state, dict(context.params)
    link = state.objects.get("payment_link", context.target_id)
    if given := params.pop("line_items", None):
        line_items.store(state, link, line_items.changed(state, link, given))
    return state.apply_update(link, params)


line_items.show("payment_link", "/v1/payment_links", "payment_links.line_items.list")


def follow(state: AccountState, link: Object) -> Object:
    """A new session for somebody who follows the link."""
    if not link["active"]:
        raise ErrorResponse(link["inactive_message"] or "This link is no longer active.", code="payment_link_inactive")
    items = line_items.kept(state, link)
    recurring = any(one["price"]["recurring"] for one in items)
    redirect = (link["after_completion"].get("redirect") or {}).get("url")
    return open_session(
        state,
        {
            "line_items": [{"price": one["price"]["id"], "quantity": one["quantity"]} for one in items],
            "mode": "subscription" if recurring else "payment",
            "metadata": dict(link["metadata"]),
            **({"customer_creation": link["customer_creation"]} if not recurring else {}),
            **({"success_url": redirect} if redirect else {}),
        },
        payment_link=link["id"],
    )
