"""What an operation handler gets: the account it works on, its endpoint, and the validated parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pinstripe._endpoint import Endpoint
from pinstripe.emulator.state.account import AccountState


@dataclass(frozen=True)
class Upload:
    """A file that came with a request."""

    name: str
    content: bytes


@dataclass(frozen=True)
class OperationContext:
    """One call of an operation: the state of the account, the endpoint, and the parameters as its TypedDict describes them."""

    state: AccountState
    endpoint: Endpoint
    path: Mapping[str, str]
    params: dict[str, Any]  # Any: as the operation's TypedDict says
    upload: Upload | None = None

    @property
    def operation(self) -> str:
        """The name of the operation, such as ``subscriptions.create``."""
        return f"{self.endpoint.service}.{self.endpoint.method}"

    @property
    def target_id(self) -> str:
        """The last id in the path."""
        return list(self.path.values())[-1]
