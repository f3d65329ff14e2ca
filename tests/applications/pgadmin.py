"""pgAdmin 4."""

import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Page

from tests.applications.client import AddedClient
from tests.applications.person import PERSON
from tests.applications.serving import needs_application, serving
from tests.flow.op import Op
from tests.interop.chromium import new_page, sign_in

NAME = "pgadmin"
ADMITTED = "OAUTH2_CONFIG[0]['OAUTH2_ADDITIONAL_CLAIMS'] = {'groups': ['%s']}\n"
"""As the note of the preset has it."""


@asynccontextmanager
async def pgadmin(op: Op, client: AddedClient, folder: Path, group: str) -> AsyncIterator[Page]:
    """pgAdmin with the lines of the preset, for the members of *group*, and a browser."""
    application = needs_application(NAME)
    data = folder / "data"
    own = f"""
SERVER_MODE = True
MASTER_PASSWORD_REQUIRED = False
UPGRADE_CHECK_ENABLED = False
DEFAULT_SERVER = "localhost"
DEFAULT_SERVER_PORT = {client.port}
DATA_DIR = {str(data)!r}
LOG_FILE = {str(data / "log")!r}
SQLITE_PATH = {str(data / "pgadmin.db")!r}
SESSION_DB_PATH = {str(data / "sessions")!r}
STORAGE_DIR = {str(data / "storage")!r}
AZURE_CREDENTIAL_CACHE_DIR = {str(data / "azure")!r}
KERBEROS_CCACHE_DIR = {str(data / "kerberos")!r}
"""
    (folder / "config_local.py").write_text(own + client.lines[0] + ADMITTED % group, "utf-8")
    python = str(application.environment / "bin" / "python")
    package = next(application.environment.glob("lib/python3*/site-packages/pgadmin4"))
    environment = {
        "PYTHONPATH": str(folder),
        "PGADMIN_SETUP_EMAIL": "admin@example.org",
        "PGADMIN_SETUP_PASSWORD": op.password,
        "HOME": str(folder),
    }
    setup = (python, str(package / "setup.py"), "setup-db")
    subprocess.run(setup, cwd=folder, env=environment, check=True, capture_output=True)
    argv = (python, str(package / "pgAdmin4.py"))
    async with serving(op, argv, folder, client.port, environment), new_page(op, folder / "home") as page:
        yield page


async def _sign_in(op: Op, client: AddedClient, page: Page) -> None:
    await page.goto(f"{client.url}/login")
    await page.click("text=Ostiary")
    await sign_in(op, page)
    await page.wait_for_url(f"{client.url}/**")


async def test_a_person_signs_in_and_out(provider: Op, tmp_path: Path) -> None:
    """A user is made for her by her e-mail address, as she is in the group; she logs out again."""
    client = AddedClient.of_preset(provider, NAME)
    async with pgadmin(provider, client, tmp_path, PERSON.groups[0]) as page:
        await _sign_in(provider, client, page)
        await page.wait_for_selector(f"text={PERSON.email}")
        await page.goto(f"{client.url}/logout")
        await page.goto(f"{client.url}/browser/")
        assert "/login" in page.url


async def test_who_is_not_in_the_group_stays_out(provider: Op, tmp_path: Path) -> None:
    """pgAdmin reads the groups from the ID token."""
    client = AddedClient.of_preset(provider, NAME)
    async with pgadmin(provider, client, tmp_path, "managers") as page:
        await _sign_in(provider, client, page)
        await page.goto(f"{client.url}/browser/")
        assert "/login" in page.url


async def test_a_wrong_secret_opens_nothing(provider: Op, tmp_path: Path) -> None:
    """The code is refused, pgAdmin lets nobody in, and the operator is told why."""
    client = AddedClient.of_preset(provider, NAME).mistyped()
    async with pgadmin(provider, client, tmp_path, PERSON.groups[0]) as page:
        await _sign_in(provider, client, page)
        await page.goto(f"{client.url}/browser/")
        assert "/login" in page.url
    assert await client.refusal(provider) == "invalid_client"
