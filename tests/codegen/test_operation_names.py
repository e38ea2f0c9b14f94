"""The names of operations follow from the structure of their paths."""

from __future__ import annotations

import pytest

from codegen.operation_names import Call, name_operations

GADGET = frozenset({"gadget"})
PATHS = [
    Call("GET", "/v1/gadgets", GADGET, "page"),
    Call("POST", "/v1/gadgets", GADGET, "object"),
    Call("GET", "/v1/gadgets/search", GADGET, "search"),
    Call("GET", "/v1/gadgets/{gadget}", GADGET, "object"),
    Call("POST", "/v1/gadgets/{gadget}", GADGET, "object"),
    Call("DELETE", "/v1/gadgets/{gadget}", GADGET, "object"),
    Call("POST", "/v1/gadgets/{gadget}/freeze", GADGET, "object"),
    Call("POST", "/v1/gadgets/{gadget}/finalize", GADGET, "object"),
    Call("POST", "/v1/gadgets/{gadget}/add_lines", GADGET, "object"),
    Call("POST", "/v1/gadgets/{gadget}/labels", frozenset({"label"}), "object"),
    Call("GET", "/v1/gadgets/{gadget}/parts", frozenset({"part"}), "page"),
    Call("POST", "/v1/gadgets/{gadget}/parts", frozenset({"part"}), "object"),
    Call("DELETE", "/v1/gadgets/{gadget}/discount", frozenset({"deleted_discount"}), "object"),
    Call("GET", "/v1/gadgets/{gadget}/pdf", frozenset(), "download"),
    Call("GET", "/v1/gadget_settings", frozenset({"settings"}), "object"),
    Call("POST", "/v1/gadget_settings", frozenset({"settings"}), "object"),
    Call("POST", "/v2/core/gadgets/{id}/close", GADGET, "object"),
]


@pytest.mark.parametrize(
    ("verb", "path", "name"),
    [
        ("GET", "/v1/gadgets", "gadgets.list"),
        ("POST", "/v1/gadgets", "gadgets.create"),
        ("GET", "/v1/gadgets/search", "gadgets.search"),
        ("GET", "/v1/gadgets/{gadget}", "gadgets.retrieve"),
        ("POST", "/v1/gadgets/{gadget}", "gadgets.update"),
        ("DELETE", "/v1/gadgets/{gadget}", "gadgets.delete"),
        ("POST", "/v1/gadgets/{gadget}/freeze", "gadgets.freeze"),
        ("POST", "/v1/gadgets/{gadget}/finalize", "gadgets.finalize_gadget"),
        ("POST", "/v1/gadgets/{gadget}/add_lines", "gadgets.add_lines"),
        ("POST", "/v1/gadgets/{gadget}/labels", "gadgets.labels.create"),
        ("GET", "/v1/gadgets/{gadget}/parts", "gadgets.parts.list"),
        ("POST", "/v1/gadgets/{gadget}/parts", "gadgets.parts.create"),
        ("DELETE", "/v1/gadgets/{gadget}/discount", "gadgets.delete_discount"),
        ("GET", "/v1/gadgets/{gadget}/pdf", "gadgets.pdf"),
        ("GET", "/v1/gadget_settings", "gadget_settings.retrieve"),
        ("POST", "/v1/gadget_settings", "gadget_settings.update"),
        ("POST", "/v2/core/gadgets/{id}/close", "v2.core.gadgets.close"),
    ],
)
def test_an_operation_is_named_by_its_path(verb: str, path: str, name: str) -> None:
    assert ".".join(name_operations(PATHS)[verb, path]) == name


def test_two_operations_with_one_name_are_an_error() -> None:
    calls = [Call("GET", path, GADGET, "object") for path in ("/v1/gadgets/{gadget}", "/v1/gadgets/{id}")]
    with pytest.raises(ValueError, match=r"both named gadgets\.retrieve"):
        name_operations(calls)
