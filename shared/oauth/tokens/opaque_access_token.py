"""Opaque access tokens: sealed, so only this server can read them. Nothing is stored. Pure.

A token is `at_` and base64url of

    layout (1 byte) ‖ key id (4) ‖ nonce (12) ‖ AES-256-GCM-SIV of the content

The content has a fixed part, then texts with their lengths: client_id, sub, scope, the confirmation (in
layout 2), and each audience. A token without a confirmation has layout 1, which earlier releases can open.
The associated data are the issuer, the kind of token, the key id and, after layout 1, the layout.
"""

import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from shared.codec.base64url import base64url, from_base64url
from shared.model import Scope
from shared.oauth.sender.sender import UNBOUND, Sender, UnknownConfirmation, sender_of
from shared.oauth.tokens.access_token import AccessToken, NotAnAccessToken
from shared.oauth.tokens.handle import Kind
from shared.oauth.tokens.keys import SealingKey

NONCE_BYTES = 12
MAX_LENGTH = 1024
PREFIX = f"{Kind.ACCESS_TOKEN}_"  # of opaque access tokens

_UNCONFIRMED, _CONFIRMED = 1, 2  # the layouts
_HEAD = struct.Struct(f">B4s{NONCE_BYTES}s")
_TAG_BYTES = 16
_FIXED = struct.Struct(">16s?16sQI")  # token id, has a grant, grant id or client epoch, iat, s until exp
_LENGTH = struct.Struct(">H")
_GRANT_BYTES = 16


class TooLong(Exception):
    """The token would be longer than MAX_LENGTH."""


def _texts(client_id: str, sub: str, scope: Scope, sender: Sender, aud: tuple[str, ...]) -> tuple[str, ...]:
    confirmation = [f"{method}={thumbprint}" for method, thumbprint in (sender.cnf or {}).items()]
    return (client_id, sub, " ".join(scope), *confirmation, *aud)


def _pack(token: AccessToken) -> bytes:
    iat = int(token.iat.timestamp())
    fixed = _FIXED.pack(
        token.token_id.bytes,
        token.grant_id is not None,
        token.grant_id.bytes if token.grant_id else (token.client_epoch or 0).to_bytes(_GRANT_BYTES, "big"),
        iat,
        int(token.exp.timestamp()) - iat,
    )
    texts = _texts(token.client_id, token.sub, token.scope, token.sender, token.aud)
    encoded = [text.encode() for text in texts]
    if sum(map(len, encoded)) > MAX_LENGTH:
        raise TooLong
    return fixed + b"".join([_LENGTH.pack(len(text)) + text for text in encoded])


def _unpack(content: bytes, layout: int) -> AccessToken:
    """Raises UnknownConfirmation."""
    token_id, has_grant, grant_id, iat, seconds = _FIXED.unpack_from(content)
    at, texts = _FIXED.size, []
    while at < len(content):
        (length,) = _LENGTH.unpack_from(content, at)
        at += _LENGTH.size + length
        texts.append(content[at - length : at].decode())
    client_id, sub, scope, *aud = texts
    sender: Sender = UNBOUND
    if layout == _CONFIRMED:
        method, _, thumbprint = aud.pop(0).partition("=")
        sender = sender_of({method: thumbprint})
    return AccessToken(
        token_id=UUID(bytes=token_id),
        grant_id=UUID(bytes=grant_id) if has_grant else None,
        client_id=client_id,
        sub=sub,
        scope=tuple(scope.split()),
        aud=tuple(aud),
        iat=datetime.fromtimestamp(iat, UTC),
        exp=datetime.fromtimestamp(iat + seconds, UTC),
        sender=sender,
        client_epoch=None if has_grant else int.from_bytes(grant_id, "big"),
    )


@lru_cache(maxsize=1024)
def sealed_length(client_id: str, sub: str, scope: Scope, sender: Sender, aud: tuple[str, ...]) -> int:
    """The length in characters of an opaque access token with this content. MAX_LENGTH is the limit."""
    texts = _texts(client_id, sub, scope, sender, aud)
    content = _FIXED.size + sum(_LENGTH.size + len(text.encode()) for text in texts)
    return len(PREFIX) + (4 * (_HEAD.size + content + _TAG_BYTES) + 2) // 3


@lru_cache(maxsize=64)
def _associated(issuer: str, kid: bytes, layout: int) -> bytes:
    # Without the layout, a token could be read with another layout and lose its confirmation.
    added = () if layout == _UNCONFIRMED else (bytes([layout]),)
    return b"\0".join((issuer.encode(), PREFIX.encode(), kid, *added))


@lru_cache(maxsize=16)
def _cipher(secret: bytes) -> AESGCMSIV:
    return AESGCMSIV(secret)


def seal(token: AccessToken, key: SealingKey, issuer: str, nonce: bytes) -> str:
    """An opaque access token; *nonce* is 12 random bytes. Times are truncated to seconds. Raises TooLong."""
    kid = bytes.fromhex(key.kid)
    layout = _CONFIRMED if token.sender.cnf else _UNCONFIRMED
    sealed = _cipher(key.secret).encrypt(nonce, _pack(token), _associated(issuer, kid, layout))
    value = PREFIX + base64url(_HEAD.pack(layout, kid, nonce) + sealed)
    if len(value) > MAX_LENGTH:
        raise TooLong
    return value


@dataclass(frozen=True, slots=True)
class Sealed:
    """An opaque access token that has not been opened. `kid`: the key that it claims to be sealed with."""

    layout: int
    kid: str
    nonce: bytes
    content: bytes


def parse_sealed(value: str) -> Sealed:
    """Raises NotAnAccessToken."""
    if not value.startswith(PREFIX) or len(value) > MAX_LENGTH:
        raise NotAnAccessToken
    try:
        data = from_base64url(value.removeprefix(PREFIX))
    except ValueError:
        raise NotAnAccessToken from None
    if len(data) < _HEAD.size + _TAG_BYTES:
        raise NotAnAccessToken
    layout, kid, nonce = _HEAD.unpack_from(data)
    if layout not in (_UNCONFIRMED, _CONFIRMED):
        raise NotAnAccessToken
    return Sealed(layout, kid.hex(), nonce, data[_HEAD.size :])


def unseal(sealed: Sealed, key: SealingKey, issuer: str) -> AccessToken:
    """The content of an opaque access token sealed with *key*, expired or not. Raises NotAnAccessToken."""
    try:
        associated = _associated(issuer, bytes.fromhex(sealed.kid), sealed.layout)
        content = _cipher(key.secret).decrypt(sealed.nonce, sealed.content, associated)
        return _unpack(content, sealed.layout)
    except (InvalidTag, UnknownConfirmation):
        raise NotAnAccessToken from None
