"""The step that finds whom a response is encrypted to: before anything is spent, for a key may not be had."""

from dataclasses import dataclass

from shared.client_keys import ClientKeys, NoKeys
from shared.model import Client
from shared.oauth.client_jwks import BadKey
from shared.oauth.client_responses import encryption_of
from shared.oauth.jwe import Recipient
from shared.store import Unavailable


class NoRecipient(Unavailable):
    """The client wants it encrypted, and its key cannot be had: never in the clear instead."""


@dataclass(frozen=True, slots=True)
class Encryption:
    """None: the client wants the response in the clear. Raises NoRecipient."""

    keys: ClientKeys

    async def of_id_token(self, client: Client) -> Recipient | None:
        return await self._of(client, "id_token")

    async def of_userinfo(self, client: Client) -> Recipient | None:
        return await self._of(client, "userinfo")

    async def of_introspection(self, client: Client) -> Recipient | None:
        return await self._of(client, "introspection")

    async def _of(self, client: Client, response: str) -> Recipient | None:
        wanted = encryption_of(client, response)
        if wanted is None:
            return None
        try:
            return await self.keys.recipient(client, *wanted)
        except (NoKeys, BadKey) as fault:
            raise NoRecipient(f"nothing can be encrypted to {client.client_id}: {fault}") from None
