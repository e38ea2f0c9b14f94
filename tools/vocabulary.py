"""Find words of the old vocabulary: ``python -m tools.vocabulary [PATH ...]``.

The code base once spoke a language of its own. This check keeps it from returning: it reports identifiers, module names
and phrases that have a plain replacement. A phrase also matches across line ends, in snake_case and in CamelCase names.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parents[1]
PATHS = [".ci", "Makefile", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "benchmarks", "codegen", "docs", "examples"]
PATHS += ["pyproject.toml", "src", "stubs", "tests", "tools"]
SUFFIXES = {".py", ".pyi", ".md", ".toml", ".html", ".js", ".txt", ""}
EXCLUDED = re.compile(
    r"src/pinstripe/(models|params|resources)/|stubs/pinstripe-stubs/(resources/|events\.pyi|webhooks/)"  # generated
    r"|tools/vocabulary\.py|tests/test_vocabulary\.py"  # the words themselves
)

# Identifiers in Python, as they are written.
IDENTIFIERS = {
    "Ask": "OperationContext",
    "Answer": "Response",
    "Happening": "Event",
    "Kept": "a name for what is stored",
    "Once": "EventProcessor",
    "PATIENCE": "a name with `timeout`",
    "Question": "Request",
    "Refusal": "an API error",
    "Reply": "Response",
    "Row": "Endpoint",
    "Shown": "a name for the template and its data",
    "WAIT": "a name with `timeout`",
    "World": "account state",
    "blank": "defaults",
    "blank_part": "defaults",
    "bury": "mark_deleted",
    "carry_out": "run or perform",
    "found": "a name for the value",
    "hidden": "typed tables",
    "hide": "typed tables",
    "keep": "add or store",
    "kept": "a name for what is stored",
    "kinds_of": "object_types",
    "life": "operation",
    "made": "a name for the value",
    "one": "a name for the value",
    "put_back": "restore",
    "said": "a name for the value",
    "story": "a name for what the function does",
    "told": "a name for the value",
    "whole": "a name for the value",
    "wire": "alias",
    "world": "account",
}

# Names of modules and folders, without leading underscores and `test_`.
MODULES = {
    "actions": "transitions",
    "blank": "defaults",
    "catalog": "products",
    "catalogs": "products",
    "check": "validation",
    "doors": "transports, server",
    "drift": "decoding",
    "generic": "crud",
    "happenings": "event_log",
    "kept": "idempotency",
    "kinds": "object_types",
    "laws": "properties",
    "life": "lifecycle",
    "lists": "pagination, filters",
    "lives": "operations",
    "param": "types",
    "settings": "one module per resource family",
    "settle": "resolve",
    "walk": "a name for what the module does",
    "wire": "scalars",
    "world": "account",
}

# Phrases, as regular expressions without case; a space stands for any white space, an underscore or a comment marker.
PHRASES = {
    r"answer(s|ed|ing)?": "response, respond",
    r"ask(s|ed|ing)?": "request, call, need",
    r"question(s|ed)?(?!( |-)?mark)": "request",
    r"refusals?": "error",
    r"(reply|replies|replied)": "response",
    r"happenings?": "event",
    r"(bury|buried|buries|burial)": "delete, mark as deleted",
    r"(life|lives)(?!( |-)?cycle)": "lifecycle, operation",
    r"(what|everything|things|all) (is|are) alive": "what is simulated",
    r"(?<!real[\s_-])worlds?(?!-?wide)": "account, environment",
    r"(doors?|doorways?)": "transport, server, entry point",
    r"rooms?": "module",
    r"(the|this|of|a) house": "code base",
    r"(ground|lowest|upper|top) floors?": "lowest layer",
    r"faces?": "interface, stubs",
    r"kept": "stored, preserved, retained",
    r"tellings?": "notification",
    r"(tell|tells|telling|told) (of|its|the|a) (story|it|them|by|so)": "print, report",
    r"(its|the|a) story": "a name for what is shown",
    r"said": "a plain verb: described, passed, configured",
    r"(say|says|saying) so": "report it, raise an error",
    r"what (is|was|are|were) (said|asked|left|meant|wanted|told|given)": "a noun",
    r"the stubs? (say|says)": "the stubs declare",
    r"(somebody|nobody|everybody|anybody)('s)?": "a noun: the user, the caller, no handler",
    r"(a|the|no) strangers?('s)?": "another, unknown",
    r"(no|which|what|a) moment": "time",
    r"at the same moment": "at the same time, concurrently",
    r"laws?( of)?": "property, invariant, rule",
    r"gives?( it| them)? back": "return, restore, release",
    r"gives": "returns",
    r"(the )?truth": "a plain word",
    r"models? that (is|are) true": "validated models",
    r"be again": "restore",
    r"as when": "as",
    r"of one's own": "of your own, separate",
    r"one's( own)?": "your, its",
    r"bent": "modified, corrupted, invalid",
    r"the dead": "expired",
    r"in the place of": "instead of",
    r"(none|nothing|nobody) where": "None if, nothing if",
    r"(everything|all|whatever|what|those|more|than|whether) there (is|are|was|were)": "a noun",
    r"that there (is|are|was|were)": "existing",
    r"(?<!there[\s_])(is|are|was|were|be) no(?! (longer|more|such|need|way|matter)\b) [a-z]+": "is not",
    r"as above": "the reason itself",
    r"(is|are|was|were) what it says": "a plain sentence",
    r"what (it|they|he|she|that|this|these|those) (is|are|was|were|says?)": "a noun",
    r"so many times": "a number of times",
    r"(by|of|from) (itself|themselves) from time to time": "regularly",
    r"has come true": "happened",
    r"rings?": "fires",
    r"whole\b(?=[,;.:])": "complete",
    r"the whole of (it|them)": "all of it",
    r"(?<=\"\"\")(what|how|whether|who|whose|whom|when|where|why|which)(?! to)": "a noun or an imperative",
    # American spelling
    r"(colour|behaviour|honour|favour|labour|neighbour)(s|ed|ing|able|ful|less|ite)*": "American spelling",
    r"([a-z]*(normal|final|serial|initial|recogn|organ|summar|capital|author|custom|minim|maxim|optim|general)is(e|es|ed|"
    r"ing|er|ers|ation|ations))": "American spelling",
    r"(licence|catalogue|cancell(ed|ing)(?!_?error|\(\))|centre|grey|labelled|modell(ed|ing)|travell(ed|ing)|unravell[a-z]+)s?": (
        "American spelling"
    ),
}

# A phrase begins and ends where a word does, also within a snake_case or CamelCase name.
_START = r"(?:(?<![A-Za-z])|(?<=[a-z])(?=[A-Z]))"
_END = r"(?![a-z]|(?<=[A-Z])[A-Z])"
_SPACE = r"(?:[\s_]|\n\s*#)+"


def _compile(phrase: str) -> re.Pattern[str]:
    return re.compile(f"{_START}(?i:{phrase.replace(' ', _SPACE)}){_END}")


_PATTERNS = [(_compile(phrase), replacement) for phrase, replacement in PHRASES.items()]


@dataclass(frozen=True, order=True)
class Finding:
    """A banned word and the place where it is."""

    path: str
    line: int
    text: str
    replacement: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text!r}: use {self.replacement}"


def check_path(path: str) -> Iterator[Finding]:
    """Find banned names among the folders and the module of a path."""
    for part in Path(path).parts:
        name = part.partition(".")[0].lstrip("_").removeprefix("test_")
        if name in MODULES:
            yield Finding(path, 1, name, MODULES[name])


def check_identifiers(path: str, source: str) -> Iterator[Finding]:
    """Find banned identifiers in Python source."""
    for node in ast.walk(ast.parse(source)):
        for name in _names(node):
            if name.lstrip("_") in IDENTIFIERS:
                yield Finding(path, getattr(node, "lineno", 1), name, IDENTIFIERS[name.lstrip("_")])


def _names(node: ast.AST) -> Iterator[str]:
    """Return the names that a node introduces or uses as an attribute."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    elif isinstance(node, (ast.arg, ast.keyword)) and node.arg:
        yield node.arg
    elif isinstance(node, ast.Attribute):
        yield node.attr
    elif isinstance(node, ast.alias):
        yield node.asname or node.name.rpartition(".")[2]


def check_text(path: str, text: str) -> Iterator[Finding]:
    """Find banned phrases in a text."""
    for pattern, replacement in _PATTERNS:
        for match in pattern.finditer(text):
            yield Finding(path, text.count("\n", 0, match.start()) + 1, " ".join(match[0].split()), replacement)


def check_source(path: str, source: str) -> Iterator[Finding]:
    """Find banned phrases and identifiers in Python source; some docstrings may begin with "Whether"."""
    lines = set(_attribute_docstring_lines(ast.parse(source)))
    for finding in check_text(path, source):
        if finding.text != "Whether" or finding.line not in lines:
            yield finding
    yield from check_identifiers(path, source)


def _attribute_docstring_lines(module: ast.Module) -> Iterator[int]:
    """Return the lines where a docstring of an attribute or a property begins."""
    for node in ast.walk(module):
        body: list[ast.stmt] = node.body if isinstance(node, (ast.Module, ast.ClassDef)) else []
        for attribute, docstring in pairwise(body):
            if isinstance(attribute, (ast.Assign, ast.AnnAssign)) and _is_string(docstring):
                yield docstring.lineno
        if isinstance(node, ast.FunctionDef) and _is_property(node) and _is_string(node.body[0]):
            yield node.body[0].lineno


def _is_string(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _is_property(function: ast.FunctionDef) -> bool:
    decorators = {ast.unparse(decorator).rpartition(".")[2] for decorator in function.decorator_list}
    return not decorators.isdisjoint({"property", "cached_property"})


def check_file(path: Path) -> Iterator[Finding]:
    """Find banned names and phrases in a file."""
    name, text = str(path.relative_to(ROOT)), path.read_text()
    yield from check_path(name)
    yield from check_source(name, text) if path.suffix in (".py", ".pyi") else check_text(name, text)


def files(paths: Iterable[str]) -> Iterator[Path]:
    """Return the files to check below some paths: those that git tracks or would add."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *paths]
    for name in sorted(
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\n")
    ):
        path = ROOT / name
        if name and path.suffix in SUFFIXES and not EXCLUDED.search(name) and path.is_file():
            yield path


def folder_of(path: str) -> str:
    """Return the folder that a finding counts for: below src and tests, one per package."""
    depth = 3 if path.startswith("src/") else 2 if path.startswith("tests/") else 1
    return "/".join(Path(path).parts[:-1][:depth]) or "."


def main(paths: list[str]) -> int:
    """Print the findings and their number per folder; return 1 if there are any."""
    findings = sorted({finding for path in files(paths or PATHS) for finding in check_file(path)})
    for finding in findings:
        print(finding)
    for folder, count in sorted(Counter(folder_of(finding.path) for finding in findings).items()):
        print(f"{count:6} in {folder}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
