"""The code in README.md and docs/ type-checks and runs, as pasted.

Each page is one program: its ``python`` blocks run in order, in one namespace, against an emulator (`STRIPE_API_BASE` and
`STRIPE_API_KEY` are set). All pages are type-checked together. A block that cannot run has a comment before it that says
why, ``<!-- not run: it needs a database server -->``; it is type-checked nevertheless. ``sh`` blocks run, too; after
``<!-- serves -->`` each line is a server, which must respond on its port.
"""

from __future__ import annotations

import gc
import os
import re
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from pinstripe.emulator import Emulator
from tools.matrix import pyproject

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
LANGUAGES = {"python", "sh", "text"}
NOT_RUN = {
    ("README.md", "sh"): 2,
    ("docs/index.md", "sh"): 1,
    ("docs/calls.md", "python"): 2,
    ("docs/webhooks.md", "python"): 2,
}
"""The number of blocks of each page that do not run."""
MIN_REASON = 15
"""The least number of characters of a reason."""

_BLOCK = re.compile(
    r"^(?:<!-- (?P<marker>.*?) -->\n+)?^```(?P<language>\S*)[^\n]*\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL
)
_EXTRAS = re.compile(r"pinstripe\[([a-z,]+)\]")
_URL = re.compile(r"http://[\w.]+:\d+")
_PORT = re.compile(r"--port (\d+)")


class Block(NamedTuple):
    """A fenced block of code in a page, and the comment before it."""

    page: str
    language: str
    line: int
    code: str
    marker: str

    @property
    def reason(self) -> str | None:
        """The reason not to run the block."""
        prefix = "not run: "
        return self.marker.removeprefix(prefix) if self.marker.startswith(prefix) else None


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text()
    for match in _BLOCK.finditer(text):
        line = text.count("\n", 0, match.start("code")) + 1
        yield Block(name_of(page), match["language"], line, match["code"], match["marker"] or "")


ALL = [block for page in PAGES for block in blocks(page)]
PROGRAMS = sorted({block.page for block in ALL if block.language == "python"})


def program(page: str) -> str:
    """Return the Python code of a page, each line where it is in the page."""
    lines = [""] * len((ROOT / page).read_text().splitlines())
    for block in ALL:
        if block.page == page and block.language == "python":
            code = block.code.splitlines()
            lines[block.line - 1 : block.line - 1 + len(code)] = code
    return "\n".join(lines) + "\n"


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let clients without options use a new emulator."""
    with Emulator(seed=1) as emulator, emulator.serve() as url:
        monkeypatch.setenv("STRIPE_API_BASE", url)
        monkeypatch.setenv("STRIPE_API_KEY", "sk_test_docs")
        monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", "whsec_docs")
        yield


def test_code_is_in_fenced_blocks_of_a_known_language() -> None:
    for page in PAGES:
        text = page.read_text()
        count = sum(1 for block in ALL if block.page == name_of(page))
        assert len(re.findall(r"^\s*```", text, re.MULTILINE)) == 2 * count, (
            f"{page}: a block that the tests do not see"
        )
        outside = _BLOCK.sub("", text)
        assert not re.search(r"\n\n {4}\S", outside), f"{page}: write code in a fenced block, not indented"
    assert {block.language for block in ALL} <= LANGUAGES


def test_blocks_that_do_not_run_say_why_and_are_counted() -> None:
    marked = [block for block in ALL if block.marker and block.marker != "serves"]
    assert [f"{block.page}:{block.line}" for block in marked if len(block.reason or "") < MIN_REASON] == []
    listing = "\n".join(f"{block.page}:{block.line}: {block.language}: {block.reason}" for block in marked)
    assert Counter((block.page, block.language) for block in marked) == NOT_RUN, f"Not run:\n{listing}"


@pytest.mark.parametrize("page", PROGRAMS)
@pytest.mark.usefixtures("api")
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # short programs do not close their client
def test_code_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {"__name__": "__main__"}
    for block in ALL:
        if block.page == page and block.language == "python" and block.reason is None:
            code = "\n" * (block.line - 1) + block.code
            exec(compile(code, ROOT / page, "exec", dont_inherit=True), namespace)
    namespace.clear()
    gc.collect()  # the clients that the programs did not close, while the warnings about them are ignored


def test_code_in_the_readme_prints_what_it_should(capsys: pytest.CaptureFixture[str]) -> None:
    exec(program("README.md"), {})
    assert capsys.readouterr().out == "active 2900\n"


def test_code_type_checks(tmp_path: Path) -> None:
    for page in PROGRAMS:
        (tmp_path / (re.sub(r"\W", "_", page.removesuffix(".md")) + ".py")).write_text(program(page))
    # Blocks of one page may define the same name again, such as the application of each framework.
    options = [
        "--strict",
        "--allow-redefinition",
        "--disable-error-code=no-redef",
        "--config-file",
        "pyproject.toml",
        "--no-pretty",
    ]
    command = [sys.executable, "-m", "mypy", *options, str(tmp_path)]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stdout + process.stderr


@pytest.mark.parametrize(
    "block", [pytest.param(block, id=f"{block.page}:{block.line}") for block in ALL if block.language == "sh"]
)
@pytest.mark.usefixtures("api")
def test_shell_commands_run(block: Block, tmp_path: Path) -> None:
    extras = {extra for names in _EXTRAS.findall(block.code) for extra in names.split(",")}
    assert extras <= pyproject()["project"]["optional-dependencies"].keys()
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    if block.marker == "serves":
        for line in block.code.splitlines():
            assert_serves(line, tmp_path, environment)
    elif block.reason is None:
        command = ["sh", "-eu", "-c", block.code]
        process = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=60
        )
        assert process.returncode == 0, process.stderr


def assert_serves(command: str, folder: Path, environment: dict[str, str]) -> None:
    """Run a server on a free port instead of its own until it responds."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    arguments = _PORT.sub(f"--port {port}", command).split()
    assert str(port) in arguments, f"Which port? {command}"
    process = subprocess.Popen(
        arguments, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    with process:
        try:
            assert process.stdout is not None
            url = next(
                (match[0] for line in process.stdout if (match := _URL.search(line))), None
            )  # it listens, then prints
            assert url, f"{command} ended with {process.wait()}"
            assert str(port) in url
            assert httpx.get(url, trust_env=False).is_success
        finally:
            process.terminate()
