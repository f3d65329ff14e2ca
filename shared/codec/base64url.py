"""base64url without padding (RFC 7515 §2). Pure."""

import binascii

_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_", b"+/")


def base64url(data: bytes) -> str:
    """*data* as base64url without padding."""
    return binascii.b2a_base64(data, newline=False).translate(_TO_URL, b"=").decode("ascii")


def from_base64url(text: str) -> bytes:
    """The bytes that `base64url` encodes as *text*. Raises ValueError for any other encoding of them."""
    data = binascii.a2b_base64(text.encode("ascii").translate(_FROM_URL) + b"=" * (-len(text) % 4))
    if base64url(data) != text:
        raise ValueError("not the one base64url form of these bytes")
    return data
