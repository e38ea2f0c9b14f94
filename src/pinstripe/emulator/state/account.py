"""The state of one account: its objects, its events, its time and chance. Everything that an operation may touch.

Objects are changed by `World.change`, `World.keep`, `World.bury`, `World.drop` and `World.hide` alone, and a field of a kept
object is replaced, never changed within: that is how a refused request leaves nothing behind, and how a file knows what to write.
"""

from __future__ import annotations

import heapq
import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from pinstripe._api_version import API_VERSION
from pinstripe._endpoint import Row
from pinstripe._registry import registry
from pinstripe.emulator.state.defaults import Names, blank, blank_part, fit, rfc3339
from pinstripe.emulator.state.object_types import EVENT_NAMES, prefix_of
from pinstripe.emulator.validation.errors import Refusal, empty_param, missing_object
from pinstripe.models._event_types import EVENT_TYPES, THIN_EVENT_TYPES

Object: TypeAlias = dict[str, Any]  # Any: JSON, as it goes out
Undo: TypeAlias = Callable[[], None]

NOBODY: dict[str, str | None] = {"id": None, "idempotency_key": None}
"""What events say of their request where there was none."""
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class Happening(NamedTuple):
    """An event that happened: what lists ask for, and the whole of it as JSON."""

    type: str
    created: int
    text: str
    thin: bool = False

    @property
    def whole(self) -> Object:
        """The event."""
        found: Object = json.loads(self.text)
        return found


class Timer(NamedTuple):
    """Something that will happen to an object."""

    at: int
    number: int
    name: str
    identifier: str


@dataclass
class Ask:
    """One request, understood: which operation it is, and its typed parameters."""

    world: World
    row: Row
    path: Mapping[str, str]
    params: dict[str, Any]  # Any: as the operation's TypedDict says
    body: Any = None  # Any: the bytes and name of a file that came with it

    @property
    def target(self) -> str:
        """The last id in the path."""
        return list(self.path.values())[-1]


@dataclass
class World:
    """One account's Stripe."""

    account: str
    random: random.Random
    time: Callable[[], int]
    other: Callable[[str], World]
    objects: dict[str, Object] = field(default_factory=dict)
    kinds: dict[str, dict[str, None]] = field(default_factory=dict)
    hidden: dict[str, Any] = field(default_factory=dict)  # Any: JSON that is not shown, by an object's id or a name
    happened: dict[str, Happening] = field(default_factory=dict)
    timers: dict[str, list[Timer]] = field(default_factory=dict)
    numbers: int = 0
    # What follows is about the request that is being carried out.
    request: dict[str, str | None] = field(default_factory=dict)
    base: str = ""
    moment: int | None = None
    clock: str = ""
    news: list[str] = field(default_factory=list)
    dirty: dict[str, None] = field(default_factory=dict)
    dirty_hidden: set[str] = field(default_factory=set)
    undos: list[Undo] = field(default_factory=list)
    touched: set[tuple[str, Timer]] = field(default_factory=set)

    # Time and names

    def now(self) -> int:
        """Unix seconds: the test clock's, where the request is about one of its customers."""
        return self.time() if self.moment is None else self.moment

    def follow(self, found: Object | None) -> None:
        """Take the time of an object's test clock from here on."""
        if found is None or self.clock:
            return
        clock = found["id"] if found["object"] == "test_helpers.test_clock" else found.get("test_clock")
        if not clock and isinstance(found.get("customer"), str):
            clock = self.objects.get(found["customer"], {}).get("test_clock")
        if clock and clock in self.objects and not self.objects[clock].get("deleted"):
            self.clock, self.moment = clock, self.objects[clock]["frozen_time"]

    def later(self, at: int, name: str, found: Object) -> None:
        """Let something happen to an object at a time of its clock; see `pinstripe.emulator.state.timers`."""
        self.numbers += 1
        timer, queue = Timer(at, self.numbers, name, found["id"]), self.timers.setdefault(self.clock, [])
        heapq.heappush(queue, timer)
        self.touched.add((self.clock, timer))

        def undo() -> None:
            queue.remove(timer)
            heapq.heapify(queue)

        self.undos.append(undo)

    def new_id(self, kind: str, length: int = 16) -> str:
        """An id as Stripe makes them: a prefix for its kind, and letters and digits."""
        return prefix_of(kind) + "".join(self.random.choices(ALPHABET, k=length))

    @property
    def names(self) -> Names:
        """What a blank object asks for."""
        return Names(self.new_id, self.now(), self.base)

    # Making and finding

    def make(self, kind: str, params: Mapping[str, Any] | None = None, /, **fields: Any) -> Object:  # Any: JSON
        """A new object: blank, with the parameters that are fields of it, and with exactly these fields; kept."""
        made = {**self.draft(kind, params), **fields}
        self.keep(made)
        return made

    def draft(self, kind: str, params: Mapping[str, Any] | None = None) -> Object:  # Any: JSON
        """A new object that is not kept yet."""
        model = registry().objects[kind]
        made = blank(model, self.names)
        made.update(fit(model, dict(params or {}), self.names))
        if "id" in made:
            given = (params or {}).get("id")
            own = {"id": given if isinstance(given, str) else self.new_id(kind), "object": made["object"]}
            made = {**own, **made, **own}  # first, as people read it
        if "metadata" in made:
            made["metadata"] = merged({}, (params or {}).get("metadata"))
        if "test_clock" in made and self.clock:
            made["test_clock"] = self.clock
        return made

    def draft_part(self, kind: str, name: str) -> Any:  # Any: JSON
        """What a field of a kind holds when it holds an object with nothing in it."""
        return blank_part(registry().objects[kind], name, self.names)

    def get(self, kind: str, identifier: str, param: str | None = None) -> Object:
        """The object with an id; raises the `Refusal` that Stripe would."""
        found = self.objects.get(identifier)
        if found is None or found["object"] != kind or found.get("deleted"):
            raise missing_object(kind, identifier, param)
        return found

    def every(self, kind: str, **fields: Any) -> Iterator[Object]:  # Any: JSON
        """The objects of a kind that are not deleted and have these fields, newest first."""
        for identifier in reversed(self.kinds.get(kind, {})):
            found = self.objects[identifier]
            if not found.get("deleted") and all(found.get(name) == value for name, value in fields.items()):
                yield found

    # Changing

    def keep(self, found: Object) -> Object:
        """Remember an object under its id."""
        identifier, known = found["id"], self.kinds.setdefault(found["object"], {})
        known[identifier] = None
        self.dirty[identifier] = None
        before = self.objects.get(identifier)

        def undo() -> None:
            if before is not None:
                self.objects[identifier] = before
            else:
                del self.objects[identifier], known[identifier]

        self.objects[identifier] = found
        self.undos.append(undo)
        return found

    def drop(self, found: Object) -> None:
        """Forget an object without a trace."""
        identifier, known = found["id"], self.kinds[found["object"]]
        del self.objects[identifier], known[identifier]
        self.dirty[identifier] = None

        def undo() -> None:
            self.objects[identifier] = found
            known[identifier] = None

        self.undos.append(undo)

    def bury(self, found: Object) -> Object:
        """Delete an object; what is left of it says so."""
        identifier = found["id"]
        model = registry().deleted.get(found["object"])
        known = registry().load(model).model_fields if model else {}
        left: Object = {name: found[name] for name in known if name in found}
        left |= {"id": identifier, "object": found["object"], "deleted": True}
        self.objects[identifier] = left
        self.dirty[identifier] = None
        self.undos.append(lambda: self.objects.update({identifier: found}))
        return left

    def change(self, found: Object, **fields: Any) -> Object:  # Any: JSON
        """Set fields; gives what they were before, where that was something else."""
        before = {name: found.get(name) for name, value in fields.items() if name not in found or found[name] != value}
        if before:
            self.dirty[found["id"]] = None
        was = {name: found[name] for name in fields if name in found}
        found.update(fields)  # also what is equal: a list may hold other objects now, which are to be the kept ones

        def undo() -> None:
            found.update(was)
            for name in fields.keys() - was.keys():
                del found[name]

        self.undos.append(undo)
        copied: Object = clone(before)
        return copied

    def hide(self, key: str, value: Any) -> None:  # Any: JSON
        """Keep what an object knows and does not show."""
        before = self.hidden.get(key)
        self.hidden[key] = value
        self.dirty_hidden.add(key)
        self.undos.append(
            lambda: self.hidden.update({key: before}) if before is not None else self.hidden.pop(key, None)
        )

    def state(self) -> tuple[Any, ...]:  # Any: plain data, for pickle
        """Everything that lasts."""
        return self.objects, self.kinds, self.hidden, self.happened, self.timers, self.numbers

    def load(self, state: tuple[Any, ...]) -> None:  # Any: as above
        """Be what `state` gave."""
        self.objects, self.kinds, self.hidden, self.happened, self.timers, self.numbers = state

    def undo(self, mark: int = 0) -> None:
        """Take back what was done, back to a length that `undos` had."""
        while len(self.undos) > mark:
            self.undos.pop()()

    def update(self, found: Object, params: Mapping[str, Any], **fields: Any) -> Object:  # Any: JSON
        """Change an object as an update does: fields that were passed, metadata merged; and say so in an event."""
        model = registry().objects[found["object"]]
        changes = {**fit(model, params, self.names, found), **fields}
        for name, value in params.items():
            if value is None and name in found and name not in changes and name != "metadata":
                raise empty_param(name)
        if "metadata" in params:
            changes["metadata"] = merged(found.get("metadata") or {}, params["metadata"])
        if before := self.change(found, **changes):
            self.emit("updated", found, before)
        return found

    # Telling

    def emit(self, action: str, found: Object, before: Object | None = None) -> None:
        """An event about an object as it is now; none where Stripe has no such event."""
        kind: str = found["object"]
        name = EVENT_NAMES.get(kind, kind)
        for event_type in (action if "." in action else f"{name}.{action}", f"{name.replace('.', '_', 1)}.{action}"):
            if event_type in EVENT_TYPES:
                break
        else:
            return
        data: Object = {"object": found}
        if before is not None:
            data["previous_attributes"] = before
        event: Object = {
            "id": self.new_id("event"), "object": "event", "api_version": API_VERSION, "created": self.now(), "data": data,
            "livemode": False, "pending_webhooks": 0, "request": self.request, "type": event_type,
        }  # fmt: skip
        if self.account:
            event["account"] = self.account
        self._tell(event["id"], Happening(event_type, self.now(), json.dumps(event)))

    def emit_thin(self, event_type: str, related: Object | None, url: str, **data: Any) -> None:  # Any: JSON
        """A thin event (API v2). https://docs.stripe.com/event-destinations#thin-events"""
        if event_type not in THIN_EVENT_TYPES:
            return
        event: Object = {
            "id": self.new_id("v2.core.event"), "object": "v2.core.event", "context": self.account or None,
            "created": rfc3339(self.now()), "livemode": False, "type": event_type, "reason": None, "related_object": None,
        }  # fmt: skip
        if related is not None:
            event["related_object"] = {"id": related["id"], "type": related["object"], "url": url}
        if data:
            event["data"] = data
        self._tell(event["id"], Happening(event_type, self.now(), json.dumps(event), thin=True))

    def _tell(self, identifier: str, happening: Happening) -> None:
        self.happened[identifier] = happening
        self.news.append(identifier)

        def undo() -> None:
            del self.happened[identifier]
            self.news.remove(identifier)

        self.undos.append(undo)

    def delivered(self, identifier: str) -> None:
        """One endpoint fewer waits for an event."""
        happening = self.happened[identifier]
        event = happening.whole
        event["pending_webhooks"] = max(0, event["pending_webhooks"] - 1)
        self.happened[identifier] = happening._replace(text=json.dumps(event))

    def forget_changes(self) -> None:
        """What was done is done: nothing of it can be taken back, or need be written."""
        self.undos.clear()
        self.dirty.clear()
        self.dirty_hidden.clear()
        self.touched.clear()
        self.news = []
        self.clock, self.moment = "", None


def clone(value: Any) -> Any:  # Any: JSON
    """A copy that shares nothing."""
    if isinstance(value, dict):
        return {name: clone(item) for name, item in value.items()}
    return [clone(item) for item in value] if isinstance(value, list) else value


def since(before: Object, found: Object) -> Object:
    """What an object's fields were, where they are something else now."""
    return {name: value for name, value in before.items() if found.get(name) != value}


def merged(kept: Mapping[str, str], given: Mapping[str, str] | None) -> dict[str, str]:
    """Metadata after an update: an empty value removes its key, and nothing at all removes every key."""
    if given is None:
        return {}
    for key, value in given.items():
        if len(key) > 40 or "[" in key or "]" in key:
            raise Refusal(f"Metadata keys are at most 40 characters, without square brackets: {key}", param="metadata")
        if len(value or "") > 500:
            raise Refusal(f"Metadata values are at most 500 characters: {key}", param=f"metadata[{key}]")
    found = {key: value for key, value in {**kept, **given}.items() if value}
    if len(found) > 50:
        raise Refusal("Metadata has at most 50 keys.", param="metadata")
    return found
