"""Check our documentation: that it describes what is there, in our own words, in whole sentences, once.

No run of eight words may be shared with the docstrings of the official `stripe` package, where it is installed; words in
backticks do not count. A text ends in a period, has at most 400 characters and no TODO, and stands once in its file.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from codegen import docs, facts

RUN = 8
LONGEST = 400
DOCSTRING = re.compile(r'"""(.*?)"""', re.DOTALL)
CODE = re.compile(r"`[^`]*`|https?://\S+|<[^>]*>|\]\([^)]*\)")
WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)?")


def words(text: str) -> list[str]:
    """Return the words of a text in lower case, without those in backticks, tags and URLs."""
    return WORD.findall(CODE.sub(" ", text).lower().replace("\u2019", "'"))


def runs(text: str) -> Iterator[tuple[str, ...]]:
    """Yield every run of eight words."""
    result = words(text)
    return (tuple(result[start : start + RUN]) for start in range(len(result) - RUN + 1))


def official_runs(folder: Path) -> set[tuple[str, ...]]:
    """Return the runs of eight words in the docstrings of a package."""
    docstrings = {
        docstring for path in folder.rglob("*.py") for docstring in DOCSTRING.findall(path.read_text("utf-8"))
    }
    return {run for docstring in docstrings for run in runs(docstring)}


def official_package() -> Path | None:
    """Return the folder of the installed `stripe` package, or `None`."""
    result = importlib.util.find_spec("stripe")
    return Path(result.origin).parent if result and result.origin else None


def shared_wording(sentences: Iterable[docs.Sentence], official: set[tuple[str, ...]]) -> Iterator[str]:
    """Yield a message for each sentence that shares a run of words."""
    for sentence in sentences:
        if common := [run for run in runs(sentence.text) if run in official]:
            yield f"{sentence.where}: as in the official package: {' '.join(common[0])}"


def style(sentences: Iterable[docs.Sentence]) -> Iterator[str]:
    """Yield a message for each sentence that is malformed, and for those that a file repeats."""
    first: dict[tuple[str, str], docs.Sentence] = {}
    for sentence in sentences:
        if not sentence.text.endswith("."):
            yield f"{sentence.where}: does not end in a period"
        if len(sentence.text) > LONGEST:
            yield f"{sentence.where}: {len(sentence.text)} characters, at most {LONGEST}"
        if "TODO" in sentence.text:
            yield f"{sentence.where}: TODO"
        other = first.setdefault((sentence.file, sentence.text), sentence)
        if other.line != sentence.line:  # an alias of YAML stands on the line of its anchor
            yield f"{sentence.where}: repeats line {other.line}, {other.key}; write it once, as a shared field or component"


def main() -> int:
    """Check every sentence, or those of the files named; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m codegen.check_wording",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", nargs="*", help="names of files in codegen/documentation; all unless named")
    options = parser.parse_args()
    try:
        documentation = docs.load()
    except docs.DocumentationError as error:
        print(error, file=sys.stderr)
        return 1
    names = {Path(name).name for name in options.file}
    sentences = [item for item in documentation.sentences() if not names or item.file in names]
    problems = [*docs.check(documentation, facts.load()), *style(sentences)]
    if folder := official_package():
        problems += shared_wording(sentences, official_runs(folder))
    else:
        print("check_wording: the official package is not installed, wording not compared", file=sys.stderr)
    for problem in problems:
        print(problem)
    print(f"check_wording: {len(sentences)} sentences, {len(problems)} problems", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
