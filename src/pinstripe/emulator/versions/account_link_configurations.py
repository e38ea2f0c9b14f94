"""Account links of API v2 no longer name the configurations that they onboard or update.

https://docs.stripe.com/changelog/endive/2026-09-30/removes-configurations-parameter-from-v2-core-account-links-api
"""

from __future__ import annotations

from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.validation.errors import missing_param
from pinstripe.emulator.versions._change import Change, part

NAME = "configurations"
USE_CASES = ("account_onboarding", "account_update")


def _request(operation: str, params: Object) -> None:
    if operation != "v2.core.account_links.create":
        return
    for use_case in USE_CASES:
        values = part(params, "use_case", use_case)
        if values and NAME not in values:
            raise missing_param(f"use_case[{use_case}][{NAME}]")
        values.pop(NAME, None)


def _response(value: Object, params: Object) -> None:
    if value["object"] == "v2.core.account_link":
        for use_case in USE_CASES:
            if values := part(value, "use_case", use_case):
                values[NAME] = part(params, "use_case", use_case).get(NAME, [])


CHANGE = Change("2026-09-30.endive", _request, _response)
