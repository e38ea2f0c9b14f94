"""The public names of the package, listed in `codegen/public_names.txt`. None disappears without an entry in the table.

`make generate` adds new names to the list. A name that is gone stays in it, so that `--check` fails, until
`codegen/breaking.yaml` says what replaces it. The changelog is written from that table.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
LIST = Path(__file__).resolve().parent / "public_names.txt"
BREAKING = Path(__file__).resolve().parent / "breaking.yaml"

# Packages whose modules only hold the names of the package itself.
_PACKAGES = ("models", "params")
_SKIPPED = ("demo", "resources", "emulator.", "testing.plugin", "cli")


@dataclass(frozen=True)
class Differences:
    """The differences between the list and the source. Only `unexplained` names are a mistake, not an outdated list."""

    new: tuple[str, ...]
    removed: tuple[str, ...]
    unexplained: tuple[str, ...]


def of_tree(root: Path) -> set[str]:
    """Return the public names of a source tree: classes, functions, aliases, and methods of services."""
    source, stubs = root / "src/pinstripe", root / "stubs/pinstripe-stubs"
    result = set(_methods(source / "resources"))
    for path in source.rglob("*.py"):
        relative = path.relative_to(source).with_suffix("")
        steps = relative.parts[:-1] if relative.name == "__init__" else relative.parts
        name = ".".join(steps)
        if any(step.startswith("_") for step in steps) or name.startswith(_SKIPPED):
            continue
        stub = stubs / path.relative_to(source).with_suffix(".pyi")
        module = "pinstripe." + steps[0] if steps and steps[0] in _PACKAGES else ".".join(("pinstripe", *steps))
        if module == "pinstripe." + name and steps[-1] in _PACKAGES:
            result.update(f"{module}.{member}" for member in _imported(path))
        else:
            result.update(f"{module}.{member}" for member in _names(stub if stub.exists() else path))
    return result


def _names(path: Path) -> Iterator[str]:
    """Yield the names in `__all__` where it is written out, else those of public classes, functions and aliases."""
    body = ast.parse(path.read_text("utf-8")).body
    for statement in body:
        match statement:
            case ast.Assign(targets=[ast.Name("__all__")], value=ast.List(items)):
                if all(isinstance(item, ast.Constant) for item in items):
                    yield from (ast.literal_eval(item) for item in items)
                    return
    for statement in body:
        match statement:
            case (
                ast.ClassDef(name)
                | ast.FunctionDef(name)
                | ast.AnnAssign(target=ast.Name(name))
                | ast.Assign(targets=[ast.Name(name)], value=ast.Call(ast.Name("TypedDict")))
            ):
                if not name.startswith("_"):
                    yield name


def _imported(path: Path) -> Iterator[str]:
    """Yield what a package takes from private modules of ours under public names."""
    for statement in ast.parse(path.read_text("utf-8")).body:
        if isinstance(statement, ast.ImportFrom) and (statement.module or "").startswith("pinstripe._"):
            yield from (alias.name for alias in statement.names if not (alias.asname or "").startswith("_"))


def _methods(folder: Path) -> Iterator[str]:
    """Yield the methods of the services, from the tables of endpoints: `client.customers.create`."""
    for path in folder.glob("*.py"):
        for statement in ast.parse(path.read_text("utf-8")).body:
            if isinstance(statement, ast.ClassDef) and (ast.get_docstring(statement) or "").startswith("`client."):
                service = (ast.get_docstring(statement) or "")[1:].partition("`")[0]
                for line in statement.body:
                    match line:
                        case ast.Assign(targets=[ast.Name(name)], value=ast.Call(ast.Name(kind))) if kind != "service":
                            yield f"{service}.{name}"


def listed(path: Path = LIST) -> set[str]:
    """Return the names in the list."""
    return set(path.read_text().splitlines())


def breaking(path: Path = BREAKING) -> dict[str, dict[str, str]]:
    """Return what each version takes away: the full names, with the new name or the reason."""
    loaded: Mapping[str, Mapping[str, Mapping[str, str]]] = yaml.load(path.read_text(), Loader=yaml.BaseLoader) or {}
    return {
        version: {f"{prefix}.{name}": text for prefix, names in modules.items() for name, text in names.items()}
        for version, modules in loaded.items()
    }


def gone(path: Path = BREAKING) -> set[str]:
    """Return the full names that any version takes away."""
    return {name for names in breaking(path).values() for name in names}


def differences(names: set[str], known: set[str], explained: set[str]) -> Differences:
    """Compare the names of the source with those of the list, of which some are known to be gone."""
    missing = known - names
    return Differences(
        tuple(sorted(names - known)), tuple(sorted(missing & explained)), tuple(sorted(missing - explained))
    )


def update(root: Path = ROOT, listing: Path = LIST, table: Path = BREAKING) -> Differences:
    """Bring the list up to date, as far as the table of breaking changes allows; return what it lacked."""
    names = of_tree(root)
    result = differences(names, listed(listing), gone(table))
    listing.write_text("".join(f"{name}\n" for name in sorted(names | set(result.unexplained))))
    return result


def main() -> int:
    """Bring the list up to date, or with `--check` compare it; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m codegen.public_names", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only; exit with 1 if the list differs")
    options = parser.parse_args()
    result = differences(of_tree(ROOT), listed(), gone()) if options.check else update()
    for name in result.unexplained:
        print(f"public_names: {name} is gone; say in codegen/breaking.yaml what replaces it, or why", file=sys.stderr)
    if options.check:
        for name in (*result.new, *result.removed):
            print(f"public_names: the list differs in {name}; run `make generate`", file=sys.stderr)
        return 1 if result.new or result.removed or result.unexplained else 0
    print(f"public_names: {len(listed())} names, {len(result.new)} new, {len(result.removed)} removed")
    return 1 if result.unexplained else 0


if __name__ == "__main__":
    raise SystemExit(main())
