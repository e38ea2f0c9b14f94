"""Identical shapes are one class, and options that nothing tells apart are one shape."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import replace

from codegen import ir


def rewrite(kind: ir.Type, change: Callable[[ir.Type], ir.Type]) -> ir.Type:
    """The type with ``change`` applied to every part, from the inside out."""
    match kind:
        case ir.ListOf(item):
            kind = ir.ListOf(rewrite(item, change))
        case ir.MapOf(value):
            kind = ir.MapOf(rewrite(value, change))
        case ir.PageOf(page, item):
            kind = ir.PageOf(page, rewrite(item, change))
        case ir.Clearable(inner):
            kind = ir.Clearable(rewrite(inner, change))
        case ir.Union(options):
            kind = ir.Union(tuple(dict.fromkeys(rewrite(option, change) for option in options)))
        case _:
            pass
    return change(kind)


def parts(kind: ir.Type) -> Iterator[ir.Type]:
    """The type and every type inside it."""
    yield kind
    match kind:
        case ir.ListOf(inner) | ir.MapOf(inner) | ir.PageOf(_, inner) | ir.Clearable(inner):
            yield from parts(inner)
        case ir.Union(options):
            for option in options:
                yield from parts(option)
        case _:
            pass


def objects(kind: ir.Type) -> Iterator[str]:
    """The keys of the objects that stand directly in a type, not those that come only when asked for."""
    return (part.key for part in parts(kind) if isinstance(part, ir.Object))


def targets(kind: ir.Type) -> Iterator[str]:
    """The keys of all objects that a type leads to, also of those that ``expand`` can fill in."""
    for part in parts(kind):
        match part:
            case ir.Object(key):
                yield key
            case ir.Expandable(keys) | ir.Lazy(keys):
                yield from keys
            case _:
                pass


def renamed(kind: ir.Type, names: Mapping[str, str]) -> ir.Type:
    """The type with the keys of its objects replaced."""

    def change(part: ir.Type) -> ir.Type:
        match part:
            case ir.Object(key):
                return ir.Object(names[key])
            case ir.Expandable(keys):
                return ir.Expandable(tuple(dict.fromkeys(names[key] for key in keys)))
            case ir.Lazy(keys):
                return ir.Lazy(tuple(dict.fromkeys(names[key] for key in keys)))
            case _:
                return part

    return rewrite(kind, change)


def nominal(model: ir.Model) -> bool:
    """Whether a model is known by its name (it says what it is in ``object``), not only by its shape."""
    return model.object_value is not None or model.resource


def merge_options(models: dict[str, ir.Model]) -> None:
    """Make one shape of a union of objects that no ``object`` field tells apart: it has the fields of all of them."""
    waiting = list(models)
    while waiting:
        model = models[waiting.pop()]
        before = set(models)
        model.fields = tuple(
            replace(item, type=rewrite(item.type, lambda kind: _merged(models, kind))) for item in model.fields
        )
        waiting.extend(set(models) - before)


def _merged(models: dict[str, ir.Model], kind: ir.Type) -> ir.Type:
    if not isinstance(kind, ir.Union):
        return kind
    kind = ir.Union(_for_servers(kind.options))
    if len(kind.options) == 1:
        return kind.options[0]
    enums = [option for option in kind.options if isinstance(option, ir.Enum)]
    if len(enums) == len(kind.options):
        return ir.Enum(tuple(dict.fromkeys(value for option in enums for value in option.values)))
    keys = [option.key for option in kind.options if isinstance(option, ir.Object)]
    if len(keys) != len(kind.options) or all(models[key].object_value for key in keys):
        return kind
    merged = "|".join(keys)
    if merged not in models:
        models[merged] = ir.Model(merged, tuple(_merged_fields([models[key] for key in keys])), component=False)
    return ir.Object(merged)


def _for_servers(options: tuple[ir.Type, ...]) -> tuple[ir.Type, ...]:
    """Without the variants that only a publishable key is shown."""
    kept = tuple(option for option in options if not (isinstance(option, ir.Object) and option.key.endswith("_client")))
    return kept or options


def _merged_fields(options: list[ir.Model]) -> Iterator[ir.Field]:
    by_name: dict[str, list[ir.Field]] = {}
    for option in options:
        for item in option.fields:
            by_name.setdefault(item.name, []).append(item)
    for name, found in by_name.items():
        kinds = tuple(dict.fromkeys(item.type for item in found))
        yield ir.Field(
            name=name,
            type=kinds[0] if len(kinds) == 1 else ir.Union(kinds),
            required=len(found) == len(options) and all(item.required for item in found),
            nullable=any(item.nullable for item in found),
            deprecated=all(item.deprecated for item in found),
        )


def unify(models: dict[str, ir.Model], roots: Iterable[str] = ()) -> dict[str, str]:
    """Fold identical shapes together in place; the answer maps every key to the key that stands for it.

    Two objects are identical when nothing that can be reached through their fields differs, so the coarsest partition
    is refined until it is stable, as one minimises an automaton: this also folds shapes that hold themselves.
    """
    keep = {key for key, model in models.items() if nominal(model)} | set(roots)
    block: dict[str, int] = {key: index + 1 if key in keep else 0 for index, key in enumerate(models)}
    while True:
        signatures: dict[Hashable, int] = {}
        refined = {
            key: signatures.setdefault(_signature(model, block), len(signatures)) for key, model in models.items()
        }
        if len(set(refined.values())) == len(set(block.values())):
            break
        block = refined
    leaders: dict[int, str] = {}
    for key in sorted(models, key=lambda key: (not models[key].component, len(key), key)):
        leaders.setdefault(block[key], key)
    canonical = {key: leaders[block[key]] for key in models}

    for model in models.values():
        model.fields = tuple(replace(item, type=renamed(item.type, canonical)) for item in model.fields)
    for key in [key for key in models if canonical[key] != key]:
        del models[key]
    return canonical


def _signature(model: ir.Model, block: dict[str, int]) -> Hashable:
    def shape(kind: ir.Type) -> ir.Type:
        return ir.Object(str(block[kind.key])) if isinstance(kind, ir.Object) else kind

    fields = sorted(
        (replace(item, type=rewrite(item.type, shape)) for item in model.fields), key=lambda item: item.name
    )
    return (block[model.key], tuple(fields))


def prune(models: dict[str, ir.Model], roots: Iterable[str]) -> None:
    """Drop what no root leads to, such as an option that a merged shape has taken in."""
    reached: set[str] = set()
    waiting = [*roots, *(key for key, model in models.items() if nominal(model))]
    while waiting:
        key = waiting.pop()
        if key not in reached:
            reached.add(key)
            waiting.extend(target for item in models[key].fields for target in targets(item.type))
    for key in set(models) - reached:
        del models[key]
