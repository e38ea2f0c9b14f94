"""Read the API description into the intermediate form. Names and shapes are resolved later."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

from codegen import ir

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
Node: TypeAlias = "dict[str, Json]"

REF = "#/components/schemas/"
ERROR_FAMILY = re.compile(r"^v2\.error(\.|$)")
ERRORS = ("error", "v2.error")
HOSTS: dict[str, ir.Host] = {"files": "files", "meter-events": "meter_events"}
SCALARS: dict[tuple[str, str | None], ir.ScalarKind] = {
    ("string", None): "str",
    ("string", "currency"): "currency",
    ("string", "decimal"): "decimal",
    ("string", "date-time"): "datetime",
    ("string", "int64"): "int64",
    ("string", "binary"): "binary",
    ("integer", None): "int",
    ("integer", "unix-time"): "timestamp",
    ("number", None): "float",
    ("boolean", None): "bool",
}


def node(value: Json) -> Node:
    """The value as an object, or an error that shows it."""
    if not isinstance(value, dict):
        raise TypeError(f"expected an object in the description, found {value!r}")
    return value


def nodes(value: Json) -> list[Node]:
    """The value as a list of objects."""
    return [node(item) for item in value] if isinstance(value, list) else []


def strings(value: Json) -> list[str]:
    """The value as a list of strings."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def child(parent: Node, *path: str) -> Node:
    """The object at a path, empty where there is none."""
    for step in path:
        parent = node(parent.get(step) or {})
    return parent


# How the document titles the range that a list's filter takes.
RANGE = "range_query_specs"


class Reader:
    """Turns schemas into types, keeping every object with fields that it meets in ``models``."""

    def __init__(self, schemas: Node, models: dict[str, ir.Model], *, params: bool = False) -> None:
        self.schemas = schemas
        self.models = models
        self.params = params

    def component(self, key: str) -> ir.Type:
        """The type of a named schema."""
        schema = node(self.schemas[key])
        if key in self.models:
            return ir.Object(key)
        return self.type(schema, key, component=True)

    def type(self, schema: Node, where: str, *, component: bool = False) -> ir.Type:
        """The type of a schema that stands at ``where``."""
        if isinstance(ref := schema.get("$ref"), str):
            return self.component(ref.removeprefix(REF))
        if "x-expansionResources" in schema:
            targets = child(schema, "x-expansionResources").get("oneOf")
            return ir.Expandable(tuple(self._keys(nodes(targets))))
        if isinstance(options := schema.get("anyOf") or schema.get("oneOf"), list):
            return self._any_of(nodes(options), where)
        if isinstance(values := schema.get("enum"), list):
            return self._enum(values)
        match schema.get("type"):
            case "array":
                return ir.ListOf(self._nullable_item(child(schema, "items"), where + "[]"))
            case "object":
                return self._object(schema, where, component=component)
            case str(kind):
                return self._scalar(kind, schema)
            case _:
                return ir.Scalar("any")

    def _scalar(self, kind: str, schema: Node) -> ir.Scalar:
        form, limit = schema.get("format"), schema.get("maxLength")
        scalar = SCALARS.get((kind, form if isinstance(form, str) else None)) or SCALARS[(kind, None)]
        return ir.Scalar(scalar, limit if isinstance(limit, int) and self.params else None)

    def _enum(self, values: Iterable[Json]) -> ir.Type:
        known = tuple(value for value in values if isinstance(value, (str, bool)))
        if known == ("",):
            return ir.Clearable(ir.Union(()))
        if "" in known:
            return ir.Clearable(ir.Enum(tuple(value for value in known if value != "")))
        return ir.Enum(known)

    def _keys(self, options: Iterable[Node]) -> Iterable[str]:
        for option in options:
            key = str(option["$ref"]).removeprefix(REF)
            match self.component(key):
                case ir.Object(name):
                    yield name
                case ir.Union(parts):
                    yield from (part.key for part in parts if isinstance(part, ir.Object))
                case other:
                    raise TypeError(f"{key} cannot be expanded into: {other}")

    def _any_of(self, options: list[Node], where: str) -> ir.Type:
        """One option is that option; an empty string among them makes the rest clearable."""
        found: list[ir.Type] = []
        clearable = False
        if any(option.get("title") == RANGE for option in options) and not where.endswith(".amount"):
            options = [_moments(option) for option in options]
        for index, option in enumerate(options):
            kind = self.type(option, where if len(options) == 1 or self.params else f"{where}|{index}")
            if isinstance(kind, ir.Clearable):
                clearable = True
                kind = kind.inner
            found.extend(kind.options if isinstance(kind, ir.Union) else [kind])
        unique = tuple(dict.fromkeys(found))
        inner = unique[0] if len(unique) == 1 else ir.Union(unique)
        return ir.Clearable(inner) if clearable else inner

    def _nullable_item(self, schema: Node, where: str) -> ir.Type:
        kind = self.type(schema, where)
        return ir.Clearable(kind) if schema.get("nullable") else kind

    def _object(self, schema: Node, where: str, *, component: bool) -> ir.Type:
        properties = schema.get("properties")
        if properties is None:
            values = schema.get("additionalProperties")
            if isinstance(values, dict) and values:
                return ir.MapOf(self._nullable_item(values, where + "{}"))
            return ir.MapOf(ir.Scalar("any"))
        if page := self._page(schema, where):
            return page
        key = where
        while key in self.models:  # two objects among the options of one parameter
            key += "'"
        model = ir.Model(key=key, fields=(), component=component, resource="x-resourceId" in schema)
        self.models[key] = model
        model.fields = tuple(self.fields(schema, where))
        for item in model.fields:
            if item.name == "object" and isinstance(item.type, ir.Enum) and len(item.type.values) == 1:
                model.object_value = str(item.type.values[0])
        return ir.Object(key)

    def fields(self, schema: Node, where: str) -> Iterable[ir.Field]:
        """The fields of an object, in the order of the document."""
        required = set(strings(schema.get("required")))
        for name, raw in node(schema.get("properties") or {}).items():
            value = node(raw)
            yield ir.Field(
                name=name,
                type=self.type(value, f"{where}.{name}"),
                required=name in required,
                nullable=bool(value.get("nullable")),
                deprecated=bool(value.get("deprecated")),
            )

    def _page(self, schema: Node, where: str) -> ir.PageOf | None:
        properties = node(schema["properties"])
        data = child(properties, "data")
        if data.get("type") != "array":
            return None
        kinds: tuple[tuple[ir.PageKind, bool], ...] = (
            ("list", child(properties, "object").get("enum") == ["list"]),
            ("search", child(properties, "object").get("enum") == ["search_result"]),
            ("v2", "next_page_url" in properties),
        )
        for kind, found in kinds:
            if found:
                return ir.PageOf(kind, self.type(child(data, "items"), f"{where}.data[]"))
        return None


def _moments(schema: Node) -> Node:
    """A range of a list's filter, or its single value, in unix seconds; the document says only that they are integers."""
    if schema.get("type") == "integer":
        return {**schema, "format": "unix-time"}
    return {
        **schema,
        "properties": {name: _moments(node(value)) for name, value in child(schema, "properties").items()},
    }


def read(folder: Path) -> ir.Api:
    """Read the description in a folder: ``spec3.json`` and, where they are there, its companions."""

    def load(name: str) -> Node:
        path = folder / name
        return node(json.loads(path.read_text())) if path.exists() else {}

    return read_documents(load("spec3.json"), load("event_schemas.json"), load("events.json"), load("thin_events.json"))


def read_documents(spec: Node, extra: Node, events: Node, thin_events: Node) -> ir.Api:
    """Read a description that is already in memory."""
    schemas = merge_error_family({**child(spec, "components", "schemas"), **extra})
    api = ir.Api(version=str(child(spec, "info")["version"]))
    models = Reader(schemas, api.models)
    for path, item in child(spec, "paths").items():
        for verb, operation in node(item).items():
            if verb in ("get", "post", "delete"):
                api.endpoints.append(_endpoint(models, api.params, verb.upper(), path, node(operation)))
    for name, event in events.items():
        about = models.component(str(node(event)["object"]))
        api.events.append(ir.Event(name, about, bool(node(event).get("previous_attributes"))))
    for name, event in thin_events.items():
        api.thin_events.append(_thin_event(models, name, node(event)))
    return api


def _thin_event(models: Reader, name: str, event: Node) -> ir.ThinEvent:
    related, data = event.get("related_object"), event.get("data")
    if isinstance(related, str):
        models.component(related)
    data_type = models.type(data, f"v2.core.event:{name}.data") if isinstance(data, dict) else None
    return ir.ThinEvent(
        name,
        related if isinstance(related, str) else None,
        data_type.key if isinstance(data_type, ir.Object) else None,
    )


def merge_error_family(schemas: Node) -> Node:
    """One schema for the errors of v2, which the document writes once for every code."""
    family = {key: node(value) for key, value in schemas.items() if ERROR_FAMILY.match(key)}
    if not family:
        return schemas
    properties: Node = {}
    codes: list[Json] = []
    for schema in family.values():
        for name, value in child(schema, "properties", "error", "properties").items():
            if name == "code":
                codes.extend(strings(node(value).get("enum")))
            else:
                properties.setdefault(name, value)
    unique: list[Json] = [*dict.fromkeys(code for code in codes if isinstance(code, str))]
    error: Node = {
        "type": "object",
        "required": ["code", "message"],
        "properties": {"code": {"type": "string", "enum": unique}, **properties},
    }
    merged: Node = {"type": "object", "required": ["error"], "properties": {"error": error}}
    return {**{key: value for key, value in schemas.items() if key not in family}, **dict.fromkeys(family, merged)}


def _endpoint(models: Reader, shapes: dict[str, ir.Model], verb: str, path: str, operation: Node) -> ir.Endpoint:
    where = str(operation["operationId"])
    reader = Reader({}, shapes, params=True)
    path_params = [str(p["name"]) for p in nodes(operation.get("parameters")) if p.get("in") == "path"]
    query = [p for p in nodes(operation.get("parameters")) if p.get("in") == "query"]
    params = [
        ir.Field(
            str(p["name"]),
            reader.type(child(p, "schema"), f"{where}.{p['name']}"),
            bool(p.get("required")),
            deprecated=bool(p.get("deprecated")),
        )
        for p in query
    ]
    content = child(operation, "requestBody", "content")
    for body in content.values():
        params.extend(reader.fields(child(node(body), "schema"), where))
    order = {name: index for index, name in enumerate(re.findall(r"{(\w+)}", path))}
    returns, shape = _answer(models, operation, path)
    for answer in child(operation, "responses", "default", "content").values():
        models.type(child(node(answer), "schema"), f"{path}:error")
    return ir.Endpoint(
        verb=verb,
        path=path,
        service="",
        method="",
        path_params=tuple(sorted(path_params, key=order.__getitem__)),
        params=tuple(params),
        returns=returns,
        shape="upload" if "multipart/form-data" in content else shape,
        host=_host(operation),
        deprecated=bool(operation.get("deprecated")),
    )


def _answer(models: Reader, operation: Node, path: str) -> tuple[ir.Type | None, ir.Shape]:
    contents = child(operation, "responses", "200", "content")
    for media, body in contents.items():
        if media != "application/json":
            return None, "download"
        schema = child(node(body), "schema")
        if schema.get("type") == "object" and not schema.get("properties"):
            return None, "nothing"
        returns = models.type(schema, f"{path}:answer")
        if isinstance(returns, ir.PageOf):
            return returns, "page" if returns.kind == "list" else returns.kind
        return returns, "object"
    return None, "nothing"


def _host(operation: Mapping[str, Json]) -> ir.Host:
    for server in nodes(operation.get("servers")):
        if match := re.match(r"https://([\w-]+)\.stripe\.com", str(server.get("url"))):
            return HOSTS.get(match.group(1), "api")
    return "api"
