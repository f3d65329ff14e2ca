"""The users, clients and tokens that requests use, created through the ports of the stores."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from hashlib import sha256
from secrets import token_bytes, token_urlsafe
from typing import TypeVar
from urllib.parse import urlsplit
from uuid import UUID

from shared.browser.cookies import Cookies
from shared.config.settings import Settings
from shared.identity.passwords import hash_password
from shared.live import clock
from shared.live.keyring import open_keys
from shared.live.randomness import new_handle, new_id
from shared.model import Authentication, Authorization, AuthorizationCode, Session, User
from shared.oauth.authentication_methods import ACR_PASSWORD
from shared.oauth.client.record import Client, ClientSecret
from shared.oauth.pkce import challenge_of
from shared.oauth.resource.record import ProtectedResource
from shared.oauth.tokens.access_token import AccessToken
from shared.oauth.tokens.handle import Kind, digest
from shared.oauth.tokens.keys import SealingKey
from shared.oauth.tokens.opaque_access_token import NONCE_BYTES, seal
from shared.oauth.tokens.refresh_token import FAMILY_SECRET_BYTES, RANDOM_BYTES, RefreshToken
from shared.operations.keys import ensure_keys
from shared.store import Attempt, NewFamily
from shared.store.open import Stores, open_stores

Made = TypeVar("Made")

SIZE = 10_000
"""Users, each with a session, a consent, a grant, an access token and a refresh token for each client."""

SCOPE = ("openid", "profile", "email")
REDIRECT_URI = "https://app.example/callback"
CODE_VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # RFC 7636 appendix B
CODE_CHALLENGE = challenge_of(CODE_VERIFIER)

PASSWORD = "correct horse battery staple"  # of every user

RESOURCE = "https://api.example/bench"
"""A protected resource."""

_DAY = timedelta(days=1)  # nothing expires while it is measured


class BenchClient(StrEnum):
    """The clients by client_id, which says what is signed for them."""

    ES256 = "bench-es256"  # ID tokens; access tokens are opaque
    RS256 = "bench-rs256"
    JWT = "bench-jwt"  # access tokens too, with ES256


@dataclass(frozen=True, slots=True)
class Population:
    """The credentials that clients and browsers hold."""

    host: str  # the authority of the issuer
    client_secret: str
    usernames: tuple[str, ...]
    cookies: tuple[str, ...]
    access_tokens: tuple[str, ...]
    refresh_tokens: Mapping[BenchClient, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class _Person:
    """A user who has signed in, and their browser's handle of the session."""

    user: User
    session: Session
    handle: str


def _client(client_id: str, secret: str) -> Client:
    return Client(
        client_id=client_id,
        redirect_uris=(REDIRECT_URI,),
        grant_types=("authorization_code", "refresh_token", "client_credentials"),
        scope=(*SCOPE, "offline_access", "api"),
        id_token_signed_response_alg="RS256" if client_id == BenchClient.RS256 else "ES256",
        access_token_format="jwt" if client_id == BenchClient.JWT else "opaque",
        secrets=(ClientSecret(sha256(secret.encode()).digest()),),
    )


def _person(number: int, now: datetime) -> _Person:
    handle = new_handle(Kind.SESSION)
    email = f"user-{number}@example.org"
    claims = {"name": f"User {number}", "given_name": "User", "family_name": str(number), "email": email}
    user = User(user_id=new_id(), username=f"user-{number}", claims=claims)
    session = Session(
        session_key=digest(handle),
        sid=new_id(),
        user_id=user.user_id,
        username=user.username,
        epoch=user.epoch,
        authentication=Authentication(auth_time=now, acr=ACR_PASSWORD, amr=("pwd",)),
        expires_at=now + _DAY,
    )
    return _Person(user, session, handle)


@dataclass(frozen=True, slots=True)
class _Settler:
    """Adds users to the stores, and hands out their sessions and their clients' tokens."""

    stores: Stores
    issuer: str
    sealing_key: SealingKey
    client_epochs: Mapping[BenchClient, int]
    password_hash: str
    now: datetime

    async def settle(self, person: _Person) -> None:
        """The user, the session and the consents."""
        await self.stores.users.add(person.user, self.password_hash)
        await self.stores.sessions.begin(person.session, None, {})
        for client in (BenchClient.ES256, BenchClient.RS256):
            await self.stores.consents.add(person.user.user_id, client, SCOPE, is_remembered=True)

    async def grant(self, person: _Person, client: BenchClient) -> tuple[str, str]:
        """An access token and a valid refresh token."""
        authorization = Authorization(
            client_id=client,
            user_id=person.user.user_id,
            sid=person.session.sid,
            scope=(*SCOPE, "offline_access"),
            authentication=person.session.authentication,
            client_epoch=self.client_epochs[client],
        )
        code = AuthorizationCode(
            authorization=authorization,
            redirect_uri=REDIRECT_URI,
            code_challenge=CODE_CHALLENGE,
            epoch=person.user.epoch,
            expires_at=self.now + _DAY,
        )
        refresh_token = RefreshToken.of(token_bytes(RANDOM_BYTES), token_bytes(FAMILY_SECRET_BYTES))
        family = NewFamily(
            family_hash=refresh_token.family_hash,
            token_hash=refresh_token.hash,
            idle=_DAY,
            expires_at=self.now + _DAY,
        )
        grant_id = new_id()
        attempt = Attempt(attempt_id=grant_id, deadline=clock.monotonic() + 60, completed_at=None)
        await self.stores.grants.redeem(attempt, token_bytes(32), code, self.now + _DAY, family)
        return self._access_token(grant_id, authorization), refresh_token.value

    def _access_token(self, grant_id: UUID, authorization: Authorization) -> str:
        token = AccessToken(
            token_id=new_id(),
            grant_id=grant_id,
            client_id=authorization.client_id,
            sub=str(authorization.user_id),
            scope=authorization.scope,
            aud=(self.issuer,),
            iat=self.now,
            exp=self.now + _DAY,
        )
        return seal(token, self.sealing_key, self.issuer, token_bytes(NONCE_BYTES))


AT_ONCE = 16  # as many as a pool has connections


async def _each(people: Iterable[_Person], step: Callable[[_Person], Awaitable[Made]]) -> list[Made]:
    """Run *step* for every user, as many at once as there are connections. The results are in order."""
    free = asyncio.Semaphore(AT_ONCE)

    async def one(person: _Person) -> Made:
        async with free:
            return await step(person)

    return await asyncio.gather(*map(one, people))


async def populate(settings: Settings, size: int = SIZE) -> Population:
    """Keys, clients, a protected resource and *size* people."""
    now, client_secret = clock.now(), token_urlsafe(32)
    secret_key = settings.secret_key[0].get_secret_value()
    people = [_person(number, now) for number in range(size)]
    async with open_stores(settings) as stores:
        await ensure_keys(stores.keys, settings.signing_algorithms, secret_key, now)
        epochs = {}
        for client in BenchClient:
            await stores.clients.add(_client(client, client_secret))
            added = await stores.clients.find(client)
            epochs[client] = added.epoch if added else 0
        await stores.protected_resources.add(ProtectedResource(resource=RESOURCE, name="bench"))
        sealing_key = open_keys(await stores.keys.load(), [secret_key]).sealer(now)
        settler = _Settler(stores, settings.issuer, sealing_key, epochs, hash_password(PASSWORD), now)
        await _each(people, settler.settle)
        tokens = {
            client: await _each(people, partial(settler.grant, client=client))
            for client in (BenchClient.ES256, BenchClient.RS256)
        }
    cookie = Cookies.of(settings).session
    return Population(
        host=urlsplit(settings.issuer).netloc,
        client_secret=client_secret,
        usernames=tuple(person.user.username for person in people),
        cookies=tuple(f"{cookie}={person.handle}" for person in people),
        access_tokens=tuple(access_token for access_token, _ in tokens[BenchClient.ES256]),
        refresh_tokens={client: tuple(token for _, token in held) for client, held in tokens.items()},
    )
