"""An authenticator in software: makes passkeys and signs challenges, and can be told to misbehave."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntFlag
from hashlib import sha256
from typing import Any
from uuid import UUID

import cbor2
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256

from shared.codec.base64url import base64url, from_base64url
from shared.live.randomness import new_id

ES256 = -7


class Flags(IntFlag):
    """The flags of authenticator data, WebAuthn Level 3 §6.1."""

    PRESENT = 0x01
    VERIFIED = 0x04
    SYNCED = 0x08  # backup eligibility
    BACKED_UP = 0x10
    ATTESTED = 0x40


USUAL = Flags.PRESENT | Flags.VERIFIED | Flags.SYNCED | Flags.BACKED_UP
"""A passkey of a phone or a password manager."""


@dataclass(frozen=True, slots=True)
class Authenticator:
    """One passkey, and how its authenticator and browser answer.

    `client_data`: members that replace those of the browser; `prefix`: bytes before them.
    """

    origin: str
    rp_id: str = "localhost"
    flags: Flags = USUAL
    count: int = 0
    algorithm: int = ES256
    passkey_id: bytes = field(default_factory=lambda: new_id().bytes)
    aaguid: UUID = field(default_factory=lambda: UUID(int=0))
    key: EllipticCurvePrivateKey = field(default_factory=lambda: generate_private_key(SECP256R1()))
    client_data: Mapping[str, Any] = field(default_factory=dict)
    prefix: bytes = b""

    def but(self, **changes: Any) -> "Authenticator":
        """The same passkey, with other behaviour."""
        return replace(self, **changes)

    def create(self, options: Mapping[str, Any], **more: Any) -> str:
        """The result of `navigator.credentials.create()` in JSON, with *more* members."""
        client_data = self._client_data("webauthn.create", options["challenge"])
        point = self.key.public_key().public_numbers()
        public_key = {
            1: 2,
            3: self.algorithm,
            -1: 1,
            -2: point.x.to_bytes(32, "big"),
            -3: point.y.to_bytes(32, "big"),
        }
        attested = self.aaguid.bytes + len(self.passkey_id).to_bytes(2, "big") + self.passkey_id
        data = self._data(self.flags | Flags.ATTESTED) + attested + cbor2.dumps(public_key)
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        response = {
            "clientDataJSON": base64url(client_data),
            "attestationObject": base64url(attestation),
            "transports": ["internal", "hybrid"],
        }
        return self._result(response, more)

    def get(self, options: Mapping[str, Any], user_handle: str | None = None, **more: Any) -> str:
        """The result of `navigator.credentials.get()` in JSON, with *more* members."""
        client_data, data = self._client_data("webauthn.get", options["challenge"]), self._data(self.flags)
        signature = self.key.sign(data + sha256(client_data).digest(), ECDSA(SHA256()))
        response = {
            "clientDataJSON": base64url(client_data),
            "authenticatorData": base64url(data),
            "signature": base64url(signature),
            "userHandle": user_handle,
        }
        return self._result(response, more)

    def _result(self, response: Mapping[str, Any], more: Mapping[str, Any]) -> str:
        return json.dumps(
            {
                "id": base64url(self.passkey_id),
                "rawId": base64url(self.passkey_id),
                "type": "public-key",
                "response": response,
                "clientExtensionResults": {},
                **more,
            }
        )

    def _data(self, flags: Flags) -> bytes:
        return sha256(self.rp_id.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _client_data(self, kind: str, challenge: str) -> bytes:
        from_base64url(challenge)
        members = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return self.prefix + json.dumps({**members, **self.client_data}).encode()
