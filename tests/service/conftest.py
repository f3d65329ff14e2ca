"""In this folder, `op` is one service; elsewhere it is a running Ostiary."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.accounts import serve_accounts
from tests.authorization import LOCAL_ISSUER, AuthorizationService, serve_authorization
from tests.deployment import open_world, settings_for


@pytest.fixture(scope="module")
def op(authorization_service: AuthorizationService) -> AuthorizationService:
    """An authorization service of the module's own."""
    return authorization_service


@pytest_asyncio.fixture(scope="module")
async def open_op(
    op: AuthorizationService, module_database_url: str, module_redis_url: str
) -> AsyncIterator[AuthorizationService]:
    """The same service with self-registration."""
    settings = settings_for(
        module_database_url, module_redis_url, issuer=LOCAL_ISSUER, rate_limits="off", sign_up="open"
    )
    async with serve_authorization(settings, op.world) as service:
        yield service


@pytest_asyncio.fixture(scope="module")
async def demanding_op(
    module_database_url: str, module_redis_url: str
) -> AsyncIterator[AuthorizationService]:
    """A deployment where everybody signs in with a second factor."""
    settings = settings_for(
        module_database_url,
        module_redis_url,
        issuer=LOCAL_ISSUER,
        rate_limits="off",
        sign_up="open",
        second_factor="required",
    )
    async with open_world(settings) as world, serve_authorization(settings, world) as service:
        yield service


@pytest_asyncio.fixture(scope="module")
async def accounts(module_database_url: str, module_redis_url: str) -> AsyncIterator[AuthorizationService]:
    """The authorization and accounts services, with a mail server that nothing reaches."""
    settings = settings_for(
        module_database_url,
        module_redis_url,
        issuer=LOCAL_ISSUER,
        rate_limits="off",
        smtp_url="smtp://127.0.0.1:9",
    )
    async with open_world(settings) as world, serve_accounts(settings, world) as service:
        yield service
