"""Codes and new users in an outage: whatever was committed before the 503, the same form goes on with it."""

from collections.abc import Awaitable, Callable
from unittest.mock import patch

import pytest

from services.authorization.interaction.lifecycle import InteractionLifecycle
from shared.paths import LOGOUT
from shared.store import Unavailable
from shared.store.redis.sessions import RedisSessionContents
from tests.authorization import AuthorizationService, Browser, Page
from tests.outages import is_away, patiently
from tests.planted import planted
from tests.planted.authentication import forgets_whom_a_form_has_added
from tests.planted.second_factors import burns_codes_in_an_outage
from tests.second_factors import RECOVERY_CODES, a_user_with_an_app, code, is_second_factor, show
from tests.sign_up import a_name, a_stranger, is_asked_again, sign_up, user_named

Ask = Callable[[], Awaitable[Page]]

LOSSES = {"contents": (RedisSessionContents, "put"), "interaction": (InteractionLifecycle, "update")}
"""What fails after a code was spent or a user was added."""


async def _away(*_: object, **__: object) -> None:
    raise Unavailable("it is away")


async def _loses_answers(ask: Ask) -> Page:
    """Ask once for each of LOSSES, which is refused, and then without."""
    for owner, name in LOSSES.values():
        with patch.object(owner, name, _away):
            assert is_away(await ask())
    return await ask()


WAYS = pytest.mark.parametrize("insist", [patiently, _loses_answers], ids=["postgresql", "redis"])
CODES = pytest.mark.parametrize("field", ["code", "recovery_code"])


async def _a_form(op: AuthorizationService, field: str) -> tuple[Browser, Ask]:
    """A browser, and a form with a code that it sends again and again."""
    client, browser, user = await op.client(skip_consent=True), op.browser(), await a_user_with_an_app(op)
    page = await browser.log_in(await browser.authorize(client), user)
    typed = code() if field == "code" else RECOVERY_CODES[0]
    return browser, lambda: show(browser, page, **{field: typed})


@planted(burns_codes_in_an_outage)
@CODES
@WAYS
async def test_a_code_outlives_an_outage(
    op: AuthorizationService, field: str, insist: Callable[[Ask], Awaitable[Page]]
) -> None:
    """It is spent once, and begins one session."""
    _, ask = await _a_form(op, field)
    assert (await insist(ask)).is_at_client


@CODES
async def test_a_code_begins_no_session_after_the_end_of_its_own(
    op: AuthorizationService, field: str
) -> None:
    """Whoever finds the browser and sends its form again after a logout is asked for the password."""
    browser, ask = await _a_form(op, field)
    assert (await ask()).is_at_client
    page = await browser.get(LOGOUT.path)
    await browser.post(LOGOUT.path, page.hidden)
    page = await ask()
    assert not page.is_at_client
    assert not is_second_factor(page)


@planted(forgets_whom_a_form_has_added)
@WAYS
async def test_a_sign_up_outlives_an_outage(
    open_op: AuthorizationService, insist: Callable[[Ask], Awaitable[Page]]
) -> None:
    """The form that was answered 503 adds one user, and signs them in when it is sent again."""
    browser, page = await a_stranger(open_op, skip_consent=True)
    name = a_name()
    page = await insist(lambda: sign_up(browser, page, name, name="Zoë"))
    user = await user_named(open_op, name)
    assert user
    assert (await open_op.code(page)).authorization.user_id == user.user_id
    rows = [row async for row in open_op.world.audit_rows() if row["user_id"] == user.user_id]
    assert [row["event"] for row in rows].count("user_added") == 1


async def test_a_sign_up_that_is_sent_again_shows_the_password(open_op: AuthorizationService) -> None:
    """With another one, or in another interaction, the name is taken."""
    browser, page = await a_stranger(open_op, skip_consent=True)
    name = a_name()
    with patch.object(RedisSessionContents, "put", _away):
        assert is_away(await sign_up(browser, page, name))
    other = await sign_up(browser, page, name, password="another password that is long")
    assert is_asked_again(other, "username")
    stranger, elsewhere = await a_stranger(open_op)
    assert is_asked_again(await sign_up(stranger, elsewhere, name), "username")
    assert (await sign_up(browser, page, name)).is_at_client
