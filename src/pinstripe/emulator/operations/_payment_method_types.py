"""The types of payment methods: the currencies of each, and which of them are bank debits.

https://docs.stripe.com/payments/payment-methods/payment-method-support
"""

from __future__ import annotations

from collections.abc import Iterable

from pinstripe.emulator.state.json_values import Object, clone
from pinstripe.emulator.validation.errors import ErrorResponse

CURRENCIES_TEXT = """
    acss_debit=cad,usd affirm=usd,cad alma=eur au_becs_debit=aud bacs_debit=gbp bancontact=eur bizum=eur blik=pln
    boleto=brl cashapp=usd customer_balance=usd,eur,gbp,jpy,mxn eps=eur fpx=myr giropay=eur grabpay=sgd,myr ideal=eur
    kakao_pay=krw konbini=jpy kr_card=krw mb_way=eur mobilepay=dkk,eur,nok,sek multibanco=eur naver_pay=krw
    nz_bank_account=nzd oxxo=mxn p24=eur,pln payco=krw paynow=sgd paypay=jpy payto=aud pix=brl promptpay=thb
    samsung_pay=krw satispay=eur sepa_debit=eur sofort=eur swish=sek twint=chf upi=inr us_bank_account=usd
"""
CURRENCIES = {
    name: tuple(currencies.split(","))
    for name, _, currencies in (entry.partition("=") for entry in CURRENCIES_TEXT.split())
}
"""The currencies of the types that do not support every currency."""
ALLOWED = "allowed_payment_method_types"
BANK_DEBITS = ("acss_debit", "au_becs_debit", "bacs_debit", "nz_bank_account", "sepa_debit", "us_bank_account")
"""The types whose payments are processing before they succeed or fail."""


def check_currency(method_type: str, currency: str, param: str) -> None:
    """Raise `ErrorResponse` for a type that does not support a currency."""
    supported = CURRENCIES.get(method_type)
    if supported and currency not in supported:
        listed = ", ".join(f"`{name}`" for name in supported)
        raise ErrorResponse(
            f"Invalid currency: {currency}. The payment method `{method_type}` only supports: {listed}.", param=param
        )


def compatible_types(types: Iterable[str] | None, currency: str) -> list[str]:
    """Return the allowed types that support a currency, or ``card`` if none is listed; others are left out silently."""
    return [
        name
        for name in types or ["card"]
        if not currency or currency.lower() in CURRENCIES.get(name, (currency.lower(),))
    ]


def check_types(params: Object) -> None:
    """Raise `ErrorResponse` for types that are passed with parameters that exclude them, or do not support the currency."""
    types = params.get(ALLOWED)
    if not types:
        return
    for name in ("automatic_payment_methods", "excluded_payment_method_types", "payment_method_configuration"):
        if (other := params.get(name)) and not (isinstance(other, dict) and not other.get("enabled")):
            raise ErrorResponse(f"You may only specify one of these parameters: {name}, {ALLOWED}.")
    if not compatible_types(types, params.get("currency") or ""):
        raise ErrorResponse(
            "No valid payment method types for this intent: none of those that are allowed supports its currency.",
            param=ALLOWED,
        )


def check_type_of_method(intent: Object, method: Object) -> None:
    """Raise `ErrorResponse` for a method of a type that the intent does not allow, or that lacks its currency."""
    method_type = method.get("type") or method["object"]
    allowed = intent.get(ALLOWED)
    if (allowed and method_type not in allowed) or method_type in (intent.get("excluded_payment_method_types") or []):
        hint = f" Allowed are: {', '.join(allowed)}." if allowed else ""
        raise ErrorResponse(
            f"A payment method of the type {method_type} is not allowed for this intent.{hint}",
            code="payment_intent_incompatible_payment_method",
            param="payment_method",
            **{intent["object"]: clone(intent)},
        )
    if "currency" in intent:
        check_currency(method_type, intent["currency"], "payment_method")
