"""A new version of the API: optional fields and parameters, operations and events are added to the facts at random places.

No public name disappears, and only the files of those places change.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import pytest

from codegen import facts, names, spec
from codegen.__main__ import write
from codegen.build_models import EVENT_DATA_MODULE, SHARED_MODULE, module_of, objects, targets
from tests.codegen.builders import written

NO_DOCUMENTATION = written()  # texts make no difference to names
INDEXES = {"src/pinstripe/models/__init__.py", "src/pinstripe/params/__init__.py"}
NAME = re.compile(r"^class (\w+)|^(\w+) = TypedDict|^    (\w+) = \w+\(", re.MULTILINE)


@dataclass(frozen=True)
class Written:
    """The files that are written for an API."""

    api: spec.Api
    files: Mapping[str, str]

    @classmethod
    def of(cls, api: spec.Api) -> Written:
        return cls(api, {str(path): content for path, content in write(api, NO_DOCUMENTATION)})

    @property
    def names(self) -> set[str]:
        """The classes and methods, with the files they are in."""
        return {
            f"{path} {''.join(results)}" for path, content in self.files.items() for results in NAME.findall(content)
        }

    def differing(self, other: Written) -> set[str]:
        """Return the files that differ."""
        return {
            path for path in self.files.keys() | other.files.keys() if self.files.get(path) != other.files.get(path)
        }


@pytest.fixture(scope="module")
def current() -> Written:
    return Written.of(facts.load())


def assert_compatible(before: Written, after: Written, expected: set[str]) -> None:
    assert before.names - after.names == set()
    differing = before.differing(after)
    assert differing - INDEXES == expected - INDEXES


# --- optional fields and parameters at random places ------------------------------------------------------------------


class Release:
    """Adds optional fields and parameters to an API, and collects the files of their places."""

    def __init__(self, api: spec.Api, seed: int) -> None:
        self.api, self.random = api, random.Random(seed)
        self.schemas, self.operations = dict(api.schemas), dict(api.operations)
        self.modules = modules_by_schema(api)
        self.files: set[str] = set()
        self.count = 0

    def result(self) -> spec.Api:
        return replace(self.api, schemas=self.schemas, operations=self.operations)

    def add_field(self) -> None:
        """Add a field to an object, to a part of objects, or to an object described inside one."""
        schema = self.schemas[self.random.choice(sorted(name for name in self.modules if self.schemas[name].fields))]
        self.schemas[schema.name] = replace(schema, fields=self.extended(schema.fields))
        self.files |= {f"src/pinstripe/models/{module}.py" for module in self.modules[schema.name]}

    def add_param(self) -> None:
        """Add a parameter to an operation, or to an object among its parameters."""
        operation = self.operations[self.random.choice(sorted(self.operations))]
        params = self.extended(operation.params)
        self.operations[operation.name] = replace(operation, params=params)
        self.files.add(f"src/pinstripe/params/{module(operation.service)}.py")
        if len(params) > len(operation.params):
            for service in (operation.service, *(service for service, _ in operation.aliases)):
                self.files.add(f"src/pinstripe/resources/{module(service)}.py")
                self.files.add(f"stubs/pinstripe-stubs/resources/{module(service)}.pyi")

    def extended(self, fields: tuple[spec.Field, ...]) -> tuple[spec.Field, ...]:
        """Return fields with a new one among them, or among those of one of their objects."""
        inner = [position for position, item in enumerate(fields) if isinstance(bare(item.type), spec.Object)]
        if inner and self.random.random() < 0.7:
            position = self.random.choice(inner)
            changed = replace(fields[position], type=self.inside(fields[position].type))
            return (*fields[:position], changed, *fields[position + 1 :])
        return tuple(sorted((*fields, self.new()), key=lambda item: item.name))

    def inside(self, kind: spec.Type) -> spec.Type:
        match kind:
            case spec.ListOf(inner):
                return spec.ListOf(self.inside(inner))
            case spec.Object(fields):
                return spec.Object(self.extended(fields))
            case _:
                raise AssertionError(kind)

    def new(self) -> spec.Field:
        self.count += 1
        name = self.random.choice(("mode", "limits", "entries", "details")) + f"_{self.count}"
        part = spec.Object(
            (spec.Field("amount", spec.Scalar("integer")), spec.Field("note", spec.Scalar("string", 40)))
        )
        kinds = (spec.Scalar("string"), spec.Scalar("timestamp"), spec.Enum(("a", "b")), part, spec.ListOf(part))
        return spec.Field(name, self.random.choice(kinds))


def bare(kind: spec.Type) -> spec.Type:
    return bare(kind.item) if isinstance(kind, spec.ListOf) else kind


def module(service: str) -> str:
    return service.partition(".")[0]


def modules_by_schema(api: spec.Api) -> dict[str, set[str]]:
    """Return the modules of models in which the fields of each schema are written."""
    results: dict[str, set[str]] = {}
    roots = [(schema.name, module_of(api, schema.name)) for schema in objects(api)]
    roots += [(name, SHARED_MODULE) for name in names.SHARED if name in api.schemas]
    for root, owner in roots:
        for name in (root, *components(api, api.schemas[root].fields)):
            results.setdefault(name, set()).add(owner)
    for event in api.thin_events.values():
        for name in components(api, event.data or ()):
            results.setdefault(name, set()).add(EVENT_DATA_MODULE)
    return results


def components(api: spec.Api, fields: Iterable[spec.Field]) -> Iterator[str]:
    """Yield the schemas whose fields are written out where these fields are."""
    for item in fields:
        for name in targets(api, item.type):
            if not api.schemas[name].standalone and name not in names.SHARED:
                yield name
                yield from components(api, api.schemas[name].fields)
        for part in spec.objects(item.type):
            yield from components(api, part.fields)


@pytest.mark.parametrize("seed", range(12))
def test_new_optional_fields_and_parameters_change_only_their_places(current: Written, seed: int) -> None:
    release = Release(current.api, seed)
    for _ in range(release.random.choice((1, 10, 60))):
        release.add_field()
        release.add_param()
    assert_compatible(current, Written.of(release.result()), release.files)


def test_an_object_that_grows_does_not_change_the_objects_that_embed_it(current: Written) -> None:
    part = spec.Object((spec.Field("amount", spec.Scalar("integer")),))
    grown = [spec.Field(f"part_{number}", part) for number in range(8)]
    line = current.api.schemas["line_item"]  # embedded in invoices
    schemas = {**current.api.schemas, line.name: replace(line, fields=(*line.fields, *grown))}
    after = Written.of(replace(current.api, schemas=schemas))
    assert_compatible(current, after, {"src/pinstripe/models/invoice_line_item.py"})


# --- new operations, objects and events -------------------------------------------------------------------------------


def test_a_new_operation_changes_only_its_service(current: Written) -> None:
    freeze = spec.Operation(
        service="customers",
        method="freeze",
        verb="POST",
        path="/v1/customers/{customer}/freeze",
        body="form",
        path_params=("customer",),
        params=(spec.Field("until", spec.Object((spec.Field("time", spec.Scalar("timestamp")),))),),
        returns=spec.Ref("customer"),
        shape="object",
    )
    after = Written.of(replace(current.api, operations={**current.api.operations, freeze.name: freeze}))
    assert_compatible(
        current,
        after,
        {
            "src/pinstripe/params/customers.py",
            "src/pinstripe/resources/customers.py",
            "stubs/pinstripe-stubs/resources/customers.pyi",
        },
    )
    assert {name.rpartition(" ")[2] for name in after.names - current.names} == {
        "CustomerFreezeParams",
        "CustomerFreezeParamsUntil",
        "freeze",
    }


def test_a_new_object_is_a_new_module(current: Written) -> None:
    fields = (
        spec.Field("id", spec.Scalar("string"), required=True),
        spec.Field("object", spec.Enum(("gadget",)), required=True),
        spec.Field("home", spec.Ref("address")),
    )
    gadget = spec.Schema("gadget", fields, resource=True)
    after = Written.of(replace(current.api, schemas={**current.api.schemas, "gadget": gadget}))
    assert_compatible(current, after, {"src/pinstripe/models/gadget.py"})


def test_new_events_change_only_the_tables_of_events(current: Written) -> None:
    why = (spec.Field("why", spec.Scalar("string")),)
    after = Written.of(
        replace(
            current.api,
            events={**current.api.events, "customer.frozen": spec.Event("customer.frozen", "customer", True)},
            thin_events={
                **current.api.thin_events,
                "v1.customer.frozen": spec.ThinEvent("v1.customer.frozen", "customer", why),
            },
        )
    )
    assert_compatible(
        current,
        after,
        {
            "src/pinstripe/models/_event_types.py",
            "src/pinstripe/models/event_data.py",
            "stubs/pinstripe-stubs/events.pyi",
            "stubs/pinstripe-stubs/webhooks/handlers.pyi",
        },
    )
