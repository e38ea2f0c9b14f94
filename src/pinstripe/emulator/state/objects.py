"""The objects of one account, by type and id.

Stored objects are changed only by `ObjectRepository`, and the value of a field is replaced, never changed in place. The undo log,
the indexes and the state file rely on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import TypeAlias

from pinstripe._registry import registry
from pinstripe.emulator.state.json_values import JSON, Object, clone
from pinstripe.emulator.state.object_types import INDEXES
from pinstripe.emulator.state.transaction import Transaction
from pinstripe.emulator.validation.errors import missing_object

Key: TypeAlias = tuple[str, str]
"""An object type and an id."""


class _Entry:
    """A place in the repository. It outlives the removal of its object until the commit: a rollback restores the order."""

    __slots__ = ("number", "value")

    def __init__(self, number: int, value: Object | None) -> None:
        self.number, self.value = number, value


class _Bucket(dict[int, _Entry]):
    """The entries with the same value of an indexed field, by number; sorted by creation when they are read."""

    __slots__ = ("_sorted",)

    def __init__(self) -> None:
        self._sorted = True

    def add(self, entry: _Entry) -> None:
        if self._sorted and self and next(reversed(self)) > entry.number:
            self._sorted = False
        self[entry.number] = entry

    def discard(self, entry: _Entry) -> None:
        self.pop(entry.number, None)

    def newest_first(self) -> Iterator[_Entry]:
        if not self._sorted:
            entries = sorted(self.items())
            self.clear()
            self.update(entries)
            self._sorted = True
        return reversed(self.values())


class ObjectRepository:
    """The objects of an account. Each type has its own ids; the fields in `INDEXES` are indexed."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._types: dict[str, dict[str, _Entry]] = {}
        self._indexes: dict[tuple[str, str], dict[JSON, _Bucket]] = {}
        """The buckets by object type and field, then by value."""
        self._last_number = 0
        self.changed: dict[Key, None] = {}
        """The objects that were added, changed or removed since the last commit."""

    def find(self, types: str | tuple[str, ...], object_id: str | None) -> Object | None:
        """Return the object with an id, of the first of several types that has it, or ``None``.

        The remains of a deleted object are returned, too.
        """
        for object_type in (types,) if isinstance(types, str) else types:
            entry = self._types.get(object_type, _NO_ENTRIES).get(object_id or "")
            if entry is not None and entry.value is not None:
                return entry.value
        return None

    def __getitem__(self, key: Key) -> Object:
        """Return an object that must exist; raise ``KeyError`` otherwise."""
        value = self._types[key[0]][key[1]].value
        if value is None:
            raise KeyError(key)
        return value

    def __contains__(self, key: Key) -> bool:
        return self.find(*key) is not None

    def get(self, object_type: str, object_id: str, param: str | None = None) -> Object:
        """Return an object that is not deleted; raise `ErrorResponse` otherwise, with ``param`` as its parameter."""
        value = self.find(object_type, object_id)
        if value is None or value.get("deleted"):
            raise missing_object(object_type, object_id, param)
        return value

    def with_id(self, object_id: str) -> Iterator[Object]:
        """Iterate over the objects of any type with an id; only ids that users choose may belong to several."""
        for entries in self._types.values():
            if (entry := entries.get(object_id)) is not None and entry.value is not None:
                yield entry.value

    def all(self, object_type: str, **fields: JSON) -> Iterator[Object]:
        """Iterate over the objects of a type that are not deleted and have these fields, newest first."""
        for entry in self._candidates(object_type, fields):
            value = entry.value
            if value is not None and not value.get("deleted") and _has_fields(value, fields):
                yield value

    def _candidates(self, object_type: str, fields: Mapping[str, JSON]) -> Iterator[_Entry]:
        for name in INDEXES.get(object_type, ()):
            if name in fields and isinstance(fields[name], str | None):
                bucket = self._indexes.get((object_type, name), {}).get(fields[name])
                return bucket.newest_first() if bucket is not None else iter(())
        return reversed(self._types.get(object_type, _NO_ENTRIES).values())

    @property
    def types(self) -> list[str]:
        """The types of which there are objects."""
        return [object_type for object_type, entries in self._types.items() if entries]

    def ids(self, object_type: str) -> list[str]:
        """Return the ids of the objects of a type, deleted ones included, oldest first.

        Safe while another thread adds objects.
        """
        entries = list(self._types.get(object_type, _NO_ENTRIES).items())
        return [object_id for object_id, entry in entries if entry.value is not None]

    def __iter__(self) -> Iterator[Object]:
        """Iterate over every object, by type, oldest first."""
        for entries in self._types.values():
            for entry in entries.values():
                if entry.value is not None:
                    yield entry.value

    def in_order(self) -> list[Object]:
        """Return every object, oldest first."""
        entries = [entry for entries in self._types.values() for entry in entries.values()]
        return [entry.value for entry in sorted(entries, key=lambda entry: entry.number) if entry.value is not None]

    def add(self, value: Object) -> Object:
        """Store an object under its type and id, and replace one that is there.

        An object that replaces the remains of a deleted one is a new one: it is listed first.
        """
        check_fields(value["object"], value)
        entries, key = self._types.setdefault(value["object"], {}), value["id"]
        entry = entries.get(key)
        if entry is not None and entry.value is not None and entry.value.get("deleted"):
            self._free(entries, key)
            entry = None
        if entry is None:
            self._last_number += 1
            entry = entries[key] = _Entry(self._last_number, None)
        self._replace(entry, value, value["object"], key)
        return value

    def _free(self, entries: dict[str, _Entry], key: str) -> None:
        """Free the place of a deleted object."""
        remains = entries.pop(key)

        def undo() -> None:
            entries[key] = remains
            in_order = sorted(entries.items(), key=lambda item: item[1].number)
            entries.clear()
            entries.update(in_order)

        self._transaction.record(undo)

    def remove(self, value: Object) -> None:
        """Remove an object as if it had never existed."""
        object_type, key = value["object"], value["id"]
        entry = self._types[object_type][key]
        self._replace(entry, None, object_type, key)

    def mark_deleted(self, value: Object) -> Object:
        """Delete an object, and return its remains: the fields of Stripe's model of deleted objects."""
        object_type, key = value["object"], value["id"]
        model = registry().deleted.get(object_type)
        fields = registry().load(model).model_fields if model else {}
        remains = {name: value[name] for name in fields if name in value}
        remains |= {"id": key, "object": object_type, "deleted": True}
        self._replace(self._types[object_type][key], remains, object_type, key)
        return remains

    def update(self, value: Object, /, **fields: JSON) -> Object:
        """Set fields of a stored object, and return the previous values of those that changed.

        Raises ``AttributeError`` for a field that the object type does not have.
        """
        object_type = value["object"]
        check_fields(object_type, fields)
        entry = self._types.get(object_type, _NO_ENTRIES).get(value.get("id", ""))
        if entry is None or entry.value is not value:
            raise ValueError(f"This {object_type} is not stored: add it first.")
        before = {name: value[name] for name in fields if name in value}
        previous = {name: before.get(name) for name, new in fields.items() if name not in before or before[name] != new}
        indexed: list[str] = []
        if previous:
            self.changed[object_type, value["id"]] = None
            indexed = [name for name in INDEXES.get(object_type, ()) if name in previous]
        for name in indexed:
            self._unindex(entry, object_type, name, value.get(name))
        value.update(fields)  # equal values, too: embedded lists hold the stored objects themselves
        for name in indexed:
            self._index(entry, object_type, name, value.get(name))

        def undo() -> None:
            for name in indexed:
                self._unindex(entry, object_type, name, value.get(name))
            value.update(before)
            for name in fields.keys() - before.keys():
                del value[name]
            for name in indexed:
                self._index(entry, object_type, name, value.get(name))

        self._transaction.record(undo)
        copied: Object = clone(previous)
        return copied

    def _replace(self, entry: _Entry, value: Object | None, object_type: str, key: str) -> None:
        previous = entry.value
        self._swap(entry, value, object_type)
        self.changed[object_type, key] = None
        self._transaction.record(lambda: self._swap(entry, previous, object_type))
        if value is None or previous is None:
            self._transaction.on_commit(lambda: self._drop_empty(entry, object_type, key))

    def _swap(self, entry: _Entry, value: Object | None, object_type: str) -> None:
        for name in INDEXES.get(object_type, ()):
            if entry.value is not None:
                self._unindex(entry, object_type, name, entry.value.get(name))
            if value is not None:
                self._index(entry, object_type, name, value.get(name))
        entry.value = value

    def _drop_empty(self, entry: _Entry, object_type: str, key: str) -> None:
        if entry.value is None and self._types[object_type].get(key) is entry:
            del self._types[object_type][key]

    def _index(self, entry: _Entry, object_type: str, name: str, value: JSON) -> None:
        if isinstance(value, str | None):
            self._indexes.setdefault((object_type, name), {}).setdefault(value, _Bucket()).add(entry)

    def _unindex(self, entry: _Entry, object_type: str, name: str, value: JSON) -> None:
        if isinstance(value, str | None) and (bucket := self._indexes.get((object_type, name), {}).get(value)):
            bucket.discard(entry)


_NO_ENTRIES: dict[str, _Entry] = {}
UNDESCRIBED = {"subscription": {"plan", "quantity"}}
"""Fields of responses that Stripe's description of the API leaves out."""


@cache
def _field_names(object_type: str) -> frozenset[str]:
    model = registry().load(registry().objects[object_type])
    names = {field.alias or name for name, field in model.model_fields.items()}
    return frozenset(names | {"deleted"} | UNDESCRIBED.get(object_type, set()))


def _has_fields(value: Object, fields: Mapping[str, JSON]) -> bool:
    return all(value.get(name) == field for name, field in fields.items())


def check_fields(object_type: str, fields: Mapping[str, JSON]) -> None:
    """Raise ``AttributeError`` for a field that the model of an object type does not have."""
    if not fields.keys() <= _field_names(object_type):
        unknown = ", ".join(sorted(fields.keys() - _field_names(object_type)))
        raise AttributeError(f"{object_type} has no field {unknown}")
