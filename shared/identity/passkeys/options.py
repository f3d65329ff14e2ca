"""What the page asks the browser, in the JSON form of WebAuthn Level 3 §5.1.8 and §5.1.9. Pure."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from shared.codec.base64url import base64url
from shared.identity.passkeys.challenge import LIFETIME
from shared.identity.passkeys.passkey import Passkey, RelyingParty

ALGORITHMS = (-8, -7, -257)
"""EdDSA, ES256 and RS256, by their COSE numbers, the preferred one first."""

_TIMEOUT = int(LIFETIME.total_seconds() * 1000)


def creation_options(
    relying_party: RelyingParty,
    challenge: bytes,
    user_id: UUID,
    username: str,
    existing: Iterable[Passkey] = (),
) -> dict[str, Any]:
    """Options for a new passkey of a user, on an authenticator that has none of the *existing* ones."""
    return {
        "rp": {"id": relying_party.rp_id, "name": relying_party.name},
        "user": {"id": base64url(user_id.bytes), "name": username, "displayName": username},
        "challenge": base64url(challenge),
        "pubKeyCredParams": [{"type": "public-key", "alg": each} for each in ALGORITHMS],
        "timeout": _TIMEOUT,
        "excludeCredentials": [_descriptor(each) for each in existing],
        "authenticatorSelection": {
            "residentKey": "required",
            "requireResidentKey": True,
            "userVerification": "preferred",
        },
        "attestation": "none",
        "extensions": {"credProps": True},
    }


def request_options(
    relying_party: RelyingParty, challenge: bytes, allowed: Iterable[Passkey] = ()
) -> dict[str, Any]:
    """Options for a sign-in: with any discoverable passkey, unless only some are *allowed*."""
    return {
        "rpId": relying_party.rp_id,
        "challenge": base64url(challenge),
        "timeout": _TIMEOUT,
        "userVerification": "preferred",
        "allowCredentials": [_descriptor(each) for each in allowed],
    }


def _descriptor(passkey: Passkey) -> dict[str, Any]:
    descriptor: dict[str, Any] = {"type": "public-key", "id": base64url(passkey.passkey_id)}
    return descriptor | ({"transports": list(passkey.transports)} if passkey.transports else {})
