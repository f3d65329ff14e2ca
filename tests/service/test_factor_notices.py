"""Notices of what signs somebody in: passkeys and authenticator apps that were added or removed."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

from shared.live import clock
from shared.model import User
from shared.paths import ACCOUNT_PASSKEYS, ACCOUNT_SECOND_FACTOR
from tests.accounts import form_with, here, send, serve_accounts, sign_in, visit
from tests.authenticator import Authenticator
from tests.authorization import LOCAL_ISSUER, AuthorizationService
from tests.deployment import open_world, settings_for
from tests.passkeys import ORIGIN
from tests.second_factors import add as add_app
from tests.second_factors import code, is_addition, recovery_codes_of, show, shown_secret_of
from tests.service.test_account import decoded
from tests.service.test_account_passkeys import add, passkeys_of

MINUTE = timedelta(minutes=1)
KINDS = {"passkey_added", "passkey_removed", "app_added", "app_removed"}


@asynccontextmanager
async def mailing(database_url: str, redis_url: str, **more: str) -> AsyncIterator[AuthorizationService]:
    """Both services with a mail server."""
    settings = settings_for(
        database_url,
        redis_url,
        issuer=LOCAL_ISSUER,
        rate_limits="off",
        smtp_url="smtp://127.0.0.1:9",
        **more,
    )
    async with open_world(settings) as world, serve_accounts(settings, world) as service:
        yield service


async def notices(service: AuthorizationService, user: User) -> Sequence[str]:
    """The kinds of mails to the user that tell of a factor, in order."""
    taken = await service.world.stores.mails.take(100, MINUTE, clock.now())
    told = [mail for mail in sorted(taken, key=lambda each: each.created_at) if mail.user_id == user.user_id]
    assert {mail.contents.recipient for mail in told} <= {user.claims["email"]}
    return [mail.kind for mail in told if mail.kind in KINDS]


async def test_users_hear_of_passkeys(module_database_url: str, module_redis_url: str) -> None:
    """Of each that was added or removed, and of nothing that was refused."""
    async with mailing(module_database_url, module_redis_url) as service:
        browser, user, authenticator = service.browser(), await service.user(), Authenticator(ORIGIN)
        page = await add(browser, await sign_in(browser, user, ACCOUNT_PASSKEYS), authenticator)
        refused = {**form_with(page, "account-passkey-add"), "passkey": "{}"}
        assert (await send(browser, ACCOUNT_PASSKEYS, refused)).status == 400
        (stored,) = await passkeys_of(service, user)
        fields = {**form_with(page, 'name="remove"'), "remove": stored["credential_id"]}
        for _ in range(2):
            await send(browser, ACCOUNT_PASSKEYS, fields)
        assert await notices(service, user) == ["passkey_added", "passkey_removed"]


async def test_users_hear_of_apps(module_database_url: str, module_redis_url: str) -> None:
    """Added and removed in the account."""
    async with mailing(module_database_url, module_redis_url) as service:
        browser, user = service.browser(), await service.user()
        page = await sign_in(browser, user, ACCOUNT_SECOND_FACTOR)
        secret = decoded(shown_secret_of(page))
        await send(browser, ACCOUNT_SECOND_FACTOR, {**page.hidden, "code": "000 00a"})
        page = await send(browser, ACCOUNT_SECOND_FACTOR, {**page.hidden, "code": code(secret)})
        recovery_code = recovery_codes_of(page)[0]
        page = await visit(browser, ACCOUNT_SECOND_FACTOR.path)
        page = await visit(browser, here(await show(browser, page, recovery_code=recovery_code)))
        fields = form_with(page, "totp-remove") | {"act": "remove"}
        await send(browser, ACCOUNT_SECOND_FACTOR, fields)
        assert await notices(service, user) == ["app_added", "app_removed"]


async def test_users_hear_of_apps_that_are_required(module_database_url: str, module_redis_url: str) -> None:
    """Added while signing in."""
    async with mailing(module_database_url, module_redis_url, second_factor="required") as service:
        browser, user = service.browser(), await service.user()
        page = await sign_in(browser, user)
        assert is_addition(page)
        await add_app(browser, page, code(decoded(shown_secret_of(page))))
        assert await notices(service, user) == ["app_added"]
