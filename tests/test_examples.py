"""The examples and the code in the README run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
OUTPUT = {
    "quickstart.py": ["subscription: active", "declined: generic_decline", "paid: 2900 usd"],
    "report_async.py": ["ada@example.com: 10.00 USD", "mary@example.com: 30.00 USD"],
}


@pytest.mark.parametrize("name", OUTPUT)
def test_example_runs(name: str) -> None:
    process = subprocess.run([sys.executable, EXAMPLES / name], capture_output=True, text=True, check=False, timeout=60)
    assert process.returncode == 0, process.stderr
    for line in OUTPUT[name]:
        assert line in process.stdout


def test_code_in_the_readme_runs() -> None:
    readme = (EXAMPLES.parent / "README.md").read_text()
    code = readme.split("```python\n")[1].split("```")[0]
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert process.returncode == 0, process.stderr
    assert process.stdout.strip() == "active 2900"
