"""Stripe's test bank accounts: their details, and how a debit of them ends.

https://docs.stripe.com/payments/ach-direct-debit/accept-a-payment#test
"""

from __future__ import annotations

import re
from dataclasses import replace

from pinstripe.emulator.operations.test_cards import instrument_of
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.state.tables import Instrument
from pinstripe.emulator.validation.errors import ErrorResponse

DELAY_SECONDS = 180
"""The number of seconds until a delayed debit succeeds or fails; the others do at the next request."""
ACCOUNTS = """
    us_bank_account 000111111113 account_closed pm_usBankAccount_accountClosed
    us_bank_account 000111111116 no_account pm_usBankAccount_noAccount
    us_bank_account 000222222227 insufficient_funds pm_usBankAccount_insufficientFunds
    us_bank_account 000333333335 debit_not_authorized pm_usBankAccount_debitNotAuthorized
    us_bank_account 000444444440 invalid_currency pm_usBankAccount_invalidCurrency
    us_bank_account 000666666661 microdeposits pm_usBankAccount_failMicrodeposits
    us_bank_account 000555555559 dispute pm_usBankAccount_dispute
    us_bank_account 000000000009 processing pm_usBankAccount_processing
    us_bank_account 000777777771 charge_exceeds_source_limit pm_usBankAccount_weeklyLimitExceeded
    us_bank_account 000123456789 success pm_usBankAccount_success
    acss_debit 900123456789 success+ -
    acss_debit 000222222227 insufficient_funds -
    acss_debit 900222222227 insufficient_funds+ -
    acss_debit 000666666661 microdeposits -
    au_becs_debit 900123456 success+ -
    au_becs_debit 111111113 account_closed -
    au_becs_debit 111111116 no_account -
    au_becs_debit 222222227 refer_to_customer -
    au_becs_debit 922222227 refer_to_customer+ -
    au_becs_debit 333333335 debit_not_authorized -
    bacs_debit 00012345 success pm_bacsDebit_success
    bacs_debit 90012345 success+ pm_bacsDebit_successDelayed
    bacs_debit 33333335 debit_not_authorized pm_bacsDebit_debitNotAuthorized
    bacs_debit 93333335 debit_not_authorized+ pm_bacsDebit_debitNotAuthorizedDelayed
    bacs_debit 22222227 insufficient_funds pm_bacsDebit_insufficientFunds
    bacs_debit 92222227 insufficient_funds+ pm_bacsDebit_insufficientFundsDelayed
    bacs_debit 55555559 dispute pm_bacsDebit_dispute
    bacs_debit 34343434 charge_exceeds_source_limit pm_bacsDebit_exceedsWeeklyLimit
    bacs_debit 12121212 charge_exceeds_transaction_limit pm_bacsDebit_exceedsTransactionLimit
    sepa_debit IT60X0542811101000000123456 generic_decline -
"""
"""Type, number, how a debit ends (with + after a delay), and token of the accounts."""
IBANS = """
    at AT611904300234573201 AT321904300235473204 AT861904300235473202 AT051904300235473205 AT591904300235473203
    be BE62510007547061 BE78510007547064 BE68539007547034 BE51510007547065 BE08510007547063
    de DE89370400440532013000 DE08370400440532013003 DE62370400440532013001 DE78370400440532013004
       DE35370400440532013002
    ee EE382200221020145685 EE222200221020145682 EE762200221020145680 EE922200221020145683 EE492200221020145681
    fi FI2112345600000785 FI3712345600000788 FI9112345600000786 FI1012345600000789 FI6412345600000787
    fr FR1420041010050500013M02606 FR3020041010050500013M02609 FR8420041010050500013M02607
       FR7920041010050500013M02600 FR5720041010050500013M02608
    hr HR7624020064583467589 HR6323600002337876649 HR2725000096983499248 HR6723600004878117427
       HR8724840081455523553
"""
"""The IBANs of a country, in the order of `IBAN_ENDS`."""
IBAN_ENDS = {
    "success": "success",
    "successDelayed": "success+",
    "failed": "generic_decline",
    "failedDelayed": "generic_decline+",
    "disputed": "dispute",
}
IBAN_SUFFIXES = {
    "343434": "charge_exceeds_source_limit",
    "121212": "charge_exceeds_weekly_limit",
    "2222227": "insufficient_funds",
}
"""The end of debits of IBANs with these last digits, in every country."""


def _accounts() -> tuple[dict[tuple[str, str], str], dict[str, tuple[str, str]]]:
    """Return how a debit ends by type and number, and the type and number by token."""
    ends, tokens = {}, {}
    for line in ACCOUNTS.strip().splitlines():
        method_type, number, end, token = line.split()
        ends[method_type, number] = end
        tokens[token] = (method_type, number)
    for country, ibans in re.findall(r"\b([a-z]{2})\b([^a-z]+)", IBANS):
        for iban, (name, end) in zip(ibans.split(), IBAN_ENDS.items(), strict=True):
            ends["sepa_debit", iban] = end
            tokens[f"pm_{name}_{country}"] = ("sepa_debit", iban)
    return ends, tokens


ENDS, TOKENS = _accounts()


def params_of_token(token: str) -> Object:
    """Return the parameters of the payment method that a token such as ``pm_usBankAccount_success`` stands for."""
    method_type, number = TOKENS[token]
    name = "iban" if method_type == "sepa_debit" else "account_number"
    return {"type": method_type, method_type: {name: number}, "billing_details": {"name": "Jenny Rosen"}}


def bank_details(method_type: str, params: Object) -> Object:
    """Return the details of a bank account that a payment method shows."""
    number = str(params.get("iban") or params.get("account_number") or "000123456789").replace(" ", "")
    details: Object = {"last4": number[-4:], "fingerprint": number[::-1]}
    if method_type == "us_bank_account":
        details |= {
            "account_holder_type": params.get("account_holder_type", "individual"),
            "account_type": params.get("account_type", "checking"),
            "bank_name": "STRIPE TEST BANK",
            "financial_connections_account": None,
            "networks": {"preferred": "ach", "supported": ["ach"]},
            "routing_number": params.get("routing_number", "110000000"),
            "status_details": {},
        }
    elif method_type == "sepa_debit":
        generated = {"charge": None, "setup_attempt": None}
        details |= {"bank_code": number[4:12], "branch_code": "", "country": number[:2], "generated_from": generated}
    else:
        details |= {name: value for name, value in params.items() if name not in ("account_number", "reference")}
        if method_type in ("acss_debit", "nz_bank_account"):
            details["bank_name"] = "STRIPE TEST BANK"
        if method_type == "bacs_debit":
            details.setdefault("sort_code", "108800")
    return details


def set_debit(state: AccountState, method: Object, params: Object, *, verified: bool) -> None:
    """Record how debits of a new payment method end; a verified account needs no micro-deposits."""
    method_type = method["type"]
    details = params.get(method_type) or {}
    number = str(details.get("iban") or details.get("account_number") or "").replace(" ", "")
    suffix = next((end for digits, end in IBAN_SUFFIXES.items() if number.endswith(digits)), "success")
    end = ENDS.get((method_type, number), suffix if method_type == "sepa_debit" else "success")
    state.tables.instruments.set(method["id"], Instrument(debit=end, set_up=verified))


def needs_microdeposits(state: AccountState, intent: Object, method: Object) -> bool:
    """Return whether a bank account must be verified before it is debited."""
    if method.get("type") not in ("us_bank_account", "acss_debit"):
        return False
    options = (intent.get("payment_method_options") or {}).get(method["type"]) or {}
    return options.get("verification_method") != "skip" and not instrument_of(state, method["id"]).set_up


def require_microdeposits(state: AccountState, intent: Object) -> Object:
    """Let an intent wait until the customer verifies the bank account."""
    verify = {
        "arrival_date": state.clock.now() + 2 * 86_400,
        "hosted_verification_url": f"{state.base_url}/microdeposits/{intent['id']}",
        "microdeposit_type": "amounts",
    }
    action = {"type": "verify_with_microdeposits", "verify_with_microdeposits": verify}
    state.objects.update(intent, status="requires_action", next_action=action)
    state.events.emit("requires_action", intent)
    if instrument_of(state, intent["payment_method"]).debit == "microdeposits":
        state.clock.defer("intent.fail_microdeposits", intent)
    return intent


def mark_verified(state: AccountState, method_id: str) -> None:
    """Record that the customer has verified a bank account."""
    state.tables.instruments.set(method_id, replace(instrument_of(state, method_id), set_up=True))


def microdeposits_failed() -> ErrorResponse:
    """Return the error of a bank account to which no micro-deposits could be sent."""
    message = "The micro-deposits could not be sent to the bank account."
    return ErrorResponse(message, status=402, code="payment_method_microdeposit_failed")


def debit_failed(code: str) -> ErrorResponse:
    """Return the error of a debit that the customer's bank did not carry out."""
    return ErrorResponse("The customer's bank account could not be debited.", status=402, code=code)
