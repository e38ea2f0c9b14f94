"""What is shipped, and what an import costs."""

from __future__ import annotations

import importlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import pinstripe

ROOT = Path(__file__).parents[1]
GENERATED = ("src/pinstripe/models", "src/pinstripe/params", "src/pinstripe/resources", "stubs")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (found,) = folder.glob("*.whl")
    return found


def test_the_wheel_holds_the_package_and_its_faces_and_is_at_most_a_megabyte(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"pinstripe/py.typed", "pinstripe/_client.py", "pinstripe/models/customer.py"} <= names
    assert {
        "pinstripe-stubs/py.typed",
        "pinstripe-stubs/__init__.pyi",
        "pinstripe-stubs/resources/customers.pyi",
    } <= names
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"pinstripe", "pinstripe-stubs"}
    assert wheel.stat().st_size <= 1_000_000


def imported_by(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_importing_and_making_a_client_loads_only_what_is_used() -> None:
    loaded = imported_by("import pinstripe; client = pinstripe.Client('sk_test_x'); client.customers.create")
    assert "pinstripe.resources.customers" in loaded
    assert not loaded & {
        "pydantic",
        "httpx",
        "pinstripe.models",
        "pinstripe.params",
        "pinstripe.resources.subscriptions",
    }


def test_one_model_does_not_load_all_of_stripe() -> None:
    loaded = imported_by("import pinstripe; pinstripe.decode({'object': 'coupon', 'id': 'x'})")
    assert "pinstripe.models.coupon" in loaded
    assert not loaded & {"httpx", "pinstripe.models.invoice", "pinstripe.models.account", "pinstripe.params"}


def test_verifying_a_webhook_needs_neither_pydantic_nor_httpx() -> None:
    loaded = imported_by("from pinstripe import webhooks; webhooks.verify(b'', webhooks.sign(b'', 'x'), 'x')")
    assert not loaded & {"pydantic", "httpx"}


def test_every_public_name_is_there_and_listed() -> None:
    for name in pinstripe.__all__:
        assert getattr(pinstripe, name) is not None
    assert sorted(pinstripe.__all__) == dir(pinstripe)
    with pytest.raises(AttributeError, match="nothing"):
        pinstripe.nothing  # type: ignore[attr-defined]  # noqa: B018  # the mistake


def test_every_module_imports_without_the_others() -> None:
    source = ROOT / "src"
    hand_written = [
        path for path in (source / "pinstripe").rglob("*.py") if not {"models", "params", "resources"} & set(path.parts)
    ]
    for path in hand_written:
        name = ".".join(path.relative_to(source).with_suffix("").parts).removesuffix(".__init__")
        if not name.endswith("__main__"):
            importlib.import_module(name)


def test_rooms_are_small_and_generated_lines_few() -> None:
    generated = [path for room in GENERATED for path in (ROOT / room).rglob("*.py*") if path.suffix in (".py", ".pyi")]
    assert sum(path.read_text().count("\n") for path in generated) <= 35_000
    for folder in ("src", "codegen"):
        for path in (ROOT / folder).rglob("*.py"):
            if path not in generated:
                assert path.read_text().count("\n") <= 500, path


LAYERS: dict[str, set[str]] = {
    "errors": set(),
    "_retry": set(),
    "form": {"errors"},
    "_scalars": set(),
    "types": set(),
    "_registry": set(),
    "_base": {"_registry"},
    "_decoding": {"_base", "_registry", "errors"},
    "_call": {"errors", "form", "_retry", "_api_version", "_version"},
    "_transport": {"_call"},
    "_pagination": {"errors"},
    "_endpoint": {"_call", "errors", "_pagination"},
}


@pytest.mark.parametrize("module", LAYERS)
def test_a_module_imports_only_modules_of_lower_layers(module: str) -> None:
    lines = (ROOT / f"src/pinstripe/{module}.py").read_text().splitlines()
    imported = set()
    for line in lines:
        if line.startswith("from pinstripe import "):
            imported |= {
                part.split(" as ")[0].strip() for part in line.removeprefix("from pinstripe import ").split(",")
            }
        elif line.startswith("from pinstripe."):
            imported.add(line.split()[1].split(".")[1])
    assert imported <= LAYERS[module]
