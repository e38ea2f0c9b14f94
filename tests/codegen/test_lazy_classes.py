"""The table that tells the module of a class by the words its name begins with."""

from __future__ import annotations

import string

from hypothesis import given
from hypothesis import strategies as st

import pinstripe.models
import pinstripe.params
from codegen.text import first_words
from pinstripe._lazy import LazyClasses

WORDS = st.lists(st.sampled_from(["Account", "Link", "V2", "D", "Item", "Items"]), min_size=1, max_size=4).map("".join)
MODULES = st.sampled_from(list(string.ascii_lowercase[:4]))


@given(st.dictionaries(WORDS, MODULES, min_size=1))
def test_every_class_is_found_in_its_module(modules: dict[str, str]) -> None:
    classes = LazyClasses({}, first_words(modules))
    assert {name: classes.module_of(name) for name in modules} == modules


def test_the_table_has_no_more_entries_than_needed() -> None:
    modules = {"Customer": "customers", "CustomerCard": "customers", "CustomerSession": "sessions"}
    assert first_words(modules) == {"Customer": "customers", "CustomerSession": "sessions"}


def test_packages_list_their_classes_and_refuse_other_names() -> None:
    for package, name in ((pinstripe.models, "Subscription"), (pinstripe.params, "SubscriptionUpdateParamsItem")):
        assert name in dir(package)
        assert name in package.__all__
        assert getattr(package, name).__name__ == name
        for unknown in (f"{name}Typo", "Unknown", "subscription_typo", "Literal"):
            assert not hasattr(package, unknown)
