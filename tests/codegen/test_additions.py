"""The file of additions: its effect on the facts, and its mistakes."""

from __future__ import annotations

import pytest

from codegen import additions, spec
from codegen.additions import AdditionsError
from codegen.document import Node
from tests.codegen.builders import TEXT, api, enum, list_of, obj, operation, ref, resource


def gadgets() -> spec.Api:
    return api(
        {
            "/v1/gadgets": {
                "post": operation(
                    ref("gadget"), body=obj(source=TEXT, kind=enum("big"), box=obj(kinds=list_of(enum("big"))))
                )
            }
        },
        {"gadget": resource("gadget", status=TEXT)},
    )


def params(added: Node) -> dict[str, spec.Field]:
    read = additions.apply(gadgets(), {"params": [{"operations": ["gadgets.create"], **added}]})
    return {item.name: item for item in read.operations["gadgets.create"].params}


def test_a_field_is_added_in_its_place() -> None:
    read = additions.apply(
        gadgets(), {"fields": [{"schemas": ["gadget"], "add": {"plan": {"type": "string", "nullable": True}}}]}
    )
    assert [item.name for item in read.schemas["gadget"].fields] == ["id", "object", "plan", "status"]
    assert read.schemas["gadget"].fields[2] == spec.Field("plan", spec.Scalar("string"), nullable=True)


def test_a_parameter_is_added_to_a_nested_object() -> None:
    (part,) = spec.objects(params({"add": {"box.size": {"type": "integer", "required": True}}})["box"].type)
    assert part.fields[1] == spec.Field("size", spec.Scalar("integer"), required=True)


def test_values_are_added_to_an_enum_and_open_a_string() -> None:
    result = params({"values": {"kind": ["small"], "source": ["here"], "box.kinds": ["small"]}})
    assert (result["kind"].type, result["kind"].open) == (spec.Enum(("big", "small")), False)
    assert (result["source"].type, result["source"].open) == (spec.Enum(("here",)), True)
    (part,) = spec.objects(result["box"].type)
    assert part.fields[0].type == spec.ListOf(spec.Enum(("big", "small")))


def test_alternatives_with_fields_of_their_own_are_added_to_a_parameter() -> None:
    result = params(
        {
            "alternatives": {"source": ["object", "object"]},
            "add": {"source|0.number": {"type": "string"}, "source|1.token": {"type": "string"}},
        }
    )["source"].type
    first, second = (spec.Object((spec.Field(name, spec.Scalar("string")),)) for name in ("number", "token"))
    assert result == spec.Union((spec.Scalar("string"), first, second))


@pytest.mark.parametrize(
    ("added", "message"),
    [
        ({"add": {"kind": {"type": "string"}}}, "gadgets.create has kind already; remove it"),
        ({"add": {"bax.size": {"type": "string"}}}, "gadgets.create has no bax; did you mean box?"),
        ({"add": {"kind.size": {"type": "string"}}}, "gadgets.create has no kind"),
        ({"values": {"kind": ["big"]}}, "gadgets.create.kind has the value big already; remove it"),
        ({"values": {"knd": ["big"]}}, "gadgets.create has no knd; did you mean kind?"),
    ],
)
def test_an_addition_that_does_not_fit_is_an_error(added: Node, message: str) -> None:
    with pytest.raises(AdditionsError, match=message):
        params(added)


def test_an_unknown_operation_or_schema_is_an_error() -> None:
    wrong: Node = {"fields": [{"schemas": ["gadgt"]}], "params": [{"operations": ["gadgets.make"]}]}
    with pytest.raises(AdditionsError) as caught:
        additions.apply(gadgets(), wrong)
    assert caught.value.problems == [
        "additions.yaml: there is no schema gadgt; did you mean gadget?",
        "additions.yaml: there is no operation gadgets.make; did you mean gadgets.create?",
    ]
