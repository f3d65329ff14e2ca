"""The step that authenticates a client, for every endpoint that asks for it."""

from dataclasses import dataclass
from datetime import datetime

from shared.live.client_cache import ClientCache
from shared.live.client_keys import ClientKeys, NoKeys
from shared.model import Client
from shared.oauth.client_auth import (
    Assertion,
    SecretBasic,
    SecretPost,
    check_assertion,
    check_header,
    check_secret,
    presented,
    refused,
    verify_with_secrets,
)
from shared.oauth.jwt import BadJwt, SignedClaims
from shared.oauth.parameters import Parameters
from shared.paths import TOKEN, Path
from shared.store import ReplayMarks

ASSERTION = "client_assertion"  # the kind of its replay marks


def assertion_audiences(issuer: str, endpoint: Path) -> tuple[str, ...]:
    """What an assertion sent to *endpoint* may address: the issuer, the token endpoint, or that endpoint."""
    return tuple(dict.fromkeys((issuer, TOKEN.at(issuer), endpoint.at(issuer))))


@dataclass(frozen=True, slots=True)
class ClientAuthentication:
    """`audiences`: what an assertion may address, the issuer first (RFC 7523 §3, RFC 9126 §2)."""

    clients: ClientCache
    keys: ClientKeys
    replay_marks: ReplayMarks
    audiences: tuple[str, ...]

    async def client(self, authorization: str | None, form: Parameters, now: datetime) -> Client:
        """The client that a request comes from, given its Authorization header and its form.

        Raises InvalidClient: unknown, disabled, another method than the registered one, or credentials that
        do not hold, all alike. Raises InvalidRequest: two credentials at once. Raises Unavailable.
        """
        credentials = presented(authorization, form)
        client = await self.clients.find(credentials.client_id)
        if client and client.token_endpoint_auth_method not in credentials.methods:
            raise refused(f"registered for {client.token_endpoint_auth_method}")
        match credentials:
            case SecretBasic() | SecretPost():
                check_secret(client, credentials.secret, now)
            case Assertion() if client:
                await self._check_assertion(credentials.token, client, now)
        if client is None or client.disabled_at is not None:
            raise refused("the client is unknown or disabled")
        return client

    async def _check_assertion(self, token: str, client: Client, now: datetime) -> None:
        claims = await self._verified(token, client, now)
        proven = check_assertion(claims, client, self.audiences, now)
        if not await self.replay_marks.add(
            ASSERTION, client.client_id, proven.jti, proven.issued_at, proven.expires_at
        ):
            raise refused("the assertion's jti was used before")

    async def _verified(self, token: str, client: Client, now: datetime) -> SignedClaims:
        try:
            check_header(token, client)
            if client.token_endpoint_auth_method == "client_secret_jwt":
                return verify_with_secrets(token, client, now)
            return await self.keys.verified(token, client)
        except (BadJwt, NoKeys) as fault:
            raise refused(f"the assertion: {fault}") from None
