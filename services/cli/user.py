"""`ostiary user`."""

import secrets
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import BinaryIO

import click

from services.authorization.throttle import USER
from services.cli.faults import faults_in_sentences
from services.cli.output import as_json, show, show_all, show_each
from services.cli.steps import run_step
from shared.admin import clients, users
from shared.model import User
from shared.oauth.json_text import parse_object
from shared.passwords import hash_password
from shared.settings import Settings
from shared.store import Given
from shared.store.open import Stores

MADE_PASSWORD_BYTES = 15

_password_stdin = click.option(
    "--password-stdin",
    is_flag=True,
    help="Read the password from standard input; else one is made and printed.",
)


_email = click.option("--email", help="E-mail address, also a name to sign in with unless it is unverified.")
_email_verified = click.option(
    "--email-verified/--email-unverified",
    "is_verified",
    default=None,
    help="Whether the e-mail address is known to be the user's.",
)


@click.group()
def user() -> None:
    """Users: add, change, show, disable, sign out, take back consents."""


def _password(is_given: bool) -> tuple[str, dict[str, str]]:
    """The password, and the member that shows it once if it was made here."""
    if is_given:
        with faults_in_sentences():
            return users.checked_password(sys.stdin.readline().rstrip("\r\n")), {}
    made = secrets.token_urlsafe(MADE_PASSWORD_BYTES)
    return made, {"password": made}


@user.command()
@click.argument("name")
@_email
@_email_verified
@_password_stdin
@click.option("--claims", type=click.File("rb"), help="A JSON object of OpenID standard claims.")
@as_json
def add(
    name: str,
    *,
    email: str | None,
    is_verified: bool | None,
    password_stdin: bool,
    claims: BinaryIO | None,
    is_json: bool,
) -> None:
    """Add a user. A password that is made here is shown once."""
    password, shown_once = _password(password_stdin)

    async def step(stores: Stores, _: Settings) -> User:
        members = parse_object(claims.read()) if claims else {}
        changes = users.Changes(email=email, is_email_verified=is_verified)
        all_claims = users.changed_claims(members, changes)
        return await users.add_user(stores.users, name, all_claims, hash_password(password))

    show(users.shown(run_step(step)) | shown_once, is_json)


@user.command(name="list")
@as_json
def list_users(is_json: bool) -> None:
    """All users, by name."""

    async def step(stores: Stores, _: Settings) -> None:
        shown = (users.shown(each) async for each in users.every_user(stores.users))
        await show_each(shown, ("username", "sub", "is_disabled"), is_json)

    run_step(step)


@user.command()
@click.argument("name")
@_email
@_email_verified
@click.option("--claims", type=click.File("rb"), help="A JSON object of claims to set; null removes one.")
@click.option("--username", metavar="NEW", help="Another user name.")
@click.option("--locale", metavar="L", help="The language of the user, such as fr.")
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
    """Change a user's name, e-mail address or claims. A new address is unverified unless it is said to be."""

    async def step(stores: Stores, _: Settings) -> User:
        changes = users.Changes(
            username=username,
            email=email,
            is_email_verified=is_verified,
            locale=locale,
            claims=parse_object(claims.read()) if claims else {},
        )
        return await users.update_user(stores.users, name, changes)

    show(users.shown(run_step(step)), is_json)


@user.command(name="show")
@click.argument("name")
@as_json
def show_user(name: str, is_json: bool) -> None:
    """One user, by user name or by an e-mail address that signs in."""

    async def step(stores: Stores, _: Settings) -> User:
        return await users.get(stores.users, name)

    show(users.shown(run_step(step)), is_json)


@user.command()
@click.argument("name")
def enable(name: str) -> None:
    """Let a user sign in again."""

    async def step(stores: Stores, _: Settings) -> None:
        await stores.users.enable((await users.get(stores.users, name)).user_id)

    run_step(step)


@user.command()
@click.argument("name")
def disable(name: str) -> None:
    """Keep a user out: every session and every token of theirs ends now."""

    async def step(stores: Stores, _: Settings) -> None:
        await stores.users.disable((await users.get(stores.users, name)).user_id)

    run_step(step)


@user.command()
@click.argument("name")
def unlock(name: str) -> None:
    """Forget a user's failed sign-ins: the next try need not wait."""

    async def step(stores: Stores, _: Settings) -> None:
        found = await users.get(stores.users, name)
        await stores.counters.forget("user", str(found.user_id), USER)

    run_step(step)


@user.command()
@click.argument("name")
def logout(name: str) -> None:
    """End every session and every grant of a user."""

    async def step(stores: Stores, _: Settings) -> None:
        await stores.users.end_all((await users.get(stores.users, name)).user_id)

    run_step(step)


@user.command()
@click.argument("name")
@as_json
def consents(name: str, is_json: bool) -> None:
    """What each client has of a user: the scope that is not asked for again, and grants."""

    async def step(stores: Stores, _: Settings) -> Sequence[Given]:
        return await stores.consents.given((await users.get(stores.users, name)).user_id)

    show_all([asdict(given) for given in run_step(step)], ("client_id", "scope", "grants"), is_json)


@user.command()
@click.argument("name")
@click.argument("client_id", metavar="ID")
@as_json
def revoke_consent(name: str, client_id: str, is_json: bool) -> None:
    """Take back what a client has of a user: it asks again, and its grants end; the user stays signed in."""

    async def step(stores: Stores, _: Settings) -> int:
        found = await users.get(stores.users, name)
        await clients.get(stores.clients, client_id)
        return await stores.consents.revoke(found.user_id, client_id)

    show({"username": name, "client_id": client_id, "grants_revoked": run_step(step)}, is_json)


@user.command()
@click.argument("name")
def delete(name: str) -> None:
    """Delete a user, with their sessions, consents and grants."""

    async def step(stores: Stores, _: Settings) -> None:
        await stores.users.delete((await users.get(stores.users, name)).user_id)

    run_step(step)


@user.command()
@click.argument("name")
@_password_stdin
@as_json
def password(name: str, password_stdin: bool, is_json: bool) -> None:
    """Set a password; every session and every grant of the user ends."""
    new, shown_once = _password(password_stdin)

    async def step(stores: Stores, _: Settings) -> None:
        found = await users.get(stores.users, name)
        await stores.users.set_password(found.user_id, hash_password(new))

    run_step(step)
    show(shown_once, is_json)
