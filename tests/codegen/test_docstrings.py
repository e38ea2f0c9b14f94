"""The docstrings of generated code."""

from __future__ import annotations

from pathlib import Path

import pytest

from codegen import docs, spec
from codegen.docstrings import Writer, in_search_order

OPERATION = spec.Operation("gadgets", "list", "GET", "/v1/gadgets", "query", (), (), None, "page", deprecated=True)


def writer(folder: Path, summary: str) -> Writer:
    """Return what writes docstrings where the documentation has this summary of `gadgets.list`."""
    (folder / "gadgets.yaml").write_text(f"operations:\n  gadgets.list:\n    summary: {summary!r}\n" if summary else "")
    api = spec.Api("2026-01-01.test", {}, {OPERATION.name: OPERATION}, {}, {})
    return Writer(api, docs.load(folder))


@pytest.mark.parametrize(
    ("summary", "reason"),
    [
        ("Deprecated: search gadgets instead. List gadgets.", "Search gadgets instead."),
        ("Deprecated: search gadgets instead.", "Search gadgets instead."),
        ("List gadgets.", "Stripe has deprecated this operation."),
        ("", "Stripe has deprecated this operation."),
    ],
)
def test_a_deprecated_operation_says_what_to_do_instead(tmp_path: Path, summary: str, reason: str) -> None:
    assert writer(tmp_path, summary).deprecation(OPERATION) == reason


def test_the_docstring_of_a_deprecated_operation_begins_with_it(tmp_path: Path) -> None:
    doc = writer(tmp_path, "List gadgets.").method(OPERATION, "list", "https://docs.stripe.com", ())
    assert doc.startswith("Deprecated: List gadgets.")


def test_an_argument_comes_before_those_whose_names_end_with_its_name() -> None:
    entries = [("business_name", "1"), ("currency", "2"), ("individual_name", "3"), ("name", "4")]
    assert [name for name, _ in in_search_order(entries)] == ["name", "business_name", "currency", "individual_name"]


def test_an_argument_is_one_line(tmp_path: Path) -> None:
    doc = writer(tmp_path, "").method(OPERATION, "list", "https://docs.stripe.com", ())
    (line,) = [line for line in doc.split("\n") if line.strip().startswith("request_options: ")]
    assert line.endswith(".")
