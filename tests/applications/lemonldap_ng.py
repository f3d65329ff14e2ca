"""The portal of LemonLDAP::NG."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import requests
from playwright.async_api import APIResponse, Page

from tests.applications.client import AddedClient
from tests.applications.debian_root import in_root
from tests.applications.person import PERSON, is_person
from tests.applications.serving import needs_application, serving
from tests.flow.op import Op
from tests.interop.chromium import new_page, sign_in

NAME = "lemonldap-ng"
HANG_GUARD = 60  # seconds
SCRIPT = """set -e
cp -a /var/lib/lemonldap-ng /etc/lemonldap-ng/lemonldap-ng.ini /tmp
sed -i 's#/var/lib/#/tmp/#' /tmp/lemonldap-ng.ini /tmp/lemonldap-ng/conf/lmConf-1.json
export LLNG_DEFAULTCONFFILE=/tmp/lemonldap-ng.ini
%(lines)s
llng addKey macros is_engineer 'listMatch($groups, "engineers")' \
  macros is_manager 'listMatch($groups, "managers")'
llng set domain localhost handlerInternalCache 0 restSessionServer 1 exportedAttr '%(shown)s'
exec starman --host 127.0.0.1 --port %(port)d --workers 2 --user www-data --group www-data \
  /usr/share/lemonldap-ng/portal/htdocs/index.psgi
"""
SHOWN = "uid, cn, mail, groups, is_engineer, is_manager, _session_id, _oidc_access_token"


@asynccontextmanager
async def portal(op: Op, client: AddedClient, folder: Path) -> AsyncIterator[Page]:
    """The portal as installed, after the lines of the preset in a shell, and a browser.

    Its REST server shows and changes sessions; two macros ask for groups by the rule of the preset's note.
    """
    script = SCRIPT % {"lines": client.lines[0], "shown": SHOWN, "port": client.port}
    argv = in_root(op, needs_application(NAME), folder, "sh", "-c", script)
    async with serving(op, argv, folder, client.port), new_page(op, folder / "home") as page:
        yield page


async def _session(client: AddedClient, page: Page) -> APIResponse:
    """What the portal knows of who is signed in, or its redirect to the provider."""
    return await page.request.get(f"{client.url}/session/my/global", max_redirects=0)


def _age_token(client: AddedClient, session_id: str) -> None:
    """Lets the access token of a session be over, so that the portal renews it when it next needs one."""
    place = f"{client.url}/sessions/global/{session_id}"
    requests.put(place, json={"_oidc_access_token_eol": 1}, timeout=HANG_GUARD).raise_for_status()


async def _sign_in(op: Op, client: AddedClient, page: Page) -> None:
    await page.goto(client.url)
    await sign_in(op, page)
    await page.wait_for_url(f"{client.url}/**")


async def test_a_person_signs_in_and_out(provider: Op, tmp_path: Path) -> None:
    """The portal knows her and her groups, renews its token, and ends the session here too."""
    client = AddedClient.of_preset(provider, NAME)
    async with portal(provider, client, tmp_path) as page:
        await _sign_in(provider, client, page)
        session = await (await _session(client, page)).json()
        assert session["uid"] == PERSON.username
        known = {"name": session["cn"], "email": session["mail"], "groups": session["groups"]}
        assert is_person(known)
        assert (session["is_engineer"], session["is_manager"]) == (1, 0)

        _age_token(client, session["_session_id"])
        await page.goto(f"{client.url}/refresh")
        renewed = await (await _session(client, page)).json()
        assert renewed["_oidc_access_token"] != session["_oidc_access_token"]
        assert renewed["mail"] == session["mail"]

        await page.goto(f"{client.url}/?logout=1")
        await page.wait_for_url(f"{client.url}/**")
        await page.goto(client.url)
        assert await page.locator("#login-submit").count()


async def test_a_wrong_secret_opens_nothing(provider: Op, tmp_path: Path) -> None:
    """The code is refused, the portal lets nobody in, and the operator is told why."""
    client = AddedClient.of_preset(provider, NAME).mistyped()
    async with portal(provider, client, tmp_path) as page:
        await _sign_in(provider, client, page)
        elsewhere = (await _session(client, page)).headers["location"]
        assert elsewhere.startswith(f"{provider.issuer}/")
    assert await client.refusal(provider) == "invalid_client"
