"""Which module holds which class.

A resource, or a service's parameters, has a module; a part that only one module uses lives there. Parts that several
modules use live together with those that exactly the same modules use, so whoever imports a module needs all of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from codegen import ir, names, shapes
from codegen.read import ERRORS


def edges(model: ir.Model) -> set[str]:
    """The objects that stand in a model's fields."""
    return {target for item in model.fields for target in shapes.objects(item.type)}


def users(models: Mapping[str, ir.Model], roots: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """The modules that lead to each model; ``roots`` are the modules of those that have one of their own."""
    found: dict[str, set[str]] = defaultdict(set)
    for key, module in roots.items():
        waiting = [key]
        seen: set[str] = set()
        while waiting:
            current = waiting.pop()
            if current in seen:
                continue
            seen.add(current)
            found[current].add(module)
            waiting.extend(target for target in edges(models[current]) if target not in roots)
    return {key: frozenset(modules) for key, modules in found.items()}


def assign(models: Mapping[str, ir.Model], roots: Mapping[str, str], common: str = "") -> None:
    """Set the module of every model; small clusters go to ``common`` if there is one, those that need no other one."""
    clusters: dict[frozenset[str], list[str]] = defaultdict(list)
    for key, modules in users(models, roots).items():
        if key in roots:
            models[key].module = roots[key]
        elif len(modules) == 1:
            models[key].module = next(iter(modules))
        else:
            clusters[modules].append(key)
    taken = {*roots.values(), "values"}
    if common:
        for modules in _small(models, clusters, roots):
            for key in clusters.pop(modules):
                models[key].module = common
    for modules in list(clusters):
        if host := _host(models, roots, modules):
            for key in clusters.pop(modules):
                models[key].module = host
    for modules in sorted(clusters, key=lambda modules: (len(modules), sorted(modules))):
        name = _cluster_name(models, clusters[modules])
        while name in taken:
            name += "_parts"
        taken.add(name)
        for key in clusters[modules]:
            models[key].module = name


def _host(models: Mapping[str, ir.Model], roots: Mapping[str, str], modules: frozenset[str]) -> str:
    """The module among these that all the others import anyway."""
    for host in sorted(modules):
        others = [key for key, module in roots.items() if module in modules - {host}]
        inside = {key for key, module in roots.items() if module == host}
        if others and all(_reach(models, key) & inside for key in others):
            return host
    return ""


def _reach(models: Mapping[str, ir.Model], key: str) -> set[str]:
    seen: set[str] = set()
    waiting = [key]
    while waiting:
        current = waiting.pop()
        if current not in seen:
            seen.add(current)
            waiting.extend(edges(models[current]))
    return seen


def _small(
    models: Mapping[str, ir.Model], clusters: Mapping[frozenset[str], list[str]], roots: Mapping[str, str]
) -> list[frozenset[str]]:
    small = {modules: keys for modules, keys in clusters.items() if len(keys) <= 3}
    while True:
        inside = {key for keys in small.values() for key in keys}
        kept = {
            modules: keys
            for modules, keys in small.items()
            if all(target in inside for key in keys for target in edges(models[key]) if target not in roots)
        }
        if len(kept) == len(small):
            return list(kept)
        small = kept


def _cluster_name(models: Mapping[str, ir.Model], keys: Iterable[str]) -> str:
    inner = {target for key in keys for target in edges(models[key])}
    tops = sorted({models[key].name for key in keys if key not in inner} or {models[key].name for key in keys})
    common = names.common_prefix(tops)
    return names.snake((common if len(tops) > 1 and common else tops[0]).removesuffix("Params"))


def place_models(api: ir.Api) -> None:
    """Modules of models: one for each resource, with its deleted variant; errors and thin events have their own."""
    alone = {
        key
        for model in api.models.values()
        for item in model.fields
        for part in shapes.parts(item.type)
        if isinstance(part, ir.Expandable)
        for key in part.keys
    }
    roots = {key: _model_root(key, model, key in alone) for key, model in api.models.items()}
    assign(api.models, {key: module for key, module in roots.items() if module})


def _model_root(key: str, model: ir.Model, alone: bool) -> str:
    if names.THIN_EVENT_DATA.match(key):
        return "thin_event_data"
    if key in ERRORS:
        return "errors"
    if alone or shapes.nominal(model) or key == "v2.deleted_object":
        return names.snake(model.name.removeprefix("Deleted"))
    return ""


def place_params(api: ir.Api) -> None:
    """Modules of parameters: one for each top-level service."""
    roots = {key: "common" for model in api.params.values() for key in (model.same, model.base) if key}
    for endpoint in api.endpoints:
        steps = endpoint.service.split(".")
        roots[endpoint.key] = "_".join(steps[:2] if steps[0] == "v2" else steps[:1])
    assign(api.params, roots, common="common")
