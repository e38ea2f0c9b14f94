"""The list of changes between two versions."""

from __future__ import annotations

from pathlib import Path

import pytest

from codegen import facts, spec
from codegen.compare import Change, breaking, compare, load, markdown
from codegen.document import Node
from tests.codegen.builders import NUMBER, TEXT, api, enum, obj, operation, ref, resource, shared_document


def item(gadget: Node, body: Node, **schemas: Node) -> spec.Api:
    return api({"/v1/gadgets": {"post": operation(ref("gadget"), body=body)}}, {"gadget": gadget, **schemas})


def described(old: spec.Api, new: spec.Api) -> list[tuple[str, str, bool]]:
    return [(change.owner, change.what, change.breaking) for change in compare(old, new)]


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        (obj(), obj(a=TEXT), [("`a`", False)]),
        (obj(), obj("a", a=TEXT), [("`a` (required)", True)]),
        (obj(a=TEXT), obj(), [("`a`", True)]),
        (obj(a=TEXT), obj("a", a=TEXT), [("`a` is required", True)]),
        (obj("a", a=TEXT), obj(a=TEXT), [("`a` is optional", False)]),
        (obj(a=TEXT), obj(a=NUMBER), [("`a` is integer, was string", True)]),
        (obj(a=enum("x", "y")), obj(a=enum("y", "z")), [("`a` no longer has `x`", True), ("`a` also has `z`", False)]),
        (obj(a=enum("x")), obj(a=enum("x", "")), [("`a` can be cleared", False)]),
        (
            obj(a={**TEXT, "maxLength": 10}),
            obj(a={**TEXT, "maxLength": 5}),
            [("`a` takes at most 5 characters, was 10", True)],
        ),
        (obj(), obj(a=obj("b", b=TEXT)), [("`a`", False)]),
        (obj(a=obj()), obj(a=obj("b", b=TEXT)), [("`a.b` (required)", True)]),
        (obj(a=obj(b=obj(c=TEXT))), obj(a=obj()), [("`a.b`", True)]),
    ],
)
def test_changes_of_parameters(old: Node, new: Node, changes: list[tuple[str, bool]]) -> None:
    gadget = resource("gadget")
    expected = [("gadgets.create", what, breaking) for what, breaking in changes]
    assert described(item(gadget, old), item(gadget, new)) == expected


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ({}, {"a": TEXT}, [("`a`", False)]),
        ({"a": TEXT}, {}, [("`a`", True)]),
        ({"a": TEXT}, {"a": NUMBER}, [("`a` is integer, was string", True)]),
        ({"a": enum("x")}, {"a": enum("x", "y")}, [("`a` also has `y`", False)]),
        ({"a": enum("x", "y")}, {"a": enum("x")}, [("`a` no longer has `y`", False)]),
    ],
)
def test_changes_of_fields(old: dict[str, Node], new: dict[str, Node], changes: list[tuple[str, bool]]) -> None:
    before, after = item(resource("gadget", **old), obj()), item(resource("gadget", **new), obj())
    assert described(before, after) == [("gadget", what, breaking) for what, breaking in changes]


def test_a_field_that_can_be_null_breaks() -> None:
    always: Node = {**resource("gadget", a=TEXT), "required": ["a", "id", "object"]}
    assert described(item(always, obj()), item(resource("gadget", a=TEXT), obj())) == [
        ("gadget", "`a` can be absent or null", True)
    ]


def test_the_name_of_a_component_does_not_matter_to_users() -> None:
    part = obj(size=NUMBER)
    before = item(resource("gadget", part=ref("old_name")), obj(), old_name=part)
    after = item(resource("gadget", part=ref("new_name")), obj(), new_name=part)
    assert compare(before, after) == []


def test_operations_objects_and_events_come_and_go() -> None:
    def version(word: str) -> spec.Api:
        return api(
            {f"/v1/{word}s": {"post": operation(ref(word))}},
            {word: resource(word)},
            events={f"{word}.created": {"object": word}},
            thin_events={f"v1.{word}.created": {"related_object": word}},
        )

    result = compare(version("ape"), version("bee"))
    assert Change("Operations", "removed", "", "`apes.create` (POST /v1/apes)", breaking=True) in result
    assert Change("Operations", "added", "", "`bees.create` (POST /v1/bees)") in result
    assert Change("Objects", "removed", "", "`ape`", breaking=True) in result
    assert Change("Events", "added", "", "`v1.bee.created`") in result
    assert len(result) == 8


def test_an_argument_of_a_path_that_is_called_otherwise_breaks() -> None:
    def version(argument: str) -> spec.Api:
        return api({f"/v1/gadgets/{{{argument}}}": {"get": operation(ref("gadget"))}}, {"gadget": resource("gadget")})

    (change,) = compare(version("gadget"), version("id"))
    assert change.what == "the path is /v1/gadgets/{id}, was /v1/gadgets/{gadget}"
    assert change.breaking


def test_the_list_is_markdown_with_what_breaks_first() -> None:
    old = item(resource("gadget", a=TEXT), obj())
    new = item(resource("gadget", b=TEXT), obj(c=TEXT))
    assert list(markdown(old, new, compare(old, new))) == [
        "# Stripe API 2026-01-01.test to 2026-01-01.test",
        "",
        "Parameters: 1 added. Fields: 1 removed, 1 added.",
        "",
        "## Breaking",
        "",
        "### Fields removed",
        "",
        "- `gadget`: `a`",
        "",
        "## Compatible",
        "",
        "### Parameters added",
        "",
        "- `gadgets.create`: `c`",
        "",
        "### Fields added",
        "",
        "- `gadget`: `b`",
        "",
    ]


def test_whole_documents_are_compared() -> None:
    old, new = load(shared_document("openapi")), load(shared_document("openapi-endive"))
    result = compare(old, new)
    operations = [change for change in result if (change.section, change.kind) == ("Operations", "added")]
    events = [change for change in result if (change.section, change.kind) == ("Events", "added")]
    assert len(operations) == len(new.operations) - len(old.operations) == 84
    assert len(events) == 15 + 302
    assert compare(new, new) == []


def test_the_changelog_lists_what_breaks() -> None:
    old, new = load(shared_document("openapi")), load(facts.FOLDER)
    changelog = (Path(__file__).parents[2] / "CHANGELOG.md").read_text()
    section = changelog.partition(f"from {old.version} to {new.version}\n")[2].partition("\n## ")[0]
    lines = [line.replace("### ", "#### ") for line in breaking(compare(old, new))]
    assert section.strip().splitlines() == lines[:-1]
