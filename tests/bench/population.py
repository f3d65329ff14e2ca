"""The users, clients and tokens that requests use, created through the ports of the stores."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from hashlib import sha256
from secrets import token_bytes, token_urlsafe
from typing import TypeVar
from urllib.parse import urlsplit
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from shared.browser.cookies import Cookies
from shared.codec.base64url import base64url
from shared.config.settings import Settings
from shared.identity.passkeys.options import creation_options
from shared.identity.passkeys.passkey import RelyingParty
from shared.identity.passkeys.response import UnverifiedResponse
from shared.identity.passkeys.verification import new_passkey
from shared.identity.passwords import hash_password
from shared.identity.totp import SECRET_BYTES
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
from shared.paths import PREFIX
from shared.store import PASSKEY, Attempt, Credential, NewFamily, NewSecondFactor
from shared.store.open import Stores, open_stores
from tests.authenticator import Authenticator

Made = TypeVar("Made")

SIZE = 10_000
"""Users, each with a session, a consent, a grant, an access token and a refresh token for each client."""

WITH_FACTORS = 2_000
"""Users more with a passkey, and as many with an authenticator app, whose codes work once."""

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
class HeldPasskey:
    """A passkey as its authenticator holds it. `private_key`: PKCS #8, in DER."""

    user_id: UUID
    passkey_id: bytes
    private_key: bytes = field(repr=False)

    def signed(self, challenge: str, origin: str) -> str:
        """The result of `navigator.credentials.get()` for a *challenge* of a page, in JSON."""
        key = load_der_private_key(self.private_key, None)
        assert isinstance(key, EllipticCurvePrivateKey)
        authenticator = Authenticator(origin, passkey_id=self.passkey_id, key=key)
        return authenticator.get({"challenge": challenge}, base64url(self.user_id.bytes))


@dataclass(frozen=True, slots=True)
class HeldSecret:
    """The secret of an authenticator app."""

    username: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Population:
    """The credentials that clients and browsers hold."""

    host: str  # the authority of the issuer
    client_secret: str
    usernames: tuple[str, ...]
    cookies: tuple[str, ...]
    access_tokens: tuple[str, ...]
    refresh_tokens: Mapping[BenchClient, tuple[str, ...]]
    passkeys: tuple[HeldPasskey, ...]
    secrets: tuple[HeldSecret, ...]


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

    async def settle_with_passkey(self, person: _Person) -> HeldPasskey:
        """The user with a passkey that their authenticator keeps."""
        await self.settle(person)
        user, origin = person.user, self.issuer.removesuffix(PREFIX)
        authenticator, relying_party = Authenticator(origin), RelyingParty.of(origin)
        options = creation_options(relying_party, token_bytes(32), user.user_id, user.username)
        passkey = new_passkey(UnverifiedResponse.read(authenticator.create(options)), relying_party)
        credential = Credential(
            credential_id=new_id(),
            user_id=user.user_id,
            kind=PASSKEY,
            data=passkey.to_json(),
            created_at=self.now,
        )
        await self.stores.credentials.add(credential)
        private_key = authenticator.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        return HeldPasskey(user.user_id, authenticator.passkey_id, private_key)

    async def settle_with_app(self, person: _Person) -> HeldSecret:
        """The user with an authenticator app."""
        await self.settle(person)
        secret = token_bytes(SECRET_BYTES)
        new = NewSecondFactor(secret=secret, step=0, recovery_hashes=())
        await self.stores.second_factors.add(person.user.user_id, new)
        return HeldSecret(person.user.username, secret)

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
    """Keys, clients, a protected resource and *size* people, and those with a passkey or an app."""
    now, client_secret = clock.now(), token_urlsafe(32)
    secret_key = settings.secret_key[0].get_secret_value()
    with_factors = min(size, WITH_FACTORS)
    people = [_person(number, now) for number in range(size + 2 * with_factors)]
    people, with_passkey, with_app = people[:size], people[size:-with_factors], people[-with_factors:]
    async with open_stores(settings) as stores:
        await stores.replay_marks.begin(now - _DAY)  # as this Redis is new, it would accept none at first
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
        passkeys = await _each(with_passkey, settler.settle_with_passkey)
        secrets = await _each(with_app, settler.settle_with_app)
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
        passkeys=tuple(passkeys),
        secrets=tuple(secrets),
    )
