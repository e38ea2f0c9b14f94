"""The objects of one account, by type and id.

Objects are changed through `ObjectRepository` alone, and a field of a stored object is replaced, never changed in place: that
is how a refused request leaves no trace, how indexes stay right, and how a state file knows what to write.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, TypeAlias

from pinstripe._registry import registry
from pinstripe.emulator.state.json_values import Object, clone
from pinstripe.emulator.state.object_types import INDEXES
from pinstripe.emulator.state.transaction import Transaction
from pinstripe.emulator.validation.errors import missing_object

Key: TypeAlias = tuple[str, str]
"""An object type and an id."""


class _Entry:
    """A place in the repository. It outlives the removal of its object until the commit, so that a rollback finds it in order."""

    __slots__ = ("number", "value")

    def __init__(self, number: int, value: Object | None) -> None:
        self.number, self.value = number, value


class _Bucket:
    """The entries that have one value in an indexed field, in the order of their creation when read."""

    __slots__ = ("_entries", "_sorted")

    def __init__(self) -> None:
        self._entries: dict[int, _Entry] = {}
        self._sorted = True

    def add(self, entry: _Entry) -> None:
        if self._sorted and self._entries and next(reversed(self._entries)) > entry.number:
            self._sorted = False
        self._entries[entry.number] = entry

    def discard(self, entry: _Entry) -> None:
        self._entries.pop(entry.number, None)

    def newest_first(self) -> Iterator[_Entry]:
        if not self._sorted:
            self._entries = dict(sorted(self._entries.items()))
            self._sorted = True
        return reversed(self._entries.values())


class ObjectRepository:
    """The objects of an account. Each type has its own ids; the fields in `INDEXES` are indexed."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._types: dict[str, dict[str, _Entry]] = {}
        self._indexes: dict[tuple[str, str], dict[Any, _Bucket]] = {}  # Any: the value of a field
        self._last_number = 0
        self.changed: dict[Key, None] = {}
        """What was added, changed or removed since the last commit."""

    # Reading

    def find(self, types: str | tuple[str, ...], object_id: str | None) -> Object | None:
        """Return the object of a type, or of the first of several types, or ``None``.

        What is left of a deleted object is returned, too.
        """
        for object_type in (types,) if isinstance(types, str) else types:
            entry = self._types.get(object_type, _NO_ENTRIES).get(object_id or "")
            if entry is not None and entry.value is not None:
                return entry.value
        return None

    def __getitem__(self, key: Key) -> Object:
        """Return the object of a type with an id that is known to exist; raises ``KeyError`` otherwise."""
        value = self._types[key[0]][key[1]].value
        if value is None:
            raise KeyError(key)
        return value

    def __contains__(self, key: Key) -> bool:
        return self.find(*key) is not None

    def get(self, object_type: str, object_id: str, param: str | None = None) -> Object:
        """Return an object that is not deleted, or raise the `ErrorResponse` of a missing one, which names ``param``."""
        found = self.find(object_type, object_id)
        if found is None or found.get("deleted"):
            raise missing_object(object_type, object_id, param)
        return found

    def with_id(self, object_id: str) -> Iterator[Object]:
        """Iterate over the objects of any type that have an id; ids that Stripe makes belong to one object."""
        for entries in self._types.values():
            if (entry := entries.get(object_id)) is not None and entry.value is not None:
                yield entry.value

    def all(self, object_type: str, **fields: Any) -> Iterator[Object]:  # Any: JSON values
        """Iterate over the objects of a type that are not deleted and have these fields, newest first."""
        for entry in self._candidates(object_type, fields):
            value = entry.value
            if value is not None and not value.get("deleted") and all(value.get(n) == v for n, v in fields.items()):
                yield value

    def _candidates(self, object_type: str, fields: Mapping[str, Any]) -> Iterator[_Entry]:  # Any: JSON values
        for name in INDEXES.get(object_type, ()):
            if name in fields and isinstance(fields[name], str | None):
                bucket = self._indexes.get((object_type, name), {}).get(fields[name])
                return bucket.newest_first() if bucket is not None else iter(())
        return reversed(self._types.get(object_type, _NO_ENTRIES).values())

    @property
    def types(self) -> list[str]:
        """The types of the objects that are there."""
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
        """Return every object, oldest first whatever its type."""
        entries = [entry for entries in self._types.values() for entry in entries.values()]
        return [entry.value for entry in sorted(entries, key=lambda one: one.number) if entry.value is not None]

    # Changing

    def add(self, value: Object) -> Object:
        """Store an object under its type and id, in place of one that is there."""
        check_fields(value["object"], value)
        entries, key = self._types.setdefault(value["object"], {}), value["id"]
        entry = entries.get(key)
        if entry is None:
            self._last_number += 1
            entry = entries[key] = _Entry(self._last_number, None)
        self._replace(entry, value, value["object"], key)
        return value

    def remove(self, value: Object) -> None:
        """Remove an object without a trace."""
        object_type, key = value["object"], value["id"]
        entry = self._types[object_type][key]
        self._replace(entry, None, object_type, key)

    def mark_deleted(self, value: Object) -> Object:
        """Delete an object, and return what is left of it."""
        object_type, key = value["object"], value["id"]
        model = registry().deleted.get(object_type)
        kept = registry().load(model).model_fields if model else {}
        remains = {name: value[name] for name in kept if name in value}
        remains |= {"id": key, "object": object_type, "deleted": True}
        self._replace(self._types[object_type][key], remains, object_type, key)
        return remains

    def update(self, value: Object, /, **fields: Any) -> Object:  # Any: JSON values
        """Set fields of a stored object, and return the previous values of those that changed."""
        object_type = value["object"]
        check_fields(object_type, fields)
        previous = {name: value.get(name) for name, new in fields.items() if name not in value or value[name] != new}
        entry = self._types.get(object_type, _NO_ENTRIES).get(value.get("id", ""))
        if entry is None or entry.value is not value:
            raise ValueError(f"This {object_type} is not stored: add it first.")
        if previous:
            self.changed[object_type, value["id"]] = None
        before = {name: value[name] for name in fields if name in value}
        indexed = [name for name in INDEXES.get(object_type, ()) if name in previous]
        for name in indexed:
            self._unindex(entry, object_type, name, value.get(name))
        value.update(fields)  # also what is equal: a list may hold other objects now, which are to be the stored ones
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

    def _index(self, entry: _Entry, object_type: str, name: str, value: Any) -> None:  # Any: a JSON value
        if isinstance(value, str | None):
            self._indexes.setdefault((object_type, name), {}).setdefault(value, _Bucket()).add(entry)

    def _unindex(self, entry: _Entry, object_type: str, name: str, value: Any) -> None:  # Any: a JSON value
        if isinstance(value, str | None) and (bucket := self._indexes.get((object_type, name), {}).get(value)):
            bucket.discard(entry)


_NO_ENTRIES: dict[str, _Entry] = {}


@cache
def _field_names(object_type: str) -> frozenset[str]:
    model = registry().load(registry().objects[object_type])
    names = {field.alias or name for name, field in model.model_fields.items()}
    return frozenset(names | {"deleted"})


def check_fields(object_type: str, fields: Mapping[str, Any]) -> None:  # Any: JSON values
    """Raise ``AttributeError`` for a field that the model of an object type does not have."""
    if not fields.keys() <= _field_names(object_type):
        unknown = ", ".join(sorted(fields.keys() - _field_names(object_type)))
        raise AttributeError(f"{object_type} has no field {unknown}")
