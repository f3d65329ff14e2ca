"""Proof Key for Code Exchange (RFC 7636) with S256 only."""

import hashlib
import hmac
import re

from shared.codec.base64url import base64url
from shared.oauth.errors import InvalidGrant
from shared.oauth.refusal import Reason

_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")  # RFC 7636 §4.1
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")  # base64url of 32 bytes, RFC 7636 §4.2


def is_challenge(value: str) -> bool:
    """Whether *value* has the shape of an S256 code challenge."""
    return _CHALLENGE.fullmatch(value) is not None


def challenge_of(code_verifier: str) -> str:
    """RFC 7636 §4.2: BASE64URL-ENCODE(SHA256(ASCII(code_verifier)))."""
    return base64url(hashlib.sha256(code_verifier.encode("ascii")).digest())


def check_verifier(code_challenge: str | None, code_verifier: str | None) -> None:
    """Check that the verifier matches the challenge, or that neither was sent.

    Raises InvalidGrant, with the same description for every fault.
    """
    if code_challenge is None and code_verifier is None:
        return
    if code_challenge is None or code_verifier is None:  # RFC 9700 §4.8.2: no downgrade
        raise InvalidGrant("the code is not valid", detail=Reason.CODE_VERIFIER_ALONE)
    if not _VERIFIER.fullmatch(code_verifier):
        raise InvalidGrant("the code is not valid", detail="code_verifier is malformed")
    if not hmac.compare_digest(challenge_of(code_verifier), code_challenge):  # RFC 7636 §4.6
        raise InvalidGrant("the code is not valid", detail=Reason.CODE_VERIFIER)
