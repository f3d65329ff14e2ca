"""Personal access tokens: their form, and the scopes that they may have. Pure.

A token is `ostp_`, 43 random characters (256 bits) and a checksum of 6, all in base 62:

    ostp_<43 × [0-9A-Za-z]><CRC-32 of everything before it, most significant digit first, padded with 0>

A scanner that looks for leaked secrets finds `ostp_[0-9A-Za-z]{49}` and knows by the checksum, without asking
anybody, whether it is a token.
"""

import re
import string
import zlib

from shared.model import OFFLINE_SCOPES, Scope
from shared.oauth.errors import InvalidScope
from shared.oauth.scope import parse_scope
from shared.oauth.supported import SCOPES

PREFIX = "ostp_"
DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
RANDOM_LENGTH = 43

OFFERED_SCOPES = tuple(token for token in SCOPES if token not in OFFLINE_SCOPES)
"""The scopes that every user may give a token: it is at hand while the user is away anyway."""

_CHECK_LENGTH = 6  # of 32 bits
_SHAPE = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{RANDOM_LENGTH + _CHECK_LENGTH}}}")
_NODE = re.compile(r"node:[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}:(?:r|w|rw)")


def _check(content: str) -> str:
    value, digits = zlib.crc32(content.encode("ascii")), ""
    for _ in range(_CHECK_LENGTH):
        value, digit = divmod(value, len(DIGITS))
        digits = DIGITS[digit] + digits
    return digits


def personal_access_token(random: str) -> str:
    """The token made of RANDOM_LENGTH random DIGITS."""
    content = PREFIX + random
    return content + _check(content)


def is_personal_access_token(value: str) -> bool:
    """Whether *value* has the form of a token, and the right checksum."""
    if not _SHAPE.fullmatch(value):
        return False
    return value[-_CHECK_LENGTH:] == _check(value[:-_CHECK_LENGTH])


def personal_scope(value: str) -> Scope:
    """The scope of a token: of OFFERED_SCOPES, and of files and folders in Cells (`node:UUID:r|w|rw`).

    Raises InvalidScope if it is empty or has another scope.
    """
    scope = parse_scope(value)
    if not scope:
        raise InvalidScope("a personal access token needs a scope")
    for token in scope:
        if token not in OFFERED_SCOPES and not _NODE.fullmatch(token):
            raise InvalidScope(f"a personal access token cannot have the scope {token}")
    return scope
