"""Write ``models/``: one module for each resource, and one for each group of classes that the same modules share."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator

from codegen import ir, shapes, text
from codegen.names import camel

SCALARS: dict[str, str] = {
    "str": "str",
    "currency": "str",
    "int": "int",
    "float": "float",
    "bool": "bool",
    "timestamp": "Timestamp",
    "datetime": "DateTime",
    "decimal": "DecimalString",
    "int64": "Int64String",
    "binary": "bytes",
    "any": "Any",
}
SCALAR_TYPES = {"DateTime", "DecimalString", "Int64String", "Timestamp"}
PAGES: dict[str, str] = {"list": "ListObject", "search": "SearchResult", "v2": "V2List"}


class Names:
    """Write types as annotations, and collect what has to be imported for them."""

    def __init__(self, models: dict[str, ir.Model], values: dict[ir.Enum, str]) -> None:
        self.models = models
        self.values = values
        self.used_values: set[str] = set()
        self.vocabulary: set[str] = set()
        self.typing: set[str] = set()
        self.now: set[str] = set()
        self.later: set[str] = set()

    def annotation(self, kind: ir.Type) -> str:
        """Return the annotation of a field."""
        match kind:
            case ir.Scalar(name):
                self._use(SCALARS[name])
                return SCALARS[name]
            case ir.Enum() if kind in self.values:
                self.used_values.add(self.values[kind])
                return self.values[kind]
            case ir.Enum(values):
                self.typing.add("Literal")
                return f"Literal[{', '.join(map(literal, values))}]"
            case ir.ListOf(item):
                return f"list[{self.annotation(item)}]"
            case ir.MapOf(value):
                return f"dict[str, {self.annotation(value)}]"
            case ir.Clearable(inner):
                return f"{self.annotation(inner)} | None"
            case ir.PageOf(page, item):
                self._use(PAGES[page])
                return f"{PAGES[page]}[{self.annotation(item)}]"
            case ir.Union(options):
                return text.alternatives(self.annotation(option) for option in options)
            case ir.Expandable(keys):
                return f'Expandable["{self._quoted("Expandable", keys)}"]'
            case ir.Lazy(keys):
                return f'Lazy["{self._quoted("Lazy", keys)}"]'
            case ir.Object(key):
                self.now.add(key)
                return self.models[key].name

    def _use(self, name: str) -> None:
        if name == "Any":
            self.typing.add(name)
        elif name[0].isupper():
            self.vocabulary.add(name)

    def _quoted(self, form: str, keys: tuple[str, ...]) -> str:
        self.vocabulary.add(form)
        self.later.update(keys)
        if not keys:
            self.vocabulary.add("StripeModel")
        return text.alternatives(self.models[key].name for key in keys) or "StripeModel"


def literal(value: str | bool) -> str:
    """Write a value inside ``Literal``."""
    return json.dumps(value) if isinstance(value, str) else str(value)


def write_models(api: ir.Api) -> Iterator[tuple[str, str]]:
    """Return every file of ``models/`` with its text."""
    modules: dict[str, list[ir.Model]] = defaultdict(list)
    for model in api.models.values():
        modules[model.module].append(model)
    docs = {key: where for endpoint in api.endpoints for key, where in _documented(endpoint)}
    places = _places(api.models)
    for module, models in sorted(modules.items()):
        yield f"models/{module}.py", _module(api, module, _ordered(models), docs, places)
    yield "models/values.py", values_module(api.version, api.model_values)
    yield "models/__init__.py", _index(api)
    yield "models/_event_types.py", _event_types(api)
    yield "models/_event_classes.py", text.header(api.version, "The classes of event types.") + _EVENT_CLASSES


def values_module(version: str, values: dict[ir.Enum, str]) -> str:
    """Write the module of the long lists of values."""
    rows = [
        text.fold(f"{name}: TypeAlias = Literal[{', '.join(map(literal, kind.values))}]")
        for kind, name in sorted(values.items(), key=lambda pair: pair[1])
    ]
    return (
        text.header(version, "The long lists of values.")
        + "from typing import Literal\n\nfrom typing_extensions import TypeAlias\n\n"
        + "\n".join(rows)
        + "\n"
    )


def _documented(endpoint: ir.Endpoint) -> Iterator[tuple[str, str]]:
    if endpoint.method in ("retrieve", "create", "list") and isinstance(endpoint.returns, ir.Object):
        yield endpoint.returns.key, docs_url(endpoint.service) + "/object"


def docs_url(service: str) -> str:
    """Return the page of Stripe's reference for a service."""
    return "https://docs.stripe.com/api/" + service.replace(".", "/")


def _places(models: dict[str, ir.Model]) -> dict[str, str]:
    found: dict[str, list[str]] = defaultdict(list)
    for model in models.values():
        for item in model.fields:
            for key in shapes.objects(item.type):
                found[key].append(f"`{model.name}.{item.name}`")
    return {
        key: ", ".join(places[:3]) + (f" and {len(places) - 3} more" if len(places) > 3 else "")
        for key, places in found.items()
    }


def _ordered(models: Iterable[ir.Model]) -> list[ir.Model]:
    """Sort classes so that each comes after those in its annotations, which are evaluated at import."""
    inside = {model.key: model for model in sorted(models, key=lambda model: model.name)}
    done: dict[str, ir.Model] = {}

    def visit(model: ir.Model) -> None:
        if model.key in done:
            return
        for item in model.fields:
            for key in shapes.objects(item.type):
                if key in inside and key != model.key:
                    visit(inside[key])
        done[model.key] = model

    for model in inside.values():
        visit(model)
    return list(done.values())


def _module(api: ir.Api, module: str, models: list[ir.Model], docs: dict[str, str], places: dict[str, str]) -> str:
    names = Names(api.models, api.model_values)
    bodies = [_class(names, model, docs, places) for model in models]
    local = {model.key for model in models}
    now = {key for key in names.now if key not in local}
    later = {key for key in names.later if key not in local | now}
    names.vocabulary.add("StripeModel")
    vocabulary = {
        "pinstripe._base": names.vocabulary - SCALAR_TYPES,
        "pinstripe._scalars": names.vocabulary & SCALAR_TYPES,
    }
    if names.used_values:
        vocabulary["pinstripe.models.values"] = names.used_values
    for key in now:
        vocabulary.setdefault(f"pinstripe.models.{api.models[key].module}", set()).add(api.models[key].name)
    typing = set(names.typing) | ({"TYPE_CHECKING"} if later else set())
    if any(text.safe(item.name) != item.name for model in models for item in model.fields):
        vocabulary["pydantic"] = {"Field"}
    parts = [text.header(api.version, _title(models))]
    if typing:
        parts.append(text.imports({"typing": typing}) + "\n")
    if pydantic := vocabulary.pop("pydantic", None):
        parts.append(text.imports({"pydantic": pydantic}) + "\n")
    parts.append(text.imports(vocabulary))
    if later:
        deferred: dict[str, set[str]] = defaultdict(set)
        for key in later:
            deferred[f"pinstripe.models.{api.models[key].module}"].add(api.models[key].name)
        parts.append("\nif TYPE_CHECKING:\n" + text.imports(deferred, "    "))
    return "".join(parts) + "\n" + "\n".join(bodies)


def _title(models: list[ir.Model]) -> str:
    named = [model for model in models if shapes.nominal(model)]
    shown = named or models[-1:]
    return ", ".join(sorted(model.name for model in shown)) + (" and its parts." if len(models) > len(shown) else ".")


def _class(names: Names, model: ir.Model, docs: dict[str, str], places: dict[str, str]) -> str:
    lines = [f"class {model.name}(StripeModel):"]
    if said := _doc(model, docs, places):
        lines.append(f'    """{said}"""')
    elif not model.fields:
        lines.append("    pass")
    for item in model.fields:
        annotation = names.annotation(item.type)
        if item.nullable or not item.required:
            annotation = text.alternatives([annotation, "None"]) if not annotation.endswith("| None") else annotation
        name = text.safe(item.name)
        default = "" if item.required else " = None"
        if name != item.name:
            default = f' = Field({"" if item.required else "None, "}alias="{item.name}")'
        lines.append(text.fold(f"    {name}: {annotation}{default}", "    "))
    return "\n".join(lines) + "\n"


def _doc(model: ir.Model, docs: dict[str, str], places: dict[str, str]) -> str:
    if model.object_value and model.name.startswith("Deleted"):
        return f"A deleted `{model.object_value}`."
    if model.object_value:
        return f"A Stripe `{model.object_value}`." + (f" {docs[model.key]}" if model.key in docs else "")
    place = places.get(model.key, "")
    if "," not in place:
        return ""  # one place, which the name says
    return f"The type of {place}."


def _index(api: ir.Api) -> str:
    modules: dict[str, list[str]] = defaultdict(list)
    for model in api.models.values():
        modules[model.module].append(model.name)
    objects, deleted = _objects(api)
    rows = (text.fill(f'    "{name}": (', quoted(modules[name]), "),", "    ") for name in sorted(modules))
    return (
        text.header(api.version, "Every model of Stripe's API, loaded when it is first used.")
        + "from importlib import import_module\nfrom typing import TYPE_CHECKING\n\n"
        + "from pinstripe._registry import Registry as _Registry, register as _register\n"
        + "from pinstripe._base import ListObject, Ref, SearchResult, StripeModel, StripeObject, V2List\n"
        + "\nif TYPE_CHECKING:\n"
        + "".join(f"    from pinstripe.models.{module} import *\n" for module in sorted(modules))
        + "\n# The classes of every module.\n_CLASSES: dict[str, tuple[str, ...]] = {\n"
        + "".join(row + "\n" for row in rows)
        + "}\n_MODULES = {name: module for module, names in _CLASSES.items() for name in names}\n\n"
        + "# The class of every `object` value.\n"
        + f"{objects}\n\n"
        + "# The same for deleted objects.\n"
        + f"{deleted}\n\n\n"
        + _INDEX_CODE
    )


def quoted(names: Iterable[str]) -> list[str]:
    """Return the elements of a tuple, with a comma if there is only one."""
    found = [f'"{name}"' for name in sorted(names)]
    return found if len(found) > 1 else [f"{found[0]},"]


_INDEX_CODE = """def _load(name: str) -> type[StripeModel]:
    found = globals().get(name)
    if found is None:
        found = globals()[name] = getattr(import_module(f"pinstripe.models.{_MODULES[name]}"), name)
    assert isinstance(found, type) and issubclass(found, StripeModel)
    return found


def __dir__() -> list[str]:
    return sorted([*_MODULES, "ListObject", "Ref", "SearchResult", "StripeModel", "StripeObject", "V2List"])


def _event(event_type: str) -> type[StripeModel]:
    from pinstripe.models._event_classes import class_for  # here, since most programs decode no events

    return class_for(event_type)


_register(_Registry(_OBJECTS, _DELETED, _load, _event, StripeObject))

if not TYPE_CHECKING:  # a type checker that sees __getattr__ accepts every name
    __all__ = __dir__()

    def __getattr__(name: str) -> type[StripeModel]:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return _load(name)
"""


_EVENT_CLASSES = """from pinstripe._base import StripeModel, event_class
from pinstripe._registry import registry
from pinstripe.models._event_types import EVENT_TYPES, THIN_EVENT_TYPES
from pinstripe.models.event import Event
from pinstripe.models.v2_core_event import V2CoreEvent

def class_for(event_type: str) -> type[StripeModel]:
    \"""Return the class of an event type, snapshot or thin; `Event` or `V2CoreEvent` for an unknown type.\"""
    if event_type in EVENT_TYPES:
        name, models, _ = EVENT_TYPES[event_type]
        link = f"https://docs.stripe.com/api/events/types#event_types-{event_type}"
        return event_class(name, Event, event_type, f"A ``{event_type}`` event, with a {models}. {link}")
    if event_type in THIN_EVENT_TYPES:
        name, _, data = THIN_EVENT_TYPES[event_type]
        fields = {"data": registry().load(data)} if data else {}
        return event_class(name.removesuffix("Notification"), V2CoreEvent, event_type, f"A ``{event_type}`` event.", **fields)
    return V2CoreEvent if event_type.startswith(("v1.", "v2.")) else Event
"""


def _objects(api: ir.Api) -> tuple[str, str]:
    objects: dict[str, str] = {"list": "ListObject", "search_result": "SearchResult"}
    deleted: dict[str, str] = {}
    for model in sorted(api.models.values(), key=lambda model: (not model.resource, model.key)):
        if model.object_value:
            table = deleted if model.name.startswith("Deleted") else objects
            if table.setdefault(model.object_value, model.name) != model.name:
                raise ValueError(f"{model.name} and {table[model.object_value]} are both a {model.object_value!r}")
    return _table("_OBJECTS", objects), _table("_DELETED", deleted)


def _table(name: str, found: dict[str, str]) -> str:
    rows = [f'"{value}": "{model}"' for value, model in sorted(found.items())]
    return text.fill(f"{name}: dict[str, str] = " + "{", rows, "}")


def event_name(event_type: str) -> str:
    """Return the class name of an event type: ``InvoicePaidEvent`` for ``invoice.paid``."""
    return camel(event_type) + "Event"


def thin_event_name(event_type: str) -> str:
    """Return the class name of a thin event type: ``V1BillingMeterNoMeterFoundEventNotification``."""
    return camel(event_type) + "EventNotification"


def _event_types(api: ir.Api) -> str:
    rows = "".join(
        f'    "{event.type}": ("{event_name(event.type)}", "{spec(api.models, event.object)}", {event.previous_attributes}),\n'
        for event in api.events
    )
    thin = "".join(
        f'    "{event.type}": ("{thin_event_name(event.type)}", {_name(api, event.related_key)}, {_name(api, event.data_key)}),\n'
        for event in api.thin_events
    )
    return (
        text.header(api.version, "The types of events, with the names of their classes and models.")
        + "# type -> (class, model of data.object, whether previous_attributes can be there)\n"
        + f"EVENT_TYPES: dict[str, tuple[str, str, bool]] = {{\n{rows}}}\n\n"
        + "# type -> (class, model of the related object, model of the event's own data)\n"
        + f"THIN_EVENT_TYPES: dict[str, tuple[str, str | None, str | None]] = {{\n{thin}}}\n"
    )


def spec(models: dict[str, ir.Model], kind: ir.Type | None) -> str:
    """Return the names of the models of a result (``Customer | DeletedCustomer``), or of the items of a page."""
    match kind:
        case ir.PageOf(_, item):
            return spec(models, item)
        case _ if kind is not None:
            return text.alternatives(models[key].name for key in shapes.targets(kind))
        case _:
            return ""


def _name(api: ir.Api, key: str | None) -> str:
    return f'"{api.models[key].name}"' if key else "None"
