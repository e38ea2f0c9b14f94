"""The classes of the models of an API, and the types of their fields."""

from __future__ import annotations

import pytest

from codegen import build_models
from codegen.build_models import MAX_EMBEDDED_CLASSES
from codegen.classes import ClassDef, ModuleDef
from codegen.docstrings import Writer
from codegen.document import Node
from tests.codegen.builders import (
    NUMBER,
    TEXT,
    any_of,
    api,
    entry,
    enum,
    expandable,
    list_of,
    obj,
    page_of,
    ref,
    resource,
    written,
)


def build(thin_events: Node | None = None, **schemas: Node) -> dict[str, ModuleDef]:
    read = api({}, {**schemas}, thin_events=thin_events)
    return build_models.build_models(read, Writer(read, written()))


def classes(thin_events: Node | None = None, **schemas: Node) -> dict[str, ClassDef]:
    return {cls.name: cls for module in build(thin_events, **schemas).values() for cls in module.classes}


def annotated(cls: ClassDef) -> dict[str, str]:
    return {field.name: field.annotation for field in cls.fields if field.name not in ("id", "object")}


def annotation_of(schema: Node, **schemas: Node) -> str:
    """Return the type of one required field of a gadget."""
    gadget: Node = {**resource("gadget", it=schema), "required": ["id", "object", "it"]}
    return annotated(classes(gadget=gadget, **schemas)["Gadget"])["it"]


# --- names ------------------------------------------------------------------------------------------------------------


def test_an_object_inside_is_named_by_its_path() -> None:
    terms = obj(end=obj(behavior=TEXT))
    assert list(classes(gadget=resource("gadget", trial_terms=terms))) == [
        "GadgetTrialTermsEnd",
        "GadgetTrialTerms",
        "Gadget",
    ]


def test_a_component_is_named_by_its_place_too_once_for_every_place() -> None:
    result = classes(gadget=resource("gadget", front=ref("panel"), back=ref("panel")), panel=obj(color=TEXT))
    assert set(result) == {"Gadget", "GadgetFront", "GadgetBack"}


def test_the_same_shape_in_two_places_is_two_classes() -> None:
    home = obj(city=TEXT)
    assert set(classes(gadget=resource("gadget", billing=home, shipping=home))) == {
        "Gadget",
        "GadgetBilling",
        "GadgetShipping",
    }


def test_a_shared_value_type_is_one_class_wherever_it_is_referred_to() -> None:
    result = build(
        ape=resource("ape", home=ref("address")), bee=resource("bee", hive=ref("address")), address=obj(city=TEXT)
    )
    assert [cls.name for cls in result["shared"].classes] == ["Address"]
    assert annotated(result["ape"].classes[-1])["home"] == "Address | None"
    assert result["bee"].imports.runtime["pinstripe.models.shared"] == {"Address"}


def test_a_deleted_variant_stands_in_the_module_of_the_original() -> None:
    result = build(gadget=resource("gadget"), deleted_gadget=resource("gadget", deleted={"type": "boolean"}))
    assert {cls.name for cls in result["gadget"].classes} == {"Gadget", "DeletedGadget"}


def test_a_model_that_can_be_deleted_says_that_it_is_not() -> None:
    result = classes(gadget=resource("gadget"), deleted_gadget=resource("gadget", deleted={"type": "boolean"}))
    assert annotated(result["Gadget"]) == {"deleted": "Literal[False]"}


def test_a_part_that_would_have_the_name_of_an_object_is_an_error() -> None:
    with pytest.raises(ValueError, match="two places would have the class GadgetPart"):
        build(gadget=resource("gadget", part=obj(size=NUMBER)), **{"gadget.part": resource("gadget.part")})


def test_the_data_of_a_thin_event_has_a_class() -> None:
    event: Node = {"v2.gadget.failed": {"related_object": None, "data": obj(why=TEXT, how=obj(often=NUMBER))}}
    assert set(classes(event)) == {"V2GadgetFailedEventData", "V2GadgetFailedEventDataHow"}


# --- types ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (TEXT, "str"),
        (NUMBER, "int"),
        ({"type": "number"}, "float"),
        ({"type": "boolean"}, "bool"),
        ({"type": "integer", "format": "unix-time"}, "Timestamp"),
        ({"type": "string", "format": "date-time"}, "DateTime"),
        ({"type": "string", "format": "decimal"}, "DecimalString"),
        (enum("a", "b"), 'Literal["a", "b"]'),
        (list_of(NUMBER), "list[int]"),
        ({"type": "object", "additionalProperties": TEXT}, "dict[str, str]"),
        (expandable("person"), 'Expandable["Person"]'),
        (page_of(ref("robot")), "ListObject[Robot]"),
        (any_of(ref("person"), ref("robot")), 'Lazy["Person | Robot"]'),
        ({**TEXT, "nullable": True}, "str | None"),
    ],
)
def test_the_type_of_a_field(schema: Node, expected: str) -> None:
    assert annotation_of(schema, person=resource("person"), robot=resource("robot")) == expected


def test_a_field_that_is_not_required_can_be_none() -> None:
    (field,) = [
        item for item in classes(gadget=resource("gadget", size=NUMBER))["Gadget"].fields if item.name == "size"
    ]
    assert (field.annotation, field.required) == ("int | None", False)


def test_alternatives_without_a_type_become_one_class_with_the_fields_of_all() -> None:
    result = classes(
        gadget=resource("gadget", action=any_of(obj("a", "b", a=TEXT, b=TEXT), obj("a", a=TEXT, c=NUMBER)))
    )
    required = {field.name: field.required for field in result["GadgetAction"].fields}
    assert required == {"a": True, "b": False, "c": False}


def test_variants_for_publishable_keys_are_left_out() -> None:
    result = classes(
        gadget=resource("gadget", options=any_of(ref("options"), ref("options_client"))),
        options=obj(size=NUMBER),
        options_client=obj(color=TEXT),
    )
    assert annotated(result["GadgetOptions"]) == {"size": "int | None"}


# --- what a model contains ---------------------------------------------------------------------------------------------


def test_an_embedded_object_is_part_of_the_model_but_its_owner_is_not_part_of_it() -> None:
    result = classes(gadget=resource("gadget", part=ref("part")), part=resource("part", owner=ref("gadget")))
    assert annotated(result["Gadget"])["part"] == 'Lazy["Part"] | None'
    assert annotated(result["Part"])["owner"] == 'Lazy["Gadget"] | None'
    result = classes(gadget=resource("gadget", part=ref("part")), part=resource("part"))
    assert annotated(result["Gadget"])["part"] == "Part | None"


def test_an_object_with_many_parts_is_decoded_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    parts: dict[str, Node] = {f"part{number}": obj(size=NUMBER) for number in range(MAX_EMBEDDED_CLASSES)}
    schemas = {"gadget": resource("gadget", part=ref("large")), "large": resource("large", **parts)}
    with pytest.raises(ValueError, match=f"large, which gadget embeds, has {MAX_EMBEDDED_CLASSES + 1} classes"):
        classes(**schemas)
    monkeypatch.setattr(build_models, "DECODED_APART", {"large"})
    result = classes(**schemas)
    assert annotated(result["Gadget"])["part"] == 'Lazy["Large"] | None'


def test_the_object_of_an_event_is_any_object() -> None:
    result = classes(event=resource("event", data=obj("object", object={"type": "object"})))
    assert annotated(result["Event"])["data"] == "EventData | None"
    assert [field.annotation for field in result["EventData"].fields] == ['Lazy["StripeModel"]']


# --- documentation ----------------------------------------------------------------------------------------------------


def test_a_class_inside_says_what_the_field_that_holds_it_says() -> None:
    read = api({}, {"gadget": resource("gadget", terms=obj(end=obj(at=NUMBER), start=TEXT))})
    writer = Writer(read, written(objects={"gadget": entry("A gadget.", {"terms": "What applies."})}))
    result = {cls.name: cls for cls in build_models.build_models(read, writer)["gadget"].classes}
    assert result["Gadget"].doc == "A gadget."
    assert result["GadgetTerms"].doc == "What applies."
    assert result["GadgetTermsEnd"].doc == "The object in `terms.end` of `Gadget`."


def test_a_class_without_fields_is_described_as_such() -> None:
    assert classes(gadget=resource("gadget", cash=obj()))["GadgetCash"].doc == (
        "The object in `cash` of `Gadget`.\n\nIt has no fields."
    )


# --- tables -----------------------------------------------------------------------------------------------------------


def test_models_are_found_by_object_value_deleted_ones_apart() -> None:
    read = api({}, {"gadget": resource("gadget"), "deleted_gadget": resource("gadget", deleted={"type": "boolean"})})
    objects, deleted = build_models.object_table(read)
    assert objects == {"gadget": "Gadget", "list": "ListObject", "search_result": "SearchResult"}
    assert deleted == {"gadget": "DeletedGadget"}


def test_two_models_of_one_object_value_are_an_error() -> None:
    read = api({}, {"gadget": resource("gadget"), "gizmo": resource("gadget")})
    with pytest.raises(ValueError, match="Gizmo and Gadget both have the object value gadget"):
        build_models.object_table(read)
