"""The account page of the user's activity, and the activity in the download of their data."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio

import shared.store.postgres
from services.accounts.self_service.activity import SHOWN
from shared.browser.pages.catalogue import Catalogue
from shared.model import Author, User
from shared.operations import activity
from shared.paths import ACCOUNT_ACTIVITY, ACCOUNT_DATA
from shared.store.ports.credentials import PASSKEY, RECOVERY, REMEMBERED, TOTP
from tests.accounts import form_with, send, serve_accounts, sign_in, visit
from tests.authorization import LOCAL_ISSUER, AuthorizationService, Page
from tests.deployment import open_world, settings_for
from tests.personal_access_tokens import a_token
from tests.planted import planted
from tests.planted.accounts import names_administrators, shows_everybodys_activity

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"


@pytest_asyncio.fixture(scope="module")
async def accounts(module_database_url: str, module_redis_url: str) -> AsyncIterator[AuthorizationService]:
    """Both services."""
    settings = settings_for(module_database_url, module_redis_url, issuer=LOCAL_ISSUER, rate_limits="off")
    async with open_world(settings) as world, serve_accounts(settings, world) as service:
        yield service


def events_of(page: Page) -> list[str]:
    """What the page says happened, the latest first."""
    return [
        re.sub(r"<[^>]+>", "", name).replace("\xa0", " ")
        for name in re.findall(r'<li>.*?<p class="name">(.*?)</p>', page.text, re.S)
    ]


async def downloaded(accounts: AuthorizationService, user: User) -> list[dict[str, object]]:
    """The activity in the file with the user's data."""
    browser = accounts.browser()
    page = await sign_in(browser, user, ACCOUNT_DATA)
    sent = await send(browser, ACCOUNT_DATA, form_with(page, "data-download") | {"act": "download"})
    events: list[dict[str, object]] = json.loads(sent.text)["activity"]
    return events


@planted(shows_everybodys_activity)
async def test_users_see_their_own_activity(accounts: AuthorizationService) -> None:
    """The latest first, with names of applications, groups and tokens, and where a sign-in came from."""
    browser, user, stranger = accounts.browser(), await accounts.user(), await accounts.user()
    browser.headers["User-Agent"] = BROWSER
    stores = accounts.world.stores
    group = f"Readers {uuid4().hex[:8]}"
    await stores.groups.add(group)
    await stores.groups.join(group, user.user_id)
    await sign_in(browser, user)
    client = await accounts.client(client_name="Meridian <b>")
    await stores.consents.add(user.user_id, client.client_id, ("openid",), is_remembered=True)
    await a_token(accounts.world, user)
    await a_token(accounts.world, stranger)
    page = await visit(browser, ACCOUNT_ACTIVITY.path)
    assert events_of(page) == [
        "Access token created · backup of the laptop",
        "Access allowed · Meridian &lt;b&gt;",
        "Signed in",
        f"Group joined · {group}",
        "Account created",
    ]
    assert "Firefox on Linux" in page.text
    assert "127.0.0.1" in page.text


async def test_activity_is_shown_in_pages(accounts: AuthorizationService) -> None:
    """Each row once, by links; a malformed position is an error, and one beyond the end an empty page."""
    browser, user = accounts.browser(), await accounts.user()
    await accounts.world.database.row(
        "INSERT INTO audit (event, user_id, detail) SELECT 'sign_in_failed', $1, "
        "jsonb_build_object('address', 'host-' || n) FROM generate_series(1, $2) n",
        user.user_id,
        2 * SHOWN,
    )
    page = await sign_in(browser, user, ACCOUNT_ACTIVITY)
    addresses: list[str] = []
    for _ in range(3):
        addresses += re.findall(r"host-\d+", page.text)
        older = re.search(r'id="activity-older" href="([^"]+)"', page.text)
        page = await visit(browser, older[1]) if older else page
    assert sorted(set(addresses)) == sorted(f"host-{n}" for n in range(1, 2 * SHOWN + 1))
    assert len(addresses) == 2 * SHOWN
    assert "activity-older" not in page.text
    assert f'href="{ACCOUNT_ACTIVITY}"' in page.text
    assert "Nothing has been recorded" in (await visit(browser, f"{ACCOUNT_ACTIVITY}?before=0")).text
    assert (await visit(browser, f"{ACCOUNT_ACTIVITY}?before=-1")).status == 400


@planted(names_administrators)
async def test_the_download_has_the_activity(
    accounts: AuthorizationService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of it in pages, up to a limit, and without the administrator who made a change."""
    user, administrator = await accounts.user(), await accounts.user()
    by = Author("console", administrator.user_id)
    await accounts.world.stores.users.replace(user, by=by)
    events = await downloaded(accounts, user)
    assert [each["event"] for each in events] == ["signed_in", "user_claims_changed", "user_added"]
    assert events[1]["detail"] == {"by": "console"}
    monkeypatch.setattr(activity, "PAGE", 2)
    assert len(await downloaded(accounts, user)) == 4
    monkeypatch.setattr(activity, "MAX_DOWNLOADED", 2)
    assert len(await downloaded(accounts, user)) == 2


async def test_every_event_of_a_user_has_a_text() -> None:
    """Those that the stores write with a user, by their statements."""
    folder = Path(shared.store.postgres.__path__[0])
    sql = "\n".join(path.read_text("utf-8") for path in folder.glob("*.py"))
    written = set(
        re.findall(r"INSERT INTO audit \(event, user_id[^)]*\)\s+(?:SELECT|VALUES \()\s*'(\w+)'", sql)
    )
    assert {"signed_in", "consent_given", "personal_access_token_added"} <= written
    texts = Catalogue.load("en").texts
    told = {key.removeprefix("activity.event.") for key in texts if key.startswith("activity.event.")}
    of_credentials = {"credential_added", "credential_removed"}  # whose kind is part of the key
    assert written - of_credentials <= told
    assert {f"credential_added_{kind}" for kind in (PASSKEY, TOTP, REMEMBERED)} <= told
    assert {f"credential_removed_{kind}" for kind in (PASSKEY, TOTP, RECOVERY, REMEMBERED)} <= told
