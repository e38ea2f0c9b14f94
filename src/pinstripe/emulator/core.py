"""The emulator without I/O: a request goes in, a response comes out."""

from __future__ import annotations

import base64
import json
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pinstripe import form
from pinstripe._api_version import API_VERSION
from pinstripe.emulator import lives
from pinstripe.emulator.check import check
from pinstripe.emulator.expand import expanded
from pinstripe.emulator.generic import carry_out
from pinstripe.emulator.refusal import Refusal
from pinstripe.emulator.routes import Routes
from pinstripe.emulator.world import Ask, Object, World
from pinstripe.endpoint import Row, endpoints

__all__ = ["Answer", "Core", "Question"]

lives.load()


@dataclass
class Question:
    """An HTTP request, whole; header names are lower-case."""

    verb: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Answer:
    """An HTTP response, whole."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Core:
    """Every account's world, and the one door to them."""

    seed: int | None = None
    now: Callable[[], int] = lambda: int(time.time())
    on_news: Callable[[World, list[Object]], None] = lambda world, news: None
    worlds: dict[str, World] = field(default_factory=dict)
    kept: dict[tuple[str, str], tuple[str, Answer]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._routes = Routes(endpoints())
        self._random = random.Random(self.seed)  # noqa: S311  # ids of an emulator need not be secret
        self._lock = threading.RLock()

    def world(self, account: str = "") -> World:
        """The world of an account; the platform's own has no name."""
        with self._lock:
            if account not in self.worlds:
                self.worlds[account] = World(account, self._random, self.now)
            return self.worlds[account]

    def handle(self, question: Question) -> Answer:
        """Answer a request."""
        with self._lock:
            world = self.world(question.headers.get("stripe-account", ""))
            request = world.new_id("request")
            world.request = {"id": request, "idempotency_key": question.headers.get("idempotency-key")}
            try:
                answer = self._answer(question, world)
            except Refusal as refusal:
                answer = _json(
                    refusal.status, {"error": {**refusal.error, "request_log_url": f"https://pinstripe.test/{request}"}}
                )
            answer.headers = {"Request-Id": request, "Stripe-Version": API_VERSION, **answer.headers}
            news, world.news = world.news, []
        if news:
            self.on_news(world, news)
        return answer

    def _answer(self, question: Question, world: World) -> Answer:
        _authenticate(question.headers)
        found = self._routes.find(question.verb, question.path)
        if found is None:
            raise Refusal(f"Unrecognized request URL ({question.verb}: {question.path}).", status=404)
        row, path = found
        params = _params(question)
        key = question.headers.get("idempotency-key")
        if key is None or question.verb == "GET":
            return _carry_out(world, row, path, params)
        print_of = json.dumps([question.verb, question.path, params], sort_keys=True)
        kept = self.kept.get((world.account, key))
        if kept is not None:
            return _replayed(kept, print_of, key)
        answer = _carry_out(world, row, path, params)
        answer.headers["Idempotency-Key"] = key
        if answer.status not in (400, 404, 501):
            self.kept[world.account, key] = (print_of, answer)
        return answer


def _replayed(kept: tuple[str, Answer], print_of: str, key: str) -> Answer:
    if kept[0] != print_of:
        raise Refusal(
            f"The idempotency key {key} was used before with other parameters; use another key.",
            type="idempotency_error",
        )
    return Answer(kept[1].status, kept[1].body, {**kept[1].headers, "Idempotent-Replayed": "true"})


def _carry_out(world: World, row: Row, path: Mapping[str, str], params: dict[str, Any]) -> Answer:  # Any: JSON
    try:
        typed = check(row.params, params)
        found = carry_out(Ask(world, row, path, typed))
        return _json(200, expanded(world, found, typed.get("expand") or typed.get("include") or []))
    except Refusal as refusal:
        return _json(refusal.status, {"error": refusal.error})


def _params(question: Question) -> dict[str, Any]:  # Any: JSON
    if question.verb != "POST":
        return dict(form.decode(question.query))
    if question.headers.get("content-type", "").startswith("application/json"):
        try:
            found = json.loads(question.body or b"{}")
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise Refusal("Invalid request: the body is not a JSON object.")
        return found
    return {**form.decode(question.query), **form.decode(question.body)}


def _authenticate(headers: Mapping[str, str]) -> None:
    """A test key lets in; anything else does not. https://docs.stripe.com/api/authentication"""
    scheme, _, key = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        key = base64.b64decode(key + "==").decode("latin-1").partition(":")[0]
    if not key:
        raise Refusal("You did not provide an API key: send it as a Bearer token.", status=401)
    if not key.startswith(("sk_test_", "rk_test_")):
        live = " The emulator takes no live keys." if "_live_" in key[:8] else ""
        raise Refusal(f"Invalid API Key provided: {key[:8]}***.{live}", status=401)


def _json(status: int, body: Object) -> Answer:
    return Answer(status, json.dumps(body).encode(), {"Content-Type": "application/json"})
