"""Find what the public names of an older source tree are called now; print the entries of `codegen/breaking.yaml`.

Both trees are walked side by side, from the same operations and the same models, along fields of the same name.
"""

from __future__ import annotations

import argparse
import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path

from codegen import public_names

MANY = 3  # a class that stood for many places is not followed by all of their names
_VERBS = {"page": "get", "search": "get", "download": "get", "upload": "post"}


class Tree:
    """The models, parameters and endpoints of a source tree."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.names = public_names.of_tree(root)
        self.nodes = {kind: self._nodes(kind) for kind in ("models", "params")}
        self._fields: dict[tuple[str, str], dict[str, list[str]]] = {}

    def _nodes(self, kind: str) -> dict[str, ast.stmt]:
        result: dict[str, ast.stmt] = {}
        for path in sorted((self.root / "src/pinstripe" / kind).rglob("*.py")):
            for statement in ast.parse(path.read_text("utf-8")).body:
                match statement:
                    case (
                        ast.ClassDef(name) | ast.Assign(targets=[ast.Name(name)]) | ast.AnnAssign(target=ast.Name(name))
                    ):
                        result[name] = statement
        return result

    def fields(self, kind: str, name: str) -> dict[str, list[str]]:
        """Return the classes in the annotation of each field of a class."""
        if (kind, name) not in self._fields:
            self._fields[kind, name] = self._read(kind, name)
        return self._fields[kind, name]

    def _read(self, kind: str, name: str) -> dict[str, list[str]]:
        node, result = self.nodes[kind].get(name), dict[str, list[str]]()
        if isinstance(node, ast.ClassDef):
            for base in node.bases:
                result.update(self.fields(kind, ast.unparse(base)))
            for line in node.body:
                if isinstance(line, ast.AnnAssign):
                    result[ast.unparse(line.target).rstrip("_")] = self._within(kind, line.annotation)
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            for argument in node.value.args:
                if isinstance(argument, ast.Dict):
                    for key, value in zip(argument.keys, argument.values, strict=True):
                        if isinstance(key, ast.Constant):
                            result[str(key.value)] = self._within(kind, value)
        return result

    def _within(self, kind: str, annotation: ast.expr) -> list[str]:
        return [name for name in re.findall(r"\w+", ast.unparse(annotation)) if name in self.nodes[kind]]

    @cached_property
    def endpoints(self) -> dict[tuple[str, str], tuple[str, str]]:
        """The classes of the parameters and of the result, by verb and path."""
        result: dict[tuple[str, str], tuple[str, str]] = {}
        for path in sorted((self.root / "src/pinstripe/resources").glob("*.py")):
            for call in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.args:
                    values = [str(item.value) for item in call.args if isinstance(item, ast.Constant)]
                    verb = _VERBS.get(call.func.id, call.func.id)
                    if values and values[0].startswith("/"):
                        plain = re.sub(r"{\w+}", "{}", values[0])
                        params = next((value for value in values[1:] if value.endswith("Params")), "")
                        result[verb, plain] = params, values[1] if len(values) > 1 else ""
        return result


def matches(old: Tree, new: Tree) -> dict[str, set[str]]:
    """Return the full names in the new tree for those in the old one, by the places where they stand."""
    result: dict[str, set[str]] = defaultdict(set)
    seen: set[tuple[str, str, str]] = set()
    waiting = [("models", name, name) for name in old.nodes["models"].keys() & new.nodes["models"].keys()]
    for key in old.endpoints.keys() & new.endpoints.keys():
        waiting += [
            (kind, item, other)
            for kind, item, other in zip(("params", "models"), old.endpoints[key], new.endpoints[key], strict=True)
            if item and other and "|" not in item + other
        ]
    while waiting:
        kind, item, other = pair = waiting.pop()
        if pair in seen:
            continue
        seen.add(pair)
        result[f"pinstripe.{kind}.{item}"].add(f"pinstripe.{kind}.{other}")
        before, after = old.fields(kind, item), new.fields(kind, other)
        for field in before.keys() & after.keys():
            waiting += [(kind, left, right) for left, right in _pairs(before[field], after[field])]
    return result


def _pairs(old: list[str], new: list[str]) -> Iterable[tuple[str, str]]:
    left, right = [name for name in old if name not in new], [name for name in new if name not in old]
    return (
        zip(left, right, strict=True)
        if len(left) == len(right)
        else [(item, other) for item in left for other in right]
    )


def entries(old: Tree, new: Tree) -> dict[str, str]:
    """Return what replaces each name that is gone, or why it is gone."""
    result = matches(old, new)
    return {name: _replacement(name, result.get(name, set()), old, new) for name in sorted(old.names - new.names)}


def _replacement(name: str, places: set[str], old: Tree, new: Tree) -> str:
    module, _, word = name.rpartition(".")
    if places:
        ordered = sorted((place.rpartition(".")[2] for place in places), key=lambda place: (len(place), place))
        more = f" and {len(ordered) - MANY} more, by place" if len(ordered) > MANY else ""
        return ", ".join(ordered[:MANY]) + more
    kind = module.removeprefix("pinstripe.")
    if kind in old.nodes and not isinstance(old.nodes[kind].get(word), ast.ClassDef):
        return "written out as a Literal where it stood"
    if kind in old.nodes:
        return "the operation takes no parameters" if word.endswith("Params") else "no longer described"
    moved = sorted(other for other in new.names if other.rpartition(".")[2] == word)
    return moved[-1] if moved else "private"


def table(result: dict[str, str]) -> Iterator[str]:
    """Yield the entries as lines of YAML, by module."""
    modules: dict[str, dict[str, str]] = defaultdict(dict)
    for name, text in result.items():
        module, _, word = name.rpartition(".")
        modules[module][word] = text
    for module, names in modules.items():
        yield f"  {module}:"
        yield from (f"    {word}: {text}" for word, text in names.items())


def main() -> int:
    """Print the entries for an older source tree; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m codegen.renames", description=__doc__)
    parser.add_argument("old", type=Path, help="root of the older source tree, such as a worktree of its commit")
    options = parser.parse_args()
    print("\n".join(table(entries(Tree(options.old), Tree(public_names.ROOT)))))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
