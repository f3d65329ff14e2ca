"""Authenticates clients, for every endpoint that requires it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from shared.live.address_block import address_block
from shared.live.client_keys import ClientKeys, NoKeys
from shared.live.rate_limiter import Rate, RateLimiter
from shared.oauth.client.assertion import check_assertion, check_header, verify_with_secrets
from shared.oauth.client.authentication import (
    Assertion,
    Credentials,
    SecretBasic,
    SecretPost,
    accepts,
    check_secret,
    presented,
    refused,
)
from shared.oauth.client.record import Client
from shared.oauth.client.stand_in import stand_in
from shared.oauth.errors import InvalidClient, OAuthError, TooManyRequests
from shared.oauth.parameters import Parameters
from shared.oauth.refusal import Detail, Reason
from shared.oauth.tokens.jwt import BadJwt, SignedClaims
from shared.paths import TOKEN, Path
from shared.store import ReplayMarks

ASSERTION = "client_assertion"  # the kind of replay marks for assertions


RATE = Rate(most=60, period=timedelta(minutes=1))
"""The limit on failed attempts for a client from an address."""


def assertion_audiences(issuer: str, endpoint: Path) -> tuple[str, ...]:
    """The accepted audiences of an assertion sent to *endpoint*, with the issuer and the token endpoint."""
    return tuple(dict.fromkeys((issuer, TOKEN.at(issuer), endpoint.at(issuer))))


class ClientSource(Protocol):
    """Finds clients, as `ClientCache` does."""

    async def cached(self, client_id: str) -> Client | None: ...

    async def read(self, client_id: str) -> Client | None: ...


@dataclass(frozen=True, slots=True)
class ClientAuthentication:
    """Authenticates clients. `audiences`: the accepted ones, the issuer first (RFC 7523 §3, RFC 9126 §2).

    `failures` are counted by client and address, so an attacker cannot lock out a client elsewhere.
    """

    clients: ClientSource
    keys: ClientKeys
    replay_marks: ReplayMarks
    audiences: tuple[str, ...]
    failures: RateLimiter

    async def client(
        self, authorization: str | None, form: Parameters, address: Callable[[], str], now: datetime
    ) -> Client:
        """The client that authenticates with the Authorization header or the form, from *address*.

        Raises InvalidClient: the client is unknown or disabled, the method is not the registered one, or the
        credentials are wrong; the error does not say which. Raises TooManyRequests after too many failures,
        even for valid credentials. Raises InvalidRequest: two kinds of credentials. Raises Unavailable.
        """
        credentials = presented(authorization, form)
        try:
            if not self.failures.is_empty:
                self._check_rate(_failure_key(credentials, address), now)
            return await self._authenticated(credentials, now)
        except OAuthError as error:
            error.client_id = credentials.client_id
            if isinstance(error, InvalidClient):
                self.failures.count(_failure_key(credentials, address), now)
            raise

    def _check_rate(self, key: str, now: datetime) -> None:
        if wait := self.failures.wait(key, now):
            raise TooManyRequests("too many failed attempts to authenticate this client", wait)

    async def _authenticated(self, credentials: Credentials, now: datetime) -> Client:
        """Check the credentials against the cached client, and after a failure against PostgreSQL.

        So a secret that was just rotated is accepted, and an unknown client takes as long as a wrong secret.
        """
        cached = await self.clients.cached(credentials.client_id)
        try:
            return await self._judged(cached, credentials, now)
        except InvalidClient:
            current = await self.clients.read(credentials.client_id)
            if current == cached:
                raise
        return await self._judged(current, credentials, now)

    async def _judged(self, client: Client | None, credentials: Credentials, now: datetime) -> Client:
        if client and not accepts(client, credentials):
            sent, registered = " or ".join(credentials.methods), client.token_endpoint_auth_method
            raise refused(Detail(Reason.AUTHENTICATION_METHOD, sent, (registered,)))
        if isinstance(credentials, SecretBasic | SecretPost):
            check_secret(client, credentials.secret, now)
        claims = None
        if isinstance(credentials, Assertion):
            claims = await self._verified(credentials, client, now)
        if client is None or client.disabled_at is not None:
            raise refused(Reason.DISABLED_CLIENT if client else Reason.UNKNOWN_CLIENT)
        if claims is not None:
            await self._spend(claims, client, now)
        return client

    async def _spend(self, claims: SignedClaims, client: Client, now: datetime) -> None:
        proven = check_assertion(claims, client, self.audiences, now)
        if not await self.replay_marks.add(
            ASSERTION, client.client_id, proven.jti, proven.issued_at, proven.expires_at
        ):
            raise refused("the assertion's jti was used before")

    async def _verified(self, assertion: Assertion, known: Client | None, now: datetime) -> SignedClaims:
        """The claims of an assertion. That of an unknown client is verified too, so that it takes as long."""
        try:
            client = known or stand_in(assertion.token)
            check_header(assertion.token, client)
            if client.token_endpoint_auth_method == "client_secret_jwt":
                return verify_with_secrets(assertion.token, client, now)
            return await self.keys.verified(assertion.token, client)
        except (BadJwt, NoKeys) as fault:
            raise refused(f"the assertion: {fault}" if known else Reason.UNKNOWN_CLIENT) from None


def _failure_key(credentials: Credentials, address: Callable[[], str]) -> str:
    return f"{credentials.client_id}\0{address_block(address())}"
