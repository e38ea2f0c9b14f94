"""The state of one account: its objects, side tables, clock and event log, and how objects are created and updated."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

from pinstripe._registry import registry
from pinstripe.emulator.state.defaults import DefaultValues, default_object, default_part, fit
from pinstripe.emulator.state.environment import Environment
from pinstripe.emulator.state.event_log import NO_REQUEST, EventLog
from pinstripe.emulator.state.json_values import Object, merge_metadata
from pinstripe.emulator.state.objects import ObjectRepository
from pinstripe.emulator.state.tables import SideTables
from pinstripe.emulator.state.timers import Clock
from pinstripe.emulator.state.transaction import Transaction
from pinstripe.emulator.validation.errors import empty_param


class AccountState:
    """Everything that an operation on an account may read and change. Changes are undone when the operation is refused."""

    def __init__(self, account_id: str, environment: Environment, other: Callable[[str], AccountState]) -> None:
        self.id = account_id
        """The id of the account; empty for the platform's own."""
        self.other = other
        """Return the state of another account, ready to be changed by the same request."""
        self.transaction = Transaction()
        self.objects = ObjectRepository(self.transaction)
        self.tables = SideTables(self.transaction)
        self.clock = Clock(environment.time, self.objects, self.transaction)
        self.request = NO_REQUEST
        """The request that is carried out."""
        self.base_url = ""
        """The URL at which the request reached the emulator; pages and files are below it."""
        self.events = EventLog(account_id, self.new_id, self.clock.now, lambda: self.request, self.transaction)
        self._environment = environment

    @property
    def random(self) -> random.Random:
        """The source of random codes and numbers."""
        return self._environment.random

    def new_id(self, object_type: str, length: int = 16) -> str:
        """Return a new id for an object type, ``length`` characters after its prefix."""
        return self._environment.new_id(object_type, length)

    @property
    def default_values(self) -> DefaultValues:
        """What the fields of a new object are filled with."""
        return DefaultValues(self.new_id, self.clock.now(), self.base_url)

    def draft(self, object_type: str, params: Mapping[str, Any] | None = None) -> Object:  # Any: JSON values
        """Return a new object with default values and the parameters that are fields of it; it is not stored."""
        model = registry().objects[object_type]
        draft = default_object(model, self.default_values)
        draft.update(fit(model, dict(params or {}), self.default_values))
        if "id" in draft:
            given = (params or {}).get("id")
            first = {"id": given if isinstance(given, str) else self.new_id(object_type), "object": draft["object"]}
            draft = {**first, **draft, **first}  # id and object come first, as in Stripe's responses
        if "metadata" in draft:
            draft["metadata"] = merge_metadata({}, (params or {}).get("metadata"))
        if "test_clock" in draft and self.clock.test_clock:
            draft["test_clock"] = self.clock.test_clock
        return draft

    def draft_part(self, object_type: str, name: str) -> Any:  # Any: a JSON value
        """Return the default value of an object that a field of an object type holds."""
        return default_part(registry().objects[object_type], name, self.default_values)

    def create(
        self,
        object_type: str,
        params: Mapping[str, Any] | None = None,  # Any: JSON values
        /,
        **fields: Any,  # Any: JSON values
    ) -> Object:
        """Store a new object with default values, the parameters that are fields of it, and exactly these fields."""
        return self.objects.add({**self.draft(object_type, params), **fields})

    def apply_update(self, found: Object, params: Mapping[str, Any], **fields: Any) -> Object:  # Any: JSON values
        """Change an object as an update operation does: set what was passed, merge metadata, and emit an event.

        ``fields`` are set as they are. Raises `ErrorResponse` for an empty value of a field that cannot be cleared.
        """
        model = registry().objects[found["object"]]
        changes = {**fit(model, params, self.default_values, found), **fields}
        for name, value in params.items():
            if value is None and name in found and name not in changes and name != "metadata":
                raise empty_param(name)
        if "metadata" in params:
            changes["metadata"] = merge_metadata(found.get("metadata") or {}, params["metadata"])
        if previous := self.objects.update(found, **changes):
            self.events.emit("updated", found, previous)
        return found

    def commit(self) -> None:
        """Keep the changes: they cannot be undone any more, and are no longer reported as changed."""
        self.transaction.commit()
        self.objects.changed.clear()
        for _, table in self.tables.changed():
            table.changed.clear()
        self.clock.changed.clear()
        self.events.new.clear()
        self.clock.release()
