"""Refresh tokens, and successors that only the holder of the predecessor can open. Pure.

A token is `rt_` and base64url of

    random (32 bytes) ‖ family secret (16), masked ‖ check (6)

Every generation contains the family's secret, so any of them finds the family's row. The check distinguishes
a damaged token from a reused one. A successor is sealed with a key derived from its predecessor, so the
stored value alone opens nothing.
"""

import hashlib
import hmac
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.codec.base64url import base64url, from_base64url
from shared.oauth.tokens.handle import Kind, digest

RANDOM_BYTES = 32
FAMILY_SECRET_BYTES = 16
NONCE_BYTES = 12

_CHECK_BYTES = 6
_LENGTH = RANDOM_BYTES + FAMILY_SECRET_BYTES + _CHECK_BYTES
_PREFIX = f"{Kind.REFRESH_TOKEN}_"
_INFO = b"ostiary: successor of a refresh token, version 1"


class CannotOpen(Exception):
    """The successor was not sealed for this token."""


def _masked(family_secret: bytes, random: bytes) -> bytes:
    """Mask the family secret; masking the result again restores it."""
    mask = hashlib.sha256(b"mask" + random).digest()[:FAMILY_SECRET_BYTES]
    masked = int.from_bytes(family_secret, "big") ^ int.from_bytes(mask, "big")
    return masked.to_bytes(FAMILY_SECRET_BYTES, "big")


def _check(content: bytes) -> bytes:
    return hashlib.sha256(b"check" + content).digest()[:_CHECK_BYTES]


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """One generation of a family. `value` is the token that the client has."""

    random: bytes = field(repr=False)  # 32 bytes, new in each generation
    family_secret: bytes = field(repr=False)  # 16 bytes, the same in all generations
    value: str = field(repr=False)

    @classmethod
    def of(cls, random: bytes, family_secret: bytes) -> "RefreshToken":
        """The generation of the family with these random bytes."""
        content = random + _masked(family_secret, random)
        return cls(random, family_secret, _PREFIX + base64url(content + _check(content)))

    @property
    def hash(self) -> bytes:
        """The hash under which this generation is stored."""
        return digest(self.value)

    @property
    def family_hash(self) -> bytes:
        """The hash under which the family is stored."""
        return hashlib.sha256(b"family" + self.family_secret).digest()

    def succeeded_by(self, random: bytes) -> "RefreshToken":
        """The next generation, made of 32 random bytes."""
        return RefreshToken.of(random, self.family_secret)


def parse_refresh_token(value: str) -> RefreshToken | None:
    """The parsed token. None: it is not a refresh token of this server, or it is damaged."""
    if not value.startswith(_PREFIX):
        return None
    try:
        data = from_base64url(value.removeprefix(_PREFIX))
    except ValueError:
        return None
    if len(data) != _LENGTH:
        return None
    content, check = data[:-_CHECK_BYTES], data[-_CHECK_BYTES:]
    if not hmac.compare_digest(_check(content), check):
        return None
    random, masked = content[:RANDOM_BYTES], content[RANDOM_BYTES:]
    return RefreshToken(random, _masked(masked, random), value)


def _cipher(presented: RefreshToken) -> AESGCM:
    derived = HKDF(SHA256(), 32, salt=presented.family_secret, info=_INFO).derive(presented.random)
    return AESGCM(derived)


def seal_successor(presented: RefreshToken, successor: RefreshToken, nonce: bytes) -> bytes:
    """*successor*, sealed for the holder of *presented*; *nonce* is 12 random bytes."""
    return nonce + _cipher(presented).encrypt(nonce, successor.random, None)


def open_successor(presented: RefreshToken, sealed: bytes) -> RefreshToken:
    """The successor sealed for *presented*. Raises CannotOpen."""
    try:
        random = _cipher(presented).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], None)
    except InvalidTag:
        raise CannotOpen from None
    return presented.succeeded_by(random)
