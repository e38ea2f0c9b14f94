"""``python -m codegen``: write the generated rooms, or check that they are fresh."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from codegen.ir import Api
from codegen.settle import settle
from codegen.write_models import write_models
from codegen.write_params import write_params
from codegen.write_resources import write_resources
from codegen.write_stubs import write_stubs

ROOT = Path(__file__).resolve().parent.parent
SOURCE = Path("src/pinstripe")
STUBS = Path("stubs/pinstripe-stubs")
ROOMS = ("models", "params", "resources")


def write(api: Api) -> Iterator[tuple[Path, str]]:
    """Every generated file, relative to the root, with its text."""
    for writer in (write_models, write_params, write_resources):
        for path, content in writer(api):
            yield SOURCE / path, content
    for path, content in write_stubs(api):
        yield STUBS / path, content


def existing() -> set[Path]:
    """The generated files that are there."""
    found = {path for room in ROOMS for path in (ROOT / SOURCE / room).rglob("*.py")}
    found |= {ROOT / SOURCE / "_api_version.py"}
    found |= set((ROOT / STUBS).rglob("*.pyi")) | {ROOT / STUBS / "py.typed"}
    return {path.relative_to(ROOT) for path in found if path.exists()}


def main() -> int:
    """Generate, or with ``--check`` only compare; the answer is the exit code."""
    parser = argparse.ArgumentParser(prog="codegen", description=__doc__)
    parser.add_argument("--spec", type=Path, default=ROOT.parent / "shared" / "openapi", help="folder of the description")
    parser.add_argument("--check", action="store_true", help="only say whether the generated files are fresh")
    options = parser.parse_args()
    if not (options.spec / "spec3.json").exists():
        print(f"codegen: skipped, there is no API description at {options.spec}", file=sys.stderr)
        return 0 if options.check else 1
    wanted = dict(write(settle(options.spec)))
    present = existing()
    stale = sorted(
        path for path, content in wanted.items() if path not in present or (ROOT / path).read_text() != content
    )
    gone = sorted(present - set(wanted))
    if options.check:
        for path in [*stale, *gone]:
            print(f"codegen: {path} is not what the description gives; run `make generate`", file=sys.stderr)
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
