"""The facts as files: sorted lines of JSON, one a field or parameter, so that a new version is a readable diff.

Nested objects without a name are flattened: the fields of `items` are `items.price`, `items.quantity`. Where one of several
such objects can stand, their fields are told apart by a number: `card|0.number`, `card|1.token`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from codegen import spec
from codegen.document import Json, Node, node, strings

FLAGS = ("required", "nullable", "clearable", "deprecated", "open")


# --- writing ----------------------------------------------------------------------------------------------------------


def dump(api: spec.Api) -> dict[str, str]:
    """Return the text of every file by its path below the folder."""
    files: dict[str, list[Node]] = {"version.json": [{"version": api.version}]}
    groups = _groups(api.schemas)
    for name, schema in sorted(api.schemas.items()):
        files.setdefault(f"schemas/{groups[name]}.jsonl", []).extend(_schema(schema))
    for _, operation in sorted(api.operations.items()):
        name = ".".join(operation.service.split(".")[: 3 if operation.service.startswith("v2.") else 1])
        files.setdefault(f"operations/{name}.jsonl", []).extend(_operation(operation))
    files["events.jsonl"] = [_event(event) for _, event in sorted(api.events.items())]
    files["thin_events.jsonl"] = [line for _, event in sorted(api.thin_events.items()) for line in _thin_event(event)]
    return {path: "".join(json.dumps(line) + "\n" for line in lines) for path, lines in sorted(files.items())}


def _groups(schemas: Mapping[str, spec.Schema]) -> dict[str, str]:
    """Return the file of each schema: that of the object whose name it begins with, else that of its first word."""
    owners = sorted((name for name, member in schemas.items() if member.standalone), key=len, reverse=True)
    owners = [name for name in owners if not name.startswith(spec.DELETED)]
    result: dict[str, str] = {}
    for name, schema in schemas.items():
        plain = schema.original.replace(".", "_")
        owner = next((member for member in owners if f"{plain}_".startswith(member.replace(".", "_") + "_")), None)
        result[name] = owner or "parts/" + plain.split("_")[0]
    return result


def _schema(schema: spec.Schema) -> Iterator[Node]:
    head: Node = {"schema": schema.name}
    if schema.resource:
        head["resource"] = True
    if schema.options:
        head["options"] = list(schema.options)
    yield head
    yield from field_lines("field", schema.fields)


def _operation(operation: spec.Operation) -> Iterator[Node]:
    head: Node = {"operation": operation.name, "verb": operation.verb, "path": operation.path, "body": operation.body}
    if operation.returns is not None:
        head["returns"] = _type(operation.returns)
    head["shape"] = operation.shape
    if operation.host != "api":
        head["host"] = operation.host
    if operation.deprecated:
        head["deprecated"] = True
    if operation.aliases:
        head["aliases"] = [".".join(alias) for alias in operation.aliases]
    yield head
    for code in operation.errors:
        yield {"error": code}
    yield from field_lines("param", operation.params)


def _event(event: spec.Event) -> Node:
    return {"event": event.type, "object": event.object, "previous_attributes": event.previous_attributes}


def _thin_event(event: spec.ThinEvent) -> Iterator[Node]:
    head: Node = {"event": event.type}
    if event.related:
        head["related"] = event.related
    if event.data is not None:
        head["data"] = True
    yield head
    yield from field_lines("field", event.data or ())


def field_lines(word: str, fields: Iterable[spec.Field], prefix: str = "") -> Iterator[Node]:
    """Yield a line for each field, those of nested objects after the field that holds them."""
    for item in sorted(fields, key=lambda item: item.name):
        line: Node = {word: f"{prefix}{item.name}", "type": _type(item.type)}
        line.update({flag: True for flag in FLAGS if getattr(item, flag)})
        yield line
        inside = spec.objects(item.type)
        for index, part in enumerate(inside):
            mark = f"|{index}" if len(inside) > 1 else ""
            yield from field_lines(word, part.fields, f"{prefix}{item.name}{mark}.")


def _type(kind: spec.Type) -> Json:
    match kind:
        case spec.Scalar(name, limit):
            return {name: limit} if limit is not None else name
        case spec.Enum(values):
            return {"enum": list(values)}
        case spec.ListOf(item):
            return {"list": _type(item)}
        case spec.MapOf(value):
            return {"map": _type(value)}
        case spec.Nullable(inner):
            return {"null": _type(inner)}
        case spec.PageOf(name, item):
            return {"page": name, "of": _type(item)}
        case spec.Union(options):
            return {"any": [_type(option) for option in options]}
        case spec.Ref(schema):
            return {"ref": schema}
        case spec.Expandable(schemas):
            return {"expand": list(schemas)}
        case spec.Object():
            return "object"


# --- reading ----------------------------------------------------------------------------------------------------------


def read(folder: Path) -> spec.Api:
    """Read the facts in a folder."""
    version = node(json.loads((folder / "version.json").read_text()))
    schemas = [_read_schema(head, rest) for head, rest in _entries(folder.glob("schemas/**/*.jsonl"), "schema")]
    operations = [_read_operation(*entry) for entry in _entries(folder.glob("operations/*.jsonl"), "operation")]
    events = [_read_event(head) for head, _ in _entries([folder / "events.jsonl"], "event")]
    thin_events = [_read_thin_event(*entry) for entry in _entries([folder / "thin_events.jsonl"], "event")]
    return spec.Api(
        version=str(version["version"]),
        schemas={schema.name: schema for schema in sorted(schemas, key=lambda member: member.name)},
        operations={member.name: member for member in sorted(operations, key=lambda member: member.name)},
        events={event.type: event for event in events},
        thin_events={event.type: event for event in thin_events},
    )


def _entries(paths: Iterable[Path], word: str) -> Iterator[tuple[Node, list[Node]]]:
    """Yield each line with the word in it, with the lines that follow and belong to it."""
    for path in sorted(paths):
        lines = [node(json.loads(line)) for line in path.read_text().splitlines()]
        starts = [index for index, line in enumerate(lines) if word in line]
        for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
            yield lines[start], lines[start + 1 : end]


def _read_schema(head: Node, rest: list[Node]) -> spec.Schema:
    return spec.Schema(
        name=str(head["schema"]),
        fields=read_fields("field", rest),
        options=tuple(strings(head.get("options"))),
        resource=bool(head.get("resource")),
    )


def _read_operation(head: Node, rest: list[Node]) -> spec.Operation:
    service, _, method = str(head["operation"]).rpartition(".")
    path = str(head["path"])
    aliases = [alias.rpartition(".") for alias in strings(head.get("aliases"))]
    return spec.Operation(
        service=service,
        method=method,
        verb=str(head["verb"]),
        path=path,
        body=spec.BODIES[str(head["body"])],
        path_params=spec.path_params(path),
        params=read_fields("param", rest),
        returns=_read_type(head["returns"], iter(())) if "returns" in head else None,
        shape=spec.SHAPES[str(head["shape"])],
        host=spec.HOSTS[str(head.get("host", "api"))],
        deprecated=bool(head.get("deprecated")),
        errors=tuple(str(line["error"]) for line in rest if "error" in line),
        aliases=tuple((service, method) for service, _, method in aliases),
    )


def _read_event(head: Node) -> spec.Event:
    return spec.Event(str(head["event"]), str(head["object"]), bool(head["previous_attributes"]))


def _read_thin_event(head: Node, rest: list[Node]) -> spec.ThinEvent:
    related = head.get("related")
    data = read_fields("field", rest) if head.get("data") else None
    return spec.ThinEvent(str(head["event"]), str(related) if related else None, data)


def read_fields(word: str, lines: Iterable[Node]) -> tuple[spec.Field, ...]:
    """Read the fields of an entry, nested again."""
    by_parent: dict[str, list[tuple[str, Node]]] = {}
    for line in lines:
        if word in line:
            parent, _, name = str(line[word]).rpartition(".")
            by_parent.setdefault(parent, []).append((name, line))

    def below(parent: str) -> tuple[spec.Field, ...]:
        return tuple(field(parent, name, line) for name, line in by_parent.get(parent, ()))

    def field(parent: str, name: str, line: Node) -> spec.Field:
        path = f"{parent}.{name}".lstrip(".")
        alternatives: list[str] = []
        while f"{path}|{len(alternatives)}" in by_parent:
            alternatives.append(f"{path}|{len(alternatives)}")
        inside = (spec.Object(below(key)) for key in (alternatives or [path]))
        kind = _read_type(line["type"], inside)
        flags = {flag: bool(line.get(flag)) for flag in FLAGS}
        return spec.Field(name, kind, **flags)

    return below("")


def _read_type(value: Json, inside: Iterator[spec.Object]) -> spec.Type:
    """Read a type; the objects described in place come from `inside`, one after the other."""
    if value == "object":
        return next(inside)
    if isinstance(value, str):
        return spec.Scalar(spec.SCALARS[value])
    ((word, content), *rest) = node(value).items()
    match word:
        case "enum":
            return spec.Enum(tuple(item for item in _list(content) if isinstance(item, str | bool)))
        case "list":
            return spec.ListOf(_read_type(content, inside))
        case "map":
            return spec.MapOf(_read_type(content, inside))
        case "null":
            return spec.Nullable(_read_type(content, inside))
        case "page":
            return spec.PageOf(spec.PAGES[str(content)], _read_type(rest[0][1], inside))
        case "any":
            return spec.Union(tuple(_read_type(option, inside) for option in _list(content)))
        case "ref":
            return spec.Ref(str(content))
        case "expand":
            return spec.Expandable(tuple(strings(content)))
        case _:
            return spec.Scalar(spec.SCALARS[word], content if isinstance(content, int) else None)


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []
