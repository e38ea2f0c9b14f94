"""The facts as files: what is committed, how it reads and how it changes."""

from __future__ import annotations

import difflib
import json
from pathlib import Path

import pytest

from codegen import document, facts, lines, spec
from codegen.document import Node
from tests.codegen.builders import (
    NUMBER,
    TEXT,
    any_of,
    api,
    clearable,
    list_of,
    obj,
    operation,
    page_of,
    ref,
    resource,
    shared_document,
)


def everything(**extra: Node) -> spec.Api:
    """Return a small API with each kind of field."""
    tip = obj("amount", amount=NUMBER)
    card = any_of(obj("number", number=TEXT), obj("token", token=TEXT))
    return api(
        {
            "/v1/gadgets": {
                "get": operation(page_of(ref("gadget")), query={"limit": NUMBER}),
                "post": operation(
                    ref("gadget"), body=obj("name", name={**TEXT, "maxLength": 40}, card=card, tip=clearable(tip))
                ),
            },
            "/v1/gadgets/{gadget}": {"delete": operation(ref("deleted_gadget"))},
        },
        {
            "gadget": resource("gadget", tiers=list_of(obj("up_to", up_to=NUMBER)), part=ref("gadget_part"), **extra),
            "deleted_gadget": resource("gadget", deleted={"type": "boolean", "enum": [True]}),
            "gadget_part": obj("size", size={**NUMBER, "nullable": True}),
            "money": obj(amount=NUMBER),
        },
        events={"gadget.created": {"object": "gadget", "previous_attributes": False}},
        thin_events={"v2.gadget.failed": {"related_object": None, "data": obj(why=TEXT, how=obj(often=NUMBER))}},
    )


def write(read: spec.Api, folder: Path) -> Path:
    for path, text in lines.dump(read).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def test_what_is_written_reads_back_as_the_same_facts(tmp_path: Path) -> None:
    assert lines.read(write(everything(), tmp_path)) == everything()


def test_every_line_is_json() -> None:
    for text in lines.dump(everything()).values():
        assert [json.loads(line) for line in text.splitlines()]


def test_a_new_field_is_one_added_line() -> None:
    before, after = lines.dump(everything()), lines.dump(everything(color=TEXT))
    changed = [path for path in after if before.get(path) != after[path]]
    assert changed == ["schemas/gadget.jsonl"]
    diff = list(difflib.ndiff(before[changed[0]].splitlines(), after[changed[0]].splitlines()))
    assert [line for line in diff if line[0] in "+-"] == ['+ {"field": "color", "type": "string"}']


def test_nested_objects_are_flattened_and_alternatives_are_numbered() -> None:
    fields = [json.loads(line) for line in lines.dump(everything())["operations/gadgets.jsonl"].splitlines()]
    params = [line["param"] for line in fields if "param" in line]
    assert params == ["card", "card|0.number", "card|1.token", "name", "tip", "tip.amount", "limit"]


def test_a_schema_stands_in_the_file_of_the_object_that_its_name_begins_with() -> None:
    files = lines.dump(everything())
    assert [line for line in files["schemas/gadget.jsonl"].splitlines() if '"schema"' in line] == [
        '{"schema": "deleted_gadget", "resource": true}',
        '{"schema": "gadget", "resource": true}',
        '{"schema": "gadget_part"}',
    ]
    assert '"money"' in files["schemas/parts/money.jsonl"]


def test_the_committed_facts_are_written_as_this_code_writes_them() -> None:
    assert facts.differences(lines.read(facts.FOLDER)) == {}


def test_the_committed_facts_load_with_the_additions() -> None:
    loaded = facts.load()
    assert loaded.version == "2026-10-28.endive"
    assert "plan" in {item.name for item in loaded.schemas["subscription_item"].fields}
    assert {item.name for item in loaded.operations["customers.create"].params} >= {"email", "validate"}


def test_the_committed_facts_are_those_of_the_document() -> None:
    assert facts.differences(document.read(shared_document("openapi-endive"))) == {}


@pytest.mark.parametrize("name", ["openapi", "openapi-endive"])
def test_facts_of_each_version_hold_every_operation_of_the_document(name: str, tmp_path: Path) -> None:
    folder = shared_document(name)
    read = document.read(folder)
    loaded = lines.read(write(read, tmp_path))
    assert loaded == read
    paths = json.loads((folder / "spec3.json").read_text())["paths"]
    assert len(loaded.operations) == sum(
        verb in ("get", "post", "delete") for value in paths.values() for verb in value
    )
