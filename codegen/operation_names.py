"""The service and method names of operations, by the structure of their paths, with small tables of exceptions.

Static segments of a path name services; `{id}` steps into one object of them. The last segment is a collection, a single
object, or an action on what stands before it. It is an action if only POST is allowed and nothing stands below it, and
if it is singular (`/cancel`) or returns the object it is called on (`/add_lines`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# Services, by the dotted static segments of the path.
SERVICES: dict[str, str] = {
    "account": "accounts",
    "apple_pay.domains": "apple_pay_domains",
    "credit_notes.lines": "credit_notes.line_items",
    "credit_notes.preview.lines": "credit_notes.preview_lines",
    "customers.sources": "customers.payment_sources",
    "invoiceitems": "invoice_items",
    "invoices.lines": "invoices.line_items",
    "sources.source_transactions": "sources.transactions",
}

# Actions whose name is a Python keyword or too general: the object is added to them, for one object under another name.
ACTIONS_WITH_OBJECT = {"finalize", "return", "send", "void"}
ACTION_OBJECTS = {"credit_grants": "grant"}

# Paths that look like actions and are collections.
COLLECTIONS = {"/v2/billing/meter_event_session", "/v2/billing/meter_event_stream"}

# Operations whose names no rule finds.
OPERATIONS: dict[tuple[str, str], tuple[str, str]] = {
    ("GET", "/v1/account"): ("accounts", "retrieve_current"),
    ("POST", "/v1/apps/secrets/delete"): ("apps.secrets", "delete_where"),
    ("DELETE", "/v1/subscriptions/{subscription_exposed_id}"): ("subscriptions", "cancel"),
    ("DELETE", "/v1/customers/{customer}/subscriptions/{subscription_exposed_id}"): (
        "customers.subscriptions",
        "cancel",
    ),
    ("GET", "/v1/tax/associations/find"): ("tax.associations", "find"),
    ("POST", "/v1/test_helpers/issuing/authorizations/{authorization}/fraud_challenges/respond"): (
        "test_helpers.issuing.authorizations",
        "respond",
    ),
    ("POST", "/v1/test_helpers/issuing/cards/{card}/shipping/deliver"): ("test_helpers.issuing.cards", "deliver_card"),
    ("POST", "/v1/test_helpers/issuing/cards/{card}/shipping/fail"): ("test_helpers.issuing.cards", "fail_card"),
    ("POST", "/v1/test_helpers/issuing/cards/{card}/shipping/return"): ("test_helpers.issuing.cards", "return_card"),
    ("POST", "/v1/test_helpers/issuing/cards/{card}/shipping/ship"): ("test_helpers.issuing.cards", "ship_card"),
    ("POST", "/v1/test_helpers/issuing/cards/{card}/shipping/submit"): ("test_helpers.issuing.cards", "submit_card"),
    ("POST", "/v2/test_helpers/money_management/recipient_verifications"): (
        "v2.test_helpers.money_management",
        "recipient_verifications",
    ),
}

# Operations that Stripe's users know by a second name as well.
ALIASES: dict[tuple[str, str], tuple[str, str]] = {
    ("DELETE", "/v1/customers/{customer}/sources/{id}"): ("sources", "detach"),
}


@dataclass(frozen=True)
class Call:
    """The input of the rules: an operation by verb and path, what it returns, and whether that is a page or a file."""

    verb: str
    path: str
    returns: frozenset[str]
    shape: str


def name_operations(calls: Iterable[Call]) -> dict[tuple[str, str], tuple[str, str]]:
    """Return the service and method of each operation by verb and path; raise `ValueError` if two get the same."""
    by_path: dict[str, dict[str, Call]] = {}
    for call in calls:
        by_path.setdefault(call.path, {})[call.verb] = call
    result = {(call.verb, path): _name(call, by_path) for path, verbs in by_path.items() for call in verbs.values()}
    taken: dict[tuple[str, str], tuple[str, str]] = {}
    for key, name in result.items():
        if other := taken.get(name):
            raise ValueError(
                f"{' '.join(other)} and {' '.join(key)} are both named {'.'.join(name)}; "
                "give one of them another name in OPERATIONS of codegen/operation_names.py"
            )
        taken[name] = key
    return result


def _name(call: Call, by_path: Mapping[str, Mapping[str, Call]]) -> tuple[str, str]:
    if exception := OPERATIONS.get((call.verb, call.path)):
        return exception
    version, *segments = call.path.strip("/").split("/")
    prefix = [] if version == "v1" else [version]
    last = segments[-1]
    if _is_id(last):
        return _service(prefix, segments), {"GET": "retrieve", "POST": "update", "DELETE": "delete"}[call.verb]
    if _is_action(call, segments, by_path):
        return _service(prefix, segments[:-1]), _action(segments)
    if call.verb == "DELETE":
        return _service(prefix, segments[:-1]), f"delete_{last}"
    if call.verb == "GET":
        return _service(prefix, segments), "list" if call.shape in ("page", "v2") else "retrieve"
    reading = by_path[call.path].get("GET")
    single = reading is not None and reading.shape == "object"
    return _service(prefix, segments), "update" if single else "create"


def _is_action(call: Call, segments: list[str], by_path: Mapping[str, Mapping[str, Call]]) -> bool:
    if len(segments) == 1 or call.path in COLLECTIONS or any(path.startswith(f"{call.path}/{{") for path in by_path):
        return False
    parent = by_path.get(call.path.rpartition("/")[0], {})
    owner = {name for other in parent.values() for name in other.returns}
    if call.verb == "GET":
        return call.shape in ("search", "download") or (call.shape == "object" and bool(call.returns & owner))
    alone = set(by_path[call.path]) == {"POST"}
    return alone and (not _is_plural(segments[-1]) or bool(call.returns & owner))


def _action(segments: list[str]) -> str:
    last = segments[-1]
    if last not in ACTIONS_WITH_OBJECT:
        return last
    owner = next(segment for segment in reversed(segments[:-1]) if not _is_id(segment))
    return f"{last}_{ACTION_OBJECTS.get(owner, owner.removesuffix('s'))}"


def _service(prefix: list[str], segments: Iterable[str]) -> str:
    dotted = ".".join(prefix + [segment for segment in segments if not _is_id(segment)])
    for path, name in SERVICES.items():
        if dotted == path or dotted.startswith(f"{path}."):
            return name + dotted[len(path) :]
    return dotted


def _is_id(segment: str) -> bool:
    return segment.startswith("{")


def _is_plural(word: str) -> bool:
    return word.endswith("s") and not word.endswith("ss")
