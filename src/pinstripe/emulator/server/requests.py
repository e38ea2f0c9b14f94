"""What a request says of itself: who asks, for which account, in which version, and with which parameters."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any
from urllib.parse import urlencode

from pinstripe import form
from pinstripe._endpoint import Row
from pinstripe.emulator.validation.errors import Refusal

VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(\.[a-z]+)?")
# What a publishable key may do. https://docs.stripe.com/keys
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
SESSION_KEY = "mes_test_"
"""How the token of a meter event session begins; it is the key of the meter event stream."""


@dataclass
class Question:
    """An HTTP request, whole; header names are lower-case."""

    verb: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    base: str = "http://emulator.pinstripe.test"


@dataclass
class Upload:
    """A file that came with a request."""

    name: str
    content: bytes


def authenticate(headers: Mapping[str, str], row: Row | None) -> str:
    """The key, if it lets in: a test key does, anything else does not. https://docs.stripe.com/api/authentication"""
    scheme, _, key = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            key = base64.b64decode(key + "==").decode("latin-1").partition(":")[0]
        except binascii.Error:
            key = ""
    if not key:
        raise Refusal("You did not provide an API key: send it as a Bearer token.", status=401)
    operation = f"{row.service}.{row.method}" if row else ""
    if key.startswith(("sk_test_", "rk_test_")):
        return key
    if key.startswith("pk_test_"):
        if operation in PUBLISHABLE:
            return key
        raise Refusal(
            "This API call cannot be made with a publishable API key. Use a secret API key (sk_test_...).",
            status=401,
            code="secret_key_required",
        )
    if key.startswith(SESSION_KEY) and operation == "v2.billing.meter_event_stream.create":
        return key
    live = " The emulator takes no live keys: use one that begins with sk_test_." if "_live_" in key[:8] else ""
    raise Refusal(
        f"Invalid API Key provided: {key[:8]}***.{live}", status=401, code="api_key_invalid" if not live else None
    )


def version_of(headers: Mapping[str, str]) -> None:
    """Refuse a version that cannot be one; the emulator answers every one as its own."""
    version = headers.get("stripe-version")
    if version is not None and not VERSION.fullmatch(version):
        raise Refusal(f"Invalid Stripe API version: {version}. It looks like 2026-05-27.dahlia.")


def account_of(headers: Mapping[str, str], worlds: Collection[str]) -> str:
    """The account that a request is made for; the platform's own has no name."""
    account = headers.get("stripe-account") or headers.get("stripe-context") or ""
    account = account.rpartition("/")[2]
    if account and not account.startswith("acct_") and account not in worlds:
        raise Refusal(
            f"The provided key does not have access to account '{account}', or that account does not exist.",
            status=403,
            code="account_invalid",
        )
    return account


def params_of(question: Question) -> tuple[dict[str, Any], Upload | None]:  # Any: JSON
    """The parameters of a request, untyped, and the file that came with them."""
    if question.verb != "POST":
        return dict(form.decode(question.query)), None
    kind = question.headers.get("content-type", "")
    if kind.startswith("application/json"):
        try:
            found = json.loads(question.body or b"{}")
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise Refusal("Invalid request: the body is not a JSON object.")
        return found, None
    if kind.startswith("multipart/form-data"):
        return _multipart(kind, question.body)
    return {**form.decode(question.query), **form.decode(question.body)}, None


def _multipart(kind: str, body: bytes) -> tuple[dict[str, Any], Upload | None]:  # Any: JSON
    message = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + body)
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
