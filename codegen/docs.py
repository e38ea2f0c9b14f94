"""Our documentation of the API: `codegen/documentation/*.yaml`, loaded, checked against the facts, and looked up.

The format is described in `codegen/documentation/README.md`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple

import yaml

from codegen import places, spec
from codegen.places import Place

FOLDER = Path(__file__).resolve().parent / "documentation"
SHARED = "shared.yaml"


class DocumentationError(Exception):
    """The documentation is malformed or describes what is not there; `problems` lists everything that is wrong."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Sentence:
    """A text with the place where it is written."""

    text: str
    file: str
    line: int
    key: str

    @property
    def where(self) -> str:
        """The file, line and key, as messages name it."""
        return f"{self.file}:{self.line}: {self.key}"


Sentences = Mapping[str, Sentence]
Values = Mapping[str, Sentences]


@dataclass(frozen=True)
class Entry:
    """The texts about one object, component, operation or event."""

    summary: Sentence | None = None
    fields: Sentences = field(default_factory=dict)
    params: Sentences = field(default_factory=dict)
    values: Values = field(default_factory=dict)
    file: str = ""
    line: int = 0
    key: str = ""

    @property
    def where(self) -> str:
        """The file, line and key, as messages name it."""
        return f"{self.file}:{self.line}: {self.key}"


class Found(NamedTuple):
    """A sentence, and from where a place takes it."""

    sentence: Sentence
    source: Literal["own", "component", "shared"]

    @property
    def text(self) -> str:
        """The sentence itself."""
        return self.sentence.text


@dataclass(frozen=True)
class Documentation:
    """Everything that is written, as it is written."""

    objects: Mapping[str, Entry]
    components: Mapping[str, Entry]
    operations: Mapping[str, Entry]
    events: Mapping[str, Entry]
    fields: Sentences
    filters: Sentences
    values: Values

    def sentences(self) -> Iterator[Sentence]:
        """Yield every sentence."""
        yield from self.fields.values()
        yield from self.filters.values()
        for table in self.values.values():
            yield from table.values()
        for entries in (self.objects, self.components, self.operations, self.events):
            for entry in entries.values():
                if entry.summary:
                    yield entry.summary
                yield from entry.fields.values()
                yield from entry.params.values()
                for table in entry.values.values():
                    yield from table.values()


# --- loading ----------------------------------------------------------------------------------------------------------

_Node = yaml.nodes.Node
_SECTIONS = ("objects", "operations", "events", "components")
_PARTS = {
    "objects": ("summary", "fields", "values", "params"),
    "components": ("summary", "fields", "values"),
    "operations": ("summary", "params", "values"),
    "events": ("summary", "fields", "values"),
}


def load(folder: Path = FOLDER) -> Documentation:
    """Load every file of a folder; raise `DocumentationError` naming file, line and key of what is malformed."""
    loader = _Loader()
    for path in sorted(folder.glob("*.yaml")):
        loader.file(path)
    if loader.problems:
        raise DocumentationError(loader.problems)
    entries = loader.entries
    return Documentation(
        entries["objects"],
        entries["components"],
        entries["operations"],
        entries["events"],
        loader.fields,
        loader.filters,
        loader.values,
    )


class _Loader:
    """Reads files one after the other, collecting entries and problems. Every scalar is a string."""

    def __init__(self) -> None:
        self.entries: dict[str, dict[str, Entry]] = {section: {} for section in _SECTIONS}
        self.fields: dict[str, Sentence] = {}
        self.filters: dict[str, Sentence] = {}
        self.values: dict[str, Sentences] = {}
        self.problems: list[str] = []
        self.name = ""

    def file(self, path: Path) -> None:
        self.name = path.name
        try:
            root = yaml.compose(path.read_text(), Loader=yaml.BaseLoader)
        except yaml.YAMLError as error:
            message = " ".join(str(error).split())
            self.problems.append(f"{path.name}: this is not YAML: {message} (a text with `: ` or ` #` needs quotes)")
            return
        for section, node in self.mapping(root, "").items():
            if section in _SECTIONS:
                for key, entry in self.mapping(node, section).items():
                    self.entry(section, key, entry)
            elif section == "fields" and path.name == SHARED:
                self.fields.update(self.sentences(node, section))
            elif section == "filters" and path.name == SHARED:
                self.filters.update(self.sentences(node, section))
            elif section == "values" and path.name == SHARED:
                self.values.update(self.tables(node, section))
            else:
                allowed = [*_SECTIONS, "fields", "filters", "values"] if path.name == SHARED else list(_SECTIONS)
                self.problem(node, section, f"no such section; there are {', '.join(allowed)}")

    def entry(self, section: str, key: str, node: _Node) -> None:
        where = f"{section}.{key}"
        if (other := self.entries[section].get(key)) is not None:
            self.problem(node, where, f"{key} is documented in {other.file} already; one file documents it")
            return
        line = node.start_mark.line + 1
        if section == "events" and isinstance(node, yaml.ScalarNode):
            self.entries[section][key] = Entry(self.sentence(node, where), file=self.name, line=line, key=where)
            return
        summary, parts, tables = None, dict[str, Sentences](), dict[str, Sentences]()
        for part, value in self.mapping(node, where).items():
            if part not in _PARTS[section]:
                self.problem(value, f"{where}.{part}", f"no such key; there are {', '.join(_PARTS[section])}")
            elif part == "summary":
                summary = self.sentence(value, f"{where}.summary")
            elif part == "values":
                tables = self.tables(value, f"{where}.values")
            else:
                parts[part] = self.sentences(value, f"{where}.{part}")
        self.entries[section][key] = Entry(
            summary, parts.get("fields", {}), parts.get("params", {}), tables, self.name, line, where
        )

    def tables(self, node: _Node, where: str) -> dict[str, Sentences]:
        return {path: self.sentences(table, f"{where}.{path}") for path, table in self.mapping(node, where).items()}

    def sentences(self, node: _Node, where: str) -> dict[str, Sentence]:
        result = {key: self.sentence(value, f"{where}.{key}") for key, value in self.mapping(node, where).items()}
        return {key: sentence for key, sentence in result.items() if sentence is not None}

    def sentence(self, node: _Node, where: str) -> Sentence | None:
        if not isinstance(node, yaml.ScalarNode) or not str(node.value).strip():
            self.problem(node, where, "expected a sentence")
            return None
        return Sentence(" ".join(str(node.value).split()), self.name, node.start_mark.line + 1, where)

    def mapping(self, node: _Node | None, where: str) -> dict[str, _Node]:
        if node is None or (isinstance(node, yaml.ScalarNode) and node.value == ""):
            return {}  # a section without entries yet
        if not isinstance(node, yaml.MappingNode):
            self.problem(node, where, "expected keys with values")
            return {}
        result: dict[str, _Node] = {}
        for key, value in node.value:
            name = str(key.value)
            if name in result:
                self.problem(key, f"{where}.{name}".lstrip("."), "this key stands here twice")
            result[name] = value
        return result

    def problem(self, node: _Node, where: str, message: str) -> None:
        self.problems.append(f"{self.name}:{node.start_mark.line + 1}: {where}: {message}")


# --- looking up -------------------------------------------------------------------------------------------------------


class Lookup:
    """Finds what is written about each place of an API."""

    def __init__(self, documentation: Documentation, api: spec.Api) -> None:
        self.documentation = documentation
        self.api = api
        self._fields: dict[str, dict[str, Place]] = {}
        self._params: dict[str, dict[str, Place]] = {}

    def fields(self, schema: str) -> dict[str, Place]:
        """Return the places of a schema's fields."""
        if schema not in self._fields:
            self._fields[schema] = places.of_schema(self.api, schema)
        return self._fields[schema]

    def params(self, operation: str) -> dict[str, Place]:
        """Return the places of an operation's parameters."""
        if operation not in self._params:
            self._params[operation] = places.of_operation(self.api, self.api.operations[operation])
        return self._params[operation]

    def schema(self, name: str) -> Sentence | None:
        """Return the summary of an object or a component."""
        entry = self._entry(name)
        return entry.summary if entry else None

    def operation(self, name: str) -> Sentence | None:
        """Return the summary of an operation."""
        entry = self.documentation.operations.get(name)
        return entry.summary if entry else None

    def event(self, name: str) -> Sentence | None:
        """Return the summary of an event type; a thin event of v1 says what the snapshot event says."""
        for key in (name, name.removeprefix("v1.")):
            if (entry := self.documentation.events.get(key)) and entry.summary:
                return entry.summary
        return None

    def field(self, schema: str, path: str) -> Found | None:
        """Return what is written about a field: by its object, by a component around it, or shared."""
        place = self.fields(schema).get(path)
        if result := self._model_field(schema, path):
            return result
        if result := self._shared(path):
            return result
        if place and place.component and (summary := self.schema(place.component)):
            return Found(summary, "component")
        return None

    def param(self, operation: str, path: str) -> Found | None:
        """Return what is written about a parameter: by its operation, by its resource, or shared."""
        resource = self.api.resources[operation]
        entry, owner = self.documentation.operations.get(operation), self.documentation.objects.get(resource)
        for table in (entry.params if entry else {}, owner.params if owner else {}):
            if sentence := table.get(path):
                return Found(sentence, "own")
        if self.api.operations[operation].is_list and (result := self._shared(path, self.documentation.filters)):
            return result
        if resource and (result := self._model_field(resource, path)):
            return result
        return self._shared(path)

    def event_field(self, event: str, path: str) -> Found | None:
        """Return what is written about a field of a thin event's data."""
        entry = self.documentation.events.get(event)
        if entry and (sentence := entry.fields.get(path)):
            return Found(sentence, "own")
        return self._shared(path)

    def field_values(self, schema: str, path: str) -> Sentences:
        """Return what the values of a field mean, by value."""
        place = self.fields(schema).get(path)
        tables = [self._table(self._entry(schema), path)]
        tables += [self._table(self._entry(name), inner) for name, inner in (place.components if place else ())]
        return next((table for table in tables if table), None) or self._shared_values(path)

    def param_values(self, operation: str, path: str) -> Sentences:
        """Return what the values of a parameter mean, by value."""
        resource = self.api.resources[operation]
        return (
            self._table(self.documentation.operations.get(operation), path)
            or (self.field_values(resource, path) if resource else {})
            or self._shared_values(path)
        )

    def _entry(self, schema: str) -> Entry | None:
        objects, original = self.documentation.objects, schema.removeprefix(spec.DELETED)
        return objects.get(schema) or objects.get(original) or self.documentation.components.get(schema)

    def _model_field(self, schema: str, path: str) -> Found | None:
        if (entry := self._entry(schema)) and (sentence := entry.fields.get(path)):
            return Found(sentence, "own")
        place = self.fields(schema).get(path)
        for component, inner in place.components if place else ():
            if (entry := self.documentation.components.get(component)) and (sentence := entry.fields.get(inner)):
                return Found(sentence, "component")
        return None

    def _shared(self, path: str, sentences: Sentences | None = None) -> Found | None:
        sentences = self.documentation.fields if sentences is None else sentences
        result = next((sentences[end] for end in _ends(path) if end in sentences), None)
        return Found(result, "shared") if result else None

    def _shared_values(self, path: str) -> Sentences:
        return next((self.documentation.values[end] for end in _ends(path) if end in self.documentation.values), {})

    @staticmethod
    def _table(entry: Entry | None, path: str) -> Sentences:
        return entry.values.get(path, {}) if entry else {}


def _ends(path: str) -> Iterator[str]:
    """Yield a path and each of its ends, longest first."""
    steps = path.split(".")
    for start in range(len(steps)):
        yield ".".join(steps[start:])


# --- checking ---------------------------------------------------------------------------------------------------------


def check(documentation: Documentation, api: spec.Api) -> list[str]:
    """Return what the documentation describes that the API does not have."""
    return _Checker(documentation, api).problems()


class _Checker:
    def __init__(self, documentation: Documentation, api: spec.Api) -> None:
        self.documentation = documentation
        self.api = api
        self.lookup = Lookup(documentation, api)

    @cached_property
    def of_resource(self) -> Mapping[str, dict[str, Place]]:
        """The parameters of all operations of each resource."""
        result: dict[str, dict[str, Place]] = {}
        for operation, resource in self.api.resources.items():
            for path, place in self.lookup.params(operation).items():
                _add(result.setdefault(resource, {}), path, place)
        return result

    @cached_property
    def ends(self) -> Mapping[str, set[str]]:
        """Every name and every end of a path, with the values that stand there."""
        result: dict[str, set[str]] = {}
        roots = [self.lookup.fields(name) for name, schema in self.api.schemas.items() if schema.standalone]
        roots += [self.lookup.params(name) for name in self.api.operations]
        roots += [places.of_event(self.api, event) for event in self.api.thin_events.values()]
        for place in (place for root in roots for place in root.values()):
            for end in _ends(place.path):
                result.setdefault(end, set()).update(place.values)
        return result

    def problems(self) -> list[str]:
        return sorted(self._problems())

    def _problems(self) -> Iterator[str]:
        api, written = self.api, self.documentation
        is_object = {name: schema.standalone or bool(schema.options) for name, schema in api.schemas.items()}
        objects = [name for name, result in is_object.items() if result]
        components = [name for name, result in is_object.items() if not result]
        for name, entry in written.objects.items():
            yield from self._schema(name, entry, objects, "object")
        for name, entry in written.components.items():
            yield from self._schema(name, entry, components, "component")
        for name, entry in written.operations.items():
            if name not in api.operations:
                yield _unknown(entry.where, "operation", name, api.operations)
                continue
            result = self.lookup.params(name)
            yield from _paths(entry.params.items(), f"parameter of {name}", result)
            yield from _values(entry.values, f"parameter of {name}", result)
        for name, entry in written.events.items():
            event = api.thin_events.get(name)
            if event is None and name not in api.events:
                yield _unknown(entry.where, "event type", name, [*api.events, *api.thin_events])
                continue
            yield from _paths(entry.fields.items(), f"field of {name}", places.of_event(api, event) if event else {})
        for end, sentence in (*written.fields.items(), *written.filters.items()):
            if end not in self.ends:
                yield _unknown(sentence.where, "field or parameter", end, self.ends)
        for end, table in written.values.items():
            yield from _table(end, table, self.ends)

    def _schema(self, name: str, entry: Entry, known: list[str], what: str) -> Iterator[str]:
        if name not in known:
            yield _unknown(entry.where, what, name, known)
            return
        fields, params = self.lookup.fields(name), self.of_resource.get(name, {})
        both = dict(params)
        for path, place in fields.items():
            _add(both, path, place)
        yield from _paths(entry.fields.items(), f"field of {name}", fields)
        yield from _paths(entry.params.items(), f"parameter of an operation of {name}", params)
        yield from _values(entry.values, f"field or parameter of {name}", both)


def _add(result: dict[str, Place], path: str, place: Place) -> None:
    other = result.get(path)
    if other is None or not set(place.values) <= set(other.values):
        kinds = (other.field.type, place.field.type) if other else (place.field.type,)
        merged = spec.Field(place.field.name, spec.Union(kinds))
        result[path] = Place(path, merged, place.components, place.component)


def _paths(sentences: Iterable[tuple[str, Sentence]], what: str, known: Mapping[str, Place]) -> Iterator[str]:
    for path, sentence in sentences:
        if path not in known:
            yield _unknown(sentence.where, what, path, known)


def _values(tables: Values, what: str, known: Mapping[str, Place]) -> Iterator[str]:
    for path, table in tables.items():
        if path in known:
            yield from _table(path, table, {path: set(known[path].values)})
        elif table:
            yield _unknown(next(iter(table.values())).where, what, path, known)


def _table(path: str, table: Sentences, known: Mapping[str, set[str]]) -> Iterator[str]:
    for value, sentence in table.items():
        if path not in known:
            yield _unknown(sentence.where, "field or parameter", path, known)
        elif value not in known[path]:
            yield _unknown(sentence.where, f"value of {path}", value, known[path])


def _unknown(where: str, what: str, name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"{where}: there is no {what} {name}{hint}"
