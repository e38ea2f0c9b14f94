"""The docstrings of classes, fields, parameters and methods."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from codegen import docs, spec
from codegen.docstrings import WIDTH, Writer, in_search_order, paragraphs, wrap
from codegen.document import Node
from tests.codegen.builders import (
    NUMBER,
    TEXT,
    api,
    entry,
    enum,
    expandable,
    obj,
    operation,
    page_of,
    ref,
    resource,
    sentences,
    written,
)


def gadgets(**more: Node) -> spec.Api:
    return api(
        {
            "/v1/gadgets": {
                "get": operation(page_of(ref("gadget")), query={"expand": TEXT, "limit": NUMBER}),
                "post": operation(
                    ref("gadget"), body=obj("name", name={**TEXT, "maxLength": 40}, mode=enum("fast", "slow"))
                ),
            },
            "/v1/gadgets/{gadget}": {"get": operation(ref("gadget"), query={"expand": TEXT})},
        },
        {
            "gadget": resource("gadget", mode=enum("fast", "slow"), owner=expandable("person"), **more),
            "deleted_gadget": resource("gadget"),
            "person": resource("person"),
        },
        events={"gadget.created": {"object": "gadget"}},
        thin_events={"v2.gadget.failed": {"related_object": None, "data": obj(why=TEXT)}},
    )


def method(writer: Writer, name: str, *, deprecated: bool = False) -> str:
    operation = replace(writer.api.operations[name], deprecated=deprecated)
    return writer.method(operation, operation.method, "https://docs.stripe.com/api/gadgets", operation.params)


WRITTEN = written(
    objects={"gadget": entry("A small machine.")},
    operations={"gadgets.create": entry("Creates a gadget.", params={"name": "Its name."})},
    events={"gadget.created": entry("A gadget was created."), "v2.gadget.failed": entry(fields={"why": "The reason."})},
    fields={"mode": "How it works."},
)


def test_a_model_has_its_summary_and_the_link_to_its_reference() -> None:
    assert (
        Writer(gadgets(), WRITTEN).object("gadget") == "A small machine.\n\nhttps://docs.stripe.com/api/gadgets/object"
    )


def test_a_deleted_model_names_its_object() -> None:
    assert Writer(gadgets(), WRITTEN).object("deleted_gadget") == "What is returned for a deleted `gadget`."


def test_a_field_lists_what_its_values_mean() -> None:
    values = {"mode": sentences(fast="Takes a second.", slow="Takes an hour.")}
    written_values = replace(WRITTEN, values=values)
    assert Writer(gadgets(), written_values).field("gadget", "mode") == (
        "How it works.\n\n- `fast`: Takes a second.\n- `slow`: Takes an hour."
    )


def test_a_deprecated_field_begins_with_the_word() -> None:
    read = gadgets(old={**TEXT, "deprecated": True})
    assert Writer(read, written(fields={"old": "The former name."})).field("gadget", "old") == (
        "Deprecated: The former name."
    )
    assert Writer(read, written()).field("gadget", "old") == "Deprecated:"


def test_an_event_links_to_its_type_and_describes_its_data() -> None:
    writer = Writer(gadgets(), WRITTEN)
    assert writer.event("gadget.created") == (
        "A gadget was created.\n\nhttps://docs.stripe.com/api/events/types#event_types-gadget.created"
    )
    assert writer.event_field("v2.gadget.failed", "why") == "The reason."


def test_a_method_has_summary_request_arguments_limits_and_errors() -> None:
    assert method(Writer(gadgets(), WRITTEN), "gadgets.create").splitlines() == [
        "Creates a gadget.",
        "",
        "`POST /v1/gadgets` https://docs.stripe.com/api/gadgets",
        "",
        "Args:",
        "    mode: How it works.",
        "    name: Its name. At most 40 characters.",
        "    request_options: Idempotency key, account and other options of this request.",
        "",
        "Raises:",
        "    InvalidRequestError: A parameter is invalid.",
    ]


def test_a_method_describes_its_path_arguments_and_what_can_be_expanded() -> None:
    text = method(Writer(gadgets(), WRITTEN), "gadgets.retrieve")
    assert "    gadget: ID of the gadget.\n" in text
    assert "Expandable: `owner`." in text
    assert "A parameter is invalid, or an object does not exist." in text
    assert "Expandable: `data.owner`." in method(Writer(gadgets(), WRITTEN), "gadgets.list")


def test_a_deprecated_operation_begins_with_the_word() -> None:
    assert method(Writer(gadgets(), WRITTEN), "gadgets.create", deprecated=True).startswith(
        "Deprecated: Creates a gadget.\n"
    )


@pytest.mark.parametrize("width", [1, WIDTH, 5 * WIDTH])
def test_texts_are_wrapped(width: int) -> None:
    text = wrap("word " * (width // 5 + 1))
    assert max(map(len, text.splitlines())) <= WIDTH
    assert text.split() == ["word"] * (width // 5 + 1)


def test_paragraphs_leave_out_what_is_empty() -> None:
    assert paragraphs("One.", "", "Two.") == "One.\n\nTwo."


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


def test_an_argument_comes_before_those_whose_names_end_with_its_name() -> None:
    entries = [("business_name", "1"), ("currency", "2"), ("individual_name", "3"), ("name", "4")]
    assert [name for name, _ in in_search_order(entries)] == ["name", "business_name", "currency", "individual_name"]


def test_an_argument_is_one_line(tmp_path: Path) -> None:
    doc = writer(tmp_path, "").method(OPERATION, "list", "https://docs.stripe.com", ())
    (line,) = [line for line in doc.split("\n") if line.strip().startswith("request_options: ")]
    assert line.endswith(".")
