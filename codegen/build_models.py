"""Build the classes of models: one for every object of the API, and one for every object inside it, named by its place."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from codegen import names, spec
from codegen.classes import ClassDef, FieldDef, Imports, ModuleDef, unique
from codegen.docstrings import Writer, paragraphs

SCALARS: dict[spec.ScalarKind, str] = {
    "string": "str",
    "currency": "str",
    "integer": "int",
    "float": "float",
    "boolean": "bool",
    "timestamp": "Timestamp",
    "datetime": "DateTime",
    "decimal": "DecimalString",
    "int64": "Int64String",
    "binary": "bytes",
    "any": "Any",
}
_SCALAR_TYPES = {"Timestamp", "DateTime", "DecimalString", "Int64String"}
_PAGES: dict[spec.PageKind, str] = {"list": "ListObject", "search": "SearchResult", "v2": "V2List"}

# A model contains the models of the objects embedded in it, so that it is decoded at once. These objects have so many parts
# that they are decoded apart, by their `object` field, so that a model is built in milliseconds. It is a table rather than a
# limit, so that a new field does not change the types of other objects.
DECODED_APART = {
    "account",
    "issuing.authorization",
    "issuing.card",
    "issuing.transaction",
    "item",
    "payment_intent",
    "payment_method",
    "person",
    "refund",
    "setup_intent",
    "source",
    "subscription",
    "treasury.financial_account_features",
    "treasury.received_credit",
    "treasury.transaction_entry",
}
MAX_EMBEDDED_CLASSES = 40
"""An object with more classes than this has to be in `DECODED_APART`."""

# Fields that hold any object, although the document describes them as objects without fields.
ANY_OBJECT = {("notification_event_data", "object")}
NO_FIELDS = "It has no fields."
# Fields that the document requires and Stripe leaves out: the ID of what has none, such as the balance.
CAN_BE_ABSENT = {("v2.core.event", "related_object.id")}
SHARED_MODULE = "shared"
EVENT_DATA_MODULE = "event_data"


def build_models(api: spec.Api, writer: Writer) -> dict[str, ModuleDef]:
    """Return the modules of models by name."""
    return _Builder(api, writer).build()


def module_of(api: spec.Api, schema: str) -> str:
    """Return the module of an object's model; a deleted variant is in the module of the original."""
    if schema in names.SHARED:
        return SHARED_MODULE
    original = api.schemas[schema].original
    return names.snake(names.OBJECTS[original]) if original in names.OBJECTS else original.replace(".", "_")


def literal(value: str | bool) -> str:
    """Return the code of a value inside ``Literal``."""
    return json.dumps(value) if isinstance(value, str) else str(value)


def alternatives(options: Iterable[str]) -> str:
    """Return ``A | B`` without repeats."""
    return " | ".join(dict.fromkeys(options))


def targets(api: spec.Api, kind: spec.Type | None) -> list[str]:
    """Return the objects that a result or an embedded object can be, with groups of objects taken apart."""
    result: dict[str, None] = {}
    for name in spec.without_client_variants(spec.references(kind)):
        schema = api.schemas[name]
        result.update(dict.fromkeys(schema.options or (name,)))
    return list(result)


def objects(api: spec.Api) -> list[spec.Schema]:
    """Return the objects that have a model of their own: also those that are only returned, or stand for an expanded ID."""
    referred = {name for operation in api.operations.values() for name in targets(api, operation.returns)}
    for schema in api.schemas.values():
        for item in schema.fields:
            for part in spec.parts(item.type):
                if isinstance(part, spec.Expandable):
                    referred.update(part.schemas)
    result = {name: schema for name, schema in api.schemas.items() if schema.standalone or name in referred}
    return [schema for _, schema in sorted(result.items()) if not schema.options]


class _Builder:
    def __init__(self, api: spec.Api, writer: Writer) -> None:
        self.api = api
        self.writer = writer
        self.modules: dict[str, ModuleDef] = {}
        self.weights: dict[str, int] = {}
        self.reached: dict[str, frozenset[str]] = {}
        self.deletable = {name.removeprefix(spec.DELETED) for name in api.schemas if name.startswith(spec.DELETED)}

    def build(self) -> dict[str, ModuleDef]:
        for schema in objects(self.api):
            self.object(schema)
        for component, name in names.SHARED.items():
            if component in self.api.schemas:
                self.component(component, name)
        for event in self.api.thin_events.values():
            if event.data is not None:
                self.event_data(event)
        return unique(self.modules)

    def module(self, name: str) -> ModuleDef:
        return self.modules.setdefault(name, ModuleDef(name, ""))

    def object(self, schema: spec.Schema) -> None:
        module = self.module(module_of(self.api, schema.name))
        name = names.model(schema)
        if not schema.name.startswith(spec.DELETED):
            module.title = f"`{name}` and its parts."
        module.classes += _Classes(self, module, schema.name, name).root(self.writer.object(schema.name))

    def component(self, component: str, name: str) -> None:
        module = self.module(SHARED_MODULE)
        module.title = "Values that several objects share."
        module.classes += _Classes(self, module, component, name).root(self.writer.component(component))

    def event_data(self, event: spec.ThinEvent) -> None:
        module = self.module(EVENT_DATA_MODULE)
        module.title = "The data of thin events."
        doc = f"The data of a `{event.type}` event."
        classes = _Classes(self, module, "", names.event_data(event.type), event=event.type)
        module.classes += classes.of_fields(event.data or (), doc)

    def embeds(self, owner: str, schema: str) -> bool:
        """Return whether the model of an object is a part of the model it is embedded in."""
        if schema in DECODED_APART or owner in self.reachable(schema):
            return False
        if self.weight(schema) > MAX_EMBEDDED_CLASSES:
            raise ValueError(
                f"{schema}, which {owner} embeds, has {self.weight(schema)} classes; "
                "add it to DECODED_APART in codegen/build_models.py"
            )
        return True

    def weight(self, schema: str) -> int:
        """Return how many classes the model of an object contains."""
        if schema not in self.weights:
            self.weights[schema] = 1 + self._weight(schema, self.api.schemas[schema].fields)
        return self.weights[schema]

    def _weight(self, owner: str, fields: Iterable[spec.Field]) -> int:
        total = 0
        for item in fields:
            total += sum(1 + self._weight(owner, inner.fields) for inner in spec.objects(item.type))
            schemas = [self.api.schemas[name] for name in targets(self.api, item.type)]
            if any(not schema.standalone for schema in schemas):
                total += 1 + self._weight(owner, merged(schema.fields for schema in schemas))
            elif len(schemas) == 1 and self.embeds(owner, schemas[0].name):
                total += self.weight(schemas[0].name)
        return total

    def reachable(self, schema: str) -> frozenset[str]:
        """Return the objects that are embedded in an object, directly or in others, and itself."""
        if schema not in self.reached:
            result, waiting = set[str](), [schema]
            while waiting:
                name = waiting.pop()
                if name not in result:
                    result.add(name)
                    waiting.extend(self._embedded(self.api.schemas[name].fields))
            self.reached[schema] = frozenset(name for name in result if self.api.schemas[name].standalone)
        return self.reached[schema]

    def _embedded(self, fields: Iterable[spec.Field]) -> Iterator[str]:
        for item in fields:
            yield from targets(self.api, item.type)
            for inner in spec.objects(item.type):
                yield from self._embedded(inner.fields)


class _Classes:
    """Builds the classes of one object, and collects what their module imports."""

    def __init__(self, builder: _Builder, module: ModuleDef, schema: str, name: str, event: str = "") -> None:
        self.builder, self.module, self.schema, self.name, self.event = builder, module, schema, name, event
        self.api, self.writer = builder.api, builder.writer
        self.classes: list[ClassDef] = []

    @property
    def imports(self) -> Imports:
        return self.module.imports

    def root(self, doc: str) -> list[ClassDef]:
        return self.of_fields(self.api.schemas[self.schema].fields, doc)

    def of_fields(self, fields: Iterable[spec.Field], doc: str) -> list[ClassDef]:
        self.imports.add("pinstripe._base", "StripeModel")
        root = self.cls(self.name, fields, "", frozenset({self.schema}), doc)
        if self.schema in self.builder.deletable and "deleted" not in {item.name for item in root.fields}:
            self.imports.add("typing", "Literal")
            note = "Always `False`: the object exists. A deleted one is of another class."
            root.fields.append(FieldDef("deleted", "deleted", "Literal[False]", note, required=False, default="False"))
        return self.classes

    def cls(self, name: str, fields: Iterable[spec.Field], path: str, seen: frozenset[str], doc: str) -> ClassDef:
        cls = ClassDef(name, [], doc)
        for item in fields:
            cls.fields.append(self.field(cls, item, f"{path}.{item.name}" if path else item.name, seen))
        if not cls.fields:
            cls.doc = paragraphs(doc, NO_FIELDS)
        self.classes.append(cls)
        return cls

    def field(self, cls: ClassDef, item: spec.Field, path: str, seen: frozenset[str]) -> FieldDef:
        if (self.schema, path) in ANY_OBJECT or (self.schema == "event" and path == "data.object"):
            self.imports.add("pinstripe._base", "Lazy", "StripeModel")
            annotation = 'Lazy["StripeModel"]'
        else:
            annotation = self.annotation(cls, item, item.type, path, seen)
        required = item.required and (self.schema, path) not in CAN_BE_ABSENT
        if item.nullable or not required:
            annotation = alternatives([*_split(annotation), "None"])
        name = names.safe(item.name)
        if name != item.name:
            self.imports.add("pydantic", "Field")
        return FieldDef(name, item.name, annotation, self.doc(path), required)

    def doc(self, path: str) -> str:
        if self.event:
            return self.writer.event_field(self.event, path)
        return self.writer.field(self.schema, path)

    def annotation(self, cls: ClassDef, item: spec.Field, kind: spec.Type, path: str, seen: frozenset[str]) -> str:
        def inner(kind: spec.Type) -> str:
            return self.annotation(cls, item, kind, path, seen)

        match kind:
            case spec.Scalar(scalar):
                return self.scalar(SCALARS[scalar])
            case spec.Enum(values):
                self.imports.add("typing", "Literal")
                return f"Literal[{', '.join(map(literal, values))}]"
            case spec.ListOf(of):
                return f"list[{inner(of)}]"
            case spec.MapOf(of):
                return f"dict[str, {inner(of)}]"
            case spec.Nullable(of):
                return alternatives([*_split(inner(of)), "None"])
            case spec.PageOf(page, of):
                self.imports.add("pinstripe._base", _PAGES[page])
                return f"{_PAGES[page]}[{inner(of)}]"
            case spec.Expandable(schemas):
                return self.quoted("Expandable", schemas)
            case spec.Object(fields):
                return self.nested(cls, item, fields, path, seen)
            case spec.Ref() | spec.Union():
                return self.reference(cls, item, kind, path, seen)

    def reference(
        self, cls: ClassDef, item: spec.Field, kind: spec.Ref | spec.Union, path: str, seen: frozenset[str]
    ) -> str:
        schemas = [self.api.schemas[name] for name in targets(self.api, kind)]
        if isinstance(kind, spec.Union) and not all(isinstance(option, spec.Ref) for option in kind.options):
            shapes = [option for option in kind.options if isinstance(option, spec.Object)]
            others = [option for option in kind.options if not isinstance(option, spec.Object)]
            parts = [self.annotation(cls, item, option, path, seen) for option in others]
            if shapes:  # alternatives that nothing tells apart
                parts.insert(0, self.nested(cls, item, merged(shape.fields for shape in shapes), path, seen))
            return alternatives(parts)
        if all(schema.standalone for schema in schemas):
            if len(schemas) == 1 and self.builder.embeds(self.schema, schemas[0].name):
                return self.imported(cls, module_of(self.api, schemas[0].name), names.model(schemas[0]))
            return self.quoted("Lazy", [schema.name for schema in schemas])
        if len(schemas) == 1 and schemas[0].name in names.SHARED:
            return self.imported(cls, SHARED_MODULE, names.SHARED[schemas[0].name])
        within = {schema.name for schema in schemas}
        if within & seen:
            raise ValueError(f"{self.schema}.{path}: a component that contains itself cannot be written out")
        return self.nested(cls, item, merged(schema.fields for schema in schemas), path, seen | within)

    def nested(
        self, cls: ClassDef, item: spec.Field, fields: Iterable[spec.Field], path: str, seen: frozenset[str]
    ) -> str:
        name = names.part(cls.name, item)
        cls.uses.add(name)
        self.cls(name, fields, path, seen, self.doc(path) or f"The object in `{path}` of `{self.name}`.")
        return name

    def imported(self, cls: ClassDef, module: str, name: str) -> str:
        cls.uses.add(name)
        if module != self.module.name:
            self.imports.add(f"pinstripe.models.{module}", name)
        return name

    def quoted(self, form: str, schemas: Iterable[str]) -> str:
        self.imports.add("pinstripe._base", form)
        result = []
        for name in targets(self.api, spec.Union(tuple(spec.Ref(name) for name in schemas))):
            model = names.model(self.api.schemas[name])
            result.append(model)
            if (module := module_of(self.api, name)) != self.module.name:
                self.imports.typing_only[f"pinstripe.models.{module}"].add(model)
        return f'{form}["{alternatives(result)}"]'

    def scalar(self, name: str) -> str:
        if name in _SCALAR_TYPES:
            self.imports.add("pinstripe._scalars", name)
        elif name == "Any":
            self.imports.add("typing", "Any")
        return name


def merged(alternatives: Iterable[Iterable[spec.Field]]) -> tuple[spec.Field, ...]:
    """Return the fields of one of several shapes; a field that not all of them require can be missing."""
    shapes = [{item.name: item for item in fields} for fields in alternatives]
    merged: dict[str, spec.Field] = {}
    for shape in shapes:
        for name, item in shape.items():
            known = merged.get(name)
            if known is None:
                merged[name] = replace(item, required=all(name in other and other[name].required for other in shapes))
            elif known.type != item.type:
                merged[name] = replace(known, type=_union(known.type, item.type))
    return tuple(merged.values())


def _union(first: spec.Type, second: spec.Type) -> spec.Type:
    objects = (*spec.objects(first), *spec.objects(second))
    if isinstance(first, spec.Object) and isinstance(second, spec.Object):
        return spec.Object(merged(kind.fields for kind in objects))
    return spec.Union((first, second))


def _split(annotation: str) -> list[str]:
    """Return the options of an annotation, where it is a union at its top level."""
    options, depth, start = [], 0, 0
    for index, char in enumerate(annotation):
        depth += (char in "[(") - (char in "])")
        if char == "|" and not depth and annotation[index - 1] == " ":
            options.append(annotation[start : index - 1])
            start = index + 2
    return [*options, annotation[start:]]


def object_table(api: spec.Api) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Return the models by ``object`` value, and those of what is returned for deleted objects."""
    objects: dict[str, str] = {"list": "ListObject", "search_result": "SearchResult"}
    deleted: dict[str, str] = {}
    for value, model, is_deleted in _objects(api):
        table = deleted if is_deleted else objects
        if table.setdefault(value, model) != model:
            raise ValueError(f"{model} and {table[value]} both have the object value {value}")
    return dict(sorted(objects.items())), dict(sorted(deleted.items()))


def _objects(api: spec.Api) -> Iterator[tuple[str, str, bool]]:
    for schema in sorted(api.schemas.values(), key=lambda schema: (not schema.resource, schema.name)):
        if schema.standalone and schema.object and not schema.options:
            yield schema.object, names.model(schema), schema.name.startswith(spec.DELETED)
