"""The demo runs anywhere, tells its story, and never uses a key that it was not told to use."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from pinstripe.__main__ import main


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("STRIPE_")}
    command = [sys.executable, "-m", "pinstripe", *arguments]
    return subprocess.run(
        command, env={**clean, **environment}, capture_output=True, text=True, timeout=60, check=False
    )


def test_the_demo_tells_its_story_and_exits_well() -> None:
    done = run("demo")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for said in (
        "cus_",
        "seti_",
        "sub_",
        "87.00 USD",
        "visa ending in 4242",
        "invoice.paid",
        "every signature verified",
    ):
        assert said in done.stdout
    assert "\033[" not in done.stdout


def test_with_a_key_it_says_so_and_uses_the_emulator_all_the_same() -> None:
    done = run("demo", STRIPE_API_KEY="sk_test_someones", STRIPE_API_BASE="http://127.0.0.1:9")
    assert done.returncode == 0, done.stderr
    assert "STRIPE_API_KEY is set" in done.stdout
    assert "sk_test_someones" not in done.stdout


def test_only_a_test_key_may_go_to_stripe() -> None:
    done = run("demo", "--live-test-mode", STRIPE_API_KEY="sk_live_someones")
    assert done.returncode == 2
    assert "test key" in done.stdout


def test_the_commands_are_explained(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    assert "emulator" in capsys.readouterr().out


def test_the_emulator_command_serves_until_it_is_interrupted() -> None:
    command = [sys.executable, "-m", "pinstripe", "emulator", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        url = said.partition("STRIPE_API_BASE=")[2].split()[0]
        assert httpx.get(f"{url}/v1/customers", headers={"Authorization": "Bearer sk_test_x"}).json()["data"] == []
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


def test_the_emulator_command_says_what_is_wrong(tmp_path: Path) -> None:
    refused = run("emulator", "--port", "0", "--db", str(tmp_path))
    assert (refused.returncode, "Traceback" in refused.stderr) == (1, False)
    assert "unable to open database file" in refused.stderr
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused = run("emulator", "--port", str(taken.getsockname()[1]))
    assert (refused.returncode, "Traceback" in refused.stderr) == (1, False)
    assert "in use" in refused.stderr
