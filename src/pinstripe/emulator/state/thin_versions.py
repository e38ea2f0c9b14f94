"""The thin events of changes that have a snapshot event: ``v1.customer.created``, ``v1.price.deactivated``.

They are created only where an event destination wants them. https://docs.stripe.com/event-destinations#thin-events
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import JSON, Object
from pinstripe.models._event_types import EVENT_TYPES, THIN_EVENT_TYPES


def add_thin_versions(state: AccountState, platform: AccountState, event_ids: Sequence[str]) -> None:
    """Create the thin versions of new snapshot events of an account that a destination of it or of the platform wants."""
    wanted = _wanted_types(state, connect=False)
    if state is not platform:
        wanted |= _wanted_types(platform, connect=True)
    for event_id in list(event_ids) if wanted else ():
        stored = state.events.by_id[event_id]
        if stored.thin:
            continue
        event = stored.object
        for event_type in _thin_types(event):
            if event_type in wanted and event_type in THIN_EVENT_TYPES:
                _emit(state, event_type, event["data"]["object"], event_id)


def _emit(state: AccountState, event_type: str, subject: Object, event_id: str) -> None:
    data: Object = {}
    if event_type == "v1.invoice.upcoming":
        subscription = ((subject["parent"] or {}).get("subscription_details") or {}).get("subscription")
        data = {"customer": subject["customer"], "subscription": subscription}
    _, related_model, _ = THIN_EVENT_TYPES[event_type]
    state.events.emit_thin(event_type, subject if related_model else None, snapshot_event=event_id, **data)


def _wanted_types(state: AccountState, *, connect: bool) -> set[str]:
    return {
        event_type
        for destination in state.objects.all("v2.core.event_destination")
        if destination["status"] == "enabled" and destination["event_payload"] == "thin"
        if not connect or "other_accounts" in (destination.get("events_from") or [])
        for event_type in destination["enabled_events"]
        if event_type.startswith("v1.")
    }


def _thin_types(event: Object) -> Iterator[str]:
    """Iterate over the types of the thin events that belong to a snapshot event."""
    yield f"v1.{event['type']}"
    name, _, action = event["type"].rpartition(".")
    subject = event["data"]["object"]
    previous = event["data"].get("previous_attributes") or {}
    if name == "customer.subscription" and (action == "created" or "status" in previous):
        status_type = f"{name}.{subject['status']}"
        if status_type not in EVENT_TYPES:
            yield f"v1.{status_type}"
    for field, change in FIELD_CHANGES.get(name, {}).items():
        if action == "updated" and field in previous:
            for changed in change(previous[field], subject.get(field)):
                yield f"v1.{name}.{changed}"


Change = Callable[[JSON, JSON], Iterator[str]]
"""The actions that the change of a field from one value to another means."""


def _changed(action: str) -> Change:
    return lambda before, after: iter((action,))


def _switched(before: JSON, after: JSON) -> Iterator[str]:
    yield "activated" if after else "deactivated"


def _members(word: str, **fields: str) -> Change:
    """Return a comparison of two lists: members that were added or removed, and members with a changed field."""

    def compare(before: JSON, after: JSON) -> Iterator[str]:
        old, new = _by_id(before), _by_id(after)
        if new.keys() - old.keys():
            yield f"{word}_added"
        if old.keys() - new.keys():
            yield f"{word}_removed"
        for field, action in fields.items():
            if any(old[key].get(field) != new[key].get(field) for key in old.keys() & new.keys()):
                yield f"{word}_{action}"

    return compare


def _by_id(value: JSON) -> dict[str, Object]:
    """Return the members of a list by id; those without one by their place."""
    members = value.get("data") or [] if isinstance(value, dict) else value or []
    return {
        member if isinstance(member, str) else member.get("id", str(index)): {} if isinstance(member, str) else member
        for index, member in enumerate(members)
    }


FIELD_CHANGES: dict[str, dict[str, Change]] = {
    "customer.discount": {"source": _changed("source_changed")},
    "customer.subscription": {
        "cancel_at": _changed("cancel_at_changed"),
        "default_payment_method": _changed("default_payment_method_changed"),
        "items": _members("item", price="price_changed", quantity="quantity_changed", tax_rates="tax_rates_changed"),
    },
    "entitlements.active_entitlement_summary": {"entitlements": _members("entitlement")},
    "invoice": {
        "discounts": _members("discount"),
        "lines": _members("line_item", pricing="pricing_changed", quantity="quantity_changed"),
    },
    "price": {
        "active": _switched,
        "lookup_key": _changed("lookup_key_changed"),
        "tax_behavior": _changed("tax_behavior_changed"),
    },
    "product": {
        "active": _switched,
        "default_price": _changed("default_price_changed"),
        "tax_code": _changed("tax_code_changed"),
    },
    "subscription_schedule": {
        "phases": _members(
            "phase",
            default_tax_rates="default_tax_rates_changed",
            end_date="end_date_changed",
            trial_end="trial_end_changed",
        ),
    },
}
"""The thin events of an updated field, by the first part of the event type."""
