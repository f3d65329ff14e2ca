"""Finds the key to encrypt a response with.

Called before anything is spent, because it may be unavailable.
"""

from dataclasses import dataclass

from shared.live.client_keys import ClientKeys, NoKeys
from shared.oauth.client.jwks import BadKey
from shared.oauth.client.record import Client
from shared.oauth.tokens.jwe import DEFAULT_CONTENT_ENCRYPTION, Recipient
from shared.store import Unavailable


class NoRecipient(Unavailable):
    """The client requires encryption, and its key is unavailable. The response is never sent in the clear."""


@dataclass(frozen=True, slots=True)
class Encryption:
    """Finds recipients. None: the client has not registered encryption. Raises NoRecipient."""

    keys: ClientKeys

    async def of_id_token(self, client: Client) -> Recipient | None:
        alg, enc = client.id_token_encrypted_response_alg, client.id_token_encrypted_response_enc
        return await self._of(client, alg, enc) if alg else None

    async def of_userinfo(self, client: Client) -> Recipient | None:
        alg, enc = client.userinfo_encrypted_response_alg, client.userinfo_encrypted_response_enc
        return await self._of(client, alg, enc) if alg else None

    async def of_introspection(self, client: Client) -> Recipient | None:
        alg, enc = client.introspection_encrypted_response_alg, client.introspection_encrypted_response_enc
        return await self._of(client, alg, enc) if alg else None

    async def _of(self, client: Client, alg: str, enc: str | None) -> Recipient:
        try:
            return await self.keys.recipient(client, alg, enc or DEFAULT_CONTENT_ENCRYPTION)
        except (NoKeys, BadKey) as fault:
            raise NoRecipient(f"nothing can be encrypted to {client.client_id}: {fault}") from None
