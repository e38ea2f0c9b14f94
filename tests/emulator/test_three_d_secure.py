"""3-D Secure apart from payments."""

from __future__ import annotations

from typing import Any

import pytest

import pinstripe
from pinstripe.emulator import Emulator
from tests.emulator.populate import THREE_D_SECURE


def authenticate(client: pinstripe.Client, card: str, **params: Any) -> Any:  # Any: parameters; an authentication
    return client.three_d_secure.authentications.create(**{**THREE_D_SECURE, "payment_method": card, **params})


def test_an_authentication_is_submitted_and_succeeds(client: pinstripe.Client, emulator: Emulator) -> None:
    authentication = authenticate(client, "pm_card_mastercard")
    assert (authentication.status, authentication.directory_server) == ("requires_submission", "mastercard")
    submitted = client.three_d_secure.authentications.submit(authentication.id, metadata={"order": "1"})
    assert (submitted.status, submitted.outcome, submitted.metadata) == ("succeeded", "authenticated", {"order": "1"})
    assert submitted.outcome_details is not None
    assert (submitted.outcome_details.eci, submitted.outcome_details.ares_trans_status) == ("05", "Y")
    assert emulator.events.types[-2:] == [
        "three_d_secure.authentication.requires_submission",
        "three_d_secure.authentication.succeeded",
    ]
    with pytest.raises(pinstripe.InvalidRequestError, match="succeeded"):
        client.three_d_secure.authentications.submit(authentication.id)


@pytest.mark.parametrize(
    ("success", "status", "outcome"), [(True, "succeeded", "authenticated"), (False, "failed", "denied")]
)
def test_a_challenge_is_passed_or_failed(
    client: pinstripe.Client, emulator: Emulator, success: bool, status: str, outcome: str
) -> None:
    authentication = authenticate(client, "pm_card_threeDSecure2Required", submit="always")
    assert authentication.status == "requires_challenge"
    assert authentication.challenge_url is not None
    done = emulator.authenticate(authentication.id, success=success)
    assert (done.status, done.outcome, done.challenge_url) == (status, outcome, None)


def test_a_declining_card_is_not_authenticated(client: pinstripe.Client) -> None:
    authentication = authenticate(client, "pm_card_chargeDeclined", submit="always")
    assert (authentication.status, authentication.outcome) == ("failed", "denied")


def test_an_authentication_without_the_cardholder_is_submitted_at_once(client: pinstripe.Client) -> None:
    earlier = authenticate(client, "pm_card_visa", submit="always")
    channel = {"type": "three_r_i", "three_r_i": {"previous_authentication": earlier.id, "type": "recurring"}}
    assert authenticate(client, "pm_card_threeDSecure2Required", channel=channel).status == "succeeded"


def test_an_authentication_can_be_canceled_until_it_is_complete(client: pinstripe.Client) -> None:
    authentication = authenticate(client, "pm_card_visa")
    canceled = client.three_d_secure.authentications.cancel(authentication.id)
    assert (canceled.status, canceled.outcome) == ("canceled", "canceled")
    with pytest.raises(pinstripe.InvalidRequestError, match="canceled"):
        client.three_d_secure.authentications.cancel(authentication.id)
    assert [listed.id for listed in client.three_d_secure.authentications.list(status="canceled")] == [
        authentication.id
    ]
