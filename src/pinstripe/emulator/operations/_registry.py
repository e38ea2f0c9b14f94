"""Registration of operation handlers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from pinstripe.emulator.operations.context import OperationContext

OperationHandler: TypeAlias = Callable[[OperationContext], Any]  # Any: the JSON of the response, or the bytes of a PDF

HANDLERS: dict[str, OperationHandler] = {}
"""The handlers by operation. Operations without a handler create, read, update, delete or list plain objects."""


def operation(*names: str) -> Callable[[OperationHandler], OperationHandler]:
    """Register the decorated function as the handler of operations: ``@operation("subscriptions.create")``."""

    def register(handler: OperationHandler) -> OperationHandler:
        for name in names:
            HANDLERS[name] = handler
        return handler

    return register
