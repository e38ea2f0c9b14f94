"""Environments that pinstripe is installed in, from a wheel or editable, as users have it."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
KINDS = ("wheel", "editable")


@pytest.fixture(scope="session", params=KINDS)
def environment(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a new environment with pinstripe installed."""
    return install(request.param, tmp_path_factory.mktemp(str(request.param)))


def install(kind: str, home: Path) -> Path:
    """Make an environment that pinstripe is installed in; its dependencies are those of this one."""
    venv.create(home, symlinks=True, with_pip=False)
    python = home / "bin" / "python"
    command = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    site = Path(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())
    dependencies = home / "dependencies"
    dependencies.mkdir()
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if "pinstripe" not in path.name and path.suffix != ".pth":
            (dependencies / path.name).symlink_to(path)
    (site / "dependencies.pth").write_text(f"{dependencies}\n")
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps"]
    target = ["--editable", str(ROOT)] if kind == "editable" else [str(ROOT)]
    options = ["--no-build-isolation", "--ignore-installed"]
    subprocess.run([*pip, *options, *target], check=True, capture_output=True)
    return home
