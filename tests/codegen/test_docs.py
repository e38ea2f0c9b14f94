"""Our documentation: how its files load, what they may say, and what each place takes from them."""

from __future__ import annotations

from pathlib import Path

import pytest

from codegen import check_wording, coverage, docs, facts, outline, spec
from codegen.docs import Documentation, DocumentationError, Lookup
from tests.codegen.builders import NUMBER, TEXT, api, enum, list_of, obj, operation, page_of, ref, resource


@pytest.fixture(scope="module")
def gadgets() -> spec.Api:
    address = obj(line1=TEXT, city=TEXT)
    return api(
        {
            "/v1/gadgets": {
                "get": operation(page_of(ref("gadget")), query={"status": TEXT, "limit": NUMBER}),
                "post": operation(
                    ref("gadget"),
                    body=obj(
                        name=TEXT,
                        mode=enum("fast", "slow"),
                        home=obj(line1=TEXT, city=TEXT),
                        items=list_of(obj(price=TEXT, address=address)),
                    ),
                ),
            },
            "/v1/gadgets/{gadget}": {"delete": operation(ref("deleted_gadget"))},
        },
        {
            "gadget": resource(
                "gadget", name=TEXT, status=enum("on", "off"), home=ref("address"), owner=ref("person"), kind=TEXT
            ),
            "deleted_gadget": resource("gadget"),
            "person": resource("person", home=ref("address")),
            "address": address,
        },
        events={"gadget.created": {"object": "gadget"}},
        thin_events={
            "v1.gadget.created": {"related_object": "gadget"},
            "v2.gadget.failed": {"related_object": None, "data": obj(why=TEXT)},
        },
    )


def load(folder: Path, **files: str) -> Documentation:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return docs.load(folder)


def problems(folder: Path, **files: str) -> list[str]:
    with pytest.raises(DocumentationError) as caught:
        load(folder, **files)
    return caught.value.problems


# --- loading ----------------------------------------------------------------------------------------------------------


def test_every_text_knows_its_file_line_and_key(tmp_path: Path) -> None:
    loaded = load(tmp_path, gadgets="objects:\n  gadget:\n    fields:\n      name: >-\n        Its\n        name.\n")
    sentence = loaded.objects["gadget"].fields["name"]
    assert sentence.text == "Its name."
    assert sentence.where == "gadgets.yaml:4: objects.gadget.fields.name"


def test_values_that_yaml_takes_for_booleans_stay_words(tmp_path: Path) -> None:
    loaded = load(tmp_path, gadgets="objects: {gadget: {values: {status: {on: Is on., off: Is off.}}}}")
    assert set(loaded.objects["gadget"].values["status"]) == {"on", "off"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("objects: {gadget: {summary: [1]}}", "gadgets.yaml:1: objects.gadget.summary: expected a sentence"),
        ("objects: {gadget: {summary: ''}}", "gadgets.yaml:1: objects.gadget.summary: expected a sentence"),
        ("objects: {gadget: {name: A.}}", "no such key; there are summary, fields, values, params"),
        ("objekts: {}", "gadgets.yaml:1: objekts: no such section; there are objects, operations, events, components"),
        ("fields: {name: A.}", "gadgets.yaml:1: fields: no such section"),
        ("objects:\n  gadget: {}\n  gadget: {}", "gadgets.yaml:3: objects.gadget: this key stands here twice"),
        ("objects:\n  gadget: {summary: a: b}", "gadgets.yaml: this is not YAML"),
    ],
)
def test_a_malformed_file_is_an_error_that_names_the_place(tmp_path: Path, text: str, problem: str) -> None:
    (results,) = problems(tmp_path, gadgets=text)
    assert problem in results


def test_one_object_is_documented_in_one_file(tmp_path: Path) -> None:
    text = "objects: {gadget: {summary: A.}}"
    (results,) = problems(tmp_path, a=text, b=text)
    assert results == "b.yaml:1: objects.gadget: gadget is documented in a.yaml already; one file documents it"


# --- looking up -------------------------------------------------------------------------------------------------------


def test_a_parameter_is_documented_by_its_operation_its_object_its_field_or_for_all(
    tmp_path: Path, gadgets: spec.Api
) -> None:
    own = "operations: {gadgets.create: {params: {name: Of the operation.}}}"
    params = "objects: {gadget: {params: {name: Of the parameters.}, fields: {name: Of the field.}}}"
    shared = "fields: {name: Shared.}"
    assert results(tmp_path / "a", gadgets, "name", a=own, b=params, shared=shared) == "Of the operation."
    assert results(tmp_path / "b", gadgets, "name", b=params, shared=shared) == "Of the parameters."
    fields = "objects: {gadget: {fields: {name: Of the field.}}}"
    assert results(tmp_path / "c", gadgets, "name", b=fields, shared=shared) == "Of the field."
    assert results(tmp_path / "d", gadgets, "name", shared=shared) == "Shared."
    assert results(tmp_path / "e", gadgets, "name") is None


def results(folder: Path, gadgets: spec.Api, path: str, **files: str) -> str | None:
    folder.mkdir()
    result = Lookup(load(folder, **files), gadgets).param("gadgets.create", path)
    return result.text if result else None


def test_the_parameters_of_a_field_that_is_a_component_say_what_the_component_says(
    tmp_path: Path, gadgets: spec.Api
) -> None:
    text = "components: {address: {fields: {city: City of the component.}}}"
    assert results(tmp_path / "a", gadgets, "home.city", a=text) == "City of the component."
    assert results(tmp_path / "b", gadgets, "items.address.city", a=text) is None


def test_the_longest_end_of_a_path_wins(tmp_path: Path, gadgets: spec.Api) -> None:
    shared = "fields: {city: Any city., address.city: City of an address.}"
    assert results(tmp_path / "a", gadgets, "items.address.city", shared=shared) == "City of an address."
    assert results(tmp_path / "b", gadgets, "home.city", shared=shared) == "Any city."


def test_a_field_is_documented_by_its_object_a_component_around_it_or_for_all(
    tmp_path: Path, gadgets: spec.Api
) -> None:
    text = (
        "objects: {gadget: {fields: {home.line1: Of the object.}}}\n"
        "components: {address: {summary: An address., fields: {line1: Of the component.}}}"
    )
    lookup = Lookup(load(tmp_path, a=text, shared="fields: {city: Shared.}"), gadgets)
    assert lookup.field("gadget", "home.line1") == (lookup.documentation.objects["gadget"].fields["home.line1"], "own")
    sources = {
        (schema, path): (result.text, result.source)
        for schema, path in (("person", "home.line1"), ("person", "home.city"), ("person", "home"))
        if (result := lookup.field(schema, path))
    }
    assert sources == {
        ("person", "home.line1"): ("Of the component.", "component"),
        ("person", "home.city"): ("Shared.", "shared"),
        ("person", "home"): ("An address.", "component"),
    }


def test_an_object_within_an_object_ends_a_path(gadgets: spec.Api) -> None:
    paths = Lookup(Documentation({}, {}, {}, {}, {}, {}, {}), gadgets).fields("gadget")
    assert list(paths) == ["home", "home.city", "home.line1", "id", "kind", "name", "object", "owner", "status"]


def test_a_deleted_variant_says_what_the_object_says(tmp_path: Path, gadgets: spec.Api) -> None:
    lookup = Lookup(load(tmp_path, a="objects: {gadget: {summary: A gadget., fields: {id: Its ID.}}}"), gadgets)
    assert lookup.field("deleted_gadget", "id") is not None
    assert lookup.schema("deleted_gadget") == lookup.schema("gadget")


def test_the_parameters_of_lists_are_filters(tmp_path: Path, gadgets: spec.Api) -> None:
    text = "objects: {gadget: {fields: {status: What it does.}}}"
    lookup = Lookup(load(tmp_path, a=text, shared="filters: {status: Only those with this status.}"), gadgets)
    result = lookup.param("gadgets.list", "status")
    assert result is not None
    assert result.text == "Only those with this status."


def test_values_are_documented_by_the_nearest_table(tmp_path: Path, gadgets: spec.Api) -> None:
    text = "objects: {gadget: {values: {status: {on: It works.}, mode: {fast: Fast.}}}}"
    lookup = Lookup(load(tmp_path, a=text, shared="values: {mode: {fast: Shared., slow: Shared.}}"), gadgets)
    assert [item.text for item in lookup.field_values("gadget", "status").values()] == ["It works."]
    assert [item.text for item in lookup.param_values("gadgets.create", "mode").values()] == ["Fast."]


def test_a_thin_event_of_v1_says_what_the_snapshot_event_says(tmp_path: Path, gadgets: spec.Api) -> None:
    text = (
        "events:\n  gadget.created: A gadget is new.\n  v2.gadget.failed: {summary: It failed., fields: {why: Cause.}}"
    )
    lookup = Lookup(load(tmp_path, a=text), gadgets)
    assert lookup.event("v1.gadget.created") == lookup.event("gadget.created") is not None
    assert lookup.event_field("v2.gadget.failed", "why") is not None


# --- checking ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("objects: {gadgett: {summary: A.}}", "objects.gadgett: there is no object gadgett; did you mean gadget?"),
        ("objects: {address: {summary: A.}}", "objects.address: there is no object address"),
        ("objects: {gadget: {fields: {nam: A.}}}", "there is no field of gadget nam; did you mean name?"),
        ("objects: {gadget: {fields: {owner.name: A.}}}", "there is no field of gadget owner.name"),
        ("objects: {gadget: {params: {nme: A.}}}", "no parameter of an operation of gadget nme; did you mean name?"),
        ("objects: {gadget: {values: {status: {onn: A.}}}}", "there is no value of status onn; did you mean on?"),
        ("objects: {gadget: {values: {stat: {on: A.}}}}", "field or parameter of gadget stat; did you mean status?"),
        ("components: {adress: {summary: A.}}", "there is no component adress; did you mean address?"),
        ("operations: {gadgets.make: {summary: A.}}", "there is no operation gadgets.make"),
        ("operations: {gadgets.create: {params: {nam: A.}}}", "no parameter of gadgets.create nam; did you mean name?"),
        ("events: {gadget.creatd: A.}", "there is no event type gadget.creatd; did you mean gadget.created?"),
        (
            "events: {v2.gadget.failed: {fields: {wy: A.}}}",
            "there is no field of v2.gadget.failed wy; did you mean why?",
        ),
    ],
)
def test_what_is_not_there_cannot_be_documented(tmp_path: Path, gadgets: spec.Api, text: str, problem: str) -> None:
    (message,) = docs.check(load(tmp_path, gadgets=text), gadgets)
    assert message.startswith("gadgets.yaml:1: ")
    assert problem in message


def test_shared_keys_must_fit_a_place(tmp_path: Path, gadgets: spec.Api) -> None:
    text = "fields: {home.city: A., home.cty: A.}\nvalues: {status: {on: A., of: A.}}"
    messages = docs.check(load(tmp_path, shared=text), gadgets)
    assert [message.partition(": there")[0] for message in messages] == [
        "shared.yaml:1: fields.home.cty",
        "shared.yaml:2: values.status.of",
    ]


def test_the_documentation_fits_the_facts() -> None:
    assert docs.check(docs.load(), facts.load()) == []


# --- wording ----------------------------------------------------------------------------------------------------------


def wording(folder: Path, text: str, official: str = "") -> list[str]:
    sentences = list(load(folder, shared=text).sentences())
    return [
        *check_wording.style(sentences),
        *check_wording.shared_wording(sentences, set(check_wording.runs(official))),
    ]


def test_a_run_of_eight_words_of_the_official_package_is_found_whatever_the_punctuation(tmp_path: Path) -> None:
    (problem,) = wording(
        tmp_path,
        "fields: {a: 'Here: the date on which, at last, the gadget was made.'}",
        "The date on which at last the gadget is gone. The date on which at last the gadget was made.",
    )
    assert problem == ("shared.yaml:1: fields.a: as in the official package: the date on which at last the gadget")


def test_words_in_backticks_do_not_count(tmp_path: Path) -> None:
    text = "fields: {a: 'One of `a b`, `c d`, `e f`, `g h` or `i j`.'}"
    assert wording(tmp_path, text, "One of `a b`, `c d`, `e f`, `g h` or `i j`.") == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("fields: {a: No period}", "does not end in a period"),
        ("fields: {a: TODO later.}", "TODO"),
        (f"fields: {{a: {'long ' * 90}end.}}", "454 characters, at most 400"),
        ("fields:\n  a: Same.\n  b: Same.", "repeats line 2, fields.a"),
    ],
)
def test_a_text_is_one_whole_sentence_written_once(tmp_path: Path, text: str, problem: str) -> None:
    (results,) = wording(tmp_path, text)
    assert problem in results


def test_an_alias_is_not_a_repetition(tmp_path: Path) -> None:
    assert wording(tmp_path, "fields:\n  a: &same Same.\n  b: *same") == []


def test_the_documentation_is_written_well() -> None:
    sentences = list(docs.load().sentences())
    assert list(check_wording.style(sentences)) == []
    folder = check_wording.official_package()
    if folder is None:
        pytest.skip("the official package is not installed")
    official = check_wording.official_runs(folder)
    assert len(official) > 50_000
    assert list(check_wording.shared_wording(sentences, official)) == []


# --- outline ----------------------------------------------------------------------------------------------------------


def test_an_outline_lists_places_with_their_facts_and_where_the_text_comes_from(
    tmp_path: Path, gadgets: spec.Api
) -> None:
    text = "objects: {gadget: {fields: {name: Its name.}, values: {status: {on: It works.}}}}"
    loaded = load(tmp_path, a=text, shared="fields: {id: Its ID.}")
    shown = list(outline.Outline(gadgets, loaded).about("gadget"))
    assert "[o] name  string, optional  = Its name." in shown
    assert "[s] id  string  = Its ID." in shown
    assert "[ ] status  enum, optional, values 1/2: off on" in shown
    assert "[ ] home  object address, component address of gadget, person, optional" in shown
    assert "[ ] gadgets.create  POST /v1/gadgets" in shown
    assert "[ ] mode  enum, values 0/2: fast slow  (create)" in shown
    assert "[ ] v1.gadget.created" in shown
    missing = list(outline.Outline(gadgets, loaded, missing=True).about("gadget"))
    assert not [line for line in missing if line.startswith(("[o]", "[s]", "[c]"))]


def test_large_subtrees_have_sections_of_their_own(gadgets: spec.Api, tmp_path: Path) -> None:
    many = {f"part{number:02}": TEXT for number in range(20)}
    big = api({}, {"gadget": resource("gadget", box=obj(**many), tail=TEXT)})
    shown = list(outline.Outline(big, load(tmp_path)).about("gadget"))
    assert shown.index("[ ] tail  string, optional") < shown.index("### box. (20)")


def test_coverage_counts_by_object(tmp_path: Path, gadgets: spec.Api) -> None:
    text = "objects: {gadget: {summary: A gadget., fields: {name: Its name.}}}\nevents: {gadget.created: New.}"
    results = coverage.count(gadgets, load(tmp_path, a=text))
    assert {kind: str(count) for kind, count in results["gadget"].items()} == {
        "classes": "2/2",
        "fields": "1/11",
        "operations": "0/3",
        "params": "1/12",
        "events": "2/2",
    }
    table = list(coverage.table(results))
    assert table[-2].split()[:3] == ["all", "2/3", "1/17"]


def test_what_is_documented_less_than_required_is_a_shortfall() -> None:
    half, complete = coverage.Count(1, 2), coverage.Count(2, 2)
    results = {"customer": {**dict.fromkeys(coverage.KINDS, complete), "fields": half}}
    assert list(coverage.shortfalls(results)) == [
        f"coverage: 50.0 % of the fields are documented; required are {coverage.REQUIRED['fields']} %",
        "coverage: customer lacks 1 fields; see python -m codegen.outline --missing customer",
    ]


def test_the_objects_that_must_be_documented_exist() -> None:
    assert set(facts.load().schemas) >= coverage.COMPLETE
