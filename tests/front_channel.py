"""A deployment that offers every response type: its authorization and token services, and their keys."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest_asyncio

from shared.live.keyring import open_keys
from shared.oauth.client.jwks import public_key
from shared.oauth.client.record import Client
from shared.oauth.tokens.jwt import unverified_header, verify
from tests.authorization import LOCAL_ISSUER, AuthorizationService, serve_authorization
from tests.builders import World
from tests.deployment import SECRET_KEY, TokenService, open_world, serve_tokens, settings_for

RESPONSE_TYPES = (
    "code",
    "id_token",
    "id_token token",
    "code id_token",
    "code token",
    "code id_token token",
)


@dataclass(frozen=True, slots=True)
class Services:
    """Both services of one deployment."""

    op: AuthorizationService
    tokens: TokenService
    world: World

    async def client(self, **fields: Any) -> Client:
        """A confidential client that is registered for every response type."""
        whole = {
            "response_types": RESPONSE_TYPES,
            "grant_types": ("authorization_code", "implicit", "refresh_token"),
            **fields,
        }
        return await self.op.client(**whole)

    async def signed(self, token: str) -> dict[str, Any]:
        """The claims of a JWT that this deployment has signed."""
        keys = open_keys(await self.world.stores.keys.load(), [SECRET_KEY])
        header = unverified_header(token)
        key = keys.verifier(header.kid or "")
        assert key is not None
        return dict(verify(token, public_key(key.jwk), key.alg))


@asynccontextmanager
async def serve_provider(database_url: str, redis_url: str, **others: str) -> AsyncIterator[Services]:
    """A deployment with `OSTIARY_RESPONSE_TYPES=all`; *others* as in `settings_for`."""
    settings = settings_for(
        database_url, redis_url, issuer=LOCAL_ISSUER, rate_limits="off", response_types="all", **others
    )
    async with (
        open_world(settings) as world,
        serve_authorization(settings, world) as op,
        serve_tokens(settings, world) as tokens,
    ):
        yield Services(op, tokens, world)


@pytest_asyncio.fixture(scope="module")
async def provider(module_database_url: str, module_redis_url: str) -> AsyncIterator[Services]:
    """Such a deployment, on the loop of a module's tests."""
    async with serve_provider(module_database_url, module_redis_url) as served:
        yield served
