"""``python -m codegen``: write the generated modules from the facts, or check that they are up to date."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from codegen import docs, facts, spec, text
from codegen.build_models import build_models
from codegen.build_params import build_params
from codegen.build_services import build_services
from codegen.docstrings import Writer
from codegen.write_events import write_events
from codegen.write_models import write_models
from codegen.write_params import write_params
from codegen.write_resources import write_resources
from codegen.write_stubs import write_stubs

ROOT = Path(__file__).resolve().parent.parent
SOURCE = Path("src/pinstripe")
STUBS = Path("stubs/pinstripe-stubs")
PACKAGES = ("models", "params", "resources")


def write(api: spec.Api, documentation: docs.Documentation) -> Iterator[tuple[Path, str]]:
    """Return every generated file, relative to the root, with its text before it is formatted."""
    writer = Writer(api, documentation)
    services = build_services(api, writer)
    files = [
        *write_models(api, build_models(api, writer)),
        *write_params(build_params(api, writer)),
        *write_resources(api, services),
    ]
    for path, content in files:
        yield SOURCE / path, content
    for path, content in (*write_stubs(api, services), *write_events(api, writer)):
        yield Path(os.path.normpath(STUBS / path)), content


def formatted(files: dict[Path, str]) -> dict[Path, str]:
    """Return files as ``ruff format`` writes them."""
    with tempfile.TemporaryDirectory() as folder:
        for path, content in files.items():
            target = Path(folder) / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content)
        command = [
            sys.executable,
            "-m",
            "ruff",
            "format",
            "--quiet",
            "--no-cache",
            "--isolated",
            "--line-length",
            "120",
        ]
        subprocess.run([*command, folder], check=True)
        return {path: (Path(folder) / path).read_text() for path in files}


def existing() -> set[Path]:
    """Return the generated files that are there."""
    result = {path for name in PACKAGES for path in (ROOT / SOURCE / name).rglob("*.py")}
    result |= {ROOT / SOURCE / "_api_version.py", ROOT / STUBS / "py.typed", ROOT / "stubs/services.allowlist.txt"}
    result |= {path for path in (ROOT / STUBS).rglob("*.pyi") if text.MARK in path.read_text()}
    return {path.relative_to(ROOT) for path in result if path.exists()}


def main(arguments: list[str] | None = None) -> int:
    """Write the generated files, or with ``--check`` compare them; return the exit code."""
    parser = argparse.ArgumentParser(prog="codegen", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say whether the generated files are up to date")
    options = parser.parse_args(arguments)
    wanted = formatted(dict(write(facts.load(), docs.load())))
    present = existing()
    stale = sorted(
        path for path, content in wanted.items() if path not in present or (ROOT / path).read_text() != content
    )
    gone = sorted(present - set(wanted))
    if options.check:
        for path in [*stale, *gone]:
            print(f"codegen: {path} is not up to date; run `make generate`", file=sys.stderr)
        return 1 if stale or gone else 0
    for path in stale:
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(wanted[path])
    for path in gone:
        (ROOT / path).unlink()
    lines = sum(content.count("\n") for content in wanted.values())
    print(f"codegen: {len(wanted)} files, {lines} lines, {len(stale)} written, {len(gone)} removed")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
