"""The files that are written, for a small API with one of each kind of thing."""

from __future__ import annotations

import ast

import pytest

from codegen import spec, text
from codegen.__main__ import write
from tests.codegen.builders import (
    NUMBER,
    TEXT,
    api,
    entry,
    expandable,
    list_of,
    obj,
    operation,
    page_of,
    ref,
    resource,
    written,
)

WRITTEN = written(
    objects={"gadget": entry("A small machine.", {"owner": "Its owner."})},
    operations={"gadgets.create": entry("Creates a gadget.", params={"name": "Its name."})},
    events={"gadget.created": entry("A gadget was created.")},
)


def small() -> spec.Api:
    return api(
        {
            "/v1/gadgets": {
                "get": operation(page_of(ref("gadget")), query={"limit": NUMBER}),
                "post": operation(
                    ref("gadget"),
                    body=obj("name", name={**TEXT, "maxLength": 40}, items=list_of(obj("price", price=TEXT))),
                ),
            },
            "/v1/gadgets/{gadget}": {
                "get": operation(ref("gadget")),
                "post": operation(ref("gadget"), body=obj(**{"from": TEXT, "route": obj(**{"from": TEXT})})),
            },
            "/v1/gadgets/{gadget}/parts": {"get": operation(page_of(ref("gadget")))},
        },
        {
            "gadget": resource("gadget", owner=expandable("person"), **{"in": TEXT}, size=ref("size")),
            "person": resource("person"),
            "size": obj(width=NUMBER),
        },
        events={"gadget.created": {"object": "gadget", "previous_attributes": True}},
        thin_events={"v2.gadget.failed": {"related_object": "gadget", "data": obj(why=TEXT)}},
    )


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    return {str(path): content for path, content in write(small(), WRITTEN)}


def contains(content: str, *lines: str) -> bool:
    """Return whether lines stand in a text, one directly after the other."""
    return "\n".join(lines) in content


def test_every_file_is_python_and_says_where_it_comes_from(files: dict[str, str]) -> None:
    for path, content in files.items():
        if path.endswith((".py", ".pyi")):
            assert text.MARK in content
            ast.parse(content)


def test_the_version_of_the_api_stands_in_one_file(files: dict[str, str]) -> None:
    assert [path for path, content in files.items() if "2026-01-01.test" in content] == [
        "src/pinstripe/_api_version.py"
    ]


def test_the_same_facts_give_the_same_files(files: dict[str, str]) -> None:
    assert {str(path): content for path, content in write(small(), WRITTEN)} == files


def test_modules_are_those_of_objects_and_services(files: dict[str, str]) -> None:
    assert set(files) == {
        "src/pinstripe/_api_version.py",
        "src/pinstripe/models/__init__.py",
        "src/pinstripe/models/_error_codes.py",
        "src/pinstripe/models/_event_classes.py",
        "src/pinstripe/models/_event_types.py",
        "src/pinstripe/models/event_data.py",
        "src/pinstripe/models/gadget.py",
        "src/pinstripe/models/person.py",
        "src/pinstripe/params/__init__.py",
        "src/pinstripe/params/gadgets.py",
        "src/pinstripe/resources/__init__.py",
        "src/pinstripe/resources/gadgets.py",
        "stubs/pinstripe-stubs/events.pyi",
        "stubs/pinstripe-stubs/py.typed",
        "stubs/pinstripe-stubs/resources/__init__.pyi",
        "stubs/pinstripe-stubs/resources/gadgets.pyi",
        "stubs/pinstripe-stubs/webhooks/handlers.pyi",
        "stubs/services.allowlist.txt",
    }


def test_a_model_has_its_documentation_and_that_of_its_fields(files: dict[str, str]) -> None:
    content = files["src/pinstripe/models/gadget.py"]
    assert contains(content, "class Gadget(StripeModel):", '    """A small machine.')
    assert contains(content, '    owner: Expandable["Person"] | None = None', '    """Its owner."""')
    assert contains(content, '    in_: str | None = Field(None, alias="in")')
    assert contains(content, "if TYPE_CHECKING:", "    from pinstripe.models.person import Person")
    assert content.index("class GadgetSize(") < content.index("class Gadget(")


def test_models_are_listed_by_module_and_by_object_value(files: dict[str, str]) -> None:
    content = files["src/pinstripe/models/__init__.py"]
    assert '"Gadget": "gadget",' in content
    assert '"gadget": "Gadget", ' in content


def test_parameters_are_typed_dicts_that_take_no_other_keys(files: dict[str, str]) -> None:
    content = files["src/pinstripe/params/gadgets.py"]
    assert contains(content, "class GadgetCreateParamsItem(TypedDict, total=False, closed=True):")
    assert contains(content, "    name: Required[Annotated[str, MaxLen(40)]]", '    """Its name."""')
    assert contains(content, "    items: Sequence[GadgetCreateParamsItem]")
    assert content.index("class GadgetCreateParamsItem(") < content.index("class GadgetCreateParams(")


def test_a_keyword_among_the_keys_makes_a_typed_dict_a_call(files: dict[str, str]) -> None:
    content = files["src/pinstripe/params/gadgets.py"]
    assert contains(content, "GadgetUpdateParamsRoute = TypedDict(", '    "GadgetUpdateParamsRoute",', "    {")
    assert contains(content, '        "from": str,', "    },", "    total=False,", "    closed=True,", ")")


def test_a_service_is_a_table_of_endpoints(files: dict[str, str]) -> None:
    content = files["src/pinstripe/resources/gadgets.py"]
    assert contains(content, 'class Gadgets(Resource, service="gadgets"):')
    assert contains(content, '    create = post("/v1/gadgets", "Gadget", "GadgetCreateParams", "items name")')
    assert contains(content, '    list = page("/v1/gadgets", "Gadget", "GadgetListParams", "limit")')
    assert contains(content, '    retrieve = get("/v1/gadgets/{gadget}", "Gadget")')
    assert contains(content, "    parts = service(GadgetsParts)")
    assert contains(content, "AsyncGadgets = async_service(Gadgets)")


def test_a_stub_has_every_parameter_sync_and_async(files: dict[str, str]) -> None:
    content = files["stubs/pinstripe-stubs/resources/gadgets.pyi"]
    arguments = (
        "self, *, name: str, items: Sequence[GadgetCreateParamsItem] = ..., request_options: RequestOptions = ..."
    )
    assert f"    def create({arguments}) -> Gadget:\n" in content
    assert f"    async def create({arguments}) -> Gadget:\n" in content
    assert (
        "    def list(self, *, limit: int = ..., request_options: RequestOptions = ...) -> Page[Gadget]:\n" in content
    )
    assert ") -> AsyncPager[Gadget]:\n" in content
    assert "    parts: AsyncGadgetsParts\n" in content
    assert "from_: str = ..." in content
    assert '        """Creates a gadget.\n' in content


def test_an_event_type_has_a_class_with_a_typed_object(files: dict[str, str]) -> None:
    content = files["stubs/pinstripe-stubs/events.pyi"]
    assert 'class GadgetCreatedEvent(TypedEvent[Literal["gadget.created"], Gadget]):\n' in content
    assert '    """A gadget was created.\n' in content
    assert "AnyEvent: TypeAlias = Union[GadgetCreatedEvent]" in content
    assert '"gadget.created": ("GadgetCreatedEvent", "Gadget", True),' in files["src/pinstripe/models/_event_types.py"]


def test_a_thin_event_type_has_a_class_and_one_for_its_notification(files: dict[str, str]) -> None:
    content = files["stubs/pinstripe-stubs/events.pyi"]
    kind = 'Literal["v2.gadget.failed"]'
    assert f"class V2GadgetFailedEvent(TypedThinEvent[{kind}, V2GadgetFailedEventData, RelatedObject]):\n" in content
    bases = f"TypedNotification[{kind}, V2GadgetFailedEvent, Gadget, RelatedObject]"
    assert f"class V2GadgetFailedEventNotification({bases}):\n" in content


def test_a_handler_is_registered_for_its_own_event(files: dict[str, str]) -> None:
    content = files["stubs/pinstripe-stubs/webhooks/handlers.pyi"]
    assert 'def on(self, type: Literal["gadget.created"], /) -> On[events.GadgetCreatedEvent]: ...' in content


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("", ""),
        ("One line.", '"""One line."""\n'),
        ("Two\nlines.", '"""Two\nlines.\n"""\n'),
        ('Ends in a "quote"', '"""Ends in a "quote" """\n'),
        ("A backslash \\d", '"""A backslash \\\\d"""\n'),
    ],
)
def test_any_text_can_be_a_docstring(given: str, expected: str) -> None:
    assert text.docstring(given, "") == expected
