"""Everything that the official package types is in the facts, and in the generated classes."""

from __future__ import annotations

import pytest

from codegen import facts, official, public_names
from codegen.check_wording import official_package
from codegen.renames import Tree


@pytest.fixture(scope="module")
def package() -> official.Package:
    folder = official_package()
    if folder is None:
        pytest.skip("the official package is not installed")
    return official.Package(folder)


def test_the_package_is_read(package: official.Package) -> None:
    assert len(list(package.calls())) > 600
    assert {"customer", "subscription", "v2.core.account"} <= set(package.objects)
    assert {item.name for item in package.fields("customer")} >= {"id", "email", "address"}


def test_every_operation_parameter_field_and_event_of_the_package_is_in_the_facts(package: official.Package) -> None:
    api = facts.load()
    assert list(official.missing_operations(package, api)) == []
    assert list(official.missing_params(package, api)) == []
    assert list(official.missing_fields(package, api)) == []
    assert list(official.missing_events(package, api)) == []


def test_every_parameter_and_field_of_the_package_is_in_the_generated_classes(package: official.Package) -> None:
    assert list(official.missing_in_classes(package, facts.load(), Tree(public_names.ROOT))) == []


def test_parameters_have_the_names_that_users_of_the_package_know(package: official.Package) -> None:
    known = set(Tree(public_names.ROOT).nodes["params"])
    assert list(official.missing_class_names(package, facts.load(), known)) == []
    assert not known & official.EXPLAINED.keys()
