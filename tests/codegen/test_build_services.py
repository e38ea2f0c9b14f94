"""The methods of the services of an API."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from codegen import spec
from codegen.build_services import build_services, modules, stub_annotations
from codegen.classes import ServiceDef
from codegen.docstrings import Writer
from codegen.document import Node
from tests.codegen.builders import NUMBER, TEXT, api, list_of, obj, operation, page_of, ref, resource, written


def build(paths: dict[str, Node]) -> dict[str, ServiceDef]:
    read = api(paths, {"gadget": resource("gadget"), "part": resource("part")})
    return build_services(read, Writer(read, written()))


def test_an_operation_is_a_method_of_its_service() -> None:
    services = build(
        {
            "/v1/gadgets": {
                "get": operation(page_of(ref("gadget")), query={"limit": NUMBER}),
                "post": operation(ref("gadget"), body=obj("name", color=TEXT, name=TEXT)),
            },
            "/v1/gadgets/{gadget}": {"get": operation(ref("gadget"))},
        }
    )
    create, listed, retrieve = services["gadgets"].methods
    assert (create.name, create.verb, create.shape, create.models) == ("create", "POST", "object", ("Gadget",))
    assert (create.params_name, [item.name for item in create.params]) == ("GadgetCreateParams", ["name", "color"])
    assert (listed.name, listed.shape, listed.models) == ("list", "page", ("Gadget",))
    assert (retrieve.path_names, retrieve.params_name) == (("gadget",), "")


def test_services_form_a_tree_with_those_that_have_no_methods() -> None:
    services = build(
        {
            "/v1/tax/gadgets": {"post": operation(ref("gadget"))},
            "/v1/tax/gadgets/{gadget}/parts": {"get": operation(page_of(ref("part")))},
        }
    )
    assert {name: [child.name for child in service.children] for name, service in services.items()} == {
        "tax": ["tax.gadgets"],
        "tax.gadgets": ["tax.gadgets.parts"],
        "tax.gadgets.parts": [],
    }
    assert [service.name for service in modules(services)["tax"]] == ["tax.gadgets.parts", "tax.gadgets", "tax"]


def test_an_operation_has_a_method_under_each_of_its_names() -> None:
    read = api({"/v1/gadgets/{gadget}": {"delete": operation(ref("gadget"))}}, {"gadget": resource("gadget")})
    (value,) = read.operations.values()
    several = replace(read, operations={value.name: replace(value, aliases=(("relics", "detach"),))})
    services = build_services(several, Writer(several, written()))
    assert {name: [method.name for method in service.methods] for name, service in services.items()} == {
        "gadgets": ["delete"],
        "relics": ["detach"],
    }


def test_path_arguments_and_parameters_are_called_what_users_write() -> None:
    services = build(
        {"/v1/gadgets/{subscription_exposed_id}": {"post": operation(ref("gadget"), body=obj(**{"from": TEXT}))}}
    )
    (update,) = services["gadgets"].methods
    assert (update.path, update.path_names) == ("/v1/gadgets/{subscription}", ("subscription",))
    assert [(item.name, item.key) for item in update.params] == [("from_", "from")]


def test_a_stub_names_the_classes_of_nested_parameters() -> None:
    items = spec.Field("items", spec.ListOf(spec.Object((spec.Field("price", spec.Scalar("string")),))))
    read = api(
        {"/v1/gadgets": {"post": operation(ref("gadget"), body=obj(items=list_of(obj(price=TEXT)), name=TEXT))}},
        {"gadget": resource("gadget")},
    )
    (value,) = read.operations.values()
    assert items in value.params
    annotations, classes = stub_annotations(value, "GadgetCreateParams", defaultdict(set))
    assert annotations == {"items": "Sequence[GadgetCreateParamsItem]", "name": "str"}
    assert classes == {"GadgetCreateParamsItem"}
