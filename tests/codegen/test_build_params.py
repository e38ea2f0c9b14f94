"""The TypedDicts of the parameters of an API, and the types of their keys."""

from __future__ import annotations

from collections import defaultdict

import pytest

from codegen.build_params import Annotations, build_params
from codegen.classes import ClassDef
from codegen.docstrings import Writer
from codegen.document import Node
from tests.codegen.builders import (
    NUMBER,
    TEXT,
    any_of,
    api,
    body_params,
    clearable,
    entry,
    enum,
    list_of,
    obj,
    operation,
    ref,
    resource,
    written,
)


def classes(**bodies: Node) -> dict[str, ClassDef]:
    """Return the classes of operations that create these objects."""
    read = api(
        {f"/v1/{name}": {"post": operation(ref("gadget"), body=body)} for name, body in bodies.items()},
        {"gadget": resource("gadget")},
    )
    modules = build_params(read, Writer(read, written()))
    assert set(modules) == set(bodies)
    return {cls.name: cls for module in modules.values() for cls in module.classes}


def annotation_of(schema: Node, *, stub: bool = False) -> str:
    (field,) = body_params(obj(it=schema)).values()
    return Annotations(defaultdict(set), stub=stub).field(field, "GadgetCreateParamsIt")


# --- names ------------------------------------------------------------------------------------------------------------


def test_nested_parameters_are_named_by_the_path_from_their_operation() -> None:
    result = classes(gadgets=obj(items=list_of(obj(price_data=obj(amount=NUMBER)))))
    assert list(result) == [
        "GadgetCreateParamsItemPriceData",
        "GadgetCreateParamsItem",
        "GadgetCreateParams",
    ]


def test_the_same_nested_parameters_of_two_operations_are_two_classes() -> None:
    home = obj(city=TEXT)
    assert set(classes(apes=obj(home=home), bees=obj(home=home))) == {
        "ApeCreateParams",
        "ApeCreateParamsHome",
        "BeeCreateParams",
        "BeeCreateParamsHome",
    }


def test_an_operation_without_parameters_has_no_class() -> None:
    read = api({"/v1/gadgets": {"post": operation(ref("gadget"))}}, {"gadget": resource("gadget")})
    assert build_params(read, Writer(read, written())) == {}


def test_two_operations_with_one_class_name_are_an_error() -> None:
    with pytest.raises(ValueError, match="two places would have the class GadgetCreateParams, in gadget and gadgets"):
        classes(gadget=obj(a=TEXT), gadgets=obj(a=TEXT))


# --- types ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (TEXT, "str"),
        ({**TEXT, "maxLength": 40}, "Annotated[str, MaxLen(40)]"),
        ({**TEXT, "maxLength": 5000}, "str"),
        (NUMBER, "int"),
        ({"type": "boolean"}, "bool"),
        ({"type": "integer", "format": "unix-time"}, "int | datetime"),
        ({"type": "string", "format": "decimal"}, "Decimal | str"),
        (enum("a", "b"), 'Literal["a", "b"]'),
        (enum("a", ""), 'Literal["a"] | None'),
        (clearable(obj(city=TEXT)), "GadgetCreateParamsIt | None"),
        (list_of(TEXT), "list[str]"),
        (list_of(NUMBER), "Sequence[int]"),
        (list_of(obj(city=TEXT)), "Sequence[GadgetCreateParamsIt]"),
        ({"type": "object", "additionalProperties": TEXT}, "Mapping[str, str]"),
        (any_of(obj(city=TEXT), TEXT), "GadgetCreateParamsIt | str"),
        (any_of(obj(city=TEXT), obj(town=TEXT)), "GadgetCreateParamsIt"),
    ],
)
def test_the_type_of_a_parameter(schema: Node, expected: str) -> None:
    assert annotation_of(schema) == expected


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({**TEXT, "maxLength": 40}, "str"),
        (list_of(TEXT), "Strings"),
        (list_of(enum("a")), 'Sequence[Literal["a"]]'),
    ],
)
def test_in_a_stub_limits_are_left_to_the_documentation_and_lists_of_strings_have_a_name(
    schema: Node, expected: str
) -> None:
    assert annotation_of(schema, stub=True) == expected


def test_a_required_key_is_required() -> None:
    result = classes(gadgets=obj("name", name=TEXT, color=TEXT))["GadgetCreateParams"]
    assert {field.name: field.required for field in result.fields} == {"color": False, "name": True}


# --- documentation ----------------------------------------------------------------------------------------------------


def test_classes_and_keys_say_what_is_written_about_the_parameter() -> None:
    read = api(
        {"/v1/gadgets": {"post": operation(ref("gadget"), body=obj(home=obj(city=TEXT), size=obj(x=NUMBER)))}},
        {"gadget": resource("gadget")},
    )
    writer = Writer(read, written(operations={"gadgets.create": entry(params={"home": "Where it is."})}))
    result = {cls.name: cls for cls in build_params(read, writer)["gadgets"].classes}
    assert result["GadgetCreateParams"].doc == "The parameters of `POST /v1/gadgets`."
    assert result["GadgetCreateParams"].fields[0].doc == "Where it is."
    assert result["GadgetCreateParamsHome"].doc == "Where it is."
    assert result["GadgetCreateParamsSize"].doc == "The object in `size` of `GadgetCreateParams`."


def test_a_dict_without_keys_says_what_to_pass() -> None:
    assert classes(gadgets=obj(cash=obj()))["GadgetCreateParamsCash"].doc.endswith("\n\nIt takes no keys: pass `{}`.")
