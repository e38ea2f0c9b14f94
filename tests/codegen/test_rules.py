"""The rules of the generator, tested with small API descriptions."""

from __future__ import annotations

import pytest
from codegen.read import read_documents
from codegen.resolve import HEAVY, resolve_api

from codegen import ir, names, operations, shapes
from codegen.write_events import write_events
from codegen.write_models import write_models
from codegen.write_params import write_params
from codegen.write_resources import write_resources
from codegen.write_stubs import write_stubs
from pinstripe.types import JSON

Schema = dict[str, JSON]
TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "integer"}


def obj(*required: str, **properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(required)}


def resource(kind: str, **properties: Schema) -> Schema:
    fields = {"id": TEXT, "object": {"type": "string", "enum": [kind]}, **properties}
    return {**obj("id", "object", **fields), "x-resourceId": kind}


def ref(key: str) -> Schema:
    return {"$ref": f"#/components/schemas/{key}"}


def expandable(*keys: str, **more: Schema) -> Schema:
    options = [ref(key) for key in keys]
    return {"anyOf": [TEXT, *options], "x-expansionResources": {"oneOf": options}, **more}


def operation(
    identifier: str, response: Schema, *, query: Schema | None = None, body: Schema | None = None, path: str = ""
) -> Schema:
    parameters = [{"name": name, "in": "query", "schema": schema} for name, schema in (query or {}).items()]
    parameters += [{"name": path, "in": "path", "schema": TEXT, "required": True}] if path else []
    found: Schema = {
        "operationId": identifier,
        "parameters": parameters,
        "responses": {"200": {"content": {"application/json": {"schema": response}}}},
    }
    if body is not None:
        found["requestBody"] = {"content": {"application/x-www-form-urlencoded": {"schema": body}}}
    return found


def resolved(paths: Schema, schemas: Schema, **events: Schema) -> ir.Api:
    spec: Schema = {"info": {"version": "2026-01-01.test"}, "paths": paths, "components": {"schemas": schemas}}
    thin = events.get("thin", {})
    return resolve_api(read_documents(spec, {}, events.get("snapshot", {}), thin))


def resolved_models(**schemas: Schema) -> dict[str, ir.Model]:
    """Return the models of an API description whose only operation retrieves the schema ``gadget``."""
    get = operation("GetGadgets", ref("gadget"), path="gadget")
    return resolved({"/v1/gadgets/{gadget}": {"get": get}}, schemas).models


def fields(model: ir.Model) -> dict[str, ir.Field]:
    return {item.name: item for item in model.fields}


def params(body: Schema, schemas: Schema | None = None) -> dict[str, ir.Field]:
    api = resolved(
        {"/v1/gadgets": {"post": operation("PostGadgets", ref("gadget"), body=body)}},
        {"gadget": resource("gadget"), **(schemas or {})},
    )
    return fields(api.params["gadgets.create()"])


# --- fields -----------------------------------------------------------------------------------------------------------


def test_an_expandable_field_is_an_id_or_one_of_its_objects() -> None:
    models = resolved_models(
        gadget=resource("gadget", owner=expandable("person", "deleted_person")),
        person=resource("person"),
        deleted_person=resource("person", deleted={"type": "boolean", "enum": [True]}),
    )
    assert fields(models["gadget"])["owner"].type == ir.Expandable(("person", "deleted_person"))


def test_the_model_of_a_deleted_object_is_named_deleted() -> None:
    models = resolved_models(
        gadget=resource("gadget", owner=expandable("person", "deleted_person")),
        person=resource("person"),
        deleted_person=resource("person", deleted={"type": "boolean", "enum": [True]}),
    )
    assert (models["person"].name, models["deleted_person"].name) == ("Person", "DeletedPerson")


def test_a_value_of_several_objects_is_decoded_by_its_object_field() -> None:
    models = resolved_models(
        gadget=resource("gadget", source={"anyOf": [ref("card"), ref("bank")]}),
        card=resource("card"),
        bank=resource("bank"),
    )
    assert fields(models["gadget"])["source"].type == ir.Lazy(("card", "bank"))


def test_alternatives_without_an_object_field_become_one_class_with_all_fields() -> None:
    models = resolved_models(
        gadget=resource("gadget", action={"anyOf": [obj("a", "b", a=TEXT, b=TEXT), obj("a", a=TEXT, c=NUMBER)]})
    )
    (part,) = [model for model in models.values() if not model.resource]
    assert {name: item.required for name, item in fields(part).items()} == {"a": True, "b": False, "c": False}


def test_an_inline_object_is_named_after_its_owner_and_its_field() -> None:
    models = resolved_models(gadget=resource("gadget", pause_settings=obj("until", until=NUMBER)))
    assert {model.name for model in models.values()} == {"Gadget", "GadgetPauseSettings"}


def test_an_inline_object_in_a_list_is_named_in_the_singular() -> None:
    models = resolved_models(gadget=resource("gadget", tiers={"type": "array", "items": obj("x", x=NUMBER)}))
    assert {model.name for model in models.values()} == {"Gadget", "GadgetTier"}


def test_identical_shapes_are_one_class() -> None:
    place = obj("city", city=TEXT, lines={"type": "array", "items": obj("text", text=TEXT)})
    models = resolved_models(gadget=resource("gadget", billing=place, shipping=place))
    kinds = {fields(models["gadget"])[name].type for name in ("billing", "shipping")}
    assert len(kinds) == 1
    assert len(models) == 3


def test_shapes_with_different_nested_fields_are_two_classes() -> None:
    models = resolved_models(
        gadget=resource("gadget", a=obj("in", **{"in": obj(x=TEXT)}), b=obj("in", **{"in": obj(x=NUMBER)}))
    )
    assert fields(models["gadget"])["a"].type != fields(models["gadget"])["b"].type


def test_identical_recursive_shapes_are_one_class() -> None:
    def loop(name: str) -> ir.Model:
        return ir.Model(name, (ir.Field("next", ir.Object(name)), ir.Field("n", ir.Scalar("int"))))

    models = {name: loop(name) for name in ("a", "b")}
    same = shapes.unify(models)
    assert set(same.values()) == {"a"}
    assert list(models) == ["a"]


def test_resources_of_the_same_shape_are_two_classes() -> None:
    models = resolved_models(gadget=resource("gadget", a=ref("x"), b=ref("y")), x=resource("x"), y=resource("y"))
    assert {"X", "Y"} <= {model.name for model in models.values()}


@pytest.mark.parametrize(
    ("kind", "response"),
    [
        ("list", obj("data", object={"type": "string", "enum": ["list"]}, data={"type": "array", "items": ref("x")})),
        (
            "search",
            obj(
                "data", object={"type": "string", "enum": ["search_result"]}, data={"type": "array", "items": ref("x")}
            ),
        ),
        ("v2", obj("data", data={"type": "array", "items": ref("x")}, next_page_url=TEXT)),
    ],
)
def test_lists_search_results_and_v2_pages_are_pages_of_their_items(kind: ir.PageKind, response: Schema) -> None:
    models = resolved_models(gadget=resource("gadget", items=response), x=resource("x"))
    assert fields(models["gadget"])["items"].type == ir.PageOf(kind, ir.Object("x"))


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ({"type": "integer", "format": "unix-time"}, ir.Scalar("timestamp")),
        ({"type": "string", "format": "date-time"}, ir.Scalar("datetime")),
        ({"type": "string", "format": "decimal"}, ir.Scalar("decimal")),
        ({"type": "string", "format": "int64"}, ir.Scalar("int64")),
        ({"type": "number"}, ir.Scalar("float")),
        ({"type": "boolean"}, ir.Scalar("bool")),
        ({"type": "string", "enum": ["a", "b"]}, ir.Enum(("a", "b"))),
        ({"anyOf": [{"type": "string", "enum": ["a"]}, {"type": "string", "enum": ["b"]}]}, ir.Enum(("a", "b"))),
        ({"type": "object", "additionalProperties": TEXT}, ir.MapOf(ir.Scalar("str"))),
        ({"type": "array", "items": NUMBER}, ir.ListOf(ir.Scalar("int"))),
        ({"anyOf": [TEXT]}, ir.Scalar("str")),
    ],
)
def test_a_schema_is_read_as_its_type(schema: Schema, kind: ir.Type) -> None:
    assert fields(resolved_models(gadget=resource("gadget", it=schema))["gadget"])["it"].type == kind


def test_nullable_is_not_optional() -> None:
    shape = obj(
        "both",
        "required",
        both={**TEXT, "nullable": True},
        required=TEXT,
        optional=TEXT,
        neither={**TEXT, "nullable": True},
    )
    models = resolved_models(gadget={**resource("gadget"), **shape, "x-resourceId": "gadget"})
    found = {name: (item.required, item.nullable) for name, item in fields(models["gadget"]).items()}
    assert found == {
        "both": (True, True),
        "required": (True, False),
        "optional": (False, False),
        "neither": (False, True),
    }
    text = dict(
        write_models(
            resolved(
                {"/v1/gadgets/{gadget}": {"get": operation("G", ref("gadget"), path="gadget")}},
                {"gadget": {**resource("gadget"), **shape}},
            )
        )
    )
    written = next(content for path, content in text.items() if "class Gadget" in content)
    assert "    both: str | None\n" in written
    assert "    required: str\n" in written
    assert "    optional: str | None = None\n" in written


def reached(models: dict[str, ir.Model], key: str) -> set[str]:
    """Return the classes that are built with a class."""
    seen: set[str] = set()
    waiting = [key]
    while waiting:
        current = waiting.pop()
        if current not in seen:
            seen.add(current)
            waiting += [target for item in models[current].fields for target in shapes.objects(item.type)]
    return seen


def test_a_model_embeds_a_limited_number_of_classes() -> None:
    chain = {f"r{n}": resource(f"r{n}", next=ref(f"r{n + 1}")) for n in range(60)}
    models = resolved_models(gadget=resource("gadget", first=ref("r0")), **chain, r60=resource("r60"))
    assert all(len(reached(models, key)) <= HEAVY + 1 for key in models)
    assert any(isinstance(item.type, ir.Lazy) for model in models.values() for item in model.fields)


def test_schemas_that_are_not_used_are_left_out() -> None:
    assert {model.name for model in resolved_models(gadget=resource("gadget"), lonely=obj(x=TEXT)).values()} == {
        "Gadget"
    }


# --- parameters -------------------------------------------------------------------------------------------------------


def test_a_parameter_that_accepts_an_empty_string_is_clearable() -> None:
    body = obj(
        "name",
        name={**TEXT, "maxLength": 250},
        address={"anyOf": [obj(city=TEXT), {"type": "string", "enum": [""]}]},
        status={"type": "string", "enum": ["", "a"]},
        note=TEXT,
    )
    found = params(body)
    assert found["name"].required
    assert found["name"].type == ir.Scalar("str", 250)
    assert isinstance(found["address"].type, ir.Clearable)
    assert found["status"].type == ir.Clearable(ir.Enum(("a",)))
    assert found["note"].type == ir.Scalar("str")


def test_a_range_filter_is_of_times_or_of_numbers() -> None:
    bounds = {**obj(gt=NUMBER, lt=NUMBER), "title": "range_query_specs"}
    either = {"anyOf": [bounds, NUMBER]}
    page = obj("data", object={"type": "string", "enum": ["list"]}, data={"type": "array", "items": ref("gadget")})
    api = resolved(
        {"/v1/gadgets": {"get": operation("GetGadgets", page, query={"created": either, "amount": either})}},
        {"gadget": resource("gadget")},
    )
    found = fields(api.params["gadgets.list()"])
    assert ir.Scalar("timestamp") in tuple(shapes.parts(found["created"].type))
    assert ir.Scalar("timestamp") not in tuple(shapes.parts(found["amount"].type))


def test_the_same_nested_parameters_are_one_typed_dict() -> None:
    place = obj(city=TEXT, line1=TEXT)
    api = resolved(
        {
            "/v1/gadgets": {"post": operation("A", ref("gadget"), body=obj(address=place))},
            "/v1/gizmos": {"post": operation("B", ref("gadget"), body=obj(address=place, other=TEXT))},
        },
        {"gadget": resource("gadget")},
    )
    nested = {
        part
        for key in ("gadgets.create()", "gizmos.create()")
        for part in shapes.objects(fields(api.params[key])["address"].type)
    }
    assert len(nested) == 1


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "path", "shape", "expected"),
    [
        ("POST", "/v1/gadgets", "object", ("gadgets", "create")),
        ("GET", "/v1/gadgets", "page", ("gadgets", "list")),
        ("GET", "/v1/gadgets/{gadget}", "object", ("gadgets", "retrieve")),
        ("POST", "/v1/gadgets/{gadget}", "object", ("gadgets", "update")),
        ("DELETE", "/v1/gadgets/{gadget}", "object", ("gadgets", "delete")),
        ("POST", "/v1/gadgets/{gadget}/cancel", "object", ("gadgets", "cancel")),
        ("POST", "/v1/gadgets/{gadget}/finalize", "object", ("gadgets", "finalize_gadget")),
        ("GET", "/v1/gadgets/search", "search", ("gadgets", "search")),
        ("GET", "/v1/gadgets/{gadget}/parts", "page", ("gadgets.parts", "list")),
        ("DELETE", "/v1/gadgets/{gadget}/discount", "object", ("gadgets", "delete_discount")),
        ("GET", "/v1/tax/settings", "object", ("tax.settings", "retrieve")),
        ("POST", "/v1/tax/settings", "object", ("tax.settings", "update")),
        ("POST", "/v2/core/gadgets/{id}/close", "object", ("v2.core.gadgets", "close")),
    ],
)
def test_an_operation_is_named_after_its_path(verb: str, path: str, shape: str, expected: tuple[str, str]) -> None:
    assert operations.name_operation(verb, path, shape) == expected


def test_two_paths_with_one_name_are_an_error() -> None:
    rows = [ir.Endpoint("GET", path, "", "", (), (), None) for path in ("/v1/gadgets/{gadget}", "/v1/gadgets/{id}")]
    with pytest.raises(ValueError, match=r"gadgets\.retrieve"):
        operations.name_operations(rows)


@pytest.mark.parametrize(
    ("plural", "singular"),
    [
        ("customers", "customer"),
        ("tax_rates", "tax_rate"),
        ("entries", "entry"),
        ("addresses", "address"),
        ("status", "status"),
        ("boxes", "box"),
        ("settings", "settings"),
    ],
)
def test_words_are_made_singular(plural: str, singular: str) -> None:
    assert names.singular(plural) == singular


@pytest.mark.parametrize(
    ("owner", "part", "name"),
    [
        ("Price", "Tier", "PriceTier"),
        ("PriceTier", "TierUpTo", "PriceTierUpTo"),
        ("TaxRateCreate", "TaxRateOptions", "TaxRateCreateOptions"),
    ],
)
def test_the_name_of_a_nested_class_repeats_no_words(owner: str, part: str, name: str) -> None:
    assert names.join(owner, part) == name


def test_classes_have_different_names() -> None:
    models = resolved_models(
        gadget=resource("gadget", part=obj(x=TEXT), b=ref("gadget_part")), gadget_part=resource("gadget_part", y=NUMBER)
    )
    found = [model.name for model in models.values()]
    assert len(found) == len(set(found))
    assert "GadgetPart" in found


def test_a_python_keyword_gets_an_underscore() -> None:
    api = resolved(
        {"/v1/gadgets": {"post": operation("A", ref("gadget"), body=obj(**{"from": TEXT}))}},
        {"gadget": resource("gadget", **{"in": TEXT})},
    )
    models = "".join(content for _, content in write_models(api))
    assert 'in_: str | None = Field(None, alias="in")' in models
    stubs = "".join(content for _, content in write_stubs(api))
    assert "from_: str = ..." in stubs


# --- written files ----------------------------------------------------------------------------------------------------


def small() -> ir.Api:
    page = obj("data", object={"type": "string", "enum": ["list"]}, data={"type": "array", "items": ref("gadget")})
    paths: Schema = {
        "/v1/gadgets": {
            "get": operation("GetGadgets", page, query={"limit": NUMBER}),
            "post": operation(
                "PostGadgets", ref("gadget"), body=obj("name", name={**TEXT, "maxLength": 250}, owner=TEXT)
            ),
        },
        "/v1/gadgets/{gadget}": {"get": operation("GetGadgetsGadget", ref("gadget"), path="gadget")},
    }
    schemas = {"gadget": resource("gadget", owner=expandable("person")), "person": resource("person")}
    return resolved(paths, schemas, snapshot={"gadget.created": {"object": "gadget", "previous_attributes": True}})


def test_a_resource_is_a_table_of_endpoints() -> None:
    written = dict(write_resources(small()))["resources/gadgets.py"]
    assert '    create = post("/v1/gadgets", "Gadget", "GadgetCreateParams")\n' in written
    assert '    list = page("/v1/gadgets", "Gadget", "GadgetListParams")\n' in written
    assert '    retrieve = get("/v1/gadgets/{gadget}", "Gadget"' in written


def test_a_stub_has_every_parameter() -> None:
    written = dict(write_stubs(small()))["resources/gadgets.pyi"]
    assert (
        "def create(self, *, name: str, owner: str = ..., request_options: RequestOptions = ...) -> Gadget:" in written
    )
    assert "async def create(" in written
    assert "-> Page[Gadget]:" in written
    assert "-> AsyncPager[Gadget]:" in written
    assert "`POST /v1/gadgets` https://docs.stripe.com/api/gadgets/create" in written
    assert "At most, in characters: name 250." in written


def test_an_event_type_has_a_class_with_a_typed_object() -> None:
    written = dict(write_events(small()))["events.pyi"]
    assert 'class GadgetCreatedEvent(TypedEvent[Literal["gadget.created"], Gadget]): ...' in written
    assert "AnyEvent: TypeAlias = Union[GadgetCreatedEvent]" in written


def test_a_handler_is_typed_with_its_event() -> None:
    written = dict(write_events(small()))["webhooks/handlers.pyi"]
    assert 'def on(self, type: Literal["gadget.created"], /) -> On[events.GadgetCreatedEvent]: ...' in written


def test_generating_is_deterministic() -> None:
    def everything() -> list[tuple[str, str]]:
        api = small()
        return [*write_models(api), *write_params(api), *write_resources(api), *write_stubs(api), *write_events(api)]

    assert everything() == everything()
    for path, content in everything():
        if path.endswith(".py"):
            compile(content, path, "exec")
        if path.endswith((".py", ".pyi")):
            assert "Generated by codegen from Stripe's API 2026-01-01.test" in content
