"""A sign-in whose answer is lost after its session has begun, and whose form is sent again."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import asyncpg
import pytest
from aiohttp import ClientSession, UnixConnector

from deploy.local.child import Child
from deploy.local.folders import run_folder
from deploy.local.service import command, socket_of
from services.authorization.interaction.lifecycle import InteractionLifecycle
from shared.config.environment import child_environment
from shared.model import User
from shared.paths import LOGIN, Service
from shared.store import Unavailable
from shared.store.redis.sessions import RedisSessionContents
from tests.authorization import (
    PASSWORD,
    AuthorizationService,
    Browser,
    Page,
    is_consent,
    is_login,
)
from tests.outages import is_away
from tests.planted import planted
from tests.planted.authentication import begins_under_a_random_key, drops_the_contents_of_a_form_sent_twice

BEFORE = ("nobody", "the same user", "another user")

Loss = Callable[[AuthorizationService, Browser, Page, User, Path], Awaitable[None]]


async def _away(*_: object, **__: object) -> Any:
    raise Unavailable("it is away")


def _loses_it_at(owner: type, name: str) -> Loss:
    """Fail after the row is committed."""

    async def lose(_: AuthorizationService, browser: Browser, login: Page, user: User, __: Path) -> None:
        with patch.object(owner, name, _away):
            assert is_away(await browser.log_in(login, user))

    return lose


@asynccontextmanager
async def _process(op: AuthorizationService, folder: Path) -> AsyncIterator[tuple[Child, ClientSession]]:
    """Another authorization service of the same deployment, in a process of its own."""
    with run_folder() as sockets:
        environment = child_environment(op.settings, 0) | {"OSTIARY_ISSUER": op.settings.issuer}
        child = Child(command(Service.AUTHORIZATION, sockets, environment, folder / "log"))
        await child.start()
        connector = UnixConnector(str(socket_of(sockets, Service.AUTHORIZATION)))
        try:
            async with ClientSession("http://localhost:8080", connector=connector) as http:
                yield child, http
        finally:
            await child.stop()


async def _send(http: ClientSession, browser: Browser, login: Page, user: User) -> int:
    """Send a login form of *browser* to the process behind *http*."""
    fields = {**login.hidden, "username": user.username, "password": PASSWORD}
    cookies = {each.key: each.value for each in browser.http.cookie_jar}
    async with http.post(LOGIN.path, data=fields, cookies=cookies, allow_redirects=False) as response:
        return response.status


async def _is_killed_at_work(
    op: AuthorizationService, browser: Browser, login: Page, user: User, folder: Path
) -> None:
    """Kill the process while its statement waits for a lock."""
    assert op.settings.database_url
    watcher = await asyncpg.connect(op.settings.database_url.get_secret_value())
    async with _process(op, folder) as (child, http):
        assert child.process
        async with watcher.transaction():  # a locked table would hold it up before it has begun to work
            for table in ("users", "sessions"):
                await watcher.execute(f"SELECT FROM {table} WHERE user_id = $1 FOR UPDATE", user.user_id)
            sent = asyncio.create_task(_send(http, browser, login, user))
            async with asyncio.timeout(60):
                while not await _is_waiting(watcher):
                    if sent.done():  # it did not wait any longer
                        sent = asyncio.create_task(_send(http, browser, login, user))
                    await asyncio.sleep(0.01)
            os.kill(child.process.pid, signal.SIGKILL)
            await asyncio.wait([sent])
            assert sent.exception()
    await watcher.close()


async def _is_waiting(watcher: asyncpg.Connection) -> bool:
    await watcher.execute("SELECT pg_stat_clear_snapshot()")  # which the transaction would keep
    return bool(
        await watcher.fetchval(
            """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                AND wait_event_type = 'Lock' AND query LIKE '%standing AS (%'"""
        )
    )


LOSSES = {
    "contents": _loses_it_at(RedisSessionContents, "put"),
    "interaction": _loses_it_at(InteractionLifecycle, "update"),
}


async def _live(op: AuthorizationService, user: User) -> list[object]:
    """The sessions whose rows are live, also those whose contents were lost."""
    rows = await op.world.database.rows(
        "SELECT sid FROM sessions WHERE user_id = $1 AND ended_at IS NULL AND expires_at > now()",
        user.user_id,
    )
    return [row["sid"] for row in rows]


async def _check_that_it_is_found_again(
    op: AuthorizationService, folder: Path, lose: Loss, before: str
) -> None:
    """The user has one live session, which is the browser's; the replaced one has ended."""
    client, user, other, browser = await op.client(), await op.user(), await op.user(), op.browser()
    if before != "nobody":
        await browser.sign_in(client, other if before == "another user" else user)
    kept = await _live(op, user)
    login = await browser.authorize(client, prompt="login")
    assert is_login(login)
    await lose(op, browser, login, user, folder)
    page = await browser.log_in(login, user)
    code = await op.code(await browser.decide(page) if is_consent(page) else page)
    assert await _live(op, user) == [code.authorization.sid]
    assert kept in ([], [code.authorization.sid])
    assert await _live(op, other) == []
    assert "code" in (await browser.authorize(client, prompt="none")).answer


@planted(begins_under_a_random_key)
@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("lose", LOSSES.values(), ids=LOSSES)
async def test_a_form_that_is_sent_again_finds_its_session(
    op: AuthorizationService, tmp_path: Path, lose: Loss, before: str
) -> None:
    """The row was committed before a later step failed."""
    await _check_that_it_is_found_again(op, tmp_path, lose, before)


@planted(begins_under_a_random_key)
async def test_a_sign_in_whose_process_is_killed_at_work_is_found_again(
    op: AuthorizationService, tmp_path: Path
) -> None:
    """PostgreSQL commits the statement of the killed process."""
    await _check_that_it_is_found_again(op, tmp_path, _is_killed_at_work, "nobody")


@pytest.mark.parametrize("before", BEFORE[1:])
async def test_a_replacing_sign_in_whose_process_is_killed_at_work_never_was(
    op: AuthorizationService, tmp_path: Path, before: str
) -> None:
    """PostgreSQL rolls back the transaction of the killed process."""
    await _check_that_it_is_found_again(op, tmp_path, _is_killed_at_work, before)


@planted(begins_under_a_random_key)
async def test_a_form_that_is_sent_twice_at_once_begins_one_session(op: AuthorizationService) -> None:
    """Both answers have the cookie of the session."""
    client, user, browser = await op.client(), await op.user(), op.browser()
    login = await browser.authorize(client)
    fields = {**login.hidden, "username": user.username, "password": PASSWORD}
    pages = await asyncio.gather(*(browser.request("POST", LOGIN.path, data=fields) for _ in range(8)))
    assert {page.status for page in pages} == {303}
    assert len({cookie for page in pages for cookie in page.cookies if "session" in cookie}) == 1
    assert len(await _live(op, user)) == 1


@planted(drops_the_contents_of_a_form_sent_twice)
async def test_a_form_that_is_sent_again_after_its_answer_keeps_the_session(
    op: AuthorizationService,
) -> None:
    """A form that is sent again after its answer continues the session."""
    client, user, browser = await op.client(), await op.user(), op.browser()
    login = await browser.authorize(client)
    await browser.log_in(login, user)
    before = await _live(op, user)
    page = await browser.log_in(login, user)
    assert "code" in (await browser.decide(page)).answer
    assert await _live(op, user) == before


async def test_a_form_that_is_sent_again_after_the_end_begins_another_session(
    op: AuthorizationService,
) -> None:
    """A session that has ended stays ended; the form begins a new one."""
    client, user, browser = await op.client(), await op.user(), op.browser()
    login = await browser.authorize(client)
    await browser.log_in(login, user)
    (before,) = await _live(op, user)
    cookie = browser.cookie("session")
    await op.world.stores.sessions.end(before, "logout")  # type: ignore[arg-type]
    page = await browser.log_in(login, user)
    assert "code" in (await browser.decide(page)).answer
    (after,) = await _live(op, user)
    assert after != before
    assert browser.cookie("session") != cookie


async def test_a_form_that_is_sent_again_beside_another_session_leaves_that(op: AuthorizationService) -> None:
    """A form that is sent again does not affect another session of the browser."""
    client, user, browser = await op.client(), await op.user(), op.browser()
    lost, other = await browser.authorize(client), await browser.authorize(client)
    with patch.object(RedisSessionContents, "put", _away):
        assert is_away(await browser.log_in(lost, user))
    await browser.log_in(other, user)
    session = browser.cookie("session")
    page = await browser.log_in(lost, user)
    code = await op.code(await browser.decide(page))
    assert code.authorization.sid in await _live(op, user)
    assert browser.cookie("session") != session
