"""Bank accounts in the vault of API v2: archive, and verification by microdeposits.

https://docs.stripe.com/api/v2/core/vault
"""

from __future__ import annotations

from pinstripe.emulator.billing.periods import DAY
from pinstripe.emulator.operations._crud import find
from pinstripe.emulator.operations._filters import list_filter
from pinstripe.emulator.operations._intents import check_microdeposits
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.v2_financial_accounts import TEST_BANK, timestamp
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.validation.errors import ErrorResponse, missing_param

VERIFICATION_SECONDS = 10 * DAY
"""Seconds for which microdeposits can be confirmed."""


@operation("v2.core.vault.us_bank_accounts.create")
def create_us_account(context: OperationContext) -> Object:
    """Store a bank account in the United States, which is not verified yet."""
    params = context.params
    if not params.get("routing_number") and not params.get("fedwire_routing_number"):
        raise missing_param("routing_number")
    return _store(context, params["account_number"], verification={"status": "unverified"})


@operation("v2.core.vault.gb_bank_accounts.create")
def create_gb_account(context: OperationContext) -> Object:
    """Store a bank account in the United Kingdom, given by its IBAN or by its account number and sort code."""
    params = context.params
    if params.get("iban"):
        return _store(context, params["iban"])
    for name in ("account_number", "sort_code"):
        if not params.get(name):
            raise missing_param(name)
    return _store(context, params["account_number"])


def _store(context: OperationContext, number: str, **fields: Object) -> Object:
    state, params = context.state, context.params
    object_type = (
        "v2.core.vault.us_bank_account" if "/us_" in context.endpoint.path else "v2.core.vault.gb_bank_account"
    )
    return state.create(
        object_type,
        params,
        archived=False,
        bank_account_type=params.get("bank_account_type", "checking"),
        bank_name=TEST_BANK,
        last4=number[-4:],
        restricted=False,
        supported_currencies=[params["currency"].lower()],
        **fields,
    )


@operation("v2.core.vault.us_bank_accounts.archive", "v2.core.vault.gb_bank_accounts.archive")
def archive(context: OperationContext) -> Object:
    """Archive a bank account, which cannot be used any more."""
    return _set_archived(context, archived=True)


@operation("v2.core.vault.us_bank_accounts.unarchive", "v2.core.vault.gb_bank_accounts.unarchive")
def unarchive(context: OperationContext) -> Object:
    """Make an archived bank account usable again."""
    return _set_archived(context, archived=False)


def _set_archived(context: OperationContext, *, archived: bool) -> Object:
    account = find(context)
    if account["archived"] is archived:
        raise ErrorResponse(f"The bank account {account['id']} is {'already' if archived else 'not'} archived.")
    context.state.objects.update(account, archived=archived)
    return account


@operation("v2.core.vault.us_bank_accounts.send_microdeposits")
def send_microdeposits(context: OperationContext) -> Object:
    """Send microdeposits, which are of 32 and 45 cents, with the code SM11AA."""
    state, account = context.state, find(context)
    if account["verification"]["status"] not in ("unverified", "verification_failed"):
        raise _wrong_verification(account, "sent microdeposits")
    details = {
        "expires": timestamp(state, VERIFICATION_SECONDS),
        "microdeposit_type": "amounts",
        "sent": timestamp(state),
    }
    verification = {"status": "awaiting_verification", "microdeposit_verification_details": details}
    state.objects.update(account, verification=verification)
    return account


@operation("v2.core.vault.us_bank_accounts.confirm_microdeposits")
def confirm_microdeposits(context: OperationContext) -> Object:
    """Verify a bank account by its microdeposits of 32 and 45 cents, or by the code SM11AA."""
    account = find(context)
    if account["verification"]["status"] != "awaiting_verification":
        raise _wrong_verification(account, "verified")
    if not context.params.get("amounts") and not context.params.get("descriptor_code"):
        raise missing_param("amounts")
    check_microdeposits(context)
    context.state.objects.update(account, verification={**account["verification"], "status": "verified"})
    return account


def _wrong_verification(account: Object, action: str) -> ErrorResponse:
    status = account["verification"]["status"].replace("_", " ")
    return ErrorResponse(f"The bank account {account['id']} cannot be {action}: its verification is {status}.")


@list_filter("v2.core.vault.us_bank_account", "verification_status")
def _has_verification_status(account: Object, status: str) -> bool:
    return bool(account["verification"]["status"] == status)
