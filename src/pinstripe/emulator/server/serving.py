"""Serve an ASGI application over HTTP on a local port."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def serve(app: Any, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:  # Any: an ASGI application
    """Serve an ASGI application in a thread while the block runs; yield its base URL.

    A port of 0 takes a free one. Raises ``ImportError`` without the extra ``emulator``, and ``OSError`` for a port in use.
    """
    try:
        import uvicorn
    except ImportError as error:
        raise ImportError("The emulator's server needs uvicorn: pip install 'pinstripe[emulator]'") from error
    server = uvicorn.Server(uvicorn.Config(app, host=host, port=port, log_level="error", lifespan="off"))
    listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(
        socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
    )  # otherwise the body of a response is delayed by 40 ms
    thread = threading.Thread(target=server.run, args=([listener],), name="pinstripe-emulator", daemon=True)
    thread.start()
    try:
        yield f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
