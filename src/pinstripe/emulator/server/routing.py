"""Which operation a request is: the rows of the client's own table, found by verb and path."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from pinstripe._endpoint import Row


@dataclass
class Node:
    """One step of a path; the empty step stands for a path argument."""

    steps: dict[str, Node] = field(default_factory=dict)
    rows: dict[str, Row] = field(default_factory=dict)


class Routes:
    """All rows, as a tree of steps."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._root = Node()
        for row in rows:
            node = self._root
            for step in row.path.strip("/").split("/"):
                node = node.steps.setdefault("" if step.startswith("{") else step, Node())
            node.rows.setdefault(row.verb, row)  # where one path has two names, the first is it

    def find(self, verb: str, path: str) -> tuple[Row, Mapping[str, str]] | None:
        """The row of a request, and the arguments in its path."""
        found = self._walk(self._root, path.strip("/").split("/"), [], verb)
        if found is None:
            return None
        row, arguments = found
        names = [step[1:-1] for step in row.path.split("/") if step.startswith("{")]
        return row, dict(zip(names, arguments, strict=True))

    def _walk(self, node: Node, steps: list[str], arguments: list[str], verb: str) -> tuple[Row, list[str]] | None:
        if not steps:
            return (node.rows[verb], arguments) if verb in node.rows else None
        step, rest = steps[0], steps[1:]
        if step in node.steps and (found := self._walk(node.steps[step], rest, arguments, verb)):
            return found
        if step and "" in node.steps:
            return self._walk(node.steps[""], rest, [*arguments, unquote(step)], verb)
        return None
