"""Operation handlers, one module per resource family. Modules with an underscore are shared by them."""

from importlib import import_module
from pkgutil import iter_modules

from pinstripe.emulator import billing


def load() -> None:
    """Import every module that registers operation handlers or timer handlers."""
    for package, path in ((__name__, __path__), (billing.__name__, billing.__path__)):
        for module in iter_modules(path):
            import_module(f"{package}.{module.name}")
