"""Run functions in threads that an event loop cannot cancel."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from typing import TypeVar

T = TypeVar("T")


async def run_in_thread(function: Callable[..., T], *args: object) -> T:
    """Run a function in a thread; if the task is canceled, wait until the function has ended, then raise.

    A thread cannot be stopped. After `asyncio.to_thread` is canceled, its function still runs, unseen.
    """
    call = partial(copy_context().run, function, *args)
    future = asyncio.get_running_loop().run_in_executor(None, call)
    cancellation: asyncio.CancelledError | None = None
    while not future.done():
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError as error:
            cancellation = error
    if cancellation is not None:
        if not future.cancelled():
            future.exception()  # retrieve it, or asyncio logs that it was not
        raise cancellation
    return future.result()
