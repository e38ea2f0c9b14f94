"""Find the endpoint of a request by verb and path, in the endpoint table of the client."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from pinstripe._endpoint import Endpoint

_ARGUMENT = "/"
"""The key of segments that are path arguments."""


@dataclass
class _Node:
    """A path segment, with the segments that can follow it."""

    children: dict[str, _Node] = field(default_factory=dict)
    endpoints: dict[str, Endpoint] = field(default_factory=dict)


class Router:
    """Finds endpoints in a tree of path segments."""

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        self._root = _Node()
        for endpoint in endpoints:
            node = self._root
            for segment in endpoint.path.strip("/").split("/"):
                node = node.children.setdefault(_ARGUMENT if segment.startswith("{") else segment, _Node())
            node.endpoints.setdefault(endpoint.verb, endpoint)  # of two operations with one path, the first is used

    def find(self, verb: str, path: str) -> tuple[Endpoint, Mapping[str, str]] | None:
        """Return the endpoint of a request and the arguments in its path, or ``None``."""
        match = self._match(self._root, path.removeprefix("/").split("/"), [], verb)
        if match is None:
            return None
        endpoint, arguments = match
        names = [segment[1:-1] for segment in endpoint.path.split("/") if segment.startswith("{")]
        return endpoint, dict(zip(names, arguments, strict=True))

    def _match(
        self, node: _Node, segments: list[str], arguments: list[str], verb: str
    ) -> tuple[Endpoint, list[str]] | None:
        if not segments:
            return (node.endpoints[verb], arguments) if verb in node.endpoints else None
        segment, rest = segments[0], segments[1:]
        if segment in node.children and (match := self._match(node.children[segment], rest, arguments, verb)):
            return match
        if segment and _ARGUMENT in node.children:
            return self._match(node.children[_ARGUMENT], rest, [*arguments, unquote(segment)], verb)
        return None
