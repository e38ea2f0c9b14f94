"""Turn the facts into what the writers need: identical shapes merged, names, modules, and a graph of models that is cut."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from codegen import exceptions, ir, layout, names, operations, read, shapes

# The validator of a model contains those of the resources it embeds, unless these bring more classes than this.
HEAVY = 15


def resolve(folder: Path) -> ir.Api:
    """Read the API description in a folder and resolve it."""
    return resolve_api(read.read(folder))


def resolve_api(api: ir.Api) -> ir.Api:
    """Resolve names, shared shapes, modules and references of an API description."""
    api.endpoints = operations.name_operations(api.endpoints)
    names.name_operation_params(api.endpoints)
    for endpoint in api.endpoints:
        api.params[endpoint.key] = ir.Model(endpoint.key, endpoint.params, component=False, name=endpoint.params_name)
    refine(api.models)
    fold(api)
    share(api)
    names.name_models(api.models)
    names.name_params(api.params)
    api.model_values = names.name_values(api.models)
    api.param_values = names.name_values(api.params)
    cut(api.models)
    layout.place_models(api)
    layout.place_params(api)
    return api


def share(api: ir.Api) -> None:
    """Make one class of the parameters that many operations have in common.

    For an operation without other parameters, the class of its parameters is an alias; for others it is a subclass.
    """
    for wanted, name in exceptions.COMMON_PARAMS.items():
        key = f"{name}()"
        for endpoint in api.endpoints:
            own = api.params[endpoint.key]
            common = tuple(item for item in own.fields if item.name in wanted)
            if not own.base and not own.same and tuple(sorted(item.name for item in common)) == wanted:
                shared = api.params.setdefault(key, ir.Model(key, common, component=False, name=name))
                if shared.fields == own.fields:
                    own.same = key
                elif set(shared.fields) <= set(own.fields):
                    own.base = key


def refine(models: dict[str, ir.Model]) -> None:
    """Correct the types of fields that the document does not describe well."""
    for (key, name), kind in exceptions.FIELDS.items():
        if key in models:
            fields = models[key].fields
            models[key].fields = tuple(replace(item, type=kind) if item.name == name else item for item in fields)


def fold(api: ir.Api) -> None:
    """Merge identical shapes of models and parameters, and update the references of endpoints and events."""
    shapes.merge_options(api.models)
    roots = [key for endpoint in api.endpoints if endpoint.returns for key in shapes.objects(endpoint.returns)]
    roots += [event.data_key for event in api.thin_events if event.data_key]
    roots += [key for key in api.models if key in read.ERRORS]
    shapes.prune(api.models, roots)
    same = shapes.unify(api.models, [key for key in roots if key in api.models])
    shapes.unify(api.params, [endpoint.key for endpoint in api.endpoints])

    for endpoint in api.endpoints:
        endpoint.params = api.params[endpoint.key].fields
        if endpoint.returns:
            endpoint.returns = shapes.renamed(endpoint.returns, same)
    api.events = [replace(event, object=shapes.renamed(event.object, same)) for event in api.events]
    api.thin_events = [replace(event, data_key=event.data_key and same[event.data_key]) for event in api.thin_events]


def cut(models: dict[str, ir.Model]) -> None:
    """Cut the graph of models: large resources, and those that are one of several, are decoded by their ``object`` field."""
    weight: dict[str, int] = {}

    def light(kind: ir.Type) -> bool:
        return isinstance(kind, ir.Object) and (not shapes.nominal(models[kind.key]) or weigh(kind.key) <= HEAVY)

    def weigh(key: str) -> int:
        if key not in weight:
            weight[key] = HEAVY + 1  # a cycle counts as heavy
            weight[key] = len(_closure(models, key, light))
        return weight[key]

    def change(kind: ir.Type) -> ir.Type:
        if isinstance(kind, ir.Union) and all(isinstance(option, ir.Object | ir.Lazy) for option in kind.options):
            return ir.Lazy(tuple(key for option in kind.options for key in _keys(option)))
        if isinstance(kind, ir.Object) and not light(kind):
            return ir.Lazy((kind.key,))
        return kind

    for model in models.values():
        model.fields = tuple(replace(item, type=shapes.rewrite(item.type, change)) for item in model.fields)


def _keys(kind: ir.Type) -> tuple[str, ...]:
    match kind:
        case ir.Object(key):
            return (key,)
        case ir.Lazy(keys):
            return keys
        case _:
            return ()


def _closure(models: dict[str, ir.Model], key: str, light: Callable[[ir.Type], bool]) -> set[str]:
    seen: set[str] = set()
    waiting = [key]
    while waiting:
        current = waiting.pop()
        if current not in seen:
            seen.add(current)
            for item in models[current].fields:
                found = (part for part in shapes.parts(item.type) if isinstance(part, ir.Object))
                waiting.extend(part.key for part in found if light(part))
    return seen
