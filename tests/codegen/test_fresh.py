"""The committed files are those that codegen writes, if the API description is available."""

from __future__ import annotations

from pathlib import Path

import pytest
from codegen.resolve import resolve

from codegen.__main__ import ROOT, existing, write

SPEC = Path(__file__).parents[3] / "shared" / "openapi"


def test_the_generated_files_are_up_to_date() -> None:
    if not (SPEC / "spec3.json").exists():
        pytest.skip("the API description is not on this machine")
    wanted = dict(write(resolve(SPEC)))
    assert existing() == set(wanted)
    assert [str(path) for path, content in wanted.items() if (ROOT / path).read_text() != content] == []
