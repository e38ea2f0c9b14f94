"""Deleted objects, and the `deleted` of those that exist."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pinstripe import decode, models

RAW = json.loads((Path(__file__).parent / "samples" / "customer.json").read_text())
DELETED = models._DELETED.values()


def test_an_object_that_exists_is_not_deleted() -> None:
    customer = decode(RAW)
    assert isinstance(customer, models.Customer)
    assert customer.deleted is False


def test_a_deleted_object_is_deleted() -> None:
    customer = decode({"id": "cus_1", "object": "customer", "deleted": True})
    assert isinstance(customer, models.DeletedCustomer)
    assert customer.deleted is True


def test_deleted_is_dumped_only_if_it_came() -> None:
    assert "deleted" not in RAW
    for raw in (RAW, {**RAW, "deleted": False}):
        customer = decode(raw)
        assert json.loads(customer.model_dump_json(by_alias=True, exclude_unset=True)) == raw
        assert ("deleted" in customer.model_dump(by_alias=True, exclude_unset=True)) == ("deleted" in raw)


@pytest.mark.parametrize("name", DELETED)
def test_every_object_that_can_be_deleted_says_that_it_is_not(name: str) -> None:
    original = getattr(models, name.removeprefix("Deleted"))
    assert original.model_fields["deleted"].default is False
