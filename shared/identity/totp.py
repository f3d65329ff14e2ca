"""Time-based one-time passwords (RFC 6238), with the parameters that every authenticator app knows. Pure."""

import hmac
from base64 import b32encode
from datetime import datetime
from urllib.parse import quote, urlencode

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SECRET_BYTES = 20  # RFC 4226 §4 R6
DIGITS = 6
PERIOD = 30  # seconds
DRIFT = 1  # steps that a phone's clock may be wrong by, RFC 6238 §5.2


def derived_secret(secret_key: str, *parts: str) -> bytes:
    """A secret that a form offers and nobody keeps: SECRET_BYTES, for the same *parts* always the same."""
    info = "\0".join(parts).encode()
    return HKDF(SHA256(), SECRET_BYTES, salt=None, info=info).derive(secret_key.encode())


def code_at(secret: bytes, step: int) -> str:
    """The code of one time step: RFC 4226 §5.3."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 0xF
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def typed_code(text: str) -> str:
    """*text* without the spaces that people type between the digits."""
    return "".join(text.split())


def matching_step(secret: bytes, code: str, now: datetime) -> int | None:
    """The latest time step around *now* that has this code. None: the code is wrong."""
    current = int(now.timestamp()) // PERIOD
    steps = range(current + DRIFT, current - DRIFT - 1, -1)
    matching = [step for step in steps if hmac.compare_digest(code_at(secret, step).encode(), code.encode())]
    return matching[0] if matching else None


def shown_secret(secret: bytes) -> str:
    """The secret as people type it into an app: base32 in groups of four."""
    text = b32encode(secret).decode()
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def otpauth_uri(secret: bytes, issuer: str, username: str) -> str:
    """The URI that authenticator apps read from a QR code. *issuer*: the name that they show."""
    label = quote(f"{issuer}:{username}", safe="")
    return f"otpauth://totp/{label}?" + urlencode(
        {"secret": b32encode(secret).decode(), "issuer": issuer, "digits": DIGITS, "period": PERIOD},
        quote_via=quote,
    )
