"""Secrets that are shown nowhere: in no repr, log, traceback with local variables, or pickle."""

from __future__ import annotations

import re
from typing import NoReturn

__all__ = ["Secret", "masked", "redact"]

# What is shown of a secret: which kind it is.
_KIND = re.compile(r"(?:Bearer )?(?:[a-z]{2,8}_)?(?:org_)?(?:live|test)_|whsec_")
# The secrets that a text may contain: API keys, webhook secrets, client secrets, and the values of headers.
_SECRETS = re.compile(
    r"(?P<kind>(?:sk|rk|ek|pk|sk_org)_(?:live|test)_|whsec_|ak_|_secret_|Bearer |Basic )[A-Za-z0-9_.+/=-]+"
)


class Secret(str):
    """A string that does not show its content: ``repr``, ``str`` and ``format`` mask it, and it cannot be pickled.

    It equals the string it was made from, and concatenation, `encode` and `reveal` return the content.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        kind = _KIND.match(self)
        return f"'{kind[0] if kind else ''}...'"

    def __str__(self) -> str:
        return repr(self)[1:-1]

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> Secret:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("An API key or another secret cannot be pickled.")

    def reveal(self) -> str:
        """Return the content as a plain string."""
        return str.__str__(self)


class _NotText:
    """Stands for a secret of a wrong type, so that its value is not shown."""

    def __init__(self, value: object) -> None:
        self.type_name = type(value).__name__

    def __repr__(self) -> str:
        return f"<a secret of type {self.type_name}>"


def masked(value: object) -> object:
    """Return a secret, whatever its type, so that it shows nothing; ``None`` stays ``None``."""
    if value is None or isinstance(value, (Secret, _NotText)):
        return value
    return Secret(value) if isinstance(value, str) else _NotText(value)


def redact(text: str) -> str:
    """Return a text without the secrets in it."""
    return _SECRETS.sub(lambda match: f"{match['kind']}...", text)
