"""`ostiary user token`."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import click

from services.cli.output import as_json, show, show_all
from services.cli.steps import run_step
from shared.config.kinds.durations import parse_duration
from shared.config.settings import Settings
from shared.live import clock
from shared.operations import personal_access_tokens, users
from shared.operations.personal_access_tokens import NewToken, PersonalTokenRequest
from shared.operations.user_rules.bad_user import BadUser
from shared.store import PersonalAccessToken
from shared.store.open import Stores


@click.group()
def token() -> None:
    """Manage the personal access tokens of users."""


def _lifetime(_: click.Context, __: click.Parameter, value: str | None) -> timedelta | None:
    try:
        return None if value is None else parse_duration(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@token.command(name="add")
@click.argument("name")
@click.option("--name", "label", required=True, metavar="TEXT", help="What the token is for.")
@click.option("--scope", default="openid", show_default=True, help="Scopes, separated by spaces.")
@click.option(
    "--expires", callback=_lifetime, metavar="DURATION", help="Lifetime, such as 30d. Default: the longest."
)
@as_json
def add_token(name: str, *, label: str, scope: str, expires: timedelta | None, is_json: bool) -> None:
    """Add a token for a user. It is shown once."""

    async def step(stores: Stores, settings: Settings) -> NewToken:
        user = await users.get(stores.users, name)
        if user.disabled_at is not None:
            raise BadUser("the user is disabled")
        longest = settings.personal_access_token_lifetime
        request = PersonalTokenRequest(name=label, scope=scope, lifetime=expires or longest)
        checked = personal_access_tokens.checked_token(request, longest, clock.now())
        return await personal_access_tokens.add_token(
            stores.personal_access_tokens, user.user_id, user.epoch, checked
        )

    made = run_step(step)
    show({**personal_access_tokens.shown(made.token), "token": made.value}, is_json)


@token.command(name="list")
@click.argument("name")
@as_json
def list_tokens(name: str, is_json: bool) -> None:
    """List the valid tokens of a user, oldest first."""

    async def step(stores: Stores, _: Settings) -> Sequence[PersonalAccessToken]:
        user = await users.get(stores.users, name)
        return await stores.personal_access_tokens.of_user(user.user_id)

    shown = [personal_access_tokens.shown(each) for each in run_step(step)]
    show_all(shown, ("token_id", "name", "scope", "expires_at", "last_used_at"), is_json)


@token.command()
@click.argument("name")
@click.argument("token_id", type=click.UUID)
def revoke(name: str, token_id: UUID) -> None:
    """Revoke a token of a user."""

    async def step(stores: Stores, _: Settings) -> None:
        user = await users.get(stores.users, name)
        await personal_access_tokens.revoke_token(stores.personal_access_tokens, user.user_id, token_id)

    run_step(step)
