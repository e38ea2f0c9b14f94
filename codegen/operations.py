"""Service and method names, by rules, with one small table of exceptions.

A path is a walk: static segments name services, ``{id}`` steps into one object of them. The last segment is a
collection, a single object, or an action on what stands before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from codegen import exceptions, ir
from codegen.names import singular

ACTIONS = re.compile(
    r"^(activate|add_lines|advance|apply_customer_balance|archive|attach|cancel\w*|capture|close|collect_\w+|confirm|confirm_payment_intent"
    r"|create_\w+|deactivate|delete|detach|disable|disconnect|enable|expire|fail|finalize\w*|find|fund_\w+|increment\w*"
    r"|mark_\w+|migrate|pay|ping|post|present_\w+|preview|process_\w+|reactivate|redact|refresh|refund|refund_payment|reject"
    r"|release|remove_lines|report_payment\w*|report_refund|resume|return|reverse|search|send|set_\w+|submit|subscribe|succeed\w*|timeout_\w+"
    r"|unarchive|unsubscribe|update_lines|validate|verify\w*|void|accept|approve|decline|attach_payment|pdf|complete)$"
)


def is_id(segment: str) -> bool:
    """Whether a segment stands for an id."""
    return segment.startswith("{")


def name_operation(verb: str, path: str, shape: str) -> tuple[str, str]:
    """The dotted service and the method of an operation."""
    if (verb, path) in exceptions.OPERATIONS:
        return exceptions.OPERATIONS[(verb, path)]
    version, *segments = path.strip("/").split("/")
    prefix = [] if version == "v1" else [version]
    last = segments[-1]
    if is_id(last):
        method = {"GET": "retrieve", "POST": "update", "DELETE": "delete"}[verb]
        return service(prefix, segments), method
    if ACTIONS.match(last) and len(segments) > 1:
        owner = segments[:-1]
        return service(prefix, owner), action(last, owner)
    if verb == "DELETE":
        return service(prefix, segments[:-1]), f"delete_{last}"
    if verb == "GET":
        listed = shape in ("page", "v2")
        return service(prefix, segments), "list" if listed else "retrieve"
    single = service(prefix, segments) in exceptions.SINGLETONS
    return service(prefix, segments), "update" if single else "create"


def action(last: str, owner: list[str]) -> str:
    """The method of an action; a word that Python or the SDKs keep for themselves is said in full."""
    if last in exceptions.ACTIONS_SAID_IN_FULL:
        noun = singular(next(segment for segment in reversed(owner) if not is_id(segment)))
        return f"{last}_{exceptions.ACTION_NOUNS.get(noun, noun)}"
    return last


def service(prefix: list[str], segments: Iterable[str]) -> str:
    """The dotted service that a path walks to."""
    names = [segment for segment in segments if not is_id(segment)]
    dotted = ".".join(prefix + names)
    for path, name in exceptions.SERVICES.items():
        if dotted == path or dotted.startswith(path + "."):
            dotted = name + dotted[len(path) :]
    return dotted


def name_operations(endpoints: Iterable[ir.Endpoint]) -> list[ir.Endpoint]:
    """Name every endpoint; the same row may stand under a second name as well."""
    named: list[ir.Endpoint] = []
    for endpoint in endpoints:
        endpoint.service, endpoint.method = name_operation(endpoint.verb, endpoint.path, endpoint.shape)
        named.append(endpoint)
        if alias := exceptions.SECOND_NAMES.get((endpoint.verb, endpoint.path)):
            named.append(replace(endpoint, service=alias[0], method=alias[1]))
    seen: dict[tuple[str, str], str] = {}
    for endpoint in named:
        other = seen.setdefault((endpoint.service, endpoint.method), endpoint.path)
        if other != endpoint.path:
            raise ValueError(f"two paths are {endpoint.service}.{endpoint.method}: {other} and {endpoint.path}")
    return named
