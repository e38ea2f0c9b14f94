"""The state of one account: its objects, side tables, clock and event log."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

from pinstripe._registry import registry
from pinstripe.emulator.state.defaults import DefaultValues, default_object, default_part, fit
from pinstripe.emulator.state.environment import Environment
from pinstripe.emulator.state.event_log import NO_REQUEST, EventLog
from pinstripe.emulator.state.json_values import JSON, Object, merge_metadata
from pinstripe.emulator.state.objects import ObjectRepository
from pinstripe.emulator.state.tables import SideTables
from pinstripe.emulator.state.timers import Clock
from pinstripe.emulator.state.transaction import Transaction
from pinstripe.emulator.validation.errors import empty_param

OWNER_SEPARATOR = ":"


class AccountState:
    """The state that operations on an account read and change. The changes of a request that fails are undone."""

    def __init__(self, key: str, environment: Environment, other: Callable[[str], AccountState]) -> None:
        owner, separator, account_id = key.rpartition(OWNER_SEPARATOR)
        self.key = key
        """The key of the account in `Accounts`: its owner, then its id."""
        self.id: str = account_id
        """The id of the account; empty for the platform's own."""
        self.owner: str = owner + separator
        """The key of the platform: accounts of different platforms share nothing."""
        self.other: Callable[[str], AccountState] = lambda account_id: other(self.owner + account_id)
        """Returns the state of another account of the platform, which the same request may change."""
        self.transaction: Transaction = Transaction()
        self.objects: ObjectRepository = ObjectRepository(self.transaction)
        self.tables: SideTables = SideTables(self.transaction)
        self.clock: Clock = Clock(environment.time, self.objects, self.transaction)
        self.request = NO_REQUEST
        """The request that is running."""
        self.base_url = ""
        """The base URL of the request; the URLs of pages and files begin with it."""
        self.events: EventLog = EventLog(self.id, self.new_id, self.clock.now, lambda: self.request, self.transaction)
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
        """The values that default objects contain."""
        return DefaultValues(self.new_id, self.clock.now(), self.base_url)

    def draft(self, object_type: str, params: Mapping[str, JSON] | None = None) -> Object:
        """Return a new object with default values and the parameters that are fields of its model; it is not stored."""
        model = registry().objects[object_type]
        draft = default_object(model, self.default_values)
        draft.update(fit(model, dict(params or {}), self.default_values))
        if "id" in draft:
            object_id = (params or {}).get("id")
            if not isinstance(object_id, str):
                object_id = self.new_id(object_type)
            first = {"id": object_id, "object": draft["object"]}
            draft = {**first, **draft, **first}  # id and object come first, as in Stripe's responses
        if "metadata" in draft:
            draft["metadata"] = merge_metadata({}, (params or {}).get("metadata"))
        if "test_clock" in draft and self.clock.test_clock:
            draft["test_clock"] = self.clock.test_clock
        return draft

    def draft_part(self, object_type: str, name: str) -> JSON:
        """Return a new object for a field of an object type."""
        return default_part(registry().objects[object_type], name, self.default_values)

    def create(
        self,
        object_type: str,
        params: Mapping[str, JSON] | None = None,
        /,
        **fields: JSON,
    ) -> Object:
        """Store a new object with default values, the parameters that are fields of its model, and ``fields`` as they are."""
        return self.objects.add({**self.draft(object_type, params), **fields})

    def apply_update(self, value: Object, params: Mapping[str, JSON], **fields: JSON) -> Object:
        """Update an object with the parameters of an update operation: merge metadata, and emit the event.

        ``fields`` are set as they are. Raises `ErrorResponse` for an empty value of a field that cannot be cleared.
        """
        model = registry().objects[value["object"]]
        changes = {**fit(model, params, self.default_values, value), **fields}
        for name, param in params.items():
            if param is None and name in value and name not in changes and name != "metadata":
                raise empty_param(name)
        if "metadata" in params:
            changes["metadata"] = merge_metadata(value.get("metadata") or {}, params["metadata"])
        if previous := self.objects.update(value, **changes):
            self.events.emit("updated", value, previous)
        return value

    def commit(self) -> None:
        """Commit the changes: they can no longer be undone, and are no longer reported as changed."""
        self.transaction.commit()
        self.objects.changed.clear()
        for _, table in self.tables.changed():
            table.changed.clear()
        self.clock.changed.clear()
        self.events.new.clear()
        self.events.resent.clear()
        self.clock.release()
