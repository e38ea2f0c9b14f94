"""The fields of errors."""

from __future__ import annotations

import json

from pinstripe.errors import CardError, from_response


def test_a_declined_payment_has_its_codes_and_the_page_of_its_request() -> None:
    fields = {
        "type": "card_error",
        "code": "card_declined",
        "decline_code": "insufficient_funds",
        "advice_code": "try_again_later",
        "network_decline_code": "51",
        "request_log_url": "https://dashboard.stripe.com/test/logs/req_1",
        "message": "Your card has insufficient funds.",
    }
    body = {"error": fields}
    error = from_response(402, {}, json.dumps(body).encode(), body)
    assert isinstance(error, CardError)
    assert {name: getattr(error, name) for name in fields} == fields


def test_what_stripes_error_does_not_have_is_none() -> None:
    error = from_response(404, {}, b"{}", {"error": {"type": "invalid_request_error", "message": "No such customer."}})
    assert (error.code, error.advice_code, error.network_decline_code, error.request_log_url) == (None,) * 4
