"""The terms of service of a ``storer`` are those of a ``money_manager``. https://docs.stripe.com/api/v2/core/accounts/update"""

from __future__ import annotations

from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.versions._change import Change, part

RENAMED = {"crypto_storer": "crypto_money_manager", "storer": "money_manager"}


def _request(operation: str, params: Object) -> None:
    if operation == "v2.core.accounts.update":
        terms = part(params, "identity", "attestations", "terms_of_service")
        for old, new in RENAMED.items():
            if old in terms:
                terms[new] = terms.pop(old)


CHANGE = Change("2026-09-30.endive", _request, names={f"[{new}]": f"[{old}]" for old, new in RENAMED.items()})
