"""Compare the facts and the generated classes with what the official `stripe` package types; print what they lack.

Only names and types are read, by parsing the installed package. What it types and Stripe's document leaves out comes into
the facts through `codegen/additions.yaml`.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from codegen import facts, names, places, public_names, spec
from codegen.check_wording import official_package
from codegen.renames import Tree

SCALARS: dict[str, spec.ScalarKind] = {
    "str": "string",
    "int": "integer",
    "float": "float",
    "bool": "boolean",
    "Decimal": "decimal",
    "Any": "any",
}
LISTS = {"List", "list"}
MAPS = {"Dict", "UntypedStripeObject"}
PAGES = {"ListObject": "list", "SearchResultObject": "search"}
PAGE_OBJECTS = {"list", "search_result", "v2.search_result"}

# Classes of the official package that we do not have under that name, and why.
_ONE_SHAPE = "one of the shapes of `external_account`, whose class has the keys of all"
EXPLAINED = {
    "AccountCreateParamsCard": _ONE_SHAPE,
    "AccountCreateParamsCardToken": _ONE_SHAPE,
    "AccountExternalAccountCreateParamsCard": _ONE_SHAPE,
    "AccountExternalAccountCreateParamsCardToken": _ONE_SHAPE,
    "AccountUpdateParamsBankAccount": _ONE_SHAPE,
    "AccountUpdateParamsCard": _ONE_SHAPE,
    "AccountUpdateParamsCardToken": _ONE_SHAPE,
}


@dataclass
class Module:
    """One module of the package: its classes, nested ones by dotted name, and what it imports."""

    path: str
    classes: dict[str, ast.ClassDef] = field(default_factory=dict)
    dicts: dict[str, ast.Dict] = field(default_factory=dict)
    imports: dict[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """One method of a service: the operation it calls and where its parameters are typed."""

    verb: str
    path: str
    module: Module
    params: str | None


class Package:
    """The typings of the official package."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.modules = {_dotted(path, folder): self._module(path) for path in sorted(folder.rglob("*.py"))}
        self._known: dict[tuple[str, str], tuple[spec.Field, ...]] = {}

    def _module(self, path: Path) -> Module:
        module = Module(_dotted(path, self.folder))
        tree = ast.parse(path.read_text("utf-8"))
        for statement in ast.walk(tree):
            if isinstance(statement, ast.ImportFrom) and statement.module:
                for alias in statement.names:
                    module.imports[alias.asname or alias.name] = (statement.module, alias.name)
        _collect(tree.body, "", module)
        return module

    # --- objects ------------------------------------------------------------------------------------------------------

    @cached_property
    def objects(self) -> dict[str, tuple[Module, str]]:
        """The classes of objects by the value of `object`."""
        result: dict[str, tuple[Module, str]] = {}
        for module in self.modules.values():
            for name, node in module.classes.items():
                if (value := _object_name(node)) and "." not in name:
                    result.setdefault(value, (module, name))
        return result

    def fields(self, value: str) -> tuple[spec.Field, ...]:
        """Return the fields of an object."""
        module, name = self.objects[value]
        return self._once(module, name)

    def _once(self, module: Module, name: str) -> tuple[spec.Field, ...]:
        if (module.path, name) not in self._known:
            self._known[module.path, name] = self._fields(module, name)
        return self._known[module.path, name]

    def _fields(self, module: Module, name: str, seen: tuple[str, ...] = ()) -> tuple[spec.Field, ...]:
        result = []
        for base in module.classes[name].bases:
            base_name = ast.unparse(base)
            if base_name.endswith("Base") and base_name in module.dicts:
                result += self._dict_fields(module, module.dicts[base_name], seen)
        for statement in module.classes[name].body:
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                text = ast.unparse(statement.annotation)
                if "ClassVar" not in text and not statement.target.id.startswith("_"):
                    result.append(self._field(module, name, statement.target.id, statement.annotation, seen))
        return tuple(result)

    def _dict_fields(self, module: Module, node: ast.Dict, seen: tuple[str, ...]) -> list[spec.Field]:
        return [
            self._field(module, "", str(key.value), value, seen)
            for key, value in zip(node.keys, node.values, strict=True)
            if isinstance(key, ast.Constant)
        ]

    def _field(self, module: Module, scope: str, name: str, annotation: ast.expr, seen: tuple[str, ...]) -> spec.Field:
        inner, required, nullable = annotation, True, False
        while isinstance(inner, ast.Subscript) and ast.unparse(inner.value) in ("NotRequired", "Optional", "Required"):
            word = ast.unparse(inner.value)
            required, nullable = required and word != "NotRequired", nullable or word == "Optional"
            inner = _parsed(inner.slice)
        kind = self._type(module, scope, inner, seen)
        clearable = isinstance(kind, spec.Nullable)
        return spec.Field(
            name.removesuffix("_"),
            kind.inner if isinstance(kind, spec.Nullable) else kind,
            required=required and not nullable,
            nullable=nullable,
            clearable=clearable,
        )

    def _type(self, module: Module, scope: str, annotation: ast.expr, seen: tuple[str, ...]) -> spec.Type:
        node = _parsed(annotation)
        match node:
            case ast.BinOp(left, ast.BitOr(), right):
                return _union([self._type(module, scope, member, seen) for member in (left, right)])
            case ast.Subscript(value, inner):
                return self._generic(module, scope, ast.unparse(value), inner, seen)
            case ast.Name() | ast.Attribute():
                return self._named(module, scope, ast.unparse(node), seen)
            case _:
                return spec.Scalar("any")

    def _generic(self, module: Module, scope: str, word: str, inner: ast.expr, seen: tuple[str, ...]) -> spec.Type:
        arguments = list(inner.elts) if isinstance(inner, ast.Tuple) else [inner]
        if word == "Literal":
            return _literal(arguments)
        if word == "Union":
            return _union([self._type(module, scope, member, seen) for member in arguments])
        kind = self._type(module, scope, arguments[-1], seen)
        if word in LISTS:
            return spec.ListOf(kind)
        if word in MAPS:
            return spec.MapOf(kind)
        if word in PAGES:
            return spec.PageOf("list" if PAGES[word] == "list" else "search", kind)
        if word == "ExpandableField":
            return spec.Expandable(tuple(spec.references(kind)))
        return kind  # Optional and NotRequired inside

    def _named(self, module: Module, scope: str, name: str, seen: tuple[str, ...]) -> spec.Type:
        if name in SCALARS:
            return spec.Scalar(SCALARS[name])
        steps = scope.split(".") if scope else []
        for size in range(len(steps), -1, -1):
            inside = ".".join([*steps[:size], name])
            if inside in module.classes:
                return self._class(module, inside, seen)
        head, _, rest = name.partition(".")
        if head in module.imports:
            source, original = module.imports[head]
            other = self.modules.get(source)
            if other and (full := f"{original}.{rest}".rstrip(".")) in other.classes:
                return self._class(other, full, seen)
        return spec.Scalar("any")

    def _class(self, module: Module, name: str, seen: tuple[str, ...]) -> spec.Type:
        if value := _object_name(module.classes[name]):
            return spec.Ref(value)
        key = f"{module.path}.{name}"
        if key in seen:
            return spec.Scalar("any")
        return spec.Object(self._fields(module, name, (*seen, key)))

    @cached_property
    def thin_events(self) -> list[str]:
        """The types of thin events."""
        names = (_constant(node, "LOOKUP_TYPE") for member in self.modules.values() for node in member.classes.values())
        return sorted({name for name in names if name})

    # --- services -----------------------------------------------------------------------------------------------------

    def calls(self) -> Iterator[Call]:
        """Yield every operation of the services."""
        for module in self.modules.values():
            for name, node in module.classes.items():
                if name.endswith("Service"):
                    for method in node.body:
                        if isinstance(method, ast.FunctionDef):
                            yield from self._calls(module, method)

    def _calls(self, module: Module, method: ast.FunctionDef) -> Iterator[Call]:
        annotations = [member.annotation for member in method.args.args if member.arg == "params" and member.annotation]
        params = re.findall(r"\w+Params\b", ast.unparse(annotations[0])) if annotations else []
        for node in ast.walk(method):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("self._request", "self._request_stream"):
                verb, path = node.args[0], node.args[1]
                if isinstance(path, ast.Call) and isinstance(path.func, ast.Attribute):
                    path = path.func.value
                if isinstance(verb, ast.Constant) and isinstance(path, ast.Constant):
                    yield Call(str(verb.value).upper(), str(path.value), module, params[0] if params else None)

    def params(self, call: Call) -> tuple[spec.Field, ...]:
        """Return the parameters of an operation."""
        if call.params is None or call.params not in call.module.imports:
            return ()
        source, name = call.module.imports[call.params]
        return self._once(self.modules[source], name)


def _dotted(path: Path, folder: Path) -> str:
    parts = path.relative_to(folder.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _collect(body: Iterable[ast.stmt], prefix: str, module: Module) -> None:
    for statement in body:
        if isinstance(statement, ast.ClassDef):
            module.classes[f"{prefix}{statement.name}"] = statement
            _collect(statement.body, f"{prefix}{statement.name}.", module)
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call):
            target, call = statement.targets[0], statement.value
            if isinstance(target, ast.Name) and len(call.args) > 1 and isinstance(call.args[1], ast.Dict):
                module.dicts[target.id] = call.args[1]


def _object_name(node: ast.ClassDef) -> str | None:
    return _constant(node, "OBJECT_NAME")


def _constant(node: ast.ClassDef, name: str) -> str | None:
    for statement in node.body:
        target = statement.target if isinstance(statement, ast.AnnAssign) else None
        targets = statement.targets if isinstance(statement, ast.Assign) else [target]
        if any(isinstance(member, ast.Name) and member.id == name for member in targets):
            value = statement.value if isinstance(statement, ast.AnnAssign | ast.Assign) else None
            return str(value.value) if isinstance(value, ast.Constant) else None
    return None


def _parsed(node: ast.expr) -> ast.expr:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return ast.parse(node.value, mode="eval").body
    return node


def _literal(arguments: list[ast.expr]) -> spec.Type:
    values = [
        member.value
        for member in arguments
        if isinstance(member, ast.Constant) and isinstance(member.value, str | bool)
    ]
    if values == [""]:
        return spec.Nullable(spec.Union(()))
    return spec.Enum(tuple(sorted(values, key=str)))


def _union(options: list[spec.Type]) -> spec.Type:
    """Join options; a literal beside `str` is an open enum."""
    clearable = any(isinstance(member, spec.Nullable) for member in options)
    flat: list[spec.Type] = []
    for member in options:
        inner = member.inner if isinstance(member, spec.Nullable) else member
        flat.extend(inner.options if isinstance(inner, spec.Union) else [inner])
    if any(isinstance(member, spec.Enum) for member in flat):
        flat = [member for member in flat if member != spec.Scalar("string")]
    unique = tuple(dict.fromkeys(flat))
    joined = unique[0] if len(unique) == 1 else spec.Union(unique)
    return spec.Nullable(joined) if clearable else joined


# --- comparing --------------------------------------------------------------------------------------------------------


def missing_operations(package: Package, api: spec.Api) -> Iterator[str]:
    """Yield the operations that the facts lack."""
    known = {(operation.verb, _plain(operation.path)) for operation in api.operations.values()}
    for call in package.calls():
        if (call.verb, _plain(call.path)) not in known:
            yield f"{call.verb} {call.path}"


def missing_params(package: Package, api: spec.Api) -> Iterator[str]:
    """Yield the parameters, and the values of parameters, that the facts lack."""
    for call, operation in _operations(package, api):
        yield from _missing(operation.name, package.params(call), places.of_operation(api, operation))


def missing_fields(package: Package, api: spec.Api) -> Iterator[str]:
    """Yield the fields, and the values of fields, that the facts lack; `deleted` stands in the deleted variants."""
    for value in sorted(package.objects.keys() - PAGE_OBJECTS):
        if value not in api.schemas:
            yield value
            continue
        have = places.of_schema(api, value)
        yield from (line for line in _missing(value, package.fields(value), have) if line != f"{value}: deleted")


def missing_events(package: Package, api: spec.Api) -> Iterator[str]:
    """Yield the event types, snapshot and thin, that the facts lack."""
    for path, item in _paths(package.fields("event")):
        if path == "type":
            yield from (str(value) for value in spec.values(item.type) if value not in api.events)
    yield from (value for value in package.thin_events if value not in api.thin_events)


def missing_in_classes(package: Package, api: spec.Api, tree: Tree) -> Iterator[str]:
    """Yield the fields and parameters that the generated classes lack."""
    for call, operation in _operations(package, api):
        root = names.params(operation.service, operation.method, api.services)
        yield from _missing_in_class(tree, "params", [root] if operation.params else [], package.params(call), root)
    for value in sorted(package.objects.keys() & api.schemas.keys()):
        root = names.model(api.schemas[value])
        yield from _missing_in_class(tree, "models", [root], package.fields(value), root)


def _missing_in_class(
    tree: Tree, kind: str, classes: Iterable[str], fields: Iterable[spec.Field], owner: str
) -> Iterator[str]:
    have: dict[str, list[str]] = {}
    for name in classes:
        for field_name, inside in tree.fields(kind, name).items():
            have.setdefault(field_name, []).extend(inside)
    for item in fields:
        if item.name not in have:
            yield f"{owner}.{item.name}"
        else:
            for part in spec.objects(item.type):
                yield from _missing_in_class(tree, kind, have[item.name], part.fields, f"{owner}.{item.name}")


def missing_class_names(package: Package, api: spec.Api, known: set[str]) -> Iterator[str]:
    """Yield the classes of parameters that have another name here, other than those in `EXPLAINED`."""
    for call, operation in _operations(package, api):
        if call.params and operation.params:
            source, root = call.module.imports[call.params]
            ours = names.params(operation.service, operation.method, api.services)
            for name in package.modules[source].classes:
                wanted = ours + name.removeprefix(root)
                if name.startswith(root) and wanted not in known and wanted not in EXPLAINED:
                    yield wanted


def _operations(package: Package, api: spec.Api) -> Iterator[tuple[Call, spec.Operation]]:
    known = {(operation.verb, _plain(operation.path)): operation for operation in api.operations.values()}
    for call in package.calls():
        if operation := known.get((call.verb, _plain(call.path))):
            yield call, operation


def _missing(owner: str, fields: Iterable[spec.Field], have: Mapping[str, places.Place]) -> Iterator[str]:
    for path, item in _paths(fields):
        if path not in have:
            yield f"{owner}: {path}"
        elif known := set(have[path].values):
            for value in set(spec.values(item.type)) - known - {True, False}:
                yield f"{owner}: {path}={value}"


def _plain(path: str) -> str:
    return re.sub(r"{\w+}", "{}", path)


def _paths(fields: Iterable[spec.Field], prefix: str = "") -> Iterator[tuple[str, spec.Field]]:
    for item in fields:
        yield f"{prefix}{item.name}", item
        for part in spec.objects(item.type):
            yield from _paths(part.fields, f"{prefix}{item.name}.")


def main() -> int:
    """Print what the official package types and the facts lack; return the exit code."""
    folder = official_package()
    if folder is None:
        print("official: skipped, the stripe package is not installed", file=sys.stderr)
        return 0
    package, api = Package(folder), facts.load()
    result = [
        line
        for compare in (missing_operations, missing_params, missing_fields, missing_events)
        for line in compare(package, api)
    ]
    tree = Tree(public_names.ROOT)
    result += missing_in_classes(package, api, tree)
    result += missing_class_names(package, api, set(tree.nodes["params"]))
    for name, reason in EXPLAINED.items():
        print(f"official: {name} has another name: {reason}", file=sys.stderr)
    print("\n".join(dict.fromkeys(result)))
    print(f"official: {len(set(result))} missing", file=sys.stderr)
    return 1 if result else 0


if __name__ == "__main__":
    raise SystemExit(main())
