"""Checks of a client's registration for signed and encrypted responses.

OpenID Connect Registration 1.0 §2, RFC 9701 §6, JARM §3.
"""

from collections.abc import Iterator, Sequence

from shared.oauth.client.jwks import BadKey
from shared.oauth.client.record import Client
from shared.oauth.tokens.jwe import (
    CONTENT_ENCRYPTIONS,
    DEFAULT_CONTENT_ENCRYPTION,
    ENCRYPTION_ALGORITHMS,
    recipient,
)

_SIGNED = ("id_token", "userinfo", "introspection", "authorization")
_ENCRYPTED = ("id_token", "userinfo", "introspection")

_UNSUPPORTED = "is not supported by this server"


def response_faults(client: Client, signing_algorithms: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The path of a member, and what is wrong with it."""
    for member, _ in unsigned_responses(client, signing_algorithms):
        yield member, _UNSUPPORTED
    for response in _ENCRYPTED:
        yield from _encryption_faults(client, response)


def unsigned_responses(client: Client, signing_algorithms: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each response whose registered signing algorithm is not supported: the member and the algorithm."""
    for response in _SIGNED:
        alg = getattr(client, member := f"{response}_signed_response_alg")
        if alg is not None and alg not in signing_algorithms:
            yield member, alg


def _encryption_faults(client: Client, response: str) -> Iterator[tuple[str, str]]:
    name = f"{response}_encrypted_response"
    alg: str | None = getattr(client, f"{name}_alg")
    enc: str | None = getattr(client, f"{name}_enc")
    if not alg:
        if enc:
            yield f"{name}_enc", f"has no meaning without {name}_alg"
        return
    enc = enc or DEFAULT_CONTENT_ENCRYPTION
    if alg not in ENCRYPTION_ALGORITHMS:
        yield f"{name}_alg", _UNSUPPORTED
    elif client.jwks_uri is None and not _can_encrypt(client, alg, enc):
        yield f"{name}_alg", "needs a public key in jwks, or a jwks_uri"
    if enc not in CONTENT_ENCRYPTIONS:
        yield f"{name}_enc", _UNSUPPORTED


def _can_encrypt(client: Client, alg: str, enc: str) -> bool:
    try:
        recipient(client.jwks or {}, alg, enc)
    except BadKey:
        return False
    return True
