"""The committed files are those that the generator writes, and their names are those of the places."""

from __future__ import annotations

import pytest

from codegen import docs, facts, names, spec
from codegen.__main__ import existing, write
from codegen.build_models import EVENT_DATA_MODULE, SHARED_MODULE, build_models, module_of, objects
from codegen.build_params import build_params
from codegen.docstrings import Writer
from tests.codegen.builders import written


@pytest.fixture(scope="module")
def api() -> spec.Api:
    return facts.load()


def test_the_committed_files_are_those_that_are_written(api: spec.Api) -> None:
    assert existing() == {path for path, _ in write(api, docs.load())}


def test_every_model_is_named_after_an_object_of_its_module(api: spec.Api) -> None:
    roots: dict[str, list[str]] = {
        SHARED_MODULE: list(names.SHARED.values()),
        EVENT_DATA_MODULE: [names.event_data(event) for event in api.thin_events],
    }
    for schema in objects(api):
        roots.setdefault(module_of(api, schema.name), []).append(names.model(schema))
    for name, module in build_models(api, Writer(api, written())).items():
        assert [cls.name for cls in module.classes if not cls.name.startswith(tuple(roots[name]))] == []


def test_every_class_of_parameters_is_named_after_an_operation_of_its_service(api: spec.Api) -> None:
    roots: dict[str, list[str]] = {}
    for operation in api.operations.values():
        root = names.params(operation.service, operation.method, api.services)
        roots.setdefault(operation.service.partition(".")[0], []).append(root)
    for name, module in build_params(api, Writer(api, written())).items():
        assert [cls.name for cls in module.classes if not cls.name.startswith(tuple(roots[name]))] == []


def test_every_class_is_described(api: spec.Api) -> None:
    writer = Writer(api, docs.load())
    for module in (*build_models(api, writer).values(), *build_params(api, writer).values()):
        assert [cls.name for cls in module.classes if not cls.doc] == []
