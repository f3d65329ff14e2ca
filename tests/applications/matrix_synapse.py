"""Matrix Synapse."""

import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from playwright.async_api import Page

from tests.applications.client import AddedClient
from tests.applications.person import PERSON
from tests.applications.serving import needs_application, serving
from tests.flow.op import Op
from tests.interop.chromium import new_page, sign_in

NAME = "matrix-synapse"
API = "/_matrix/client/v3"


@asynccontextmanager
async def synapse(op: Op, client: AddedClient, folder: Path) -> AsyncIterator[Page]:
    """A homeserver with the lines of the preset, and a browser."""
    python = str(needs_application(NAME).environment / "bin" / "python")
    server = (python, "-m", "synapse.app.homeserver", "--config-path", "homeserver.yaml")
    generating = ("--generate-config", "--report-stats", "no", "--server-name", "localhost")
    subprocess.run((*server, *generating), cwd=folder, check=True, capture_output=True)
    configuration = folder / "homeserver.yaml"
    generated = configuration.read_text("utf-8").replace("port: 8008", f"port: {client.port}")
    own = f"\npublic_baseurl: {client.url}\ntrusted_key_servers: []\n"
    configuration.write_text(generated + own + client.lines[0], "utf-8")
    async with serving(op, server, folder, client.port), new_page(op, folder / "home") as page:
        yield page


async def _sign_in(op: Op, client: AddedClient, page: Page) -> None:
    back = urlencode({"redirectUrl": f"{client.url}/_matrix/static/"})
    await page.goto(f"{client.url}{API}/login/sso/redirect/oidc-ostiary?{back}")
    await sign_in(op, page)
    await page.wait_for_url(f"{client.url}/**")


async def test_a_person_signs_in_and_out(provider: Op, tmp_path: Path) -> None:
    """An account is made for her, with name and e-mail address; its access token ends when she logs out."""
    client = AddedClient.of_preset(provider, NAME)
    async with synapse(provider, client, tmp_path) as page:
        await _sign_in(provider, client, page)
        await page.get_by_role("link", name="Continue").click()
        await page.wait_for_url("**loginToken=**")
        token = parse_qs(urlsplit(page.url).query)["loginToken"][0]

        async def asked(method: str, path: str, bearer: str = "", **body: Any) -> tuple[int, Any]:
            headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
            data = body if method == "post" else None
            answer = await page.request.fetch(
                client.url + API + path, method=method, headers=headers, data=data
            )
            return answer.status, await answer.json()

        status, login = await asked("post", "/login", type="m.login.token", token=token)
        assert (status, login["user_id"]) == (200, f"@{PERSON.username}:localhost")
        bearer = login["access_token"]
        _, profile = await asked("get", f"/profile/{login['user_id']}", bearer)
        assert profile["displayname"] == PERSON.name
        _, addresses = await asked("get", "/account/3pid", bearer)
        assert [each["address"] for each in addresses["threepids"]] == [PERSON.email]

        assert (await asked("post", "/logout", bearer))[0] == 200
        assert (await asked("get", "/account/3pid", bearer))[0] == 401


async def test_a_wrong_secret_opens_nothing(provider: Op, tmp_path: Path) -> None:
    """The code is refused, Synapse lets nobody in, and the operator is told why."""
    client = AddedClient.of_preset(provider, NAME).mistyped()
    async with synapse(provider, client, tmp_path) as page:
        await _sign_in(provider, client, page)
        assert "loginToken" not in page.url
        assert not await page.get_by_role("link", name="Continue").count()
    assert await client.refusal(provider) == "invalid_client"
