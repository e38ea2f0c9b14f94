"""Write ``models/``: a module for the models of every resource, and the tables by which they are found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from codegen import names, spec, text
from codegen.build_models import literal, object_table, targets
from codegen.classes import ClassDef, FieldDef, ModuleDef, in_order


def write_models(api: spec.Api, modules: Mapping[str, ModuleDef]) -> Iterator[tuple[str, str]]:
    """Return every file of ``models/`` with its text."""
    for name, module in modules.items():
        yield f"models/{name}.py", _module(module)
    yield "models/__init__.py", _index(api, modules)
    yield "models/_event_types.py", _event_types(api)
    yield "models/_error_codes.py", _error_codes(api)
    yield "models/_event_classes.py", text.header("The classes of event types.") + _EVENT_CLASSES


def _module(module: ModuleDef) -> str:
    runtime = {name: set(imported) for name, imported in module.imports.runtime.items()}
    deferred = {
        name: imported - runtime.get(name, set()) for name, imported in module.imports.typing_only.items() if imported
    }
    deferred = {name: imported for name, imported in deferred.items() if imported}
    if deferred:
        runtime.setdefault("typing", set()).add("TYPE_CHECKING")
    parts = [text.header(module.title), text.grouped_imports(runtime)]
    if deferred:
        parts.append("\nif TYPE_CHECKING:\n" + text.imports(deferred, "    "))
    classes = in_order(module.classes)
    parts.append(text.exports(classes))
    parts += ["\n\n" + _class(cls) for cls in classes]
    return "".join(parts)


def _class(cls: ClassDef) -> str:
    body = text.docstring(cls.doc, "    ") + "".join(map(_field, cls.fields))
    return f"class {cls.name}(StripeModel):\n" + (body or "    pass\n")


def _field(field: FieldDef) -> str:
    if field.name != field.key:
        default = f' = Field({"" if field.required else f"{field.default}, "}alias="{field.key}")'
    else:
        default = "" if field.required else f" = {field.default}"
    return f"    {field.name}: {field.annotation}{default}\n" + text.docstring(field.doc, "    ")


def _index(api: spec.Api, modules: Mapping[str, ModuleDef]) -> str:
    objects, deleted = object_table(api)
    return (
        text.header("Every model of Stripe's API, loaded when it is first used.")
        + "from typing import TYPE_CHECKING\n\n"
        + "from pinstripe._base import ListObject, Ref, SearchResult, StripeModel, StripeObject, V2List\n"
        + "from pinstripe._lazy import LazyClasses as _LazyClasses\n"
        + "from pinstripe._registry import Registry as _Registry\nfrom pinstripe._registry import register as _register\n"
        + "\nif TYPE_CHECKING:\n"
        + "".join(f"    from pinstripe.models.{name} import *\n" for name in modules)
        + f"\n# The class of every `object` value.\n_OBJECTS: dict[str, str] = {_dict(objects)}\n\n"
        + f"# The same for deleted objects.\n_DELETED: dict[str, str] = {_dict(deleted)}\n\n"
        + f"{text.lazy_classes(modules)}\n\n"
        + _INDEX_CODE
    )


def _error_codes(api: spec.Api) -> str:
    """Write the codes of errors, which the stub of `pinstripe.errors` names."""
    fields = api.schemas["api_errors"].fields if "api_errors" in api.schemas else ()
    codes = ", ".join(literal(code) for item in fields if item.name == "code" for code in spec.values(item.type))
    annotation = f"Literal[{codes}]" if codes else "str"
    return (
        text.header("The known codes of errors: https://docs.stripe.com/error-codes")
        + f"from typing import Literal, TypeAlias\n\nErrorCode: TypeAlias = {annotation}\n"
    )


def _dict(table: Mapping[str, str]) -> str:
    return "{" + "".join(f'"{key}": "{value}", ' for key, value in table.items()) + "}"


_INDEX_CODE = """def _event(event_type: str) -> type[StripeModel]:
    from pinstripe.models._event_classes import class_for  # here, since most programs decode no events

    return class_for(event_type)


def __dir__() -> list[str]:
    return sorted([*_classes.names(), "ListObject", "Ref", "SearchResult", "StripeModel", "StripeObject", "V2List"])


_register(_Registry(_OBJECTS, _DELETED, _classes.load, _event, StripeObject))

if not TYPE_CHECKING:  # a type checker that sees __getattr__ accepts every name

    def __getattr__(name: str) -> object:
        return __dir__() if name == "__all__" else _classes.load(name)
"""

_EVENT_CLASSES = '''from pinstripe._base import StripeModel
from pinstripe._event_class import event_class
from pinstripe._registry import registry
from pinstripe.models._event_types import EVENT_TYPES, THIN_EVENT_TYPES
from pinstripe.models.event import Event
from pinstripe.models.v2_core_event import V2CoreEvent


def class_for(event_type: str) -> type[StripeModel]:
    """Return the class of an event type, snapshot or thin; `Event` or `V2CoreEvent` for an unknown type."""
    if event_type in EVENT_TYPES:
        name, models, _ = EVENT_TYPES[event_type]
        link = f"https://docs.stripe.com/api/events/types#event_types-{event_type}"
        return event_class(name, Event, event_type, f"A ``{event_type}`` event, with a {models}. {link}")
    if event_type in THIN_EVENT_TYPES:
        name, _, data = THIN_EVENT_TYPES[event_type]
        fields = {"data": registry().load(data)} if data else {}
        return event_class(
            name.removesuffix("Notification"), V2CoreEvent, event_type, f"A ``{event_type}`` event.", **fields
        )
    return V2CoreEvent if event_type.startswith(("v1.", "v2.")) else Event
'''


def event_models(api: spec.Api, schema: str) -> list[str]:
    """Return the models that the object of an event can have."""
    return [names.model(api.schemas[name]) for name in targets(api, spec.Ref(schema))]


def thin_models(api: spec.Api, event: spec.ThinEvent) -> tuple[str, str]:
    """Return the models of the related object and of the data of a thin event, empty where there is none."""
    related = names.model(api.schemas[event.related]) if event.related else ""
    return related, names.event_data(event.type) if event.data is not None else ""


def _event_types(api: spec.Api) -> str:
    rows = "".join(
        f'    "{event.type}": ("{names.event(event.type)}", "{" | ".join(event_models(api, event.object))}", '
        f"{event.previous_attributes}),\n"
        for event in api.events.values()
    )
    thin = ""
    for event in api.thin_events.values():
        related, data = (f'"{name}"' if name else "None" for name in thin_models(api, event))
        thin += f'    "{event.type}": ("{names.notification(event.type)}", {related}, {data}),\n'
    return (
        text.header("The types of events, with the names of their classes and models.")
        + "# type -> (class, model of data.object, whether previous_attributes can be there)\n"
        + f"EVENT_TYPES: dict[str, tuple[str, str, bool]] = {{\n{rows}}}\n\n"
        + "# type -> (class, model of the related object, model of the event's own data)\n"
        + f"THIN_EVENT_TYPES: dict[str, tuple[str, str | None, str | None]] = {{\n{thin}}}\n"
    )
