"""The examples run."""

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
