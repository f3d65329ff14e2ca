"""Logout tokens, which report the end of sessions (Back-Channel Logout 1.0 §2.4)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.issuing.encryption import Encryption
from shared.issuing.keys_in_use import signer
from shared.issuing.tokens import TokenIssuer
from shared.live.keyring import KeyRing
from shared.oauth.client.record import Client
from shared.oauth.tokens.jwe import encrypt
from shared.oauth.tokens.jwt import sign
from shared.store import LogoutNotice

LOGOUT_TOKEN_LIFETIME = timedelta(minutes=2)  # recommended by §2.4
LOGOUT_TYPE = "logout+jwt"
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"


@dataclass(frozen=True, slots=True)
class LogoutTokens:
    """Issues logout tokens, which are signed and encrypted like the client's ID tokens."""

    issuer: str
    keyring: KeyRing
    tokens: TokenIssuer
    encryption: Encryption

    async def issue(self, notice: LogoutNotice, client: Client, now: datetime) -> str:
        """The logout token of a notice. Raises NoRecipient, Unavailable."""
        recipient = await self.encryption.of_id_token(client)
        key = signer(self.keyring.confirmed(), client.id_token_signed_response_alg, now)
        claims = {
            "iss": self.issuer,
            "sub": self.tokens.sub(notice.user_id, client),
            "aud": [client.client_id],
            "iat": int(now.timestamp()),
            "exp": int((now + LOGOUT_TOKEN_LIFETIME).timestamp()),
            "jti": str(notice.notice_id),
            "sid": str(notice.sid),
            "events": {LOGOUT_EVENT: {}},
        }
        signed = sign(key, claims, LOGOUT_TYPE)
        return encrypt(recipient, signed, cty="JWT") if recipient else signed
