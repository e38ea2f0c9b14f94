"""`make matrix` tests the versions that pyproject.toml declares."""

from __future__ import annotations

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tools import matrix

PYPROJECT = matrix.pyproject()
PROJECT = PYPROJECT["project"]


def test_pythons_are_those_that_the_package_supports() -> None:
    pythons = matrix.pythons()
    supported = SpecifierSet(PROJECT["requires-python"])
    assert pythons == [f"3.{minor}" for minor in range(10, 10 + len(pythons))]
    assert all(python in supported for python in pythons)
    assert "3.9" not in supported
    assert PYPROJECT["tool"]["mypy"]["python_version"] == pythons[0]
    assert f"Python {pythons[0]} or later" in (matrix.ROOT / "README.md").read_text()


@pytest.mark.parametrize("python", matrix.pythons())
def test_each_dependency_has_a_lower_bound_that_the_matrix_installs(python: str) -> None:
    bounds = matrix.lower_bounds(python)
    assert bounds.keys() == {"httpx", "pydantic", "typing-extensions"}
    for text in PROJECT["dependencies"]:
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"python_version": python}):
            assert bounds[requirement.name] in requirement.specifier
            assert matrix.constraints("lowest", python).count(f"{requirement.name}=={bounds[requirement.name]}") == 1
    assert matrix.constraints("newest", python) == []


def test_pydantic_needs_a_later_version_on_python_3_14() -> None:
    assert matrix.lower_bounds("3.13")["pydantic"] == Version("2.11")
    assert matrix.lower_bounds("3.14")["pydantic"] == Version("2.12")


def test_extras_are_tested_from_their_lower_bounds() -> None:
    group = {}
    for text in PYPROJECT["dependency-groups"]["fast"]:
        requirement = Requirement(text)
        if requirement.marker is None:
            group[requirement.name] = requirement.specifier
    for texts in PROJECT["optional-dependencies"].values():
        for requirement in map(Requirement, texts):
            if requirement.name in group:
                assert group[requirement.name] == requirement.specifier, requirement.name


def test_the_tests_of_the_matrix_exist() -> None:
    assert [path for path in matrix.paths() if not (matrix.ROOT / path).is_file()] == []
