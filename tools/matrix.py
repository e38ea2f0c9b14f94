"""Run the fast part of the suite with the lowest and the newest dependencies, on each Python: ``python -m tools.matrix``.

The Pythons are those of the classifiers in pyproject.toml; arguments select some of them. uv makes the environments in
``.matrix/``, with interpreters that are installed, pyenv's too, or that uv can download. The lowest versions are the lower
bounds that pyproject.toml declares for the package and its extras.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tomli
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
ENVIRONMENTS = ROOT / ".matrix"
RESOLUTIONS = {"lowest": "lowest-direct", "newest": "highest"}
# The fast tests: those that start no type checker, browser or broker.
TESTS = [
    *(
        "call",
        "client",
        "deleted",
        "demo",
        "endpoints",
        "errors",
        "form",
        "json_schema",
        "models",
        "pagination",
        "transport",
    ),
    *(
        "webhooks",
        "webhooks/test_handlers",
        "webhooks/test_receivers",
        "webhooks/test_testing",
        "webhooks/test_thin_events",
    ),
    *("emulator/test_basics", "emulator/test_events", "emulator/test_faults", "emulator/test_state"),
]
LOWEST_OF_OTHERS = ["kombu<5.5"]
"""Packages that are not dependencies of pinstripe: later ones of kombu, Celery's, need a later redis-py than Celery 5.4."""


def pyproject() -> dict[str, Any]:  # Any: TOML
    """Return what is in pyproject.toml."""
    table: dict[str, Any] = tomli.loads((ROOT / "pyproject.toml").read_text())
    return table


def pythons() -> list[str]:
    """Return the versions of Python that the classifiers name."""
    prefix = "Programming Language :: Python :: 3."
    return [
        f"3.{name.removeprefix(prefix)}" for name in pyproject()["project"]["classifiers"] if name.startswith(prefix)
    ]


def lower_bounds(python: str) -> dict[str, Version]:
    """Return the lowest version of each dependency of the package on a version of Python."""
    bounds: dict[str, Version] = {}
    for text in pyproject()["project"]["dependencies"]:
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"python_version": python}):
            name = canonicalize_name(requirement.name)
            lowest = [Version(part.version) for part in requirement.specifier if part.operator == ">="]
            bounds[name] = max([*lowest, *([bounds[name]] if name in bounds else [])])
    return bounds


def constraints(kind: str, python: str) -> list[str]:
    """Return what an environment may contain."""
    pins = [f"{name}=={version}" for name, version in lower_bounds(python).items()]
    return [*pins, *LOWEST_OF_OTHERS] if kind == "lowest" else []


def paths() -> list[str]:
    """Return the files of the fast tests."""
    return [f"tests/{name}.py" if "/" in name else f"tests/test_{name}.py" for name in TESTS]


def interpreter(python: str) -> Path | None:
    """Return an interpreter of a version, downloading it if it is missing and can be downloaded."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    for path in sorted(pyenv.glob(f"versions/{python}.*/bin/python{python}")):
        return path
    output = _uv("python", "find", python, check=False) or _uv("python", "install", python, check=False)
    return Path(output.strip()) if output and Path(output.strip()).exists() else None


def install(python: str, kind: str) -> Path | None:
    """Make or update an environment; return its interpreter, or None if there is none of this version."""
    base = interpreter(python)
    if base is None:
        return None
    home = ENVIRONMENTS / f"{python}-{kind}"
    executable = home / "bin" / "python"
    if not executable.exists():
        _uv("venv", "--quiet", "--python", str(base), str(home))
    file = ENVIRONMENTS / f"{python}-{kind}.txt"
    file.write_text("\n".join(constraints(kind, python)))
    extras = ",".join(pyproject()["project"]["optional-dependencies"])
    options = ["--quiet", "--upgrade", "--resolution", RESOLUTIONS[kind], "--constraints", str(file)]
    packages = ["--group", "fast", "--editable", f".[{extras}]"]
    _uv("pip", "install", "--python", str(executable), *options, *packages)
    return executable


def installed(executable: Path) -> dict[str, Version]:
    """Return the versions in an environment."""
    packages = json.loads(_uv("pip", "list", "--python", str(executable), "--format", "json"))
    return {canonicalize_name(package["name"]): Version(package["version"]) for package in packages}


def results(selected: list[str]) -> Iterator[tuple[str, str, str]]:
    """Run the tests in each environment; yield the version of Python, the kind and the result."""
    for python in selected:
        for kind in RESOLUTIONS:
            executable = install(python, kind)
            if executable is None:
                yield python, kind, "no interpreter"
                continue
            versions = installed(executable)
            used = ", ".join(f"{name} {versions[name]}" for name in sorted(lower_bounds(python)))
            print(f"Python {python}, {kind}: {used}", flush=True)
            command = [str(executable), "-m", "pytest", "-q", "-p", "no:cacheprovider", *paths()]
            passed = subprocess.run(command, cwd=ROOT, check=False).returncode == 0
            yield python, kind, "passed" if passed else "failed"


def _uv(*arguments: str, check: bool = True) -> str:
    process = subprocess.run(["uv", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if process.returncode and check:
        raise SystemExit(f"uv {' '.join(arguments)}\n{process.stderr}")
    return "" if process.returncode else process.stdout


def main(arguments: list[str]) -> int:
    """Print a table of the results; return 0 if all passed."""
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # for uv
    ENVIRONMENTS.mkdir(exist_ok=True)
    table = list(results(arguments or pythons()))
    for python, kind, result in table:
        print(f"{python:6}{kind:8}{result}")
    return 0 if all(result == "passed" for _, _, result in table) else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
