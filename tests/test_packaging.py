"""The contents of the distributions, the cost of an import, and the imports that each module may have."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import subprocess
import sys
import tarfile
import typing
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import FunctionType

import pytest

import pinstripe

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src"


def build(target: str, source: Path, folder: Path) -> Path:
    """Build a distribution from a folder of source; return its file."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", str(folder)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (path,) = folder.iterdir()
    return path


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", ROOT, tmp_path_factory.mktemp("wheel"))


def files_of(wheel: Path) -> set[str]:
    """Return the files of the package in a wheel."""
    return {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}


def test_the_wheel_contains_the_package_with_its_stubs_and_has_at_most_1_65_megabytes(wheel: Path) -> None:
    names = files_of(wheel)
    assert {"pinstripe/_client.py", "pinstripe/models/customer.py", "pinstripe/params/customers.py"} <= names
    assert {"pinstripe/__init__.pyi", "pinstripe/events.pyi", "pinstripe/resources/customers.pyi"} <= names
    assert {name.split("/")[0] for name in names} == {"pinstripe"}
    assert (
        zipfile.ZipFile(wheel).read("pinstripe/py.typed") == b""
    )  # not that of the stubs, which are partial in the source
    assert wheel.stat().st_size <= 1_650_000


def test_the_wheel_of_the_sdist_is_the_same(wheel: Path, tmp_path: Path) -> None:
    sdist = build("sdist", ROOT, tmp_path / "sdist")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    assert files_of(build("wheel", tmp_path / sdist.name.removesuffix(".tar.gz"), tmp_path / "wheel")) == files_of(
        wheel
    )


# --- the cost of importing --------------------------------------------------------------------------------------------


def loaded_by(code: str) -> set[str]:
    """Return the modules that a program has loaded at its end."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_a_client_loads_only_the_services_it_uses() -> None:
    loaded = loaded_by("import pinstripe; client = pinstripe.Client('sk_test_x'); client.customers.create")
    assert "pinstripe.resources.customers" in loaded
    assert not loaded & {
        "pydantic",
        "httpx",
        "pinstripe.models",
        "pinstripe.params",
        "pinstripe.resources.subscriptions",
    }


def test_decoding_loads_only_the_model_of_the_object() -> None:
    loaded = loaded_by("import pinstripe; pinstripe.decode({'object': 'coupon', 'id': 'x'})")
    assert "pinstripe.models.coupon" in loaded
    assert not loaded & {
        "httpx",
        "pinstripe.events",
        "pinstripe.models.account",
        "pinstripe.models.event",
        "pinstripe.models.invoice",
        "pinstripe.params",
    }


def test_verifying_a_webhook_loads_neither_pydantic_nor_httpx() -> None:
    loaded = loaded_by("from pinstripe import webhooks; webhooks.verify(b'', webhooks.sign(b'', 'x'), 'x')")
    assert not loaded & {"pydantic", "httpx"}


@pytest.mark.parametrize(
    "code",
    [
        "from pinstripe._decoding import decode_as; decode_as('Coupon', b'{}')",
        "from pinstripe._decoding import model_for; model_for({'object': 'coupon'})",
        "from pinstripe._base import Embedded; Embedded('Coupon', expandable=True)({'object': 'coupon'})",
        'from pinstripe import webhooks; webhooks.read(b\'{"object": "event", "id": "evt_1", "type": "invoice.paid"}\')',
    ],
)
def test_the_models_register_themselves_before_anything_is_decoded(code: str) -> None:
    assert "pinstripe.models" in loaded_by(
        f"import contextlib, pydantic\nwith contextlib.suppress(pydantic.ValidationError): {code}"
    )


def test_the_types_of_parameters_register_themselves_before_a_signature_is_made() -> None:
    code = "import inspect, pinstripe; inspect.signature(pinstripe.Client.customers.create)"
    assert "pinstripe.params" in loaded_by(code)


# --- public names -----------------------------------------------------------------------------------------------------


def test_every_public_name_exists_and_is_listed() -> None:
    for name in pinstripe.__all__:
        assert getattr(pinstripe, name) is not None
    assert sorted(pinstripe.__all__) == dir(pinstripe)
    with pytest.raises(AttributeError, match="nothing"):
        pinstripe.nothing  # type: ignore[attr-defined]  # noqa: B018  # the mistake


def modules() -> dict[str, Path]:
    """Return the files of all modules by name."""
    paths = sorted((SOURCE / "pinstripe").rglob("*.py"))
    return {".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}


MODULES = modules()
GENERATED = {name for name in MODULES if name.split(".")[1:2] in (["models"], ["params"], ["resources"])}
HAND_WRITTEN = [name for name in MODULES if name not in GENERATED]


@pytest.mark.parametrize("name", [name for name in HAND_WRITTEN if not name.endswith("__main__")])
def test_every_module_imports_without_the_others(name: str) -> None:
    importlib.import_module(name)


def public_objects(module: str) -> Iterator[tuple[str, object]]:
    """Return the public classes and functions of a module, and the methods of the classes."""
    namespace = importlib.import_module(module)
    members = {name: getattr(namespace, name) for name in dir(namespace) if not name.startswith("_")}
    for name, member in members.items():
        if not issubclass(type(member), (type, FunctionType)) or not member.__module__.startswith("pinstripe"):
            continue
        yield f"{module}.{name}", member
        if issubclass(type(member), type):
            for method, function in inspect.getmembers(member, inspect.isfunction):
                is_own = function.__module__.startswith("pinstripe")
                if is_own and (method == "__init__" or not method.startswith("_")):
                    yield f"{module}.{name}.{method}", function


PUBLIC_MODULES = [
    name
    for name in MODULES
    if not any(part.startswith("_") for part in name.split(".")) and not name.startswith("pinstripe.emulator.")
]


@pytest.mark.parametrize("module", PUBLIC_MODULES)
def test_the_type_hints_of_everything_public_can_be_read_at_run_time(module: str) -> None:
    failed = {}
    for name, member in public_objects(module):
        try:
            typing.get_type_hints(member, include_extras=True)
        except (NameError, TypeError) as error:
            failed[name] = str(error)
    assert failed == {}


def test_modules_are_small() -> None:
    for folder in ("src", "codegen"):
        for path in (ROOT / folder).rglob("*.py"):
            if "Generated by codegen" not in path.read_text().partition("\n")[0]:
                assert path.read_text().count("\n") <= 500, path


# --- layers -----------------------------------------------------------------------------------------------------------

# From the bottom to the top. A module belongs to the layer with the longest prefix of its name, and imports only modules
# of its own layer and of those below it, at run time and for types.
LAYERS: tuple[tuple[str, ...], ...] = (
    (
        "pinstripe._version",
        "pinstripe._api_version",
        "pinstripe._asgi",
        "pinstripe._lazy",
        "pinstripe._logs",
        "pinstripe._secrets",
    ),
    (
        "pinstripe.errors",
        "pinstripe.form",
        "pinstripe.money",
        "pinstripe.types",
        "pinstripe._base",
        "pinstripe._downloads",
        "pinstripe._dumps",
        "pinstripe._event_class",
        "pinstripe._field_docs",
        "pinstripe._hints",
        "pinstripe._model_hints",
        "pinstripe._oauth_models",
        "pinstripe._options",
        "pinstripe._registry",
        "pinstripe._repr",
        "pinstripe._response",
        "pinstripe._retry",
        "pinstripe._scalars",
        "pinstripe._uploads",
        "pinstripe.hooks",
    ),
    ("pinstripe._lenient",),
    ("pinstripe._differences",),
    ("pinstripe._decoding",),
    ("pinstripe._request",),
    ("pinstripe._call",),
    ("pinstripe._deadline", "pinstripe._pools", "pinstripe._transport"),
    ("pinstripe._endpoint", "pinstripe._embedded", "pinstripe._pagination"),
    ("pinstripe.models", "pinstripe.params", "pinstripe.resources"),
    ("pinstripe._oauth", "pinstripe._client", "pinstripe.events"),
    ("pinstripe.webhooks",),
    ("pinstripe",),
    ("pinstripe.emulator",),
    ("pinstripe.integrations", "pinstripe.testing"),
    ("pinstripe.demo", "pinstripe.cli", "pinstripe.__main__"),
)
ROOT_NAMES = vars(pinstripe)  # with the private names, which the stub does not have
# The imports by a name that is not written out, and what they import.
BY_NAME: dict[str, Callable[[], Iterable[str]]] = {
    "pinstripe": lambda: {f"pinstripe.{name}" for name in (*ROOT_NAMES["_NAMES"].values(), *ROOT_NAMES["_MODULES"])},
    "pinstripe._lazy": lambda: (),  # the names are arguments of LazyModule and import_later: the callers import them
    "pinstripe.models": lambda: (name for name in MODULES if name.startswith("pinstripe.models.")),
    "pinstripe.params": lambda: (name for name in MODULES if name.startswith("pinstripe.params.")),
    "pinstripe.resources": lambda: (name for name in MODULES if name.startswith("pinstripe.resources.")),
    "pinstripe.emulator.operations": lambda: (
        name for name in MODULES if re.fullmatch(r"pinstripe\.emulator\.(operations|billing)\.\w+", name)
    ),
}
# The imports that break the rules, each with its reason.
EXCEPTIONS: dict[tuple[str, str], str] = {}


def imports_of(name: str) -> set[str]:
    """Return the modules of the package that a module imports: anywhere in it, for types, lazily, or by name."""
    imported: set[str] = set()
    for node in ast.walk(ast.parse(MODULES[name].read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} has a relative import, which this test does not resolve"
            qualified = {f"{node.module}.{alias.name}" for alias in node.names}
            imported |= qualified & MODULES.keys()
            if not qualified <= MODULES.keys():
                imported.add(str(node.module))
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(
            ("import_module", "LazyModule", "import_later")
        ):
            for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
                if isinstance(argument, ast.Constant):
                    imported.add(str(argument.value))
                else:
                    assert name in BY_NAME, f"{name} imports {ast.unparse(argument)}: add it to BY_NAME"
                    imported |= set(BY_NAME[name]())
    own = {module for module in imported if module.split(".")[0] == "pinstripe"}
    assert own <= MODULES.keys()
    return own - {name}


IMPORTS = {name: imports_of(name) for name in MODULES}


def layer_of(name: str) -> int:
    """Return the number of a module's layer, from the bottom."""
    prefixes = [prefix for layer in LAYERS for prefix in layer if f"{name}.".startswith(f"{prefix}.")]
    if name != "pinstripe":
        prefixes.remove("pinstripe")  # stands for the package itself, not for the modules in it
    assert prefixes, f"{name} belongs to no layer: add it to LAYERS"
    longest = max(prefixes, key=len)
    return next(number for number, layer in enumerate(LAYERS) if longest in layer)


def cycles(graph: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Return the modules that import each other, directly or not (Tarjan's strongly connected components)."""
    index: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    components: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = lowest[name] = len(index)
        stack.append(name)
        for other in graph[name]:
            if other not in index:
                visit(other)
            if other in stack:
                lowest[name] = min(lowest[name], lowest[other])
        if lowest[name] == index[name]:
            at = stack.index(name)
            component = sorted(stack[at:])
            del stack[at:]
            if len(component) > 1:
                components.append(component)

    for name in graph:
        if name not in index:
            visit(name)
    return components


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports_only_modules_of_its_layer_and_below(name: str) -> None:
    upward = {other for other in IMPORTS[name] if layer_of(other) > layer_of(name) and (name, other) not in EXCEPTIONS}
    assert upward == set()


def test_no_hand_written_modules_import_each_other() -> None:
    # Models refer to each other for types, as Stripe's objects do. They count as one module: no cycle leads through them.
    def condensed(name: str) -> str:
        return name if name not in GENERATED else ".".join(name.split(".")[:2])

    graph: dict[str, set[str]] = {condensed(name): set() for name in MODULES}
    for name, others in IMPORTS.items():
        graph[condensed(name)] |= {condensed(other) for other in others if (name, other) not in EXCEPTIONS}
    for name in graph:
        graph[name].discard(name)
    assert cycles(graph) == []


def test_every_exception_is_still_needed() -> None:
    assert {(name, other) for name, other in EXCEPTIONS if other not in IMPORTS[name]} == set()
    assert {name for name in BY_NAME if name not in MODULES} == set()
