"""The commands of the command line: the demo, which does not use an API key by default, and the emulator."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from pinstripe.cli import main


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("STRIPE_")}
    command = [sys.executable, "-m", "pinstripe", *arguments]
    return subprocess.run(
        command, env={**inherited, **environment}, capture_output=True, text=True, timeout=60, check=False
    )


def test_demo_shows_each_step_and_exits_with_0() -> None:
    process = run("demo")
    assert process.returncode == 0, process.stderr
    assert process.stderr == ""
    for text in (
        "cus_",
        "seti_",
        "sub_",
        "87.00 USD",
        "visa ending in 4242",
        "invoice.paid",
        "every signature verified",
    ):
        assert text in process.stdout
    assert "\033[" not in process.stdout


def test_demo_uses_the_emulator_even_if_a_key_is_set() -> None:
    process = run("demo", STRIPE_API_KEY="sk_test_someones", STRIPE_API_BASE="http://127.0.0.1:9")
    assert process.returncode == 0, process.stderr
    assert "STRIPE_API_KEY is set" in process.stdout
    assert "sk_test_someones" not in process.stdout


def test_demo_rejects_a_live_key() -> None:
    process = run("demo", "--live-test-mode", STRIPE_API_KEY="sk_live_someones")
    assert process.returncode == 2
    assert "test key" in process.stdout


def test_help_lists_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    assert "emulator" in capsys.readouterr().out


def test_emulator_command_serves_until_it_is_interrupted() -> None:
    command = [sys.executable, "-m", "pinstripe", "emulator", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=heed_interrupts) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            url = line.partition("STRIPE_API_BASE=")[2].split()[0]
            assert httpx.get(f"{url}/v1/customers", headers={"Authorization": "Bearer sk_test_x"}).json()["data"] == []
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 0
        finally:
            process.kill()


def heed_interrupts() -> None:
    """Let a process be interrupted, also where the tests run in the background of a shell, which ignores interrupts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_emulator_command_reports_a_bad_file_and_a_port_in_use(tmp_path: Path) -> None:
    process = run("emulator", "--port", "0", "--db", str(tmp_path))
    assert (process.returncode, "Traceback" in process.stderr) == (1, False)
    assert "unable to open database file" in process.stderr
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = run("emulator", "--port", str(taken.getsockname()[1]))
    assert (process.returncode, "Traceback" in process.stderr) == (1, False)
    assert "in use" in process.stderr
