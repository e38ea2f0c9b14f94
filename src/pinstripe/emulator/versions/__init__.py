"""Older versions of the API: requests of them are changed into requests of the current version, and responses and events back.

The operations know the current version only. To serve an older version, add it to `VERSIONS`, and to `CHANGES` a module for
each of its breaking changes. https://docs.stripe.com/api/versioning
"""

from __future__ import annotations

from collections.abc import Iterator

from pinstripe.emulator.state.json_values import JSON, Object, clone
from pinstripe.emulator.validation.errors import ErrorResponse
from pinstripe.emulator.versions import (
    account_link_configurations,
    account_rejection_reasons,
    billing_cycle_anchors,
    card_mandates,
    limited_parameters,
    payment_evaluation_scores,
    payment_method_types,
    session_countries,
    terms_of_service,
    three_d_secure_cryptograms,
)
from pinstripe.emulator.versions._change import Change

VERSIONS = (
    "2026-03-25.dahlia",
    "2026-04-22.dahlia",
    "2026-05-27.dahlia",
    "2026-06-24.dahlia",
    "2026-07-29.dahlia",
    "2026-08-26.dahlia",
    "2026-09-30.endive",
    "2026-10-28.endive",
)
"""The versions that are served, oldest first."""
CHANGES: tuple[Change, ...] = tuple(
    module.CHANGE
    for module in (
        account_link_configurations,
        account_rejection_reasons,
        billing_cycle_anchors,
        card_mandates,
        limited_parameters,
        payment_evaluation_scores,
        payment_method_types,
        session_countries,
        terms_of_service,
        three_d_secure_cryptograms,
    )
)
"""The breaking changes, oldest version first."""
_CHANGES_AFTER = {version: tuple(change for change in CHANGES if change.version > version) for version in VERSIONS}


def check_version(version: str, param: str | None = None) -> None:
    """Raise `ErrorResponse` for a version that is not served."""
    if version not in VERSIONS:
        raise ErrorResponse(
            f"Invalid Stripe API version: {version}. The emulator serves {VERSIONS[0]} to {VERSIONS[-1]}.", param=param
        )


def upgrade_request(version: str, operation: str, params: Object) -> Object:
    """Return the parameters of a request as the current version has them.

    Raises `ErrorResponse` for those that a change forbids.
    """
    upgraded = clone(params) if _CHANGES_AFTER[version] else params
    for change in CHANGES:
        if change.version > version:
            change.request(operation, upgraded)
        else:
            change.check(operation, upgraded)
    return upgraded


def downgrade_response(version: str, value: JSON, params: Object) -> JSON:
    """Return the body of a response as a version has it; ``params`` are those of the request as they were sent."""
    changes = _CHANGES_AFTER[version]
    if not changes:
        return value
    downgraded = clone(value)
    _downgrade(changes, downgraded, params)
    return downgraded


def downgrade_error(version: str, error: ErrorResponse, params: Object) -> None:
    """Change an error in place to what a version has: its objects, and the names of parameters."""
    changes = _CHANGES_AFTER[version]
    if not changes:
        return
    error.error = clone(error.error)
    _downgrade(changes, error.error, params)
    for field in ("message", "param"):
        for change in reversed(changes):
            for new, old in change.names.items():
                if new not in params and isinstance(text := error.error.get(field), str):
                    error.error[field] = text.replace(new, old)


def render_event(event: Object, version: str) -> Object:
    """Return a snapshot event as an endpoint of a version receives it. https://docs.stripe.com/webhooks/versioning"""
    rendered: Object = {**event, "api_version": version}
    changes = _CHANGES_AFTER.get(version, ())  # an endpoint of a stored state may have another version
    if not changes:
        return rendered
    data = rendered["data"] = clone(event["data"])
    if previous := data.get("previous_attributes"):
        partial = {**previous, "object": data["object"]["object"]}
        _downgrade(changes, partial, {})
        data["previous_attributes"] = {name: value for name, value in partial.items() if name in previous}
    _downgrade(changes, data["object"], {})
    return rendered


def _downgrade(changes: tuple[Change, ...], value: JSON, params: Object) -> None:
    for item in _objects(value):
        for change in reversed(changes):
            change.response(item, params)


def _objects(value: JSON) -> Iterator[Object]:
    """Iterate over the objects of the API in a value; those in events stay as they were rendered at first."""
    if isinstance(value, list):
        for item in value:
            yield from _objects(item)
    elif isinstance(value, dict):
        if value.get("object") == "event":
            return
        for item in value.values():
            if isinstance(item, (dict, list)):
                yield from _objects(item)
        if isinstance(value.get("object"), str):
            yield value
