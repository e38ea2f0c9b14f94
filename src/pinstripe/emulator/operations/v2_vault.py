"""Bank accounts in the vault of API v2. https://docs.stripe.com/api/v2/core/vault"""

from __future__ import annotations

from pinstripe.emulator.operations._crud import find
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.validation.errors import ErrorResponse, wrong_state

MICRODEPOSITS = [32, 45]
"""The amounts of the deposits that verify a test account, in cents."""
DESCRIPTOR_CODE = "SM11AA"
_SERVICE = "v2.core.vault"


@operation(f"{_SERVICE}.us_bank_accounts.create", f"{_SERVICE}.gb_bank_accounts.create")
def create(context: OperationContext) -> Object:
    """Save a bank account; one in the US is verified by microdeposits."""
    state, params = context.state, context.params
    is_us = context.endpoint.service.endswith("us_bank_accounts")
    account = state.draft("v2.core.vault.us_bank_account" if is_us else "v2.core.vault.gb_bank_account", params)
    account.update(
        archived=False,
        bank_account_type=params.get("bank_account_type", "checking"),
        bank_name="STRIPE TEST BANK",
        last4=str(params.get("account_number", "000123456789"))[-4:],
        restricted=False,
        supported_currencies=["usd" if is_us else "gbp"],
    )
    if is_us:
        account["verification"] = {"status": "unverified"}
    return state.objects.add(account)


@operation(f"{_SERVICE}.us_bank_accounts.send_microdeposits")
def send_microdeposits(context: OperationContext) -> Object:
    """Send the microdeposits that verify a bank account, of 32 and 45 cents, with the descriptor code SM11AA."""
    account = find(context)
    if account["verification"]["status"] == "verified":
        raise wrong_state({**account, "status": "verified"}, "send microdeposits to")
    context.state.objects.update(account, verification={"status": "awaiting_verification"})
    return account


@operation(f"{_SERVICE}.us_bank_accounts.confirm_microdeposits")
def confirm_microdeposits(context: OperationContext) -> Object:
    """Verify a bank account by the amounts of its microdeposits, or by their descriptor code."""
    account, params = find(context), context.params
    amounts = sorted(amount["value"] if isinstance(amount, dict) else amount for amount in params.get("amounts") or [])
    if amounts != MICRODEPOSITS and params.get("descriptor_code") != DESCRIPTOR_CODE:
        raise ErrorResponse("The microdeposits do not match those that were sent.", param="amounts")
    context.state.objects.update(account, verification={"status": "verified"})
    return account
