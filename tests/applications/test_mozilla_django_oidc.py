"""mozilla-django-oidc."""

import re
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from playwright.async_api import Page

from tests.applications.client import AddedClient
from tests.applications.django_project import django, log_out
from tests.applications.person import is_person, shown
from tests.applications.serving import needs_application
from tests.flow.op import Op
from tests.interop.chromium import sign_in

NAME = "mozilla-django-oidc"
SHORT_LIVED = "OIDC_RENEW_ID_TOKEN_EXPIRY_SECONDS = 2\n"


def project(op: Op, client: AddedClient, folder: Path) -> AbstractAsyncContextManager[Page]:
    """The project with the lines of the preset, and a browser."""
    settings, urls, backend = client.lines
    files = {"settings.py": settings + SHORT_LIVED, "urls.py": urls, "ostiary.py": backend}
    application = needs_application(NAME)
    return django(op, application, folder, client, files, login="/oidc/authenticate/", logout="/oidc/logout/")


async def test_a_person_signs_in_and_out(provider: Op, tmp_path: Path) -> None:
    """Django knows her name, e-mail address and groups, and renews; logging out ends the session here too."""
    client = AddedClient.of_preset(provider, NAME)
    async with project(provider, client, tmp_path) as page:
        await page.goto(f"{client.url}/oidc/authenticate/")
        await sign_in(provider, page)
        await page.wait_for_url(f"{client.url}/")
        who = await shown(page)
        assert is_person(who)

        renewals: list[str] = []
        page.on("request", lambda request: renewals.extend(re.findall("prompt=none", request.url)))
        while not renewals:  # the middleware asks again once the time is up
            await page.goto(client.url)
        assert await shown(page) == who

        await log_out(client, page)
        await page.goto(f"{client.url}/oidc/authenticate/")
        assert await page.locator("#login-submit").count()


async def test_a_wrong_secret_opens_nothing(provider: Op, tmp_path: Path) -> None:
    """The code is refused, Django lets nobody in, and the operator is told why."""
    client = AddedClient.of_preset(provider, NAME).mistyped()
    async with project(provider, client, tmp_path) as page:
        await page.goto(f"{client.url}/oidc/authenticate/")
        await sign_in(provider, page)
        await page.wait_for_url(f"{client.url}/**")
        await page.goto(client.url)
        assert await shown(page) == {"user": None}
        assert await client.refusal(provider) == "invalid_client"
