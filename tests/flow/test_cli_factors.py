"""Second factors at the command line: reset, encrypted again, required of a group; and holds."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from shared.live import clock
from shared.store import Mail, NewSecondFactor
from tests.deployment import open_world, settings_for
from tests.flow.command_line import Ostiary, of

NEW = NewSecondFactor(secret=b"12345678901234567890", step=0, recovery_hashes=("a" * 64,))


async def _add(database_url: str, redis_url: str) -> None:
    """Give ada an authenticator app, as the deployment of the commands encrypts it."""
    settings = settings_for(database_url, redis_url, secret_key="s" * 32)
    async with open_world(settings) as world:
        user = await world.stores.users.find_by_name("ada")
        assert user
        await world.stores.second_factors.add(user.user_id, NEW)


def test_factors_are_reset_and_encrypted_again(ostiary: Ostiary, database_url: str, redis_url: str) -> None:
    """A user who has lost both adds another app; who has none is said to have none."""
    assert ostiary("user", "add", "ada").exit_code == 0
    assert "ada has no second factor" in ostiary("user", "reset-factors", "ada").stderr
    asyncio.run(_add(database_url, redis_url))
    rewrapped = ostiary("keys", "rewrap", OSTIARY_SECRET_KEY="n" * 32 + "," + "s" * 32)
    assert rewrapped.exit_code == 0, rewrapped.output
    assert "1 second factors encrypted again" in rewrapped.output
    assert ostiary("user", "reset-factors", "ada").exit_code == 0
    assert ostiary("user", "reset-factors", "ada").exit_code == 1


async def _mails(database_url: str, redis_url: str) -> Sequence[Mail]:
    settings = settings_for(database_url, redis_url, secret_key="s" * 32)
    async with open_world(settings) as world:
        return await world.stores.mails.take(10, timedelta(minutes=1), clock.now())


def test_users_hear_of_what_operators_do(ostiary: Ostiary, database_url: str, redis_url: str) -> None:
    """In their own language, and once: of another password, and of factors that are removed."""
    server = {"OSTIARY_SMTP_URL": "smtp://127.0.0.1:9"}
    claims = '{"email": "ada@example.org", "email_verified": true, "locale": "fr"}'
    assert ostiary("user", "add", "ada", "--claims", "-", given=claims, **server).exit_code == 0
    assert ostiary("user", "reset-factors", "ada", **server).exit_code == 1
    asyncio.run(_add(database_url, redis_url))
    for command in ("password", "reset-factors"):
        assert ostiary("user", command, "ada", **server).exit_code == 0
    mails = asyncio.run(_mails(database_url, redis_url))
    assert sorted(mail.kind for mail in mails) == ["factors_removed", "password_changed"]
    assert {(mail.contents.recipient, mail.contents.locale) for mail in mails} == {("ada@example.org", "fr")}


async def _has_temporary_password(database_url: str, redis_url: str) -> bool:
    async with open_world(settings_for(database_url, redis_url)) as world:
        account = await world.stores.credentials.find_user_and_password("ada")
        assert account
        return account.is_temporary


@pytest.mark.parametrize(
    ("options", "is_temporary"),
    [
        ((), True),
        (("--keep",), False),
        (("--password-stdin",), False),
        (("--password-stdin", "--must-change"), True),
    ],
)
def test_who_has_to_choose_another_password(
    ostiary: Ostiary, database_url: str, redis_url: str, options: tuple[str, ...], *, is_temporary: bool
) -> None:
    """By default whoever gets a generated one: of new users, and of users who get another one."""
    given = "four words nobody guesses\n"
    for words in (("user", "add", "ada"), ("user", "password", "ada")):
        assert ostiary(*words, *options, given=given).exit_code == 0
        assert asyncio.run(_has_temporary_password(database_url, redis_url)) == is_temporary
    other = "--keep" if is_temporary else "--must-change"
    assert ostiary("user", "password", "ada", other).exit_code == 0
    assert asyncio.run(_has_temporary_password(database_url, redis_url)) != is_temporary


def test_a_group_requires_a_second_factor(ostiary: Ostiary) -> None:
    """From the beginning or later; another change of the group leaves it as it is."""
    added = of(ostiary("group", "add", "staff", "--require-second-factor", "--json"))
    assert added["requires_second_factor"] is True
    for words, is_required in (
        (("--name", "Staff"), True),
        (("--no-second-factor",), False),
        (("--all-scopes",), False),
        (("--require-second-factor",), True),
    ):
        changed = of(ostiary("group", "update", "staff", *words, "--json"))
        assert changed["requires_second_factor"] is is_required


async def _recover(database_url: str, redis_url: str) -> None:
    """Let ada have used a recovery link just now."""
    async with open_world(settings_for(database_url, redis_url, secret_key="s" * 32)) as world:
        await world.database.row("UPDATE users SET recovered_at = now()")


def test_a_hold_is_shown_and_lifted(ostiary: Ostiary, database_url: str, redis_url: str) -> None:
    """Only of an administrator, and once; the audit log says by whom."""
    assert ostiary("user", "add", "ada").exit_code == 0
    asyncio.run(_recover(database_url, redis_url))
    assert "ada may change" in ostiary("user", "lift-hold", "ada").stderr
    assert ostiary("group", "add", "helpdesk", "--scope", "ostiary.users:read").exit_code == 0
    assert ostiary("group", "join", "helpdesk", "ada").exit_code == 0
    assert of(ostiary("user", "show", "ada", "--json"))["held_until"]
    assert ostiary("user", "lift-hold", "ada").exit_code == 0
    shown = of(ostiary("user", "show", "ada", "--json"))
    assert (shown["held_until"], shown["recovery_codes"]) == (None, 0)
    assert ostiary("user", "lift-hold", "ada").exit_code == 1
    assert "There is no user bob" in ostiary("user", "lift-hold", "bob").stderr
