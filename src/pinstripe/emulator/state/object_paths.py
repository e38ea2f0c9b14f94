"""The paths from which objects are retrieved, by the table of endpoints."""

from __future__ import annotations

import re
from functools import cache

from pinstripe._registry import registry
from pinstripe.emulator.state.json_values import Object
from pinstripe.resources import endpoints

__all__ = ["object_path"]


@cache
def _path_of_type(object_type: str) -> str:
    """Return the path from which objects of a type are retrieved; empty for types that cannot be retrieved."""
    model = registry().objects[object_type]
    paths = [
        endpoint.path
        for endpoint in endpoints()
        if endpoint.verb == "GET" and endpoint.kind == "object" and model in (endpoint.model or "").split(" | ")
    ]
    own = f"/{object_type.rpartition('.')[2]}s/"
    return min(paths, key=lambda path: (not path.endswith("}"), own not in path, path.count("{")), default="")


def object_path(subject: Object) -> str:
    """Return the path from which an object is retrieved.

    Arguments before the last segment are ids that stand in the object's fields.
    """
    path = _path_of_type(subject["object"])

    def fill(match: re.Match[str]) -> str:
        if match.end() == len(path) and "id" in subject:
            return str(subject["id"])
        owner = subject.get(match[1].removesuffix("_id"))
        return str(owner["id"] if isinstance(owner, dict) else owner)

    return re.sub(r"\{(\w+)\}", fill, path)
