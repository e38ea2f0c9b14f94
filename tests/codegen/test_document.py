"""Reading Stripe's OpenAPI document into facts."""

from __future__ import annotations

import pytest

from codegen import spec
from codegen.document import Node
from tests.codegen.builders import (
    NUMBER,
    TEXT,
    any_of,
    api,
    body_params,
    clearable,
    enum,
    expandable,
    list_of,
    obj,
    operation,
    page_of,
    ref,
    resource,
    schema_fields,
)

TIME: Node = {"type": "integer", "format": "unix-time"}


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        (TEXT, spec.Scalar("string")),
        (NUMBER, spec.Scalar("integer")),
        (TIME, spec.Scalar("timestamp")),
        ({"type": "string", "format": "date-time"}, spec.Scalar("datetime")),
        ({"type": "string", "format": "decimal"}, spec.Scalar("decimal")),
        ({"type": "string", "format": "unheard-of"}, spec.Scalar("string")),
        ({"type": "number"}, spec.Scalar("float")),
        ({}, spec.Scalar("any")),
        (enum("b", "a"), spec.Enum(("a", "b"))),
        (any_of(enum("b"), enum("a")), spec.Enum(("a", "b"))),
        (list_of(TEXT), spec.ListOf(spec.Scalar("string"))),
        (list_of({**TEXT, "nullable": True}), spec.ListOf(spec.Nullable(spec.Scalar("string")))),
        ({"type": "object", "additionalProperties": NUMBER}, spec.MapOf(spec.Scalar("integer"))),
        ({"type": "object"}, spec.MapOf(spec.Scalar("any"))),
        (obj(), spec.Object(())),
        (ref("part"), spec.Ref("part")),
        (any_of(ref("part")), spec.Ref("part")),
        (any_of(ref("part"), ref("other")), spec.Union((spec.Ref("part"), spec.Ref("other")))),
        (expandable("part", "other"), spec.Expandable(("part", "other"))),
        (page_of(ref("part")), spec.PageOf("list", spec.Ref("part"))),
    ],
)
def test_a_schema_becomes_a_type(schema: Node, kind: spec.Type) -> None:
    assert schema_fields(obj(it=schema), part=resource("part"), other=resource("other"))["it"].type == kind


def test_required_and_nullable_are_two_things() -> None:
    fields = schema_fields(obj("both", "required", both={**TEXT, "nullable": True}, required=TEXT, optional=TEXT))
    flags = {name: (item.required, item.nullable) for name, item in fields.items()}
    assert flags == {"both": (True, True), "required": (True, False), "optional": (False, False)}


def test_an_empty_string_among_the_options_makes_a_parameter_clearable() -> None:
    params = body_params(obj(address=clearable(obj(city=TEXT)), status=enum("", "a"), name=TEXT))
    assert {name: item.clearable for name, item in params.items()} == {"address": True, "status": True, "name": False}
    assert params["status"].type == spec.Enum(("a",))


def test_limits_of_length_belong_to_parameters_only() -> None:
    limited: Node = {**TEXT, "maxLength": 22}
    assert body_params(obj(name=limited))["name"].type == spec.Scalar("string", 22)
    assert schema_fields(obj(name=limited))["name"].type == spec.Scalar("string")


def test_fields_that_stripe_does_not_validate_are_open() -> None:
    open_enum: Node = {**enum("a"), "x-stripeBypassValidation": True}
    fields = schema_fields(obj(value=open_enum, many=list_of(open_enum), closed=enum("a")))
    assert {name: item.open for name, item in fields.items()} == {"value": True, "many": True, "closed": False}


def test_a_filters_range_is_of_times_but_an_amounts_is_of_numbers() -> None:
    bounds: Node = {**obj(gt=NUMBER, lt=NUMBER), "title": "range_query_specs"}
    listing = operation(
        page_of(ref("gadget")), query={"created": any_of(bounds, NUMBER), "amount": any_of(bounds, NUMBER)}
    )
    read = api({"/v1/gadgets": {"get": listing}}, {"gadget": resource("gadget")})
    kinds = {item.name: set(spec.parts(item.type)) for item in read.operations["gadgets.list"].params}
    assert spec.Scalar("timestamp") in kinds["created"]
    assert spec.Scalar("integer") in kinds["amount"]


def test_fields_values_and_operations_are_sorted() -> None:
    read = api(
        {"/v1/zebras": {"post": operation(ref("zebra"))}, "/v1/apes": {"post": operation(ref("ape"))}},
        {"zebra": resource("zebra", b=TEXT, a=enum("y", "x")), "ape": resource("ape")},
    )
    assert list(read.operations) == ["apes.create", "zebras.create"]
    assert [item.name for item in read.schemas["zebra"].fields] == ["a", "b", "id", "object"]


def test_the_errors_of_v2_are_one_schema_and_each_operation_lists_its_codes() -> None:
    def error(code: str) -> Node:
        return obj("error", error=obj("code", "message", code=enum(code), message=TEXT))

    create = operation(ref("gadget"))
    failures: Node = {"schema": {"oneOf": [ref("v2.error.too_big"), ref("v2.error.too_small")]}}
    create["responses"] = {
        "200": {"content": {"application/json": {"schema": ref("gadget")}}},
        "default": {"content": {"application/json": failures}},
    }
    read = api(
        {"/v2/gadgets": {"post": create}},
        {
            "gadget": resource("gadget"),
            "v2.error.too_big": error("too_big"),
            "v2.error.too_small": error("too_small"),
        },
    )
    assert read.operations["v2.gadgets.create"].errors == ("too_big", "too_small")
    (result,) = spec.objects(read.schemas["v2.error"].fields[0].type)
    assert result.fields[0] == spec.Field("code", spec.Enum(("too_big", "too_small")), required=True)
    assert "v2.error.too_big" not in read.schemas


def test_a_file_and_an_empty_response_are_not_objects() -> None:
    download = operation(TEXT)
    download["responses"] = {"200": {"content": {"application/pdf": {"schema": TEXT}}}}
    gadget = operation(ref("gadget"))
    read = api(
        {
            "/v1/gadgets/{gadget}": {"get": gadget},
            "/v1/gadgets/{gadget}/pdf": {"get": download},
            "/v1/pings": {"post": operation(obj())},
        },
        {"gadget": resource("gadget")},
    )
    shapes = {name: (value.shape, value.returns) for name, value in read.operations.items()}
    assert shapes["gadgets.pdf"] == ("download", None)
    assert shapes["pings.create"] == ("nothing", None)


def test_events_name_their_object_and_thin_events_carry_data() -> None:
    read = api(
        {},
        {"gadget": resource("gadget")},
        events={"gadget.created": {"object": "gadget", "previous_attributes": True}},
        thin_events={
            "v1.gadget.created": {"related_object": "gadget", "data": None},
            "v2.gadget.failed": {"related_object": None, "data": obj("why", why=TEXT)},
        },
    )
    assert read.events["gadget.created"] == spec.Event("gadget.created", "gadget", previous_attributes=True)
    assert read.thin_events["v1.gadget.created"] == spec.ThinEvent("v1.gadget.created", "gadget", None)
    assert read.thin_events["v2.gadget.failed"].data == (spec.Field("why", spec.Scalar("string"), required=True),)


def test_the_object_of_an_operation_is_what_it_returns_or_what_its_service_retrieves() -> None:
    read = api(
        {
            "/v1/gadgets/{gadget}": {"get": operation(ref("gadget")), "delete": operation(ref("deleted_gadget"))},
            "/v1/gadgets/{gadget}/parts": {"get": operation(page_of(ref("part")))},
            "/v1/gadgets/{gadget}/ping": {"post": operation(obj())},
        },
        {"gadget": resource("gadget"), "deleted_gadget": resource("gadget"), "part": resource("part")},
    )
    assert read.resources == {
        "gadgets.delete": "gadget",
        "gadgets.parts.list": "part",
        "gadgets.ping": "gadget",
        "gadgets.retrieve": "gadget",
    }


def test_a_name_that_differs_from_the_oracle_is_an_error_that_says_what_to_do() -> None:
    row: Node = {"verb": "POST", "path": "/v1/gadgets", "service": "gadgets", "method": "make"}
    with pytest.raises(ValueError, match=r"gadgets\.create by rule.*'make'.*OPERATIONS"):
        api({"/v1/gadgets": {"post": operation(ref("gadget"))}}, {"gadget": resource("gadget")}, names=[row])
