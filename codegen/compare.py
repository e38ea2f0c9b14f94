"""Print in Markdown what changed from one version of the API to another; what can break callers is marked and comes first."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from codegen import document, lines, places, spec
from codegen.places import Place

Section = Literal["Operations", "Objects", "Parameters", "Fields", "Events"]
Kind = Literal["added", "removed", "changed"]
SECTIONS: tuple[Section, ...] = ("Operations", "Objects", "Parameters", "Fields", "Events")
KINDS: tuple[Kind, ...] = ("removed", "changed", "added")
MANY = 6  # values of a long list are not all named


@dataclass(frozen=True)
class Change:
    """One difference. `owner` is an operation or object; empty where `what` stands for itself."""

    section: Section
    kind: Kind
    owner: str
    what: str
    breaking: bool = False


def load(folder: Path) -> spec.Api:
    """Read facts (`codegen/api`) or Stripe's document from a folder; raise `FileNotFoundError` if it holds neither."""
    if (folder / "spec3.json").exists():
        return document.read(folder)
    if (folder / "version.json").exists():
        return lines.read(folder)
    raise FileNotFoundError(f"{folder} holds neither facts (version.json) nor Stripe's document (spec3.json)")


def compare(old: spec.Api, new: spec.Api) -> list[Change]:
    """Return every difference between two versions."""
    return [
        *_operations(old, new),
        *_objects(old, new),
        *_names("Events", old.events, new.events),
        *_names("Events", old.thin_events, new.thin_events),
        *_event_objects(old, new),
    ]


def _names(section: Section, old: Mapping[str, object], new: Mapping[str, object]) -> Iterator[Change]:
    for name in old:
        if name not in new:
            yield Change(section, "removed", "", f"`{name}`", breaking=True)
    for name in new:
        if name not in old:
            yield Change(section, "added", "", f"`{name}`")


# --- operations -------------------------------------------------------------------------------------------------------


def _operations(old: spec.Api, new: spec.Api) -> Iterator[Change]:
    before, after = _by_path(old), _by_path(new)
    for key, operation in before.items():
        if key not in after:
            yield Change(
                "Operations", "removed", "", f"`{operation.name}` ({operation.verb} {operation.path})", breaking=True
            )
    for key, operation in after.items():
        if key not in before:
            yield Change("Operations", "added", "", f"`{operation.name}` ({operation.verb} {operation.path})")
            continue
        previous = before[key]
        if previous.name != operation.name:
            yield Change("Operations", "changed", operation.name, f"was called `{previous.name}`", breaking=True)
        if previous.path != operation.path:
            yield Change(
                "Operations",
                "changed",
                operation.name,
                f"the path is {operation.path}, was {previous.path}",
                breaking=True,
            )
        if operation.deprecated and not previous.deprecated:
            yield Change("Operations", "changed", operation.name, "is deprecated")
        returned = _returned(old, previous), _returned(new, operation)
        if returned[0] != returned[1]:
            yield Change(
                "Operations", "changed", operation.name, f"returns {returned[1]}, was {returned[0]}", breaking=True
            )
        yield from _params(
            operation.name, places.of_operation(old, previous), places.of_operation(new, operation), old, new
        )


def _by_path(api: spec.Api) -> dict[tuple[str, str], spec.Operation]:
    """Return the operations by verb and path, whatever the arguments in the path are called."""
    return {
        (operation.verb, re.sub(r"{\w+}", "{}", operation.path)): operation for operation in api.operations.values()
    }


def _returned(api: spec.Api, operation: spec.Operation) -> str:
    return _type(api, operation.returns) if operation.returns else "nothing"


def _params(
    name: str, before: dict[str, Place], after: dict[str, Place], old: spec.Api, new: spec.Api
) -> Iterator[Change]:
    for path in _roots(before, after):
        yield Change("Parameters", "removed", name, f"`{path}`", breaking=True)
    for path in _roots(after, before):
        parent = before.get(path.rpartition(".")[0])
        required = after[path].field.required and ("." not in path or (parent is not None and _has_fields(parent)))
        yield Change("Parameters", "added", name, f"`{path}`" + (" (required)" if required else ""), breaking=required)
    for path in (path for path in before if path in after):
        was, now = before[path].field, after[path].field
        if now.required and not was.required:
            yield Change("Parameters", "changed", name, f"`{path}` is required", breaking=True)
        if was.required and not now.required:
            yield Change("Parameters", "changed", name, f"`{path}` is optional")
        can_clear = was.clearable or was.nullable, now.clearable or now.nullable
        if can_clear[0] != can_clear[1]:
            text = "can be cleared" if can_clear[1] else "can no longer be cleared"
            yield Change("Parameters", "changed", name, f"`{path}` {text}", breaking=can_clear[0])
        if now.deprecated and not was.deprecated:
            yield Change("Parameters", "changed", name, f"`{path}` is deprecated")
        yield from _types("Parameters", name, path, _type(old, was.type), _type(new, now.type))
        yield from _limits(name, path, was.type, now.type)
        yield from _values("Parameters", name, before[path], after[path], removed_breaks=True)


# --- objects ----------------------------------------------------------------------------------------------------------


def _objects(old: spec.Api, new: spec.Api) -> Iterator[Change]:
    before = {name: schema for name, schema in old.schemas.items() if schema.standalone or schema.options}
    after = {name: schema for name, schema in new.schemas.items() if schema.standalone or schema.options}
    yield from _names("Objects", before, after)
    for name in (name for name in before if name in after):
        yield from _fields(name, places.of_schema(old, name), places.of_schema(new, name), old, new)
    for name, event in new.thin_events.items():
        if name in old.thin_events:
            yield from _fields(name, places.of_event(old, old.thin_events[name]), places.of_event(new, event), old, new)


def _fields(
    name: str, before: dict[str, Place], after: dict[str, Place], old: spec.Api, new: spec.Api
) -> Iterator[Change]:
    for path in _roots(before, after):
        yield Change("Fields", "removed", name, f"`{path}`", breaking=True)
    for path in _roots(after, before):
        yield Change("Fields", "added", name, f"`{path}`")
    for path in (path for path in before if path in after):
        was, now = before[path].field, after[path].field
        absent = was.nullable or not was.required, now.nullable or not now.required
        if absent[0] != absent[1]:
            text = "can be absent or null" if absent[1] else "is always there"
            yield Change("Fields", "changed", name, f"`{path}` {text}", breaking=absent[1])
        yield from _types("Fields", name, path, _type(old, was.type), _type(new, now.type))
        yield from _values("Fields", name, before[path], after[path], removed_breaks=False)


def _event_objects(old: spec.Api, new: spec.Api) -> Iterator[Change]:
    before = {name: event.object for name, event in old.events.items()}
    before.update((name, event.related or "") for name, event in old.thin_events.items())
    after = {name: event.object for name, event in new.events.items()}
    after.update((name, event.related or "") for name, event in new.thin_events.items())
    for name in (name for name in before if name in after and before[name] != after[name]):
        text = f"is about `{after[name]}`, was about `{before[name]}`"
        yield Change("Events", "changed", name, text, breaking=True)


# --- both -------------------------------------------------------------------------------------------------------------


def _roots(of: Mapping[str, Place], other: Mapping[str, Place]) -> Iterator[str]:
    """Yield the paths that the other side lacks, without those below one of them."""
    for path in of:
        if path not in other and (path.rpartition(".")[0] in other or "." not in path):
            yield path


def _limits(name: str, path: str, was: spec.Type, now: spec.Type) -> Iterator[Change]:
    before, after = spec.max_length(was), spec.max_length(now)
    if before and after and before != after:
        text = f"`{path}` takes at most {after:,} characters, was {before:,}"
        yield Change("Parameters", "changed", name, text, breaking=after < before)


def _has_fields(place: Place) -> bool:
    return bool(place.component or spec.objects(place.field.type))


def _types(section: Section, owner: str, path: str, was: str, now: str) -> Iterator[Change]:
    if was != now:
        yield Change(section, "changed", owner, f"`{path}` is {now}, was {was}", breaking=True)


def _values(section: Section, owner: str, was: Place, now: Place, *, removed_breaks: bool) -> Iterator[Change]:
    gone, come = set(was.values) - set(now.values), set(now.values) - set(was.values)
    if not was.values or not now.values:
        return  # the change of type is reported
    if gone:
        text = f"`{now.path}` no longer has {_listed(gone)}"
        yield Change(section, "changed", owner, text, breaking=removed_breaks)
    if come:
        yield Change(section, "changed", owner, f"`{now.path}` also has {_listed(come)}")


def _listed(values: Iterable[str]) -> str:
    ordered = sorted(values)
    shown = ", ".join(f"`{value}`" for value in ordered[:MANY])
    return shown + (f" and {len(ordered) - MANY} more" if len(ordered) > MANY else "")


def _type(api: spec.Api, kind: spec.Type) -> str:
    """Describe a type without the names of components and without values, which are compared apart."""
    match kind:
        case spec.Scalar(name):
            return name
        case spec.Enum(values):
            return "enum" if any(isinstance(value, str) for value in values) else "boolean"
        case spec.ListOf(item):
            return f"list of {_type(api, item)}"
        case spec.MapOf(value):
            return f"map of {_type(api, value)}"
        case spec.Nullable(inner):
            return f"{_type(api, inner)} or null"
        case spec.PageOf(_, item):
            return f"page of {_type(api, item)}"
        case spec.Union(options):
            return " or ".join(sorted({_type(api, option) for option in options})) or "empty"
        case spec.Ref(schema):
            return "object" if places.is_component(api.schemas[schema]) else f"`{schema}`"
        case spec.Expandable(schemas):
            return f"expandable {', '.join(f'`{schema}`' for schema in sorted(schemas))}"
        case spec.Object():
            return "object"


# --- printing ---------------------------------------------------------------------------------------------------------


def markdown(old: spec.Api, new: spec.Api, changes: list[Change]) -> Iterator[str]:
    """Yield the lines of a changelog."""
    yield f"# Stripe API {old.version} to {new.version}"
    yield ""
    yield " ".join(_summary(changes)) or "Nothing changed."
    yield ""
    if any(change.breaking for change in changes):
        yield "## Breaking"
        yield ""
        yield from breaking(changes)
    if rest := [change for change in changes if not change.breaking]:
        yield "## Compatible"
        yield ""
        yield from _listing(rest, "###")


def breaking(changes: list[Change]) -> Iterator[str]:
    """Yield the lines of a changelog about what can break callers."""
    yield from _listing([change for change in changes if change.breaking], "###")


def _summary(changes: list[Change]) -> Iterator[str]:
    for section in SECTIONS:
        kinds = [change.kind for change in changes if change.section == section]
        if kinds:
            yield f"{section}: {', '.join(f'{kinds.count(kind)} {kind}' for kind in KINDS if kind in kinds)}."


def _listing(changes: list[Change], level: str) -> Iterator[str]:
    for section in SECTIONS:
        for kind in KINDS:
            result = [change for change in changes if (change.section, change.kind) == (section, kind)]
            if result:
                yield f"{level} {section} {kind}"
                yield ""
                yield from _grouped(result)
                yield ""


def _grouped(changes: list[Change]) -> Iterator[str]:
    """Yield a line for each owner, one for all owners whose changes are the same."""
    by_owner: dict[str, list[str]] = {}
    for change in changes:
        by_owner.setdefault(change.owner, []).append(change.what)
    yield from (f"- {what}" for what in sorted(by_owner.pop("", [])))
    owners: dict[tuple[str, ...], list[str]] = {}
    for owner, texts in by_owner.items():
        owners.setdefault(tuple(texts), []).append(owner)
    for whats, names in sorted(owners.items(), key=lambda pair: pair[1]):
        joined = "; " if any(" " in what for what in whats) else ", "
        yield f"- {', '.join(f'`{name}`' for name in names)}: {joined.join(whats)}"


def main() -> int:
    """Print what changed between two folders; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m codegen.compare", description=__doc__)
    parser.add_argument("old", type=Path, help="folder of the older facts, or of Stripe's spec3.json")
    parser.add_argument("new", type=Path, help="folder of the newer ones")
    parser.add_argument("--breaking", action="store_true", help="only what breaks, as it stands in the changelog")
    options = parser.parse_args()
    old, new = load(options.old), load(options.new)
    changes = compare(old, new)
    print("\n".join(breaking(changes) if options.breaking else markdown(old, new, changes)).rstrip())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
