"""Documents for customers: invoices, receipts, credit notes and quotes, as pages and as PDF files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pinstripe.emulator.billing.money import format_amount
from pinstripe.emulator.billing.periods import format_date
from pinstripe.emulator.operations._pdf import Line, pdf
from pinstripe.emulator.state.json_values import JSON, Object


@dataclass
class Document:
    """The contents of a document; amounts and dates are formatted."""

    title: str
    headline: str
    """The amount that the document is about, and what happens to it: ``$29.00 due 15 Jan 2026``."""
    facts: list[tuple[str, str]] = field(default_factory=list)
    """Labels with their values, such as the number and the customer."""
    lines: list[tuple[str, str, str]] = field(default_factory=list)
    """Descriptions, details such as the period, and amounts."""
    totals: list[tuple[str, str]] = field(default_factory=list)
    """Labels and amounts; the last is the most important."""

    def pdf(self) -> bytes:
        """Return the document as a PDF file."""
        return pdf(self._pdf_lines())

    def _pdf_lines(self) -> Iterator[Line]:
        yield Line(self.title, size=20, bold=True)
        yield Line()
        for label, value in self.facts:
            yield Line(f"{label}: {value}")
        yield Line()
        yield Line(self.headline, size=14, bold=True)
        yield Line()
        for description, details, amount in self.lines:
            yield Line(description, amount, rule=True)
            if details:
                yield Line(details, size=8)
        for label, amount in self.totals:
            last = (label, amount) == self.totals[-1]
            yield Line(label, amount, bold=last, rule=label == self.totals[0][0] or last)


def person_facts(
    label: str, name: str | None, email: str | None, address: Object | None = None
) -> list[tuple[str, str]]:
    """Return the facts about a person, as far as they are known."""
    place = address or {}
    city = " ".join(place[part] for part in ("postal_code", "city") if place.get(part))
    parts = [place.get("line1"), place.get("line2"), city, place.get("state"), place.get("country")]
    lines = ", ".join(part for part in parts if part)
    return [(label, ", ".join(text for text in (name, email, lines) if text))] if name or email or lines else []


def date_fact(label: str, seconds: JSON) -> list[tuple[str, str]]:
    """Return a date with its label, if there is one."""
    return [(label, format_date(seconds))] if isinstance(seconds, int) else []


def format_period(start: int, end: int) -> str:
    """Format a period: ``1 Jan 2026 to 1 Feb 2026``; one day has only one date."""
    first, last = format_date(start), format_date(end)
    return first if first == last else f"{first} to {last}"


def summary(subtotal: int, discount: int, tax: int, total: int, currency: str) -> list[tuple[str, str]]:
    """Return the totals of a document; parts that are 0 are left out."""
    parts = [("Subtotal", subtotal), ("Discount", -discount), ("Tax", tax)]
    shown = [(label, amount) for label, amount in parts if amount] if discount or tax else []
    return [(label, format_amount(amount, currency)) for label, amount in [*shown, ("Total", total)]]
