"""No step of a sign-in can be skipped: from each one, every URL of the service leads back to it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from shared.model import User
from shared.paths import (
    AUTHORIZATION,
    CONSENT,
    LOGIN,
    PATHS,
    SELECT_ACCOUNT,
    SIGN_UP,
    Group,
    Path,
    Service,
)
from tests.authenticator import Authenticator
from tests.authorization import (
    PASSWORD_HASH,
    AuthorizationService,
    Browser,
    Page,
    is_login,
)
from tests.passkeys import ORIGIN, a_user_with_a_passkey, add_passkey
from tests.planted import planted
from tests.planted.second_factors import asks_for_a_password_alone, forgets_who_is_waiting
from tests.second_factors import WRONG, a_user_with_an_app, code, is_addition, show

URLS = tuple(
    path
    for path in PATHS
    if path.service is Service.AUTHORIZATION and path.group is Group.PUBLIC and "{" not in path.path
)
ESSENTIAL = '{"id_token": {"acr": {"essential": true, "value": "urn:ostiary:acr:mfa"}}}'
GUESSES = {
    "username": "ada",
    "password": "wrong",
    "code": WRONG,
    "recovery_code": WRONG,
    "passkey": "{}",
    "decision": "allow",
    "account": "other",
    "step": "decide",
}
"""What the form of any step may contain, none of it right."""

Users = Callable[[AuthorizationService], Awaitable[User]]


async def with_passkey(op: AuthorizationService) -> User:
    return (await a_user_with_a_passkey(op))[0]


async def with_both(op: AuthorizationService) -> User:
    user = await a_user_with_an_app(op)
    await add_passkey(op.world, user, Authenticator(ORIGIN))
    return user


async def with_temporary_password(op: AuthorizationService) -> User:
    user = await op.user()
    await op.world.stores.credentials.set_password(user.user_id, PASSWORD_HASH, is_temporary=True)
    return user


def asks_for(*ids: str) -> Callable[[Page], bool]:
    """Whether a page has the buttons with these ids."""
    return lambda page: all(f'id="{each}"' in page.text for each in ids)


def only_passkey(page: Page) -> bool:
    return asks_for("passkey-login")(page) and not asks_for("totp-submit")(page) and not is_login(page)


@dataclass(frozen=True, slots=True)
class Half:
    """A user who has proven one factor, and the page that waits for the other one or a new password."""

    user: Users
    is_waiting: Callable[[Page], bool]


HALVES = {
    "a code": Half(a_user_with_an_app, asks_for("totp-submit", "recovery-submit")),
    "a passkey": Half(with_passkey, only_passkey),
    "either": Half(with_both, asks_for("totp-submit", "passkey-login")),
    "a new password": Half(with_temporary_password, asks_for("password-submit")),
    "nothing yet": Half(
        lambda op: op.user(), lambda page: is_addition(page) and asks_for("passkey-add")(page)
    ),
}


async def tries(browser: Browser, page: Page, but: Path | None = None) -> list[tuple[str, Page]]:
    """The answers to every URL, by GET and by POST, with the fields of *page*; *but* is not posted to."""
    answers = []
    for path in URLS:
        answers.append((f"GET {path}", await browser.request("GET", path.path, params=page.hidden)))
        if path is not but:
            fields = {**GUESSES, **page.hidden}
            answers.append((f"POST {path}", await browser.request("POST", path.path, data=fields)))
    return answers


@planted(forgets_who_is_waiting)
@pytest.mark.parametrize("half", HALVES)
async def test_a_second_factor_is_not_skipped(demanding_op: AuthorizationService, half: str) -> None:
    """No session begins by any link, by going back, by starting again, or in another tab."""
    await _is_not_skipped(demanding_op, HALVES[half], await HALVES[half].user(demanding_op))


@pytest.mark.parametrize("half", HALVES)
async def test_what_a_group_requires_is_not_skipped(op: AuthorizationService, half: str) -> None:
    """Of its members alone, where others need no second factor."""
    user = await HALVES[half].user(op)
    group = f"staff {user.username}"
    await op.world.stores.groups.add(group, requires_second_factor=True)
    await op.world.stores.groups.join(group, user.user_id)
    await _is_not_skipped(op, HALVES[half], user)


@planted(asks_for_a_password_alone)
@pytest.mark.parametrize("half", HALVES)
async def test_what_a_client_demands_is_not_skipped(op: AuthorizationService, half: str) -> None:
    """By an essential `acr`, of users without a second factor too (Core 1.0 §5.5.1.1)."""
    await _is_not_skipped(op, HALVES[half], await HALVES[half].user(op), claims=ESSENTIAL)


async def test_a_new_password_is_not_skipped(op: AuthorizationService) -> None:
    """Nor where nothing else is needed."""
    half = HALVES["a new password"]
    await _is_not_skipped(op, half, await half.user(op))


async def _is_not_skipped(op: AuthorizationService, half: Half, user: User, **demands: str) -> None:
    client, browser, is_waiting = await op.client(skip_consent=True), op.browser(), half.is_waiting
    page = await browser.log_in(await browser.authorize(client, **demands), user)
    assert is_waiting(page)
    for name, answer in await tries(browser, page):
        assert not (answer.is_at_client and "code" in answer.answer), name
        assert not any("session" in cookie for cookie in answer.cookies), name
        assert is_waiting(await browser.get(AUTHORIZATION.path, page.hidden)), name
    assert is_waiting(await browser.get(LOGIN.path, page.hidden)), "going back"
    assert is_login(await browser.authorize(client, **demands)), "starting again"
    assert (await browser.authorize(client, prompt="none", **demands)).answer["error"] == "login_required"
    assert browser.cookie("session") is None


async def at_login(op: AuthorizationService, browser: Browser) -> Page:
    return await browser.authorize(await op.client(skip_consent=True))


async def at_sign_up(op: AuthorizationService, browser: Browser) -> Page:
    return await browser.authorize(await op.client(skip_consent=True), prompt="create")


async def at_consent(op: AuthorizationService, browser: Browser) -> Page:
    page = await browser.authorize(await op.client())
    return await show(browser, await browser.log_in(page, await a_user_with_an_app(op)), code=code())


async def at_login_again(op: AuthorizationService, browser: Browser) -> Page:
    await at_consent(op, browser)
    return await browser.authorize(await op.client(skip_consent=True), prompt="login")


async def at_selection(op: AuthorizationService, browser: Browser) -> Page:
    await at_consent(op, browser)
    return await browser.authorize(await op.client(skip_consent=True), prompt="select_account")


STEPS: dict[str, tuple[Callable[[AuthorizationService, Browser], Awaitable[Page]], Path, str]] = {
    "login": (at_login, LOGIN, "login-submit"),
    "sign-up": (at_sign_up, SIGN_UP, "signup-submit"),
    "consent": (at_consent, CONSENT, "consent-allow"),
    "login again": (at_login_again, LOGIN, "login-submit"),
    "account selection": (at_selection, SELECT_ACCOUNT, "account-other"),
}


@pytest.mark.parametrize("step", STEPS)
async def test_no_other_step_is_skipped(demanding_op: AuthorizationService, step: str) -> None:
    """The client gets no code, whatever is called, until the form of the page is filled in."""
    begin, path, button = STEPS[step]
    browser = demanding_op.browser()
    page = await begin(demanding_op, browser)
    assert asks_for(button)(page)
    for name, answer in await tries(browser, page, but=path):
        assert not (answer.is_at_client and "code" in answer.answer), name
        resumed = await browser.get(AUTHORIZATION.path, page.hidden)
        assert not resumed.is_at_client, name
