"""Registration of operation handlers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.json_values import JSON

OperationHandler: TypeAlias = Callable[[OperationContext], JSON | bytes]
"""Returns the JSON of the response, or a PDF file."""

HANDLERS: dict[str, OperationHandler] = {}
"""The handlers by operation. Operations without a handler create, retrieve, update, delete or list plain objects."""


def operation(*names: str) -> Callable[[OperationHandler], OperationHandler]:
    """Register the decorated function as the handler of operations: ``@operation("subscriptions.create")``."""

    def register(handler: OperationHandler) -> OperationHandler:
        for name in names:
            HANDLERS[name] = handler
        return handler

    return register
