"""Count how much of the API is documented; `--check` fails where that is less than what is required."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from codegen import docs, facts, places, spec

KINDS = ("classes", "fields", "operations", "params", "events")

# Required in percent, over all objects. New fields and parameters of a release of the API may wait for their documentation.
REQUIRED = {"classes": 100, "fields": 95, "operations": 100, "params": 95, "events": 100}

# Objects of which everything is documented.
COMPLETE = {
    "account",
    "balance",
    "balance_transaction",
    "billing.meter",
    "billing.meter_event",
    "billing.meter_event_adjustment",
    "billing.meter_event_summary",
    "billing_portal.configuration",
    "billing_portal.session",
    "charge",
    "checkout.session",
    "coupon",
    "credit_note",
    "credit_note_line_item",
    "customer",
    "dispute",
    "event",
    "invoice",
    "invoiceitem",
    "item",
    "line_item",
    "payment_intent",
    "payment_method",
    "price",
    "product",
    "promotion_code",
    "refund",
    "setup_intent",
    "subscription",
    "subscription_item",
    "subscription_schedule",
    "tax_rate",
    "test_helpers.test_clock",
    "webhook_endpoint",
}


@dataclass
class Count:
    """The number of places of one kind, and of those that are documented."""

    done: int = 0
    all: int = 0

    def add(self, covered: bool) -> None:
        """Count one place."""
        self.done += covered
        self.all += 1

    def __str__(self) -> str:
        return f"{self.done}/{self.all}" if self.all else ""

    @property
    def percent(self) -> float:
        """The percentage that is documented; 100 where there is nothing."""
        return 100 * self.done / self.all if self.all else 100


def count(api: spec.Api, documentation: docs.Documentation) -> dict[str, dict[str, Count]]:
    """Count what is documented, by object and kind; what belongs to no object is counted under an empty name."""
    lookup = docs.Lookup(documentation, api)
    result: dict[str, dict[str, Count]] = {}

    def add(name: str, kind: str, covered: bool) -> None:
        result.setdefault(name, {value: Count() for value in KINDS})[kind].add(covered)

    for name, schema in api.schemas.items():
        if schema.standalone or schema.options:
            add(schema.original, "classes", lookup.schema(name) is not None)
            for path in lookup.fields(name):
                add(schema.original, "fields", lookup.field(name, path) is not None)
    for operation, resource in api.resources.items():
        add(resource, "operations", lookup.operation(operation) is not None)
        for path in lookup.params(operation):
            add(resource, "params", lookup.param(operation, path) is not None)
    for event in api.events.values():
        add(api.schemas[event.object].original, "events", lookup.event(event.type) is not None)
    for thin in api.thin_events.values():
        owner = api.schemas[thin.related].original if thin.related else ""
        add(owner, "events", lookup.event(thin.type) is not None)
        for path in places.of_event(api, thin):
            add(owner, "fields", lookup.event_field(thin.type, path) is not None)
    return dict(sorted(result.items()))


def totals(result: Mapping[str, Mapping[str, Count]]) -> dict[str, Count]:
    """Return the counts over all objects."""
    return {
        kind: Count(
            sum(value[kind].done for value in result.values()), sum(value[kind].all for value in result.values())
        )
        for kind in KINDS
    }


def table(result: Mapping[str, Mapping[str, Count]]) -> Iterator[str]:
    """Yield the coverage by object as a table, with the total and the percentage in the last lines."""
    row = "{:<52}" + "{:>13}" * len(KINDS)
    total = totals(result)
    yield row.format("", *KINDS)
    for name, counts in result.items():
        yield row.format(name or "(no object)", *(str(counts[kind]) for kind in KINDS))
    yield row.format("all", *(str(total[kind]) for kind in KINDS))
    yield row.format("", *(f"{total[kind].percent:.1f} %" for kind in KINDS))


def shortfalls(result: Mapping[str, Mapping[str, Count]]) -> Iterator[str]:
    """Yield what is documented less than required."""
    for kind, total in totals(result).items():
        if total.percent < REQUIRED[kind]:
            yield f"coverage: {total.percent:.1f} % of the {kind} are documented; required are {REQUIRED[kind]} %"
    for name in sorted(COMPLETE & result.keys()):
        missing = [f"{value.all - value.done} {kind}" for kind, value in result[name].items() if value.done < value.all]
        if missing:
            yield f"coverage: {name} lacks {', '.join(missing)}; see python -m codegen.outline --missing {name}"


def main() -> int:
    """Print the coverage by object; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m codegen.coverage", description=__doc__)
    parser.add_argument("--check", action="store_true", help="exit with 1 where less is documented than required")
    options = parser.parse_args()
    api = facts.load()
    try:
        result = count(api, docs.load())
    except docs.DocumentationError as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(table(result)))
    problems = list(shortfalls(result)) if options.check else []
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
