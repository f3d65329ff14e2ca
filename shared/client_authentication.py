"""The step that authenticates a client, for every endpoint that asks for it."""

from dataclasses import dataclass
from datetime import datetime

from shared.client_cache import ClientCache
from shared.model import Client
from shared.oauth.client_auth import (
    Anonymous,
    Assertion,
    Credentials,
    SecretBasic,
    SecretPost,
    check_assertion,
    check_secret,
    presented,
    refused,
)
from shared.oauth.parameters import Parameters
from shared.store import ReplayMarks

ASSERTION = "client_assertion"  # the kind of its replay marks

_METHODS = {
    Anonymous: "none",
    SecretBasic: "client_secret_basic",
    SecretPost: "client_secret_post",
    Assertion: "private_key_jwt",
}


@dataclass(frozen=True, slots=True)
class ClientAuthentication:
    """`audiences`: whom an assertion may address, the issuer and the token endpoint (RFC 7523 §3)."""

    clients: ClientCache
    replay_marks: ReplayMarks
    audiences: tuple[str, ...]

    async def client(self, authorization: str | None, form: Parameters, now: datetime) -> Client:
        """The client that a request comes from, given its Authorization header and its form.

        Raises InvalidClient: unknown, disabled, another method than the registered one, or credentials that
        do not hold, all alike. Raises InvalidRequest: two credentials at once. Raises Unavailable.
        """
        credentials = presented(authorization, form)
        client = await self.clients.find(credentials.client_id)
        await self._check(credentials, client, now)
        if client is None or client.disabled_at is not None:
            raise refused("the client is unknown or disabled")
        return client

    async def _check(self, credentials: Credentials, client: Client | None, now: datetime) -> None:
        if client and client.token_endpoint_auth_method != _METHODS[type(credentials)]:
            raise refused(f"registered for {client.token_endpoint_auth_method}")
        match credentials:
            case SecretBasic(_, secret) | SecretPost(_, secret):
                check_secret(client, secret, now)
            case Assertion(_, token) if client:
                proven = check_assertion(token, client, self.audiences, now)
                if not await self.replay_marks.add(
                    ASSERTION, client.client_id, proven.jti, proven.issued_at, proven.expires_at
                ):
                    raise refused("the assertion's jti was used before")
