"""The state of one account: its objects, its events, its time and chance. Everything that an operation may touch."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from pinstripe._api_version import API_VERSION
from pinstripe.emulator.blank import Names, blank, fit
from pinstripe.emulator.refusal import Refusal, missing_object
from pinstripe.endpoint import Row
from pinstripe.model import registry
from pinstripe.models._event_types import EVENT_TYPES

Object: TypeAlias = dict[str, Any]  # Any: JSON, as it goes out

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# How ids begin, by the kind of the object. https://docs.stripe.com/api
PREFIXES = {
    "account": "acct_1", "balance_transaction": "txn_", "charge": "ch_3", "checkout.session": "cs_test_", "coupon": "",
    "credit_note": "cn_1", "customer": "cus_", "discount": "di_1", "dispute": "du_1", "event": "evt_1", "file": "file_1",
    "invoice": "in_1", "invoice_payment": "inpay_1", "invoiceitem": "ii_1", "line_item": "il_1", "payment_intent": "pi_3",
    "payment_link": "plink_1", "payment_method": "pm_1", "payout": "po_1", "plan": "plan_", "price": "price_1",
    "product": "prod_", "promotion_code": "promo_1", "quote": "qt_1", "refund": "re_3", "request": "req_",
    "setup_attempt": "setatt_1", "setup_intent": "seti_1", "subscription": "sub_1", "subscription_item": "si_",
    "subscription_schedule": "sub_sched_1", "tax_id": "txi_1", "tax_rate": "txr_1", "test_helpers.test_clock": "clock_1",
    "transfer": "tr_3", "webhook_endpoint": "we_1", "webhook_secret": "whsec_", "secret": "", "url": "",
}  # fmt: skip
# What events call an object whose name is not their first words.
EVENT_NAMES = {
    "discount": "customer.discount",
    "dispute": "charge.dispute",
    "fee_refund": "application_fee.refund",
    "subscription": "customer.subscription",
    "tax_id": "customer.tax_id",
}


@dataclass
class Ask:
    """One request, understood: which operation it is, and its typed parameters."""

    world: World
    row: Row
    path: Mapping[str, str]
    params: dict[str, Any]  # Any: as the operation's TypedDict says

    @property
    def target(self) -> str:
        """The last id in the path."""
        return list(self.path.values())[-1]


@dataclass
class World:
    """One account's Stripe."""

    account: str
    random: random.Random
    now: Callable[[], int]
    objects: dict[str, Object] = field(default_factory=dict)
    kinds: dict[str, dict[str, None]] = field(default_factory=dict)
    hidden: dict[str, Any] = field(default_factory=dict)  # Any: what an object knows and does not show, by its id
    news: list[Object] = field(default_factory=list)
    request: dict[str, str | None] = field(default_factory=dict)

    def new_id(self, kind: str) -> str:
        """An id as Stripe makes them: a prefix for its kind, and letters and digits."""
        prefix = PREFIXES.get(kind)
        if prefix is None:
            prefix = "".join(word[0] for word in kind.replace(".", "_").split("_") if word).lower() + "_1"
        return prefix + "".join(self.random.choices(ALPHABET, k=16))

    @property
    def names(self) -> Names:
        """What a blank object asks for."""
        return Names(self.new_id, self.now())

    def make(self, kind: str, params: Mapping[str, Any] | None = None, /, **fields: Any) -> Object:  # Any: JSON
        """A new object: blank, with the parameters that are fields of it, and with exactly these fields; kept."""
        made = {**self.draft(kind, params), **fields}
        self.keep(made)
        return made

    def draft(self, kind: str, params: Mapping[str, Any] | None = None) -> Object:  # Any: JSON
        """A new object that is not kept yet."""
        model = registry().objects[kind]
        made = blank(model, self.names)
        made.update(fit(model, dict(params or {}), self.names))
        if "id" in made:
            given = (params or {}).get("id")
            made["id"] = given if isinstance(given, str) else self.new_id(kind)
        if "metadata" in made:
            made["metadata"] = merged({}, (params or {}).get("metadata"))
        return made

    def keep(self, found: Object) -> None:
        """Remember an object under its id."""
        self.objects[found["id"]] = found
        self.kinds.setdefault(found["object"], {})[found["id"]] = None

    def get(self, kind: str, identifier: str, param: str | None = None) -> Object:
        """The object with an id; raises the `Refusal` that Stripe would."""
        found = self.objects.get(identifier)
        if found is None or found["object"] != kind or found.get("deleted"):
            raise missing_object(kind, identifier, param)
        return found

    def every(self, kind: str) -> Iterator[Object]:
        """The objects of a kind that are not deleted, newest first."""
        for identifier in reversed(self.kinds.get(kind, {})):
            found = self.objects[identifier]
            if not found.get("deleted"):
                yield found

    def change(self, found: Object, **fields: Any) -> Object:  # Any: JSON
        """Set fields; gives what they were before, where that was something else."""
        before = {name: found.get(name) for name, value in fields.items() if found.get(name) != value}
        before = copy.deepcopy(before)
        found.update(fields)
        return before

    def emit(self, action: str, found: Object, before: Object | None = None) -> None:
        """An event about an object as it is now; none where Stripe has no such event."""
        kind: str = found["object"]
        name = EVENT_NAMES.get(kind, kind)
        for event_type in (action if "." in action else f"{name}.{action}", f"{name.replace('.', '_', 1)}.{action}"):
            if event_type in EVENT_TYPES:
                break
        else:
            return
        data: Object = {"object": copy.deepcopy(found)}
        if before is not None:
            data["previous_attributes"] = before
        event = self.draft("event")
        event.update(
            type=event_type, data=data, api_version=API_VERSION, request=dict(self.request), pending_webhooks=0
        )
        self.keep(event)
        self.news.append(event)

    def update(self, found: Object, params: Mapping[str, Any], **fields: Any) -> Object:  # Any: JSON
        """Change an object as an update does: fields that were passed, metadata merged; and say so in an event."""
        model = registry().objects[found["object"]]
        changes = {**fit(model, dict(params), self.names), **fields}
        if "metadata" in params:
            changes["metadata"] = merged(found.get("metadata") or {}, params["metadata"])
        if before := self.change(found, **changes):
            self.emit("updated", found, before)
        return found


def merged(kept: Mapping[str, str], given: Mapping[str, str] | None) -> dict[str, str]:
    """Metadata after an update: an empty value removes its key, and nothing at all removes every key."""
    if given is None:
        return {} if kept else dict(kept)
    for key in given:
        if len(key) > 40 or "[" in key or "]" in key:
            raise Refusal(f"Metadata keys are at most 40 characters, without square brackets: {key}", param="metadata")
    return {key: value for key, value in {**kept, **given}.items() if value != ""}
