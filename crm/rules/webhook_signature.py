"""Signatures of messages and the secrets behind them, after Standard Webhooks 1.0 (standardwebhooks.com). Pure.

`webhook-signature` is `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`, once for each secret that is valid,
with a blank between: during a rotation the receiver may know either.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

PREFIX = "whsec_"
#: Random bytes of a new secret; the standard allows 24 to 64.
SECRET_BYTES = 32
ALLOWED_BYTES = range(24, 65)


def secret_of(key: bytes) -> str:
    """Return the text of a secret from its 24 to 64 random bytes."""
    if len(key) not in ALLOWED_BYTES:
        raise ValueError("a secret has 24 to 64 bytes")
    return PREFIX + base64.b64encode(key).decode()


def key_of(secret: str) -> bytes:
    """Return the bytes of a secret's text; ValueError when it is none."""
    if not secret.startswith(PREFIX):
        raise ValueError("a secret starts with whsec_")
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("a secret is base64") from error
    if len(key) not in ALLOWED_BYTES:
        raise ValueError("a secret has 24 to 64 bytes")
    return key


def signature(secret: str, *, message: str, timestamp: int, body: bytes) -> str:
    """Return one signature of a message: `message` is its id, `timestamp` seconds since 1970."""
    signed = f"{message}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key_of(secret), signed, hashlib.sha256)).decode()


def headers_of(secrets: Sequence[str], *, message: str, at: datetime, body: bytes) -> dict[str, str]:
    """Return the three headers of an attempt at `at`, signed with every one of the `secrets`."""
    timestamp = int(at.timestamp())
    signed = (signature(secret, message=message, timestamp=timestamp, body=body) for secret in secrets)
    return {
        "webhook-id": message,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signed),
    }
