"""Handles: random strings that identify a record. Stores keep only their hash. Pure.

A handle is prefixed with its kind, and its hash covers the kind, so kinds cannot be confused.
"""

import hashlib
import re
from enum import StrEnum

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.codec.base64url import base64url

RANDOM_BYTES = 32
_SHAPE = re.compile(r"([a-z]{2})_[A-Za-z0-9_-]{20,512}")


class Kind(StrEnum):
    """The kinds of handles, by prefix."""

    AUTHORIZATION_CODE = "ac"
    DEVICE_CODE = "dc"
    ACCESS_TOKEN = "at"
    REFRESH_TOKEN = "rt"
    SESSION = "se"
    BROWSER = "br"
    INTERACTION = "in"
    PUSHED_REQUEST = "pr"
    POSTED_REQUEST = "po"
    INITIAL_ACCESS_TOKEN = "ia"
    REGISTRATION_ACCESS_TOKEN = "ra"
    RECOVERY_LINK = "rl"


def is_handle(kind: Kind, value: str) -> bool:
    """Whether *value* has the form of a handle of this kind."""
    match = _SHAPE.fullmatch(value)
    return match is not None and match[1] == kind


def derived_handle(kind: Kind, secret_key: str, *parts: str) -> str:
    """The one handle of *kind* for *parts*, which only a holder of *secret_key* can compute (RFC 5869)."""
    info = "\0".join(("ostiary: derived handle, version 1", kind, *parts)).encode()
    return (
        f"{kind}_{base64url(HKDF(SHA256(), RANDOM_BYTES, salt=None, info=info).derive(secret_key.encode()))}"
    )


def digest(handle: str) -> bytes:
    """The 32 bytes under which a handle is stored. A handle is random enough to need no salt."""
    return hashlib.sha256(handle.encode()).digest()
