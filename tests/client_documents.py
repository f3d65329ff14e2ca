"""Clients that are described by documents, for tests: two services that know them, and their host."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from services.authorization.client_documents.documents import document_key
from services.authorization.wiring.known_clients import KNOWN_CLIENTS
from shared.live import clock
from shared.oauth.client.record import Client
from tests.authorization import (
    LOCAL_ISSUER,
    AuthorizationService,
    Browser,
    Page,
    is_consent,
    serve_authorization,
)
from tests.deployment import TokenService, open_world, serve_tokens, settings_for
from tests.document_host import REDIRECT_URI, DocumentHost, serve_documents


@dataclass(slots=True)
class Documents:
    """A service where every document counts, its token endpoint, and a host of documents."""

    service: AuthorizationService
    tokens: TokenService
    host: DocumentHost

    async def ask(self, client_id: str, browser: Browser | None = None, **parameters: str) -> Page:
        """A client's request from a browser."""
        asking = browser or self.service.browser()
        uri = parameters.pop("redirect_uri", REDIRECT_URI)
        return await asking.authorize(Client(client_id=client_id, redirect_uris=(uri,)), **parameters)

    async def consent_page(self, client_id: str, **parameters: str) -> tuple[Browser, Page]:
        """The question that a new user is asked, and their browser."""
        browser = self.service.browser()
        page = await self.ask(client_id, browser, **parameters)
        page = await browser.log_in(page, await self.service.user())
        assert is_consent(page), page.text
        return browser, page

    async def code(self, client_id: str, **parameters: str) -> str:
        """The code that a client gets of a new user who agrees."""
        browser, page = await self.consent_page(client_id, **parameters)
        answer = await browser.decide(page)
        assert answer.is_at_client, answer.text
        return answer.answer["code"]

    async def redeem(self, client_id: str, code: str, **form: str) -> Any:
        """The token endpoint's answer to a public client."""
        public = Client(client_id=client_id, token_endpoint_auth_method="none")
        return await self.tokens.redeem(public, code, **{"redirect_uri": REDIRECT_URI, **form})

    async def stored(self, client_id: str) -> Client | None:
        return await self.service.world.stores.clients.find(client_id)

    async def age(self, client_id: str) -> None:
        """Let the copy of a document be stale, here and in Redis."""
        copies, key = self.service.world.stores.document_copies, document_key(client_id)
        copy = await copies.find(key)
        assert copy is not None
        self.service.app[KNOWN_CLIENTS].described._cached.pop(client_id)
        await copies.add(
            key, replace(copy, fresh_until=clock.now() - timedelta(minutes=1)), timedelta(hours=1)
        )


@pytest_asyncio.fixture(scope="module")
async def documents(
    module_database_url: str, module_redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Documents]:
    """Everything that is open."""
    async with serve_documents(tmp_path_factory.mktemp("documents")) as (host, ca_file):
        settings = settings_for(
            module_database_url,
            module_redis_url,
            issuer=LOCAL_ISSUER,
            rate_limits="off",
            client_id_metadata="open",
            fetch_allow=host.authority,
            fetch_ca_file=str(ca_file),
        )
        async with (
            open_world(settings) as world,
            serve_authorization(settings, world) as service,
            serve_tokens(settings, world) as tokens,
        ):
            yield Documents(service, tokens, host)
