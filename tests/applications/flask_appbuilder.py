"""Flask-AppBuilder, whose login is that of Superset and Airflow."""

import secrets
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Page

from tests.applications.client import AddedClient
from tests.applications.person import PERSON, shown
from tests.applications.serving import needs_application, serving
from tests.flow.op import Op
from tests.interop.chromium import new_page, sign_in

NAME = "flask-appbuilder"


@asynccontextmanager
async def flask(op: Op, client: AddedClient, folder: Path) -> AsyncIterator[Page]:
    """Flask-AppBuilder with the lines of the preset in its configuration, and a browser."""
    application = needs_application(NAME)
    own = f'SECRET_KEY = "{secrets.token_urlsafe()}"\nSQLALCHEMY_DATABASE_URI = "sqlite:///app.db"\n'
    (folder / "config.py").write_text(own + client.lines[0], "utf-8")
    shutil.copy(application.folder / "app.py.txt", folder / "app.py")
    argv = (str(application.environment / "bin" / "python"), "app.py")
    environment = {"PORT": str(client.port)}
    async with serving(op, argv, folder, client.port, environment), new_page(op, folder / "home") as page:
        yield page


async def _sign_in(op: Op, client: AddedClient, page: Page) -> None:
    await page.goto(f"{client.url}/login/ostiary")
    await sign_in(op, page)
    await page.wait_for_url(f"{client.url}/**")
    await page.goto(f"{client.url}/who")


async def test_a_person_signs_in_and_out(provider: Op, tmp_path: Path) -> None:
    """A user is made for her, with name and e-mail address, and her group makes her an administrator."""
    client = AddedClient.of_preset(provider, NAME, admins=PERSON.groups[0])
    async with flask(provider, client, tmp_path) as page:
        await _sign_in(provider, client, page)
        who = await shown(page)
        assert (who["name"], who["email"]) == (PERSON.name, PERSON.email)
        assert sorted(who["roles"]) == ["Admin", "Public"]
        await page.goto(f"{client.url}/logout/")
        await page.goto(f"{client.url}/who")
        assert await shown(page) == {"user": None}


async def test_a_wrong_secret_opens_nothing(provider: Op, tmp_path: Path) -> None:
    """The code is refused, Flask-AppBuilder lets nobody in, and the operator is told why."""
    client = AddedClient.of_preset(provider, NAME).mistyped()
    async with flask(provider, client, tmp_path) as page:
        await _sign_in(provider, client, page)
        assert await shown(page) == {"user": None}
    assert await client.refusal(provider) == "invalid_client"
