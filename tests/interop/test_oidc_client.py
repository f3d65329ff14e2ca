"""oidc-client 1.11 in Chromium: cells-sync, and an implicit client; it has no hybrid flow."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page, Route

from shared.paths import AUTHORIZATION, OPENID_CONFIGURATION
from tests.flow.op import Op
from tests.interop.chromium import new_page
from tests.interop.oidc_client import OidcClient, oidc_client
from tests.interop.tampering import with_parameters

CELLS_SYNC = {
    "client_id": "cells-sync",
    "client_name": "CellsSync Application",
    "grant_types": ["authorization_code", "refresh_token"],
    "redirect_uris": [
        "http://localhost:3000/servers/callback",
        "http://localhost:[3636-3666]/servers/callback",
    ],
    "response_types": ["code", "token", "id_token"],
    "scope": "openid email profile pydio offline",
}


@pytest.fixture(scope="module")
def cells(op: Op, tmp_path_factory: pytest.TempPathFactory) -> Op:
    """The OP with the client of Cells' own file."""
    file = tmp_path_factory.mktemp("cells") / "pydio.json"
    file.write_text(json.dumps({"services": {"pydio.web.oauth": {"staticClients": [CELLS_SYNC]}}}))
    op.ostiary("client", "import", str(file))
    return op


@asynccontextmanager
async def cells_sync(op: Op) -> AsyncIterator[OidcClient]:
    """The page of Cells' desktop client, on its own port."""
    async with oidc_client("/servers/callback", range(3636, 3667)) as client:
        client.settings |= {
            "authority": op.issuer,
            "client_id": "cells-sync",
            "response_type": "code",
            "response_mode": "query",
            "scope": CELLS_SYNC["scope"],
            "loadUserInfo": False,
            "automaticSilentRenew": False,
        }
        yield client


@asynccontextmanager
async def implicit_client(op: Op, response_type: str) -> AsyncIterator[OidcClient]:
    """A page of a client with the implicit flow only."""
    async with oidc_client("/callback") as client:
        registered = await asyncio.to_thread(
            op.add_client,
            client_name="A page",
            redirect_uris=[client.redirect_uri],
            grant_types=["implicit"],
            response_types=[response_type],
            scope="openid profile",
            token_endpoint_auth_method="none",
        )
        client.settings |= {
            "authority": op.issuer,
            "client_id": registered["client_id"],
            "response_type": response_type,
            "scope": "openid profile",
            "automaticSilentRenew": False,
            "monitorSession": False,
        }
        yield client


async def with_another_issuer(op: Op, page: Page) -> None:
    """The issuer of the metadata differs from that of the ID token in one byte."""
    metadata = {**op.metadata(), "issuer": op.issuer + "/"}

    async def altered(route: Route) -> None:
        await route.fulfill(json=metadata, headers={"Access-Control-Allow-Origin": "*"})

    await page.route(OPENID_CONFIGURATION.at(op.issuer), altered)


async def with_another_nonce(op: Op, page: Page) -> None:
    """The nonce of the request is replaced."""

    async def altered(route: Route) -> None:
        await route.continue_(url=with_parameters(route.request.url, nonce="a-nonce-of-somebody-else"))

    await page.route(f"{AUTHORIZATION.at(op.issuer)}?*", altered)


async def test_cells_sync_signs_in(cells: Op, tmp_path: Path) -> None:
    """Discovery and token by XHR, PKCE, `name` in the token."""
    async with cells_sync(cells) as client, new_page(cells, tmp_path) as page:
        user = await client.sign_in(cells, page)
    assert "error" not in user, user
    assert user["profile"]["name"] == cells.username
    assert user["access_token"]
    assert user["refresh_token"]
    assert user["scope"].split() == ["openid", "email", "profile", "pydio", "offline"]


async def test_cells_sync_refuses_another_issuer(cells: Op, tmp_path: Path) -> None:
    """The issuer of the ID token must equal that of the metadata. This client sends no nonce."""
    async with cells_sync(cells) as client, new_page(cells, tmp_path) as page:
        await with_another_issuer(cells, page)
        learned = await client.sign_in(cells, page)
    assert learned == {"error": f"Invalid issuer in token: {cells.issuer}"}


@pytest.mark.point(17)
@pytest.mark.parametrize("response_type", ["id_token", "id_token token"])
async def test_it_takes_an_implicit_answer(every_type: Op, response_type: str, tmp_path: Path) -> None:
    """Nonce, keys, `at_hash`, and userinfo by XHR."""
    async with implicit_client(every_type, response_type) as client, new_page(every_type, tmp_path) as page:
        user = await client.sign_in(every_type, page)
    assert "error" not in user, user
    assert user["profile"]["preferred_username"] == every_type.username
    assert bool(user.get("access_token")) == (response_type == "id_token token")


@pytest.mark.parametrize(
    ("altered", "error"),
    [
        pytest.param(with_another_issuer, "Invalid issuer in token: {issuer}", id="iss"),
        pytest.param(with_another_nonce, "Invalid nonce in id_token", id="nonce"),
    ],
)
async def test_it_refuses_an_implicit_answer(
    every_type: Op, altered: Callable[[Op, Page], Awaitable[None]], error: str, tmp_path: Path
) -> None:
    """The ID token of another issuer, or made for another request (OpenID Connect Core 1.0 §3.2.2.11)."""
    async with (
        implicit_client(every_type, "id_token token") as client,
        new_page(every_type, tmp_path) as page,
    ):
        await altered(every_type, page)
        learned = await client.sign_in(every_type, page)
    assert learned == {"error": error.format(issuer=every_type.issuer)}
