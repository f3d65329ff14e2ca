"""`ostiary user add`, `import`, `update` and `password`: the commands that write a user's record."""

import sys
from dataclasses import asdict
from typing import BinaryIO

import click

from services.cli.output import as_json, show, show_each
from services.cli.steps import run_step
from shared.browser.notices import Notices
from shared.codec.json_text import parse_object, parse_value
from shared.config.settings import Settings
from shared.identity.passwords import hash_password
from shared.live.randomness import new_password
from shared.model import User
from shared.operations import groups, user_import, users
from shared.operations.user_rules.changes import UserChanges, changed_claims
from shared.operations.user_rules.memberships import with_group
from shared.operations.user_rules.passwords import check_password
from shared.store.open import Stores

_password_stdin = click.option(
    "--password-stdin",
    is_flag=True,
    help="Read the password from standard input. Without it, one is generated and printed.",
)
_temporary = click.option(
    "--must-change/--keep",
    "is_temporary",
    default=None,
    help="Whether the user has to choose another password when they sign in with this one. By default they"
    " have to if it was generated, and keep one that was read from standard input.",
)
_email = click.option("--email", help="E-mail address, also for signing in unless it is marked unverified.")
_email_verified = click.option(
    "--email-verified/--email-unverified",
    "is_verified",
    default=None,
    help="Whether the e-mail address is verified.",
)


def _password(is_given: bool) -> tuple[str, dict[str, str]]:
    """The password, and the member that shows it once if it was generated."""
    if is_given:
        return sys.stdin.readline().rstrip("\r\n"), {}
    password = new_password()
    return password, {"password": password}


def _is_temporary(option: bool | None, *, is_given: bool) -> bool:
    return not is_given if option is None else option


@click.command()
@click.argument("name")
@_email
@_email_verified
@_password_stdin
@_temporary
@click.option("--claims", type=click.File("rb"), help="A JSON object of OpenID standard claims, and groups.")
@click.option("--admin", "is_admin", is_flag=True, help="Make the user an administrator.")
@as_json
def add(
    name: str,
    *,
    email: str | None,
    is_verified: bool | None,
    password_stdin: bool,
    is_temporary: bool | None,
    claims: BinaryIO | None,
    is_admin: bool,
    is_json: bool,
) -> None:
    """Add a user. A generated password is shown once."""
    password, shown_once = _password(password_stdin)

    async def step(stores: Stores, _: Settings) -> User:
        members = parse_object(claims.read()) if claims else {}
        changes = UserChanges(email=email, is_email_verified=is_verified)
        all_claims = changed_claims(members, changes)
        check_password(password, name, all_claims)
        if is_admin:
            all_claims = with_group(all_claims, await groups.administrators(stores.groups))
        return await users.add_user(
            stores.users,
            name,
            all_claims,
            hash_password(password),
            is_temporary=_is_temporary(is_temporary, is_given=password_stdin),
        )

    show(users.shown(run_step(step)) | shown_once, is_json)


@click.command(name="import")
@click.argument("file", type=click.File("rb"))
@as_json
def import_users(file: BinaryIO, is_json: bool) -> None:
    """Import users from another server, with their password hashes: a JSON list.

    Users that exist stay as they are, so the command may be repeated.
    """

    async def step(stores: Stores, _: Settings) -> None:
        imported = user_import.read_users(parse_value(file.read()))
        rows = (asdict(row) async for row in user_import.import_users(stores.users, imported))
        await show_each(rows, ("username", "result"), is_json)

    run_step(step)


@click.command()
@click.argument("name")
@_email
@_email_verified
@click.option("--claims", type=click.File("rb"), help="A JSON object of claims to set; null removes one.")
@click.option("--username", metavar="NEW", help="New user name.")
@click.option("--locale", metavar="L", help="Language of the user, such as fr.")
@as_json
def update(
    name: str,
    *,
    email: str | None,
    is_verified: bool | None,
    claims: BinaryIO | None,
    username: str | None,
    locale: str | None,
    is_json: bool,
) -> None:
    """Change a user's name, e-mail address or claims. A new address loses its verification."""

    async def step(stores: Stores, _: Settings) -> User:
        changes = UserChanges(
            username=username,
            email=email,
            is_email_verified=is_verified,
            locale=locale,
            claims=parse_object(claims.read()) if claims else {},
        )
        return await users.update_user(stores.users, name, changes)

    show(users.shown(run_step(step)), is_json)


@click.command()
@click.argument("name")
@_password_stdin
@_temporary
@as_json
def password(name: str, *, password_stdin: bool, is_temporary: bool | None, is_json: bool) -> None:
    """Set a user's password. Every session and grant of the user ends."""
    new, shown_once = _password(password_stdin)

    async def step(stores: Stores, settings: Settings) -> None:
        user = await users.get(stores.users, name)
        check_password(new, user.username, user.claims)
        await stores.credentials.set_password(
            user.user_id,
            hash_password(new),
            is_temporary=_is_temporary(is_temporary, is_given=password_stdin),
            mails=Notices.of(settings).about(None, user, "password_changed"),
        )

    run_step(step)
    show(shown_once, is_json)
