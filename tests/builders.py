"""Records for tests: clients, users, sessions and codes, with defaults for irrelevant members."""

import hashlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from shared.live import clock
from shared.live.randomness import new_handle, new_id
from shared.model import Authentication, Authorization, AuthorizationCode, Json, User
from shared.oauth.client.record import Client, ClientSecret
from shared.oauth.pkce import challenge_of
from shared.oauth.tokens.handle import Kind, digest
from shared.store import Attempt
from shared.store.open import Stores
from shared.store.postgres.transport.database import Database

REDIRECT_URI = "https://rp1.test/cb"
SECRET = "the secret of a client, which nobody guesses"
VERIFIER = "a-code-verifier-of-more-than-forty-three-characters"
SCOPE = ("openid", "profile", "email", "offline_access")

CLAIMS = {
    "name": "Ada Lovelace",
    "email": "ada@example.org",
    "email_verified": True,
    "groupPath": "/",
}

_ADD_SESSION = """
INSERT INTO sessions (session_key, sid, user_id, epoch, expires_at) VALUES ($1, $2, $3, $4, $5)"""


def a_client(client_id: str | None = None, **fields: Any) -> Client:
    """A confidential client with every grant type and the secret SECRET."""
    secret = ClientSecret(hashlib.sha256(SECRET.encode()).digest())
    defaults: dict[str, Any] = {
        "redirect_uris": (REDIRECT_URI,),
        "grant_types": ("authorization_code", "refresh_token", "client_credentials"),
        "scope": (*SCOPE, "pydio", "offline", "api:read", "api:write"),
        "secrets": (secret,),
        "id_token_signed_response_alg": "ES256",
    }
    return Client(client_id=client_id or f"client-{uuid4().hex[:12]}", **{**defaults, **fields})


def a_public_client(client_id: str | None = None, **fields: Any) -> Client:
    """A client that cannot keep a secret."""
    return a_client(client_id, token_endpoint_auth_method="none", secrets=(), **fields)


def an_attempt(
    attempt_id: UUID | None = None, *, age: float | None = None, patience: float = 60.0
) -> Attempt:
    """An attempt to redeem a code. *age*: seconds since its request was complete, if it proved something."""
    now = time.monotonic()
    return Attempt(
        attempt_id=attempt_id or new_id(),
        deadline=now + patience,
        completed_at=None if age is None else now - age,
    )


@dataclass(frozen=True, slots=True)
class SignIn:
    """A user with a browser session."""

    user: User
    sid: UUID

    def authorization(self, client_id: str, **fields: Any) -> Authorization:
        """The authorization that the user gave a client."""
        defaults: dict[str, Any] = {
            "scope": SCOPE,
            "nonce": "n-0S6_WzA2Mj",
            "authentication": Authentication(
                auth_time=clock.now().replace(microsecond=0) - timedelta(minutes=5),
                acr="urn:ostiary:acr:pwd",
                amr=("pwd",),
            ),
        }
        return Authorization(
            client_id=client_id, user_id=self.user.user_id, sid=self.sid, **{**defaults, **fields}
        )

    def code(self, client_id: str, **fields: Any) -> AuthorizationCode:
        """A code of this sign-in, with the challenge of VERIFIER."""
        names = {"redirect_uri", "code_challenge", "epoch", "expires_at"} & fields.keys()
        own = {name: fields.pop(name) for name in names}
        code = AuthorizationCode(
            authorization=self.authorization(client_id, **fields),
            redirect_uri=REDIRECT_URI,
            code_challenge=challenge_of(VERIFIER),
            epoch=self.user.epoch,
            expires_at=clock.now() + timedelta(seconds=60),
        )
        return replace(code, **own)


@dataclass(frozen=True, slots=True)
class World:
    """The stores of a test, and a way to put records into them."""

    stores: Stores
    database: Database

    async def client(self, **fields: Any) -> Client:
        """Register a confidential client."""
        return await self._added(a_client(**fields))

    async def public_client(self, **fields: Any) -> Client:
        """Register a client that cannot keep a secret."""
        return await self._added(a_public_client(**fields))

    async def _added(self, client: Client) -> Client:
        await self.stores.clients.add(client)
        added = await self.stores.clients.find(client.client_id)
        return replace(client, epoch=added.epoch) if added else client

    async def user(self, **fields: Any) -> User:
        """A user without a password."""
        user_id = uuid4()
        claims = {**CLAIMS, "email": f"{user_id.hex[:12]}@example.org"}
        user = User(**{"user_id": user_id, "username": f"ada-{user_id.hex[:12]}", "claims": claims, **fields})
        await self.stores.users.add(user, None)
        return user

    async def session(self, user: User) -> UUID:
        """A browser session of the user, in PostgreSQL only."""
        sid = uuid4()
        await self.database.row(
            _ADD_SESSION, sid.bytes * 2, sid, user.user_id, user.epoch, clock.now() + timedelta(hours=12)
        )
        return sid

    async def sign_in(self) -> SignIn:
        """A new user with a browser session."""
        user = await self.user()
        return SignIn(user, await self.session(user))

    async def end_session(self, sid: UUID) -> None:
        """Sign the browser out."""
        await self.database.row("UPDATE sessions SET ended_at = now() WHERE sid = $1", sid)

    async def issued(self, authorization: Authorization) -> Authorization:
        """The authorization, with the client's current epoch."""
        client = await self.stores.clients.find(authorization.client_id)
        return replace(authorization, client_epoch=client.epoch) if client else authorization

    async def issued_code(self, code: AuthorizationCode) -> AuthorizationCode:
        """The code, with the client's current epoch."""
        return replace(code, authorization=await self.issued(code.authorization))

    async def add_code(self, code: AuthorizationCode, lifetime: timedelta = timedelta(seconds=60)) -> str:
        """Store a new code. Returns the code that the client gets."""
        value = new_handle(Kind.AUTHORIZATION_CODE)
        await self.stores.codes.add(digest(value), await self.issued_code(code), lifetime)
        return value

    async def audit_rows(self) -> AsyncIterator[Json]:
        """The rows of the audit log, in order."""
        for row in await self.database.rows("SELECT * FROM audit ORDER BY audit_id"):
            yield dict(row)

    async def audited(self, event: str) -> int:
        """The number of audit rows of an event."""
        row = await self.database.row("SELECT count(*) AS n FROM audit WHERE event = $1", event)
        assert row is not None
        return int(row["n"])


def seconds(moment: datetime) -> int:
    """NumericDate: RFC 7519 §2."""
    return int(moment.timestamp())
