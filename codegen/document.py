"""Read Stripe's OpenAPI document and its companions into facts."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from codegen import spec
from codegen.operation_names import ALIASES, Call, name_operations

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
Node: TypeAlias = "dict[str, Json]"

REF = "#/components/schemas/"
RANGE = "range_query_specs"  # the title of a range in the filter of a list
OPEN = "x-stripeBypassValidation"
V2_ERROR = re.compile(r"^v2\.error(\.|$)")
HOSTS: dict[str, spec.Host] = {"files": "files", "meter-events": "meter_events"}
BODIES: dict[str, spec.Body] = {
    "application/x-www-form-urlencoded": "form",
    "application/json": "json",
    "multipart/form-data": "multipart",
}
SCALARS: dict[tuple[str, str | None], spec.ScalarKind] = {
    ("string", None): "string",
    ("string", "currency"): "currency",
    ("string", "decimal"): "decimal",
    ("string", "date-time"): "datetime",
    ("string", "int64"): "int64",
    ("string", "binary"): "binary",
    ("integer", None): "integer",
    ("integer", "unix-time"): "timestamp",
    ("number", None): "float",
    ("boolean", None): "boolean",
}


def node(value: Json) -> Node:
    """Return the value if it is an object; raise `TypeError` otherwise."""
    if not isinstance(value, dict):
        raise TypeError(f"expected an object in Stripe's document, found {value!r}")
    return value


def nodes(value: Json) -> list[Node]:
    """Return a list of objects; anything but a list is an empty one."""
    return [node(item) for item in value] if isinstance(value, list) else []


def strings(value: Json) -> list[str]:
    """Return the strings of a list; anything but a list is an empty one."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def child(parent: Node, *path: str) -> Node:
    """Return the object at a path; an empty one where there is none."""
    for step in path:
        parent = node(parent.get(step) or {})
    return parent


class Reader:
    """Turns schemas of the document into types. Limits of length matter in requests only."""

    def __init__(self, *, limits: bool = False) -> None:
        self.limits = limits

    def type(self, schema: Node, name: str = "") -> spec.Type:
        """Return the type of a schema; a v1 clearable type comes back as `Nullable`."""
        if isinstance(ref := schema.get("$ref"), str):
            return spec.Ref(ref.removeprefix(REF))
        if "x-expansionResources" in schema:
            targets = nodes(child(schema, "x-expansionResources").get("oneOf"))
            return spec.Expandable(tuple(str(target["$ref"]).removeprefix(REF) for target in targets))
        if isinstance(options := schema.get("anyOf") or schema.get("oneOf"), list):
            return self._any_of(nodes(options), name)
        if isinstance(values := schema.get("enum"), list):
            return _enum(values)
        match schema.get("type"):
            case "array":
                return spec.ListOf(self._item(child(schema, "items")))
            case "object":
                return self._object(schema)
            case str(kind):
                return self._scalar(kind, schema)
            case _:
                return spec.Scalar("any")

    def fields(self, schema: Node) -> tuple[spec.Field, ...]:
        """Return the fields of an object, sorted by name."""
        required = set(strings(schema.get("required")))
        result = (
            self.field(name, node(value), required=name in required)
            for name, value in child(schema, "properties").items()
        )
        return tuple(sorted(result, key=lambda item: item.name))

    def field(self, name: str, schema: Node, *, required: bool, deprecated: bool = False) -> spec.Field:
        """Return one field of an object, or one parameter."""
        kind = self.type(schema, name)
        clearable = isinstance(kind, spec.Nullable)
        return spec.Field(
            name=name,
            type=kind.inner if isinstance(kind, spec.Nullable) else kind,
            required=required,
            nullable=bool(schema.get("nullable")),
            clearable=clearable,
            deprecated=deprecated or bool(schema.get("deprecated")),
            open=_is_open(schema),
        )

    def _item(self, schema: Node) -> spec.Type:
        kind = self.type(schema)
        return spec.Nullable(kind) if schema.get("nullable") and not isinstance(kind, spec.Nullable) else kind

    def _scalar(self, kind: str, schema: Node) -> spec.Scalar:
        form, limit = schema.get("format"), schema.get("maxLength")
        scalar = SCALARS.get((kind, form if isinstance(form, str) else None)) or SCALARS[(kind, None)]
        return spec.Scalar(scalar, limit if isinstance(limit, int) and self.limits else None)

    def _any_of(self, options: list[Node], name: str) -> spec.Type:
        result: list[spec.Type] = []
        clearable = False
        if any(option.get("title") == RANGE for option in options) and name != "amount":
            options = [_in_seconds(option) for option in options]
        for option in options:
            kind = self.type(option)
            if isinstance(kind, spec.Nullable):
                clearable, kind = True, kind.inner
            result.extend(kind.options if isinstance(kind, spec.Union) else [kind])
        unique = tuple(dict.fromkeys(result))
        if len(unique) > 1 and all(isinstance(kind, spec.Enum) for kind in unique):
            unique = (_enum([value for kind in unique for value in spec.values(kind)]),)
        inner = unique[0] if len(unique) == 1 else spec.Union(unique)
        return spec.Nullable(inner) if clearable else inner

    def _object(self, schema: Node) -> spec.Type:
        if schema.get("properties") is None:
            values = schema.get("additionalProperties")
            return spec.MapOf(self._item(values) if isinstance(values, dict) and values else spec.Scalar("any"))
        return self._page(schema) or spec.Object(self.fields(schema))

    def _page(self, schema: Node) -> spec.PageOf | None:
        properties = child(schema, "properties")
        data = child(properties, "data")
        if data.get("type") != "array":
            return None
        kinds: tuple[tuple[spec.PageKind, bool], ...] = (
            ("list", child(properties, "object").get("enum") == ["list"]),
            ("search", child(properties, "object").get("enum") == ["search_result"]),
            ("v2", "next_page_url" in properties),
        )
        return next((spec.PageOf(kind, self.type(child(data, "items"))) for kind, is_one in kinds if is_one), None)


def _enum(values: Iterable[Json]) -> spec.Type:
    known = {value for value in values if isinstance(value, str | bool)}
    literals = tuple(sorted(known - {""}, key=str))
    kind: spec.Type = spec.Enum(literals) if literals else spec.Union(())
    return spec.Nullable(kind) if "" in known else kind


def _is_open(schema: Node) -> bool:
    inside = [*nodes(schema.get("anyOf")), child(schema, "items")]
    return bool(schema.get(OPEN)) or any(_is_open(option) for option in inside if option and "properties" not in option)


def _in_seconds(schema: Node) -> Node:
    """Return a filter's range, or its single value, in Unix seconds; the document calls both integers."""
    if schema.get("type") == "integer":
        return {**schema, "format": "unix-time"}
    properties: Node = {name: _in_seconds(node(value)) for name, value in child(schema, "properties").items()}
    return {**schema, "properties": properties}


def read(folder: Path) -> spec.Api:
    """Read the document `spec3.json` in a folder with those of its companions that are there."""

    def load(name: str) -> Json:
        path = folder / name
        result: Json = json.loads(path.read_text()) if path.exists() else {}
        return result

    return read_documents(
        node(load("spec3.json")),
        extra=node(load("event_schemas.json")),
        events=node(load("events.json")),
        thin_events=node(load("thin_events.json")),
        names=nodes(load("operations.json")),
    )


def read_documents(
    document: Node,
    *,
    extra: Node | None = None,
    events: Node | None = None,
    thin_events: Node | None = None,
    names: Iterable[Node] = (),
) -> spec.Api:
    """Read documents that are already in memory."""
    schemas = {**child(document, "components", "schemas"), **(extra or {})}
    return spec.Api(
        version=str(child(document, "info")["version"]),
        schemas=dict(sorted(_schemas(schemas))),
        operations={operation.name: operation for operation in _operations(document, schemas, names)},
        events={name: _event(name, node(event)) for name, event in sorted((events or {}).items())},
        thin_events={name: _thin_event(name, node(event)) for name, event in sorted((thin_events or {}).items())},
    )


def _schemas(schemas: Node) -> Iterator[tuple[str, spec.Schema]]:
    reader = Reader()
    for name, value in schemas.items():
        schema = node(value)
        if not V2_ERROR.match(name):
            options = tuple(str(option["$ref"]).removeprefix(REF) for option in nodes(schema.get("anyOf")))
            yield name, spec.Schema(name, reader.fields(schema), options, resource="x-resourceId" in schema)
    if any(V2_ERROR.match(name) for name in schemas):
        yield "v2.error", _v2_error(schemas)


def _v2_error(schemas: Node) -> spec.Schema:
    """Merge the schemas of v2 errors, of which the document has one for each code."""
    properties: Node = {}
    codes: list[Json] = []
    for name, value in schemas.items():
        if V2_ERROR.match(name):
            for key, part in child(node(value), "properties", "error", "properties").items():
                properties.setdefault(key, part)
            codes.extend(_codes(node(value)))
    error: Node = {
        "type": "object",
        "required": ["code", "message"],
        "properties": {**properties, "code": {"type": "string", "enum": [*codes]}},
    }
    body: Node = {"required": ["error"], "properties": {"error": error}}
    return spec.Schema("v2.error", Reader().fields(body))


def _codes(schema: Node) -> list[str]:
    return strings(child(schema, "properties", "error", "properties", "code").get("enum"))


def _operations(document: Node, schemas: Node, oracle: Iterable[Node]) -> list[spec.Operation]:
    result = [
        _operation(verb.upper(), path, node(operation), schemas)
        for path, item in child(document, "paths").items()
        for verb, operation in node(item).items()
        if verb in ("get", "post", "delete")
    ]
    names = name_operations(
        Call(member.verb, member.path, frozenset(spec.references(member.returns)), member.shape) for member in result
    )
    known: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
    for row in oracle:
        known[str(row["verb"]), str(row["path"])].add((str(row["service"]), str(row["method"])))
    named = []
    for member in result:
        name, alias = names[member.verb, member.path], ALIASES.get((member.verb, member.path))
        wanted = known.get((member.verb, member.path))
        if wanted and wanted != {name} | ({alias} if alias else set()):
            raise ValueError(
                f"{member.verb} {member.path} is named {'.'.join(name)} by rule, but {sorted(wanted)} in operations.json; "
                "add it to OPERATIONS in codegen/operation_names.py"
            )
        aliases = (alias,) if alias else ()
        named.append(replace(member, service=name[0], method=name[1], aliases=aliases))
    return sorted(named, key=lambda member: (member.service, member.method))


def _operation(verb: str, path: str, operation: Node, schemas: Node) -> spec.Operation:
    reader = Reader(limits=True)
    parameters = nodes(operation.get("parameters"))
    params = [
        reader.field(
            str(item["name"]),
            child(item, "schema"),
            required=bool(item.get("required")),
            deprecated=bool(item.get("deprecated")),
        )
        for item in parameters
        if item.get("in") == "query"
    ]
    body: spec.Body = "query"
    for media, content in child(operation, "requestBody", "content").items():
        if fields := reader.fields(child(node(content), "schema")):
            body = BODIES[media]
            params.extend(fields)
    returns, shape = _returns(operation)
    return spec.Operation(
        service="",
        method="",
        verb=verb,
        path=path,
        body=body,
        path_params=spec.path_params(path),
        params=tuple(sorted(params, key=lambda item: item.name)),
        returns=returns,
        shape="upload" if body == "multipart" else shape,
        host=_host(operation),
        deprecated=bool(operation.get("deprecated")),
        errors=tuple(sorted(set(_errors(operation, schemas)))),
    )


def _returns(operation: Node) -> tuple[spec.Type | None, spec.Shape]:
    for media, content in child(operation, "responses", "200", "content").items():
        if media != "application/json":
            return None, "download"
        schema = child(node(content), "schema")
        if schema.get("type") == "object" and not schema.get("properties"):
            return None, "nothing"
        returns = Reader().type(schema)
        if isinstance(returns, spec.PageOf):
            return returns, "page" if returns.kind == "list" else returns.kind
        return returns, "object"
    return None, "nothing"


def _errors(operation: Node, schemas: Node) -> Iterator[str]:
    """Yield the codes that a v2 operation lists; v1 operations list none."""
    for content in child(operation, "responses", "default", "content").values():
        schema = child(node(content), "schema")
        for option in nodes(schema.get("oneOf")):
            yield from _codes(child(schemas, str(option["$ref"]).removeprefix(REF)))


def _host(operation: Node) -> spec.Host:
    for server in nodes(operation.get("servers")):
        if match := re.match(r"https://([\w-]+)\.stripe\.com", str(server.get("url"))):
            return HOSTS.get(match.group(1), "api")
    return "api"


def _event(name: str, event: Node) -> spec.Event:
    return spec.Event(name, str(event["object"]), bool(event.get("previous_attributes")))


def _thin_event(name: str, event: Node) -> spec.ThinEvent:
    related, data = event.get("related_object"), event.get("data")
    fields = Reader().fields(data) if isinstance(data, dict) else None
    return spec.ThinEvent(name, related if isinstance(related, str) else None, fields)
