"""Tax ids of customers and of the account, which are verified at once.

https://docs.stripe.com/billing/customer/tax-ids
"""

from __future__ import annotations

from pinstripe.emulator.operations._expansion import includable
from pinstripe.emulator.operations._filters import list_filter
from pinstripe.emulator.operations._pagination import embedded_list
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object


@operation("customers.tax_ids.create", "tax_ids.create")
def create(context: OperationContext) -> Object:
    """Create a tax id of a customer, or of the account."""
    owner = context.params.get("owner") or {}
    customer_id = context.path.get("customer") or owner.get("customer")
    customer = context.state.objects.get("customer", customer_id) if customer_id else None
    return create_tax_id(context.state, customer, context.params)


def create_tax_id(state: AccountState, customer: Object | None, params: Object) -> Object:
    """Create a tax id of a customer, or of the account; the first two characters of its value, if letters, are its country."""
    country = str(params["value"])[:2]
    tax_id = state.draft("tax_id")
    tax_id.update(
        country=country.upper() if country.isalpha() else "US",
        customer=customer["id"] if customer else None,
        owner={"type": "customer", "customer": customer["id"]} if customer else {"type": "self"},
        type=params["type"],
        value=params["value"],
        verification={"status": "verified", "verified_address": None, "verified_name": None},
    )
    state.objects.add(tax_id)
    state.events.emit("created", tax_id)
    return tax_id


@includable("customer", "tax_ids")
def tax_ids_of_customer(state: AccountState, customer: Object) -> Object:
    """Return the tax ids of a customer."""
    tax_ids = list(state.objects.all("tax_id", customer=customer["id"]))
    return embedded_list(tax_ids, f"/v1/customers/{customer['id']}/tax_ids")


@list_filter("tax_id", "owner")
def _has_owner(tax_id: Object, wanted: Object) -> bool:
    owner = tax_id["owner"] or {"type": "self"}
    return all(owner.get(name) == wanted.get(name) for name in ("type", "customer", "account", "customer_account"))
