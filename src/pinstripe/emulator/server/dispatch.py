"""The emulator without I/O: a request goes in, a response comes out."""

from __future__ import annotations

import json
import logging
import pickle
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pinstripe._api_version import API_VERSION
from pinstripe._endpoint import Row, endpoints
from pinstripe.emulator import operations
from pinstripe.emulator.operations._crud import carry_out
from pinstripe.emulator.operations._expansion import expanded
from pinstripe.emulator.server.faults import STATUSES, Fault, take
from pinstripe.emulator.server.idempotency import Kept
from pinstripe.emulator.server.requests import Question, account_of, authenticate, params_of, version_of
from pinstripe.emulator.server.routing import Routes
from pinstripe.emulator.state import timers
from pinstripe.emulator.state.account import NOBODY, Ask, Object, World
from pinstripe.emulator.validation.errors import Refusal
from pinstripe.emulator.validation.parameters import check
from pinstripe.emulator.validation.references import check_references
from pinstripe.errors import InvalidArgumentError

__all__ = ["Answer", "Core", "Question"]

operations.load()
logger = logging.getLogger("pinstripe.emulator")

SNAPSHOT = b"pinstripe emulator 1\n"
START = 1_767_225_600
"""When an emulator with a seed begins: 2026-01-01 00:00:00 UTC. Each request that changes something is a second later."""


MAX_KEY = 255
"""The most characters that an idempotency key has."""


@dataclass
class Answer:
    """An HTTP response, whole; and what is to go wrong on its way."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    fault: Fault | None = None
    key: tuple[str, str] | None = None


class Logged(NamedTuple):
    """A request that was answered, for the status page."""

    id: str
    at: int
    account: str
    verb: str
    path: str
    operation: str
    status: int
    message: str


@dataclass
class Core:
    """Every account's world, and the one door to them."""

    seed: int | None = None
    on_news: Callable[[World, list[str]], None] = lambda world, news: None
    on_commit: Callable[[Core], None] = lambda core: None
    worlds: dict[str, World] = field(default_factory=dict)
    kept: dict[tuple[str, str], Kept] = field(default_factory=dict)
    fresh: list[tuple[str, str]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    order: list[tuple[str, str]] = field(default_factory=list)
    """Every event so far: its account, and its id."""
    requests: deque[Logged] = field(default_factory=lambda: deque(maxlen=500))
    ticks: int = 0
    version: int = 0

    def __post_init__(self) -> None:
        self._routes = Routes(endpoints())
        self.random = random.Random(self.seed)  # noqa: S311  # ids of an emulator need not be secret
        self.changed = threading.Condition(threading.RLock())
        self._busy: set[tuple[str, str]] = set()
        self.listeners: list[Callable[[], None]] = []

    def time(self) -> int:
        """Unix seconds."""
        return int(time.time()) if self.seed is None else START + self.ticks

    def world(self, account: str = "") -> World:
        """The world of an account; the platform's own has no name."""
        if account not in self.worlds:
            self.worlds[account] = World(account, self.random, self.time, self.other)
        return self.worlds[account]

    def other(self, account: str) -> World:
        """Another account's world, as one world sees it, ready to be changed."""
        found = self.world(account)
        found.request = NOBODY
        return found

    @contextmanager
    def session(self, account: str, request: Mapping[str, str | None], base: str) -> Iterator[World]:
        """One change of a world: whole or, where it is refused, not at all. A decline is an effect, and stays."""
        with self.changed:
            world = self.world(account)
            world.request, world.base = dict(request), base
            try:
                timers.run(world, "", self.time())
                yield world
            except BaseException as error:
                if not isinstance(error, Refusal) or error.status != 402:
                    for one in self.worlds.values():
                        one.undo()
                raise
            finally:
                world.clock, world.moment = "", None
                self._commit()

    def _commit(self) -> None:
        busy = [one for one in self.worlds.values() if one.undos]
        for world in busy:
            if world.news:
                self.on_news(world, world.news)
                self.order.extend((world.account, identifier) for identifier in world.news)
        if busy or self.fresh:
            self.on_commit(self)
            self.fresh.clear()
        for world in busy:
            world.forget_changes()
        self.announce()

    def announce(self) -> None:
        """Let those know who wait for something to change."""
        with self.changed:
            self.version += 1
            self.changed.notify_all()
            for listener in self.listeners:
                listener()

    def handle(self, question: Question) -> Answer:
        """Answer a request. `done` must be called when the answer has gone out."""
        with self.changed:
            request = "req_" + "".join(self.random.choices("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghij", k=14))
            self.ticks += question.verb != "GET"
            operation = ""
            try:
                found = self._routes.find(question.verb, question.path)
                operation = f"{found[0].service}.{found[0].method}" if found else ""
                answer = self._answer(question, found, request)
            except Refusal as refusal:
                error = {**refusal.error, "request_log_url": f"{question.base}/#{request}"}
                answer = _json(refusal.status, {"error": error})
            except Exception as error:  # a mistake of the emulator's own is an answer, too: clients must not hang
                logger.exception("%s %s failed", question.verb, question.path)
                said = f"The emulator made a mistake: {type(error).__name__}: {error}. Please report it."
                answer = _json(500, {"error": {"type": "api_error", "message": said}})
                answer.headers["Stripe-Should-Retry"] = "false"
            asked = question.headers.get("stripe-version", API_VERSION)
            answer.headers = {"Request-Id": request, "Stripe-Version": asked, **answer.headers}
            self._log(question, operation, request, answer)
        return answer

    def _log(self, question: Question, operation: str, request: str, answer: Answer) -> None:
        message = ""
        if answer.status >= 400:
            message = json.loads(answer.body)["error"]["message"]
        account = question.headers.get("stripe-account", "")
        self.requests.append(
            Logged(request, self.time(), account, question.verb, question.path, operation, answer.status, message)
        )

    def done(self, answer: Answer) -> None:
        """The answer has gone out: its idempotency key is free again."""
        if answer.key is not None:
            with self.changed:
                self._busy.discard(answer.key)

    def _answer(self, question: Question, found: tuple[Row, Mapping[str, str]] | None, request: str) -> Answer:
        key = authenticate(question.headers, found[0] if found else None)
        version_of(question.headers)
        if found is None:
            raise Refusal(
                f"Unrecognized request URL ({question.verb}: {question.path}). https://docs.stripe.com/api lists them.",
                status=404,
            )
        row, path = found
        account = account_of(question.headers, self.worlds)
        params, body = params_of(question)
        fault = take(self.faults, row)
        if fault and fault.trouble in STATUSES:
            raise _failing(fault)
        if fault and fault.trouble == "reset_before":
            return Answer(500, b'{"error": {"message": "The connection was cut."}}', fault=fault)
        once = question.headers.get("idempotency-key")
        said = {"id": request, "idempotency_key": once}
        base = question.base
        if once is None or question.verb == "GET":
            answer = self._carry_out(account, said, base, (row, path, params, body, key))
            answer.fault = fault
            return answer
        if len(once) > MAX_KEY:
            raise Refusal(f"Idempotency keys are at most {MAX_KEY} characters.", type="idempotency_error")
        place, print_of = (account, once), json.dumps([question.verb, question.path, params], sort_keys=True)
        if place in self._busy:
            raise Refusal(
                f"Another request with the idempotency key {once} is being carried out; try again when it is done.",
                status=409,
                type="idempotency_error",
                code="idempotency_key_in_use",
            )
        if kept := self.kept.get(place):
            answer = _replayed(kept, print_of, once)
        else:
            answer = self._carry_out(account, said, base, (row, path, params, body, key))
            answer.headers["Idempotency-Key"] = once
            if answer.status in (200, 402):
                self.kept[place] = Kept(print_of, answer.status, answer.body, answer.headers)
                self.fresh.append(place)
                self._commit()
        if fault is not None:
            answer.fault, answer.key = fault, place
            self._busy.add(place)
        return answer

    def _carry_out(
        self,
        account: str,
        request: Mapping[str, str | None],
        base: str,
        asked: tuple[Row, Mapping[str, str], dict[str, Any], Any, str],  # Any: JSON
    ) -> Answer:
        row, path, params, body, key = asked
        try:
            with self.session(account, request, base) as world:
                typed = check(row.params, params, body)
                ask = Ask(world, row, path, typed, body)
                check_references(ask)
                found = carry_out(ask)
                if isinstance(found, bytes):
                    return Answer(200, found, {"Content-Type": "application/pdf"})
                if key.startswith("pk_"):
                    _own_secret(found, params)
                return _json(200, expanded(world, found, typed.get("expand") or typed.get("include") or []))
        except Refusal as refusal:
            return _json(refusal.status, {"error": refusal.error})

    # The whole of it, for snapshots and files

    def forget_changes(self) -> None:
        """What was done is done."""
        self.fresh.clear()
        for world in self.worlds.values():
            world.forget_changes()

    def put_answers(self, answers: Iterable[tuple[str, str, Kept]]) -> None:
        """Know answers to idempotency keys again."""
        self.kept.update({(account, key): kept for account, key, kept in answers})

    def state(self) -> bytes:
        """Everything there is, in one piece."""
        with self.changed:
            worlds = {account: world.state() for account, world in self.worlds.items()}
            return SNAPSHOT + pickle.dumps((worlds, self.kept, self.order, self.ticks, self.random.getstate()))

    def put_back(self, state: bytes) -> None:
        """Be again what `state` gave."""
        if not state.startswith(SNAPSHOT):
            raise InvalidArgumentError("That is no snapshot of this version's emulator.", param="snapshot")
        with self.changed:
            worlds, kept, order, self.ticks, chance = pickle.loads(state[len(SNAPSHOT) :])  # noqa: S301  # made by `state` in this process
            self.worlds.clear()
            for account, one in worlds.items():
                self.world(account).load(one)
            self.kept, self.order[:] = kept, order
            self.random.setstate(chance)
            self.faults.clear()
            self.announce()


def _own_secret(found: Object, params: Object) -> None:
    """A publishable key sees an intent by its client secret only."""
    if found.get("client_secret") and params.get("client_secret") != found["client_secret"]:
        raise Refusal("The client_secret provided does not match the intent.", param="client_secret")


def _failing(fault: Fault) -> Refusal:
    if fault.trouble == "rate_limit":
        return Refusal("Too many requests; try again later.", status=429, code="rate_limit")
    return Refusal("An error was asked for by a fault of the emulator.", status=fault.status, type="api_error")


def _replayed(kept: Kept, print_of: str, key: str) -> Answer:
    if kept.print != print_of:
        raise Refusal(
            f"The idempotency key {key} was used before with other parameters; use another key.",
            type="idempotency_error",
        )
    return Answer(kept.status, kept.body, {**kept.headers, "Idempotent-Replayed": "true"})


def _json(status: int, body: Object) -> Answer:
    return Answer(status, json.dumps(body).encode(), {"Content-Type": "application/json"})
