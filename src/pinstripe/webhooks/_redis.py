"""The store of inboxes in Redis."""

from __future__ import annotations

import math
from typing import Any, cast

from pinstripe.webhooks._claim import ClaimResult, ClaimStatus, EntryKey
from pinstripe.webhooks.inbox import DEFAULT_NAME, RETENTION

__all__ = ["Redis"]

# A value is "done", or JSON with the token and the expiry of a claim, and the handlers that have finished. Versions before 0.2
# wrote "<token> <until>" for a claim.
# KEYS: the event. ARGV: token, now, until, seconds after which the entry is removed.
_CLAIM = """
local value, handlers = redis.call("get", KEYS[1]), {}
if value == "done" then return {"done"} end
if value then
    local expiry = string.match(value, " (%S+)$")
    if string.sub(value, 1, 1) == "{" then
        local entry = cjson.decode(value)
        expiry, handlers = entry["until"], entry["handlers"]
    end
    if tonumber(expiry) > tonumber(ARGV[2]) then return {"busy"} end
end
local entry = cjson.encode({["token"] = ARGV[1], ["until"] = ARGV[3], ["handlers"] = handlers})
redis.call("set", KEYS[1], entry, "EX", ARGV[4])
return {"claimed", unpack(handlers)}
"""
# KEYS: the event. ARGV: token, what to do, its argument.
_UPDATE = """
local value = redis.call("get", KEYS[1])
if not value or string.sub(value, 1, 1) ~= "{" then return 0 end
local entry = cjson.decode(value)
if entry["token"] ~= ARGV[1] then return 0 end
if ARGV[2] == "finish" then
    redis.call("set", KEYS[1], "done", "EX", ARGV[3])
    return 1
end
if ARGV[2] == "renew" then
    entry["until"] = ARGV[3]
elseif ARGV[2] == "finish handler" then
    table.insert(entry["handlers"], ARGV[3])
elseif next(entry["handlers"]) then
    entry["token"], entry["until"] = "", "0"
else
    redis.call("del", KEYS[1])
    return 1
end
redis.call("set", KEYS[1], cjson.encode(entry), "KEEPTTL")
return 1
"""


class Redis:
    """Entries in Redis 6 or later, which removes them itself. ``client`` is a ``redis.Redis``.

    Use a Redis that persists its data (AOF) and does not evict keys: events whose keys are lost may be processed again.
    https://redis.io/docs/
    """

    def __init__(
        self,
        client: Any,  # Any: a redis-py client
        *,
        prefix: str = "pinstripe:inbox:",
    ) -> None:
        self._prefix, self._client = prefix, client
        self._claim = client.register_script(_CLAIM)
        self._update = client.register_script(_UPDATE)

    @property
    def location(self) -> object:
        """The server, the database and the prefix."""
        pool = getattr(self._client, "connection_pool", None)
        if pool is None:
            return ("redis", id(self._client), self._prefix)
        options = pool.connection_kwargs
        return ("redis", *(options.get(name) for name in ("host", "port", "path", "db")), self._prefix)

    def claim(self, key: EntryKey, token: str, now: float, lease: float) -> ClaimResult:
        """Claim an event that has no claim, or whose claim has expired."""
        arguments = [token, repr(now), repr(now + lease), math.ceil(max(RETENTION, lease))]
        response = self._claim(keys=[self._name(key)], args=arguments)
        status, *handlers = (item.decode() if isinstance(item, bytes) else item for item in response)
        return ClaimResult(cast("ClaimStatus", status), frozenset(handlers))  # the script returns no other status

    def renew(self, key: EntryKey, token: str, until: float) -> bool:
        """Let a claim expire later; return whether it was still valid."""
        return bool(self._update(keys=[self._name(key)], args=[token, "renew", repr(until)]))

    def finish(self, key: EntryKey, token: str, now: float, retention: float, handler: str = "") -> bool:
        """Mark a handler of a claimed event, or without a handler the event; return whether the claim was still valid.

        Redis removes the entry ``retention`` seconds after the event was processed.
        """
        change = ["finish handler", handler] if handler else ["finish", math.ceil(retention)]
        return bool(self._update(keys=[self._name(key)], args=[token, *change]))

    def release(self, key: EntryKey, token: str) -> None:
        """Release a claim if it is still valid; the marks of its handlers stay."""
        self._update(keys=[self._name(key)], args=[token, "release", ""])

    def prune(self, inbox: str, before: float) -> int:
        """Do nothing and return 0: Redis removes old entries itself."""
        return 0

    def _name(self, key: EntryKey) -> str:
        scope = "" if key.inbox == DEFAULT_NAME else f"{key.inbox}:"
        return f"{self._prefix}{scope}{key.event_id}"
