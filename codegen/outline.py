"""Print the places to document of an object, a service or a component, and what is documented already."""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from codegen import coverage, docs, facts, places, spec
from codegen.places import Place

LARGE = 15  # a subtree with more places than this gets a section of its own
HELP = """\
Marks: [ ] not documented, [o] documented for this object or operation, [c] by a component, [s] shared (shared.yaml).
After each path: its type, what it must or may be, its values (with how many of them have a meaning), and the text."""
MARKS = {"own": "[o]", "component": "[c]", "shared": "[s]"}


@dataclass
class Line:
    """One place as it is printed."""

    path: str
    facts: str
    result: docs.Found | None
    used_by: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        mark = MARKS[self.result.source] if self.result else "[ ]"
        users = f"  ({' '.join(self.used_by)})" if self.used_by else ""
        text = f"  = {_short(self.result.text)}" if self.result else ""
        return f"{mark} {self.path}  {self.facts}{users}{text}"


class Outline:
    """Prints places with their facts and their documentation."""

    def __init__(self, api: spec.Api, documentation: docs.Documentation, *, missing: bool = False) -> None:
        self.api = api
        self.lookup = docs.Lookup(documentation, api)
        self.missing = missing

    @cached_property
    def uses(self) -> Mapping[str, frozenset[str]]:
        """The objects in which each component appears."""
        return places.component_uses(self.api)

    def about(self, name: str) -> Iterator[str]:
        """Yield the lines about an object with the operations on it, a service, or a component."""
        operations = [
            member
            for member in self.api.operations.values()
            if name in (member.service, self.api.resources[member.name])
        ]
        schemas = [name] if name in self.api.schemas else []
        if not schemas:
            schemas = sorted({self.api.resources[member.name] for member in operations} - {""})
        for schema in schemas:
            yield from self._schema(schema)
        if operations:
            yield from self._operations(operations)
        yield from self._events(schemas)

    def _schema(self, name: str) -> Iterator[str]:
        schema = self.api.schemas[name]
        users = "" if schema.standalone or schema.options else f", a component of {_some(self.uses.get(name, ()))}"
        yield f"# {name}{users}"
        yield f"{_mark(self.lookup.schema(name))} summary"
        if schema.options:
            yield f"one of {', '.join(schema.options)}"
        lines = [
            Line(path, self._facts(place, self.lookup.field_values(name, path)), self.lookup.field(name, path))
            for path, place in self.lookup.fields(name).items()
        ]
        yield from self._sections("## Fields", lines)

    def _operations(self, operations: list[spec.Operation]) -> Iterator[str]:
        yield "# Operations"
        for member in operations:
            deprecated = ", deprecated" if member.deprecated else ""
            sentence = self.lookup.operation(member.name)
            if not (self.missing and sentence):
                text = f"  = {_short(sentence.text)}" if sentence else ""
                yield f"{_mark(sentence)} {member.name}  {member.verb} {member.path}{deprecated}{text}"
        short = _short_names(operations)
        lines: dict[tuple[str, str], Line] = {}
        for member in operations:
            for path, place in self.lookup.params(member.name).items():
                result = self.lookup.param(member.name, path)
                shown = self._facts(place, self.lookup.param_values(member.name, path), required=False)
                line = lines.setdefault((path, result.text if result else ""), Line(path, shown, result))
                line.used_by.append(short[member.name] + ("*" if place.field.required else ""))
        ordered = sorted(lines.values(), key=lambda line: line.path.split("."))
        for line in ordered:
            if len(line.used_by) == len(operations) > 2:
                line.used_by = ["all"]
        yield from self._sections(
            "## Parameters (in parentheses: the operations that take them, * where required)", ordered
        )

    def _events(self, schemas: Iterable[str]) -> Iterator[str]:
        about: dict[str, str] = {name: event.object for name, event in self.api.events.items()}
        about.update((name, event.related or "") for name, event in self.api.thin_events.items())
        names = [name for name, schema in about.items() if schema in schemas]
        if names:
            yield "# Events"
        for name in names:
            sentence = self.lookup.event(name)
            if not (self.missing and sentence):
                yield f"{_mark(sentence)} {name}" + (f"  = {_short(sentence.text)}" if sentence else "")
            event = self.api.thin_events.get(name)
            for path, place in places.of_event(self.api, event).items() if event else ():
                line = Line(f"{name}: {path}", self._facts(place, {}), self.lookup.event_field(name, path))
                if not (self.missing and line.result):
                    yield f"    {line}"

    def _facts(self, place: Place, meanings: docs.Sentences, *, required: bool = True) -> str:
        item = place.field
        parts = [_type(self.api, item.type)]
        if place.component and len(self.uses.get(place.component, ())) > 1:
            parts.append(f"component {place.component} of {_some(self.uses[place.component])}")
        for flag in ("nullable", "clearable", "deprecated"):
            if getattr(item, flag):
                parts.append(flag)
        if required and not item.required:
            parts.append("optional")
        if (limit := spec.max_length(item.type)) not in (5000, None):
            parts.append(f"at most {limit} characters")
        if place.values:
            known = sum(value in meanings for value in place.values)
            parts.append(f"values {known}/{len(place.values)}: {_values(place.values)}")
        return ", ".join(parts)

    def _sections(self, title: str, lines: list[Line]) -> Iterator[str]:
        """Yield lines under a title; large subtrees follow under titles of their own."""
        if self.missing:
            lines = [line for line in lines if line.result is None]
        yield from _sections(title, lines, depth=1)


def _sections(title: str, lines: list[Line], depth: int) -> Iterator[str]:
    groups: dict[str, list[Line]] = {}
    for line in lines:
        groups.setdefault(".".join(line.path.split(".")[:depth]), []).append(line)
    large = {root: group for root, group in groups.items() if len(group) > LARGE} if len(lines) > LARGE else {}
    if lines:
        yield title
    for root, group in groups.items():
        yield from (
            str(line) for line in (group if root not in large else [member for member in group if member.path == root])
        )
    for root, group in large.items():
        inside = [line for line in group if line.path != root]
        yield from _sections(f"### {root}. ({len(inside)})", inside, depth + 1)


def _type(api: spec.Api, kind: spec.Type) -> str:
    match kind:
        case spec.Scalar(name):
            return name
        case spec.Enum(values):
            return "enum" if all(isinstance(value, str) for value in values) else "/".join(map(str, values)).lower()
        case spec.ListOf(item):
            return f"list of {_type(api, item)}"
        case spec.MapOf(value):
            return f"map of {_type(api, value)}"
        case spec.Nullable(inner):
            return f"{_type(api, inner)} or null"
        case spec.PageOf(_, item):
            return f"list object of {_type(api, item)}"
        case spec.Union(options):
            return " | ".join(dict.fromkeys(_type(api, option) for option in options)) or "empty"
        case spec.Ref(schema):
            return schema if not places.is_component(api.schemas[schema]) else f"object {schema}"
        case spec.Expandable(schemas):
            return f"expandable {', '.join(schemas)}"
        case spec.Object():
            return "object"


def _values(values: tuple[str, ...]) -> str:
    shown = list(dict.fromkeys(values))
    return " ".join(shown[:40]) + (f" ... {len(shown) - 40} more" if len(shown) > 40 else "")


def _some(names: Iterable[str]) -> str:
    ordered = sorted(names)
    return ", ".join(ordered[:3]) + (f" and {len(ordered) - 3} more" if len(ordered) > 3 else "")


def _short(text: str) -> str:
    return text if len(text) <= 100 else text[:97] + "..."


def _mark(sentence: docs.Sentence | None) -> str:
    return "[o]" if sentence else "[ ]"


def _short_names(operations: list[spec.Operation]) -> dict[str, str]:
    """Return the method of each operation, with its service where there are several."""
    services = {member.service for member in operations}
    return {member.name: member.method if len(services) == 1 else member.name for member in operations}


def main() -> int:
    """Print an outline or the coverage; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m codegen.outline",
        description=__doc__,
        epilog=HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "name", nargs="*", help="objects (subscription), services (checkout.sessions) or components (address)"
    )
    parser.add_argument("--missing", action="store_true", help="only what is not documented")
    parser.add_argument("--coverage", action="store_true", help="how much is documented, by object")
    options = parser.parse_args()
    api = facts.load()
    try:
        documentation = docs.load()
    except docs.DocumentationError as error:
        print(error, file=sys.stderr)
        return 1
    problems = docs.check(documentation, api)
    for problem in problems:
        print(problem, file=sys.stderr)
    outline = Outline(api, documentation, missing=options.missing)
    known = [*api.schemas, *(member.service for member in api.operations.values())]
    for name in options.name:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=3)
            print(
                f"outline: there is no object, service or component {name}; close: {', '.join(close)}", file=sys.stderr
            )
            return 1
        print("\n".join(outline.about(name)))
    if options.coverage:
        print("\n".join(coverage.table(coverage.count(api, documentation))))
    if not options.name and not options.coverage:
        parser.print_help()
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
