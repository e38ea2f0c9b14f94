"""Parse HTTP requests: API key, account, version and parameters."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Container, Mapping
from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import HTTP
from urllib.parse import urlencode

from pinstripe import form
from pinstripe._api_version import API_VERSION
from pinstripe._endpoint import Endpoint
from pinstripe.emulator.operations.accounts import PLATFORM_ACCOUNT_ID
from pinstripe.emulator.operations.context import Upload
from pinstripe.emulator.state.account import OWNER_SEPARATOR
from pinstripe.emulator.state.accounts import PLATFORM
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.state.object_types import id_prefix
from pinstripe.emulator.validation.errors import ErrorResponse
from pinstripe.emulator.versions import check_version

DEFAULT_BASE_URL = "http://emulator.pinstripe.test"
VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(\.[a-z]+)?")
PUBLISHABLE = {
    "payment_intents.confirm",
    "payment_intents.retrieve",
    "payment_methods.create",
    "setup_intents.confirm",
    "setup_intents.retrieve",
    "sources.create",
    "sources.retrieve",
    "tokens.create",
}
"""The operations that can be called with a publishable key. https://docs.stripe.com/keys"""
SESSION_TOKEN_PREFIX = id_prefix("v2.billing.meter_event_session")
"""The prefix of the tokens of meter event sessions, which are the API keys of the meter event stream."""
SESSION_TOKEN_LENGTH = len(SESSION_TOKEN_PREFIX) + 16
"""The length of such a token; with an account per API key, the owner follows."""
DEFAULT_API_KEY = "sk_test_emulator"
"""The key of the clients that `Emulator` makes; its account always has the same key in `Accounts`."""


@dataclass(frozen=True)
class Request:
    """An HTTP request with its body; header names are in lower case."""

    verb: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    base_url: str = DEFAULT_BASE_URL


def authenticate(headers: Mapping[str, str], endpoint: Endpoint | None) -> str:
    """Return the API key of a request; raise `ErrorResponse` for a key that is missing or not allowed.

    Every test key is accepted. https://docs.stripe.com/api/authentication
    """
    scheme, _, key = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            key = base64.b64decode(key + "==").decode("latin-1").partition(":")[0]
        except binascii.Error:
            key = ""
    if not key:
        raise ErrorResponse("You did not provide an API key: send it as a Bearer token.", status=401)
    operation = f"{endpoint.service}.{endpoint.method}" if endpoint else ""
    if key.startswith(("sk_test_", "rk_test_")):
        return key
    if key.startswith("pk_test_"):
        if operation in PUBLISHABLE:
            return key
        raise ErrorResponse(
            "This API call cannot be made with a publishable API key. Use a secret API key (sk_test_...).",
            status=401,
            code="secret_key_required",
        )
    if key.startswith(SESSION_TOKEN_PREFIX) and operation == "v2.billing.meter_event_stream.create":
        return key
    live = " The emulator takes no live keys: use one that begins with sk_test_." if "_live_" in key[:8] else ""
    raise ErrorResponse(
        f"Invalid API Key provided: {key[:8]}***.{live}", status=401, code="api_key_invalid" if not live else None
    )


def version_of(headers: Mapping[str, str], operation: str) -> str:
    """Return the API version to serve a request in; raise `ErrorResponse` for one that is not served."""
    version = headers.get("stripe-version", API_VERSION)
    if operation == "ephemeral_keys.create" and VERSION.fullmatch(version):
        return API_VERSION  # the version is that of a mobile SDK, and the key is only passed on to it
    check_version(version)
    return version


def owner_of(api_key: str) -> str:
    """Return the owner of the accounts of an API key: one for the keys that differ only in sk, pk and rk."""
    if api_key.startswith(SESSION_TOKEN_PREFIX):
        owner = api_key[SESSION_TOKEN_LENGTH:]
    elif (secret := api_key.split("_", 2)[2]) == DEFAULT_API_KEY.split("_", 2)[2]:
        owner = PLATFORM
    else:
        owner = hashlib.sha256(secret.encode()).hexdigest()[:12]  # no key is stored
    return owner + OWNER_SEPARATOR if owner else PLATFORM


def account_of(headers: Mapping[str, str], accounts: Container[str], owner: str = PLATFORM) -> str:
    """Return the key of the account that a request is made for, in `Accounts`."""
    account = headers.get("stripe-account") or headers.get("stripe-context") or ""
    account = account.rpartition("/")[2]
    if account == PLATFORM_ACCOUNT_ID:
        return owner
    if account and not account.startswith("acct_") and owner + account not in accounts:
        raise ErrorResponse(
            f"The provided key does not have access to account '{account}', or that account does not exist.",
            status=403,
            code="account_invalid",
        )
    return owner + account


def params_of(request: Request) -> tuple[Object, Upload | None]:
    """Return the parameters of a request, not yet validated, and the uploaded file, if any."""
    if request.verb != "POST":
        return dict(form.decode(request.query)), None
    content_type = request.headers.get("content-type", "")
    if content_type.startswith("application/json"):
        if request.path.startswith("/v1/") and request.body:
            raise ErrorResponse(
                "Invalid request (check that your POST content type is application/x-www-form-urlencoded)."
            )
        try:
            params = json.loads(request.body or b"{}")
        except ValueError:
            params = None
        if not isinstance(params, dict):
            raise ErrorResponse("Invalid request: the body is not a JSON object.")
        return params, None
    if content_type.startswith("multipart/form-data"):
        return _multipart(content_type, request.body)
    return {**form.decode(request.query), **form.decode(request.body)}, None


def _multipart(content_type: str, body: bytes) -> tuple[Object, Upload | None]:
    message = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    upload, pairs = None, []
    for part in message.iter_parts():
        content = part.get_payload(decode=True)
        content = content if isinstance(content, bytes) else b""
        name = part.get_param("name", header="content-disposition")
        if name == "file":
            upload = Upload(part.get_filename() or "file", content)
        elif name:
            pairs.append((str(name), content.decode()))
    return dict(form.decode(urlencode(pairs))), upload
