"""Real PostgreSQL and Redis servers for tests, if the Debian packages are installed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def find_program(name: str) -> str | None:
    """Find a program on the path or in Debian's folder of PostgreSQL programs."""
    paths = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(paths[-1]) if paths else shutil.which(name)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def redis_server() -> Iterator[str | None]:
    """Start a Redis server and yield its URL, or None if Redis is not installed."""
    program = find_program("redis-server")
    if program is None:
        yield None
        return
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        options = {"port": str(port), "bind": "127.0.0.1", "dir": folder, "save": "", "appendonly": "no"}
        command = [program, *(text for name, value in options.items() for text in (f"--{name}", value))]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                assert any("Ready to accept connections" in line for line in process.stdout)
                yield f"redis://127.0.0.1:{port}/0"
            finally:
                process.terminate()
                process.stdout.close()


@contextmanager
def postgresql_server() -> Iterator[str | None]:
    """Start a PostgreSQL server and yield its connection string, or None if PostgreSQL is not installed."""
    initdb, control = find_program("initdb"), find_program("pg_ctl")
    if initdb is None or control is None:
        yield None
        return
    user = "postgres" if os.getuid() == 0 else None  # PostgreSQL refuses to run as root
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)  # for the postgres user
        data, port = f"{folder}/data", free_port()

        def run(*command: str) -> None:
            subprocess.run(command, check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL)

        run(initdb, "-D", data, "-U", "test", "-A", "trust", "--no-sync")
        run(control, "-D", data, "-l", f"{folder}/log", "-w", "-o", f"-p {port} -h 127.0.0.1 -k {folder} -F", "start")
        try:
            yield f"host=127.0.0.1 port={port} user=test dbname=postgres"
        finally:
            run(control, "-D", data, "-m", "immediate", "stop")
