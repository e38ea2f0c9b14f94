"""Additions from Stripe's packages to the facts: `codegen/additions.yaml`, whose fields Stripe's document leaves out.

```yaml
fields:
- schemas: [payment_method_card]           # objects or components
  add:
    iin: {type: string, nullable: true}    # as in codegen/api, one line a field, dotted paths within nested objects
  values:
    type: [sepa_credit_transfer]           # more values of a field; a string with values is an open enum
params:
- operations: [accounts.create]
  alternatives:
    external_account: [object]             # more types for a parameter; its fields follow in `add`
  add:
    external_account.number: {type: string, required: true}
```

Every place must exist, and nothing may be added that the document has: then it is time to remove it here.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import yaml

from codegen import lines, spec
from codegen.document import Json, Node, node, nodes, strings

FILE = Path(__file__).resolve().parent / "additions.yaml"


class AdditionsError(Exception):
    """The additions do not fit the facts; `problems` lists everything that is wrong."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def load(path: Path = FILE) -> Node:
    """Read the file of additions. Only `true` and digits are more than strings, so that no country code is a boolean."""
    return node(_plain(yaml.load(path.read_text(), Loader=yaml.BaseLoader) or {}))


def _plain(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, str) and value.isdigit():
        return int(value)
    return True if value == "true" else value


def apply(api: spec.Api, additions: Node) -> spec.Api:
    """Return the facts with the additions; raise `AdditionsError` if something is not there or there already."""
    schemas, operations, problems = dict(api.schemas), dict(api.operations), list[str]()
    for group in nodes(additions.get("fields")):
        for name in _known(strings(group.get("schemas")), schemas, "schema", problems):
            fields = _merged(schemas[name].fields, group, name, problems)
            schemas[name] = replace(schemas[name], fields=fields)
    for group in nodes(additions.get("params")):
        for name in _known(strings(group.get("operations")), operations, "operation", problems):
            params = _merged(operations[name].params, group, name, problems)
            operations[name] = replace(operations[name], params=params)
    if problems:
        raise AdditionsError(problems)
    return replace(api, schemas=schemas, operations=operations)


def _known(names: list[str], known: Mapping[str, object], what: str, problems: list[str]) -> list[str]:
    for name in names:
        if name not in known:
            problems.append(f"additions.yaml: there is no {what} {name}{_hint(name, known)}")
    return [name for name in names if name in known]


def _merged(fields: tuple[spec.Field, ...], group: Node, owner: str, problems: list[str]) -> tuple[spec.Field, ...]:
    result = {str(line["field"]): line for line in lines.field_lines("field", fields)}

    def existing(path: str) -> Node:
        if path not in result:
            problems.append(f"additions.yaml: {owner} has no {path}{_hint(path, result)}")
        return result.get(path, {})

    for path, options in _section(group, "alternatives"):
        line = existing(path)
        line["type"] = {"any": [*_options(line.get("type")), *(options if isinstance(options, list) else [])]}
    for path, values in _section(group, "values"):
        line = existing(path)
        if isinstance(kind := line.get("type"), str) or (isinstance(kind, dict) and "string" in kind):
            line["open"] = True
        line["type"], repeated = _with_values(kind, strings(values))
        problems.extend(
            f"additions.yaml: {owner}.{path} has the value {value} already; remove it" for value in repeated
        )
    for path, content in _section(group, "add"):
        parent = path.rpartition(".")[0]
        if path in result:
            problems.append(f"additions.yaml: {owner} has {path} already; remove it")
        elif parent and not _has_parent(parent, result):
            problems.append(f"additions.yaml: {owner} has no {parent}{_hint(parent, result)}")
        else:
            result[path] = {"field": path, **node(content)}
    ordered = sorted(result.values(), key=lambda line: str(line["field"]).split("."))
    return lines.read_fields("field", ordered)


def _section(group: Node, name: str) -> Iterable[tuple[str, Json]]:
    return node(group.get(name) or {}).items()


def _has_parent(parent: str, lines: Mapping[str, Node]) -> bool:
    """Return whether a path is that of an object described in place, one of several where it ends in `|0`, `|1`, ..."""
    path, _, index = parent.partition("|") if "|" in parent.rpartition(".")[2] else (parent, "", "")
    result = lines.get(path)
    inside = str(result.get("type")).count("'object'") or (result.get("type") == "object") if result else 0
    return int(index or 0) < inside


def _options(kind: Json) -> list[Json]:
    if isinstance(kind, dict) and isinstance(options := kind.get("any"), list):
        return options
    return [kind]


def _with_values(kind: Json, values: list[str]) -> tuple[Json, list[str]]:
    """Return a type with more values, and those that it has already."""
    if isinstance(kind, dict) and isinstance(items := kind.get("list"), dict | str):
        inner, repeated = _with_values(items, values)
        return {"list": inner}, repeated
    known = strings(kind.get("enum")) if isinstance(kind, dict) else []
    merged: list[Json] = [*sorted({*known, *values})]
    return {"enum": merged}, sorted(set(known) & set(values))


def _hint(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""
