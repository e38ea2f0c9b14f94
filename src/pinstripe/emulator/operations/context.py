"""The context of an operation: the account state, the endpoint, and the validated parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pinstripe._endpoint import Endpoint
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object


@dataclass(frozen=True)
class Upload:
    """A file that was uploaded with a request."""

    name: str
    content: bytes


@dataclass(frozen=True)
class OperationContext:
    """One call of an operation. The parameters have the types of the operation's TypedDict."""

    state: AccountState
    endpoint: Endpoint
    path: Mapping[str, str]
    params: Object
    upload: Upload | None = None

    @property
    def operation(self) -> str:
        """The name of the operation, such as ``subscriptions.create``."""
        return f"{self.endpoint.service}.{self.endpoint.method}"

    @property
    def target_id(self) -> str:
        """The last id in the path."""
        return list(self.path.values())[-1]
