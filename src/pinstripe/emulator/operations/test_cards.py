"""Stripe's test cards: their details, and whether their bank approves a payment.

https://docs.stripe.com/testing
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Literal, TypeAlias

from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.state.tables import Instrument
from pinstripe.emulator.validation.errors import ErrorResponse, card_declined

Authentication: TypeAlias = Literal["never", "unless_set_up", "on_session", "always"]


@dataclass(frozen=True)
class TestCard:
    """One of Stripe's test cards."""

    __test__ = False  # keep pytest from collecting it

    number: str
    brand: str = "visa"
    funding: str = "credit"
    country: str = "US"
    decline_code: str | None = None
    attaches: bool = True
    """Whether it can be attached to a customer; a declining card that attaches is declined only when it is charged."""
    authentication: Authentication = "never"
    dispute: str | None = None
    """The reason of the dispute that follows a payment."""
    refund: str = "succeeded"
    """The final status of its refunds."""
    pending: bool = True
    """Whether its payments are pending in the balance before they are available."""
    cvc_check: str = "pass"
    risk: str = "normal"
    line1_check: str | None = None
    postal_code_check: str | None = None

    def decline(self) -> ErrorResponse | None:
        """Return the error with which the bank declines a charge, or ``None`` when it approves it."""
        if self.decline_code is None:
            return None
        return card_declined(self.decline_code, DECLINE_MESSAGES.get(self.decline_code, "Your card was declined."))


DECLINE_MESSAGES = {
    "insufficient_funds": "Your card has insufficient funds.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
}


def _declining(number: str, code: str) -> TestCard:
    return TestCard(number, decline_code=code, attaches=False)


COUNTRIES = """
    ae=4000007840000001 ar=4000000320000021 at=4000000400000008 au=4000000360000006 be=4000000560000004
    bg=4000001000000000 br=4000000760000002 by=4000001120000005 ca=4000001240000000 ch=4000007560000009
    cl=4000001520000001 cn=4000001560000002 co=4000001700000003 cr=4000001880000005 cy=4000001960000008
    cz=4000002030000002 de=4000002760000016 dk=4000002080000001 ec=4000002180000000 ee=4000002330000009
    es=4000007240000007 fi=4000002460000001 fr=4000002500000003 gb=4000008260000000 gi=4000002920000005
    gr=4000003000000030 hk=4000003440000004 hr=4000001910000009 hu=4000003480000005 ie=4000003720000005
    in=4000003560000008 it=4000003800000008 jp=4000003920000003 li=4000004380000004 lt=4000004400000000
    lu=4000004420000006 lv=4000004280000005 mt=4000004700000007 mx=4000004840008001 my=4000004580000002
    nl=4000005280000002 no=4000005780000007 nz=4000005540000008 pa=4000005910000000 pe=4000006040000068
    pl=4000006160000005 pt=4000006200000007 py=4000006000000066 ro=4000006420000001 sa=4000006820000007
    se=4000007520000008 sg=4000007020000003 si=4000007050000006 sk=4000007030000001 th=4000007640000003
    tw=4000001580000008 uy=4000008580000003
"""
"""The card of each country, as in ``pm_card_br``. https://docs.stripe.com/testing#international-cards"""
CARDS = {
    "visa": TestCard("4242424242424242"),
    "visa_debit": TestCard("4000056655665556", funding="debit"),
    "mastercard": TestCard("5555555555554444", "mastercard"),
    "mastercard_debit": TestCard("5200828282828210", "mastercard", "debit"),
    "mastercard_prepaid": TestCard("5105105105105100", "mastercard", "prepaid"),
    "amex": TestCard("378282246310005", "amex"),
    "discover": TestCard("6011111111111117", "discover"),
    "diners": TestCard("3056930009020004", "diners"),
    "jcb": TestCard("3566002020360505", "jcb", country="JP"),
    "unionpay": TestCard("6200000000000005", "unionpay", country="CN"),
    "us": TestCard("4242424242424242"),
    **{
        code: TestCard(number, country=code.upper())
        for code, number in (entry.split("=") for entry in COUNTRIES.split())
    },
    "chargeDeclined": _declining("4000000000000002", "generic_decline"),
    "visa_chargeDeclined": _declining("4000000000000002", "generic_decline"),
    "chargeDeclinedInsufficientFunds": _declining("4000000000009995", "insufficient_funds"),
    "visa_chargeDeclinedInsufficientFunds": _declining("4000000000009995", "insufficient_funds"),
    "chargeDeclinedLostCard": _declining("4000000000009987", "lost_card"),
    "visa_chargeDeclinedLostCard": _declining("4000000000009987", "lost_card"),
    "chargeDeclinedStolenCard": _declining("4000000000009979", "stolen_card"),
    "visa_chargeDeclinedStolenCard": _declining("4000000000009979", "stolen_card"),
    "chargeDeclinedExpiredCard": _declining("4000000000000069", "expired_card"),
    "chargeDeclinedIncorrectCvc": _declining("4000000000000127", "incorrect_cvc"),
    "chargeDeclinedProcessingError": _declining("4000000000000119", "processing_error"),
    "chargeDeclinedFraudulent": _declining("4100000000000019", "fraudulent"),
    "radarBlock": _declining("4100000000000019", "fraudulent"),
    "visa_chargeDeclinedVelocityLimitExceeded": _declining("4000000000006975", "card_velocity_exceeded"),
    "chargeCustomerFail": TestCard("4000000000000341", decline_code="generic_decline"),
    "authenticationRequired": TestCard("4000002760003184", country="DE", authentication="always"),
    "authenticationRequiredOnSetup": TestCard("4000002500003155", country="FR", authentication="unless_set_up"),
    "authenticationRequiredSetupForOffSession": TestCard("4000003800000446", country="IE", authentication="on_session"),
    "authenticationRequiredChargeDeclinedInsufficientFunds": TestCard(
        "4000008260003178", country="GB", decline_code="insufficient_funds", authentication="always"
    ),
    "threeDSecure2Required": TestCard("4000000000003220", authentication="always"),
    "threeDSecureRequired": TestCard("4000000000003063", authentication="always"),
    "threeDSecureOptional": TestCard("4000000000003055"),
    "createDispute": TestCard("4000000000000259", dispute="fraudulent"),
    "createDisputeProductNotReceived": TestCard("4000000000002685", dispute="product_not_received"),
    "createDisputeInquiry": TestCard("4000000000001976", dispute="inquiry"),
    "refundFail": TestCard("4000000000005126", refund="failed"),
    "pendingRefund": TestCard("4000000000007726", refund="pending"),
    "bypassPending": TestCard("4000000000000077", pending=False),
    "cvcCheckFail": TestCard("4000000000000101", cvc_check="fail"),
    "riskLevelElevated": TestCard("4000000000009235", risk="elevated"),
    "riskLevelHighest": TestCard("4000000000004954", risk="highest"),
    "visa_2": TestCard("4012888888881881"),
    "mastercard_2series": TestCard("2223003122003222", "mastercard"),
    "amex_2": TestCard("371449635398431", "amex"),
    "amex_threeDSecureNotSupported": TestCard("378282246310005", "amex"),
    "discover_2": TestCard("6011000990139424", "discover"),
    "discover_debit": TestCard("6011981111111113", "discover", "debit"),
    "diners_14digits": TestCard("36227206271667", "diners"),
    "bccard": TestCard("6555900000604105", "discover", country="KR"),
    "unionpay_debit": TestCard("6200000000000047", "unionpay", "debit", "CN"),
    "unionpay_19digits": TestCard("6205500000000000004", "unionpay", country="CN"),
    "visa_cartesBancaires": TestCard("4000002500001001", country="FR"),
    "mastercard_cartesBancaires": TestCard("5555552500001001", "mastercard", country="FR"),
    "visa_debit_eftposAuCoBranded": TestCard("4000050360000001", funding="debit", country="AU"),
    "mastercard_debit_eftposAuCoBranded": TestCard("5555050360000080", "mastercard", "debit", "AU"),
    "gb_debit": TestCard("4000058260000005", funding="debit", country="GB"),
    "gb_mastercard": TestCard("5555558265554449", "mastercard", country="GB"),
    "ae_mastercard": TestCard("5200007840000022", "mastercard", country="AE"),
    "th_credit": TestCard("4000007640000003", country="TH"),
    "th_debit": TestCard("4000057640000008", funding="debit", country="TH"),
    "debit_visaFsaProductCode": TestCard("4000051230000072", funding="debit"),
    "debit_visaHsaProductCode": TestCard("4000051230000072", funding="debit"),
    "mastercard_debit_mastercardFsaProductCode": TestCard("5200828282828897", "mastercard", "debit"),
    "visa_debit_chargeDeclinedInsufficientFunds": _declining("4000000000009995", "insufficient_funds"),
    "visa_chargeDeclinedExpiredCard": _declining("4000000000000069", "expired_card"),
    "visa_chargeDeclinedFraudulent": _declining("4100000000000019", "fraudulent"),
    "visa_chargeDeclinedIncorrectCvc": _declining("4000000000000127", "incorrect_cvc"),
    "visa_chargeDeclinedProcessingError": _declining("4000000000000119", "processing_error"),
    "chargeDeclinedIncorrectNumber": _declining("4242424242424241", "incorrect_number"),
    "visa_chargeCustomerFail": TestCard("4000000000000341", decline_code="generic_decline"),
    "visa_chargeCustomerFailLostCard": TestCard("4000000000000341", decline_code="lost_card"),
    "visa_chargeCustomerFailStolenCard": TestCard("4000000000000341", decline_code="stolen_card"),
    "highFraudDisputeScore": TestCard("4000008400000407"),
    "highEfwScore": TestCard("4000008400000159"),
    "radarDynamicRiskThreshold": TestCard("4000008400001017"),
    "adaptive3dsChallenge": TestCard("4000008405600003"),
    "avsZipFail": TestCard("4000000000000036", postal_code_check="fail"),
    "cvcCheckFailElevatedRisk": TestCard("4000058400307872", cvc_check="fail", risk="elevated"),
    "avsZipFailElevatedRisk": TestCard("4000058400306072", postal_code_check="fail", risk="elevated"),
    "avsLine1Fail": TestCard("4000000000000028", line1_check="fail"),
    "avsFail": TestCard("4000000000000010", line1_check="fail", postal_code_check="fail"),
    "avsUnchecked": TestCard("4000000000000044", line1_check="unavailable", postal_code_check="unavailable"),
    "domesticPricing": TestCard("4000000000000093"),
    "bypassPendingInternational": TestCard("4000003720000278", country="IE", pending=False),
    "createIssuerFraudRecord": TestCard("4000000000005423", dispute="warning"),
    "createMultipleDisputes": TestCard("4000000404000079", dispute="fraudulent"),
    "createCe3EligibleDispute": TestCard("4000000404000038", dispute="fraudulent"),
    "createComplianceDispute": TestCard("4000008400000779", dispute="noncompliant"),
    "createMastercardComplianceDispute": TestCard("5105008400000002", "mastercard", dispute="noncompliant"),
    "createAutoRepresentmentEligibleDispute": TestCard("4000000001000043", dispute="fraudulent"),
    "threeDSecure2RequiredUs": TestCard("4000008400000027", authentication="always"),
    "threeDSecureRequiredChargeDeclined": TestCard(
        "4000008400001629", decline_code="generic_decline", authentication="always"
    ),
    "threeDSecureRequiredProcessingError": TestCard("4000008400001280", decline_code="generic_decline"),
    "threeDSecureOptionalProcessingError": TestCard("4000000000003097"),
    "threeDSecureFrictionless": TestCard("4000000032200000"),
    **{
        f"threeDSecureMobile{number[-3:]}": TestCard(number, authentication="always")
        for number in ("4000582600000094", "4000582600000045", "4000582600000102", "4000582600000110")
    },
    "captcha": TestCard("4000000000001208"),
    "captcha_2": TestCard("4000000000003725"),
}
BY_NUMBER = {card.number: name for name, card in reversed(CARDS.items()) if card.decline_code != "incorrect_number"}


DEFAULT_DETAILS = {"exp_month": 12, "exp_year": 2034, "cvc": 123}
"""The details of a card that is created without them."""
INVALID_DETAILS = {
    "exp_month": ("invalid_expiry_month", "expiration month"),
    "exp_year": ("invalid_expiry_year", "expiration year"),
    "cvc": ("invalid_cvc", "security code"),
}
"""The error code and the words for each invalid detail."""


def card_name(details: Object) -> str:
    """Return the name in `CARDS` of a card number, or of a token such as ``tok_visa``."""
    if token := details.get("token"):
        name = str(token).removeprefix("tok_")
    else:
        name = BY_NUMBER.get(str(details.get("number", "")).replace(" ", ""), "")
    if name not in CARDS:
        raise ErrorResponse(
            "Your card number is incorrect. The emulator accepts Stripe's test cards: https://docs.stripe.com/testing",
            status=402,
            type="card_error",
            code="incorrect_number",
            param="number",
        )
    return name


def check_card_details(state: AccountState, details: Object) -> None:
    """Raise `ErrorResponse` for an expired card, and for an invalid month, year or security code."""
    invalid = _invalid_detail(datetime.fromtimestamp(state.clock.now(), timezone.utc), details)
    if invalid:
        code, words = INVALID_DETAILS[invalid]
        raise ErrorResponse(f"Your card's {words} is invalid.", status=402, type="card_error", code=code, param=invalid)


def _invalid_detail(today: datetime, details: Object) -> str | None:
    month, year, cvc = (str(details.get(name, default)) for name, default in DEFAULT_DETAILS.items())
    full_year = 2000 * (len(year) == 2) + int(year) if year.isdecimal() else 0
    if not month.isdecimal() or not 1 <= int(month) <= 12:
        return "exp_month"
    if not today.year <= full_year <= today.year + 50:
        return "exp_year"
    if (full_year, int(month)) < (today.year, today.month):
        return "exp_month"
    return None if cvc.isdecimal() and 3 <= len(cvc) <= 4 else "cvc"


def instrument_of(state: AccountState, method_id: str) -> Instrument:
    """Return the hidden details of a payment method, card or source."""
    return state.tables.instruments.get(method_id) or Instrument()


def card_of(state: AccountState, method_id: str | None) -> TestCard:
    """Return the test card behind the id of a payment method, card or source."""
    return CARDS[instrument_of(state, method_id or "").card]


def mark_detached(state: AccountState, method_id: str) -> None:
    """Record that a payment method was detached, so that it cannot be used again."""
    state.tables.instruments.set(method_id, replace(instrument_of(state, method_id), detached=True))


def mark_used(state: AccountState, method_id: str) -> None:
    """Record that a payment has used a payment method."""
    state.tables.instruments.set(method_id, replace(instrument_of(state, method_id), used=True))


def mark_set_up(state: AccountState, method_id: str) -> None:
    """Record that the cardholder has agreed to off-session payments."""
    state.tables.instruments.set(method_id, replace(instrument_of(state, method_id), set_up=True))


def card_details(card: TestCard, details: Object) -> Object:
    """Return the ``card`` of a payment method; ``details`` are those that it was created with."""
    return {
        "brand": card.brand,
        "checks": {
            "address_line1_check": card.line1_check,
            "address_postal_code_check": card.postal_code_check,
            "cvc_check": card.cvc_check if details.get("cvc") or not details else "unchecked",
        },
        "country": card.country,
        "display_brand": card.brand,
        "exp_month": details.get("exp_month") or DEFAULT_DETAILS["exp_month"],
        "exp_year": details.get("exp_year") or DEFAULT_DETAILS["exp_year"],
        "fingerprint": card.number[::-1],
        "funding": card.funding,
        "generated_from": None,
        "last4": card.number[-4:],
        "networks": {"available": [card.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }
