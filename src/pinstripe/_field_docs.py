"""The documentation of fields: the strings below them in the source, which is read when a JSON schema is made."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Mapping
from functools import cache

__all__ = ["field_docs"]


def field_docs(cls: type) -> Mapping[str, str]:
    """Return the documentation of the fields of a class and of its bases, by name, or nothing if there is no source."""
    docs: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        docs.update(_of_module(base.__module__).get(base.__qualname__, {}))
    return docs


@cache
def _of_module(name: str) -> Mapping[str, Mapping[str, str]]:
    try:
        source = inspect.getsource(sys.modules[name])
    except (KeyError, OSError, TypeError):  # created at run time, or installed without source
        return {}
    return {node.name: _of_class(node) for node in ast.parse(source).body if isinstance(node, ast.ClassDef)}


def _of_class(node: ast.ClassDef) -> Mapping[str, str]:
    docs: dict[str, str] = {}
    for field, below in zip(node.body, node.body[1:], strict=False):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                docs[name] = inspect.cleandoc(text)
            case _:
                pass
    return docs
