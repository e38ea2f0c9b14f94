"""Small OpenAPI documents in the form of Stripe's, for tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from codegen import docs, document, spec
from codegen.document import Json, Node

TEXT: Node = {"type": "string"}
NUMBER: Node = {"type": "integer"}


def obj(*required: str, **properties: Node) -> Node:
    """Return an object with these fields."""
    return {"type": "object", "properties": {**properties}, "required": [*required]}


def resource(kind: str, /, **properties: Node) -> Node:
    """Return a resource: an object with an ID that names its type."""
    fields: dict[str, Node] = {"id": TEXT, "object": {"type": "string", "enum": [kind]}, **properties}
    return {**obj("id", "object", **fields), "x-resourceId": kind}


def ref(name: str) -> Node:
    """Return a reference to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def any_of(*options: Node) -> Node:
    """One of several schemas."""
    return {"anyOf": [*options]}


def clearable(schema: Node) -> Node:
    """Return a parameter that an empty string clears."""
    return any_of(schema, {"type": "string", "enum": [""]})


def enum(*values: str) -> Node:
    """One of a few strings."""
    return {"type": "string", "enum": [*values]}


def list_of(item: Node) -> Node:
    """Return a list."""
    return {"type": "array", "items": item}


def page_of(item: Node) -> Node:
    """Return a page of a list."""
    return obj("object", "data", object=enum("list"), data=list_of(item))


def expandable(*names: str) -> Node:
    """Return an ID that can be expanded into one of these objects."""
    options: list[Json] = [ref(name) for name in names]
    return {"anyOf": [TEXT, *options], "x-expansionResources": {"oneOf": options}}


def operation(returns: Node, *, body: Node | None = None, query: dict[str, Node] | None = None) -> Node:
    """Return an operation that returns a schema."""
    result: Node = {
        "operationId": "Anything",
        "parameters": [{"name": name, "in": "query", "schema": schema} for name, schema in (query or {}).items()],
        "responses": {"200": {"content": {"application/json": {"schema": returns}}}},
    }
    if body is not None:
        result["requestBody"] = {"content": {"application/x-www-form-urlencoded": {"schema": body}}}
    return result


def api(
    paths: dict[str, Node] | None = None,
    schemas: dict[str, Node] | None = None,
    *,
    events: Node | None = None,
    thin_events: Node | None = None,
    names: list[Node] | None = None,
) -> spec.Api:
    """Read a document with these paths and schemas."""
    document_node: Node = {
        "info": {"version": "2026-01-01.test"},
        "paths": {**(paths or {})},
        "components": {"schemas": {**(schemas or {})}},
    }
    return document.read_documents(document_node, events=events, thin_events=thin_events, names=names or [])


def schema_fields(schema: Node, **schemas: Node) -> dict[str, spec.Field]:
    """Read one schema, by the name of its fields."""
    return {item.name: item for item in api({}, {"thing": schema, **schemas}).schemas["thing"].fields}


def body_params(body: Node) -> dict[str, spec.Field]:
    """Read the parameters of an operation with this body, by name."""
    read = api({"/v1/gadgets": {"post": operation(ref("gadget"), body=body)}}, {"gadget": resource("gadget")})
    return {item.name: item for item in read.operations["gadgets.create"].params}


def shared_document(name: str) -> Path:
    """Return the folder of a complete document; skip the test where it is not on this machine."""
    folder = Path(os.environ.get("PINSTRIPE_SHARED", "")) / name
    if not (folder / "spec3.json").exists():
        pytest.skip(f"set PINSTRIPE_SHARED to the folder that holds {name}/spec3.json")
    return folder


def written(
    *,
    objects: dict[str, docs.Entry] | None = None,
    operations: dict[str, docs.Entry] | None = None,
    events: dict[str, docs.Entry] | None = None,
    fields: dict[str, str] | None = None,
) -> docs.Documentation:
    """Documentation with these entries, and these texts for fields and parameters of any object."""
    return docs.Documentation(objects or {}, {}, operations or {}, events or {}, sentences(**(fields or {})), {}, {})


def sentences(**texts: str) -> dict[str, docs.Sentence]:
    """Texts by name."""
    return {name: docs.Sentence(text, "here.yaml", 1, name) for name, text in texts.items()}


def entry(summary: str = "", fields: dict[str, str] | None = None, params: dict[str, str] | None = None) -> docs.Entry:
    """Return the texts about one object, operation or event."""
    summaries = sentences(summary=summary) if summary else {}
    return docs.Entry(summaries.get("summary"), sentences(**(fields or {})), sentences(**(params or {})))
