"""A client of pyright's language server, which tells what an editor shows at a place in a program."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, TypeAlias

Json: TypeAlias = Any  # Any: what the server sends is read key by key


class LanguageServer:
    """Pyright's language server, on a folder with one program that uses the packages of a Python environment."""

    def __init__(self, folder: Path, environment: Path) -> None:
        (folder / "pyrightconfig.json").write_text(
            json.dumps({"venvPath": str(environment.parent), "venv": environment.name})
        )
        self.path = folder / "program.py"
        self.path.touch()
        self._version = 0
        self._ids = 0
        command = [str(Path(sys.executable).parent / "pyright-langserver"), "--stdio"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self) -> LanguageServer:
        root = self.path.parent.as_uri()
        text = {
            "hover": {"contentFormat": ["plaintext"]},
            "completion": {"completionItem": {"documentationFormat": ["plaintext"], "deprecatedSupport": True}},
            "signatureHelp": {"signatureInformation": {"documentationFormat": ["plaintext"]}},
        }
        capabilities = {"textDocument": text, "workspace": {"configuration": False, "workspaceFolders": True}}
        folders = [{"uri": root, "name": "program"}]
        parameters = {"processId": None, "rootUri": root, "capabilities": capabilities, "workspaceFolders": folders}
        self._request("initialize", parameters)
        self._notify("initialized", {})
        document = {"uri": self.path.as_uri(), "languageId": "python", "version": 0, "text": ""}
        self._notify("textDocument/didOpen", {"textDocument": document})
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.kill()
        self._process.communicate()

    def hover(self, program: str) -> str:
        """Return the text that is shown when the mouse is at the place of the ``|`` in a program."""
        result = self._at("textDocument/hover", program)
        return str(result["contents"]["value"]) if result else ""

    def complete(self, program: str) -> dict[str, Json]:
        """Return the completions at the place of the ``|``, by label."""
        result = self._at("textDocument/completion", program)
        return {item["label"]: item for item in (result["items"] if isinstance(result, dict) else result)}

    def documentation(self, item: Json) -> str:
        """Return the documentation of a completion, with its type."""
        resolved = self._request("completionItem/resolve", item)
        return str(resolved["documentation"]["value"])

    def signature(self, program: str) -> Json:
        """Return the signature of the call at the place of the ``|``."""
        return self._at("textDocument/signatureHelp", program)["signatures"][0]

    def definition(self, program: str) -> list[tuple[Path, str]]:
        """Return where the name at the place of the ``|`` is defined: the files, and the lines in them."""
        result = self._at("textDocument/definition", program)
        places = []
        for item in result:
            path = Path(item["uri"].removeprefix("file://"))
            places.append((path, path.read_text().splitlines()[item["range"]["start"]["line"]].strip()))
        return places

    def _at(self, method: str, program: str) -> Json:
        before, _, after = program.rpartition("|")
        self._version += 1
        document = {"uri": self.path.as_uri(), "version": self._version}
        changes = [{"text": before + after}]
        self._notify("textDocument/didChange", {"textDocument": document, "contentChanges": changes})
        position = {"line": before.count("\n"), "character": len(before.rpartition("\n")[2])}
        return self._request(method, {"textDocument": {"uri": document["uri"]}, "position": position})

    def _notify(self, method: str, parameters: Json) -> None:
        self._send({"jsonrpc": "2.0", "method": method, "params": parameters})

    def _request(self, method: str, parameters: Json) -> Json:
        self._ids += 1
        self._send({"jsonrpc": "2.0", "id": self._ids, "method": method, "params": parameters})
        while True:
            message = self._receive()
            if (
                "method" in message and "id" in message
            ):  # a request of the server; the tests do not depend on its result
                self._send({"jsonrpc": "2.0", "id": message["id"], "result": None})
            elif message.get("id") == self._ids:
                assert "error" not in message, message["error"]
                return message["result"]

    def _send(self, message: Json) -> None:
        assert self._process.stdin is not None
        content = json.dumps(message).encode()
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(content), content))
        self._process.stdin.flush()

    def _receive(self) -> Json:
        assert self._process.stdout is not None
        length = 0
        while line := self._process.stdout.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        assert length, "the language server has ended"
        return json.loads(self._process.stdout.read(length))
