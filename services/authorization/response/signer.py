"""Authorization responses as JWTs (JARM)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.issuing.keys_in_use import signer
from shared.live.keyring import KeyRing
from shared.oauth.client.record import Client
from shared.oauth.tokens.jwt import sign

RESPONSE_LIFETIME = timedelta(minutes=10)  # JARM §2.1 recommends it as the maximum


@dataclass(frozen=True, slots=True)
class ResponseSigner:
    """Signs responses as the issuer."""

    issuer: str
    keyring: KeyRing

    def sign(self, client: Client, parameters: Mapping[str, str], now: datetime) -> str:
        """The *parameters* of a response as a JWT (JARM §2.1 and §2.2). Raises Unavailable."""
        key = signer(self.keyring.confirmed(), client.authorization_signed_response_alg, now)
        exp = int((now + RESPONSE_LIFETIME).timestamp())
        return sign(key, {**parameters, "iss": self.issuer, "aud": client.client_id, "exp": exp})
