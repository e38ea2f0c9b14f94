"""Real servers for tests: PostgreSQL and Redis from Debian's packages, where they are there."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def find(name: str) -> str | None:
    """A program, also where Debian keeps PostgreSQL's."""
    kept = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(kept[-1]) if kept else shutil.which(name)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def redis_server() -> Iterator[str | None]:
    """A Redis of one's own; gives its URL, or nothing where there is none to start."""
    program = find("redis-server")
    if program is None:
        yield None
        return
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        command = [
            program,
            "--port",
            str(port),
            "--bind",
            "127.0.0.1",
            "--dir",
            folder,
            "--save",
            "",
            "--appendonly",
            "no",
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
            assert running.stdout is not None
            try:
                assert any("Ready to accept connections" in line for line in running.stdout)
                yield f"redis://127.0.0.1:{port}/0"
            finally:
                running.terminate()
                running.stdout.close()


@contextmanager
def postgresql_server() -> Iterator[str | None]:
    """A PostgreSQL of one's own; gives its connection string, or nothing where there is none to start."""
    initdb, control = find("initdb"), find("pg_ctl")
    if initdb is None or control is None:
        yield None
        return
    user = "postgres" if os.getuid() == 0 else None  # it does not run as root
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)  # for that other user
        data, port = f"{folder}/data", free_port()

        def run(*command: str) -> None:
            subprocess.run(command, check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL)

        run(initdb, "-D", data, "-U", "test", "-A", "trust", "--no-sync")
        run(control, "-D", data, "-l", f"{folder}/log", "-w", "-o", f"-p {port} -h 127.0.0.1 -k {folder} -F", "start")
        try:
            yield f"host=127.0.0.1 port={port} user=test dbname=postgres"
        finally:
            run(control, "-D", data, "-m", "immediate", "stop")
