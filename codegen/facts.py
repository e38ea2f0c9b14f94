"""The facts of Stripe's API in `codegen/api/`, with our additions: the input of the generator.

`python -m codegen.facts --spec FOLDER` makes them from Stripe's OpenAPI document.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from codegen import additions, document, lines, spec

FOLDER = Path(__file__).resolve().parent / "api"


def load(folder: Path = FOLDER, added: Path = additions.FILE) -> spec.Api:
    """Read the facts of a folder and add what the file of additions holds."""
    return additions.apply(lines.read(folder), additions.load(added))


def differences(api: spec.Api, folder: Path = FOLDER) -> dict[str, str | None]:
    """Return the files that differ from an API's facts: their new text, or `None` where they should not be there."""
    wanted = lines.dump(api)
    present = {str(path.relative_to(folder)): path.read_text() for path in _files(folder)}
    result: dict[str, str | None] = {path: text for path, text in wanted.items() if present.get(path) != text}
    return {**result, **dict.fromkeys(sorted(present.keys() - wanted.keys()))}


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*.json*") if path.is_file()]


def main() -> int:
    """Write the facts of a document, or with `--check` compare them; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m codegen.facts", description=main.__doc__)
    parser.add_argument("--spec", type=Path, help="folder with Stripe's spec3.json and its companions")
    parser.add_argument("--check", action="store_true", help="compare only; exit with 1 if the facts differ")
    options = parser.parse_args()
    if options.spec is None or not (options.spec / "spec3.json").exists():
        missing = "no document is given" if options.spec is None else f"there is no spec3.json in {options.spec}"
        print(f"facts: skipped, {missing}; say where it is: make facts SPEC=folder", file=sys.stderr)
        return 0 if options.check else 1
    api = document.read(options.spec)
    changed = differences(api)
    if options.check:
        for path in changed:
            print(f"facts: codegen/api/{path} differs from {options.spec}; run `make facts`", file=sys.stderr)
        return 1 if changed else 0
    for path, text in changed.items():
        if text is None:
            (FOLDER / path).unlink()
        else:
            (FOLDER / path).parent.mkdir(parents=True, exist_ok=True)
            (FOLDER / path).write_text(text)
    print(
        f"facts: {api.version}, {len(api.operations)} operations, {len(api.schemas)} schemas, {len(changed)} files changed"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
