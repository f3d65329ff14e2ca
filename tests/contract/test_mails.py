"""Mails are queued in the transaction of what they tell: a crash loses none, a rollback sends none."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import uuid4

import pytest

from shared.live import clock
from shared.model import User
from shared.store import (
    PASSKEY,
    Credential,
    Mail,
    MailContents,
    MailsState,
    NewMail,
    SignOutExemption,
    Stale,
    Unavailable,
)
from tests.builders import World
from tests.contract.test_sessions import a_session
from tests.planted import planted
from tests.planted.mail import queues_afterwards
from tests.second_factors import A_NEW_APP

MINUTE = timedelta(minutes=1)
MAILS = tuple(
    NewMail(
        kind="password_changed",
        contents=MailContents(recipient=recipient, locale="en", values={"username": "ada"}),
        lifetime=MINUTE,
    )
    for recipient in ("ada@example.org", "ada@home.example")
)

Act = Callable[[World, User, Sequence[NewMail]], Awaitable[object]]


def _a_passkey(user: User) -> Credential:
    data = {"id": uuid4().hex}
    return Credential(
        credential_id=uuid4(), user_id=user.user_id, kind=PASSKEY, data=data, created_at=clock.now()
    )


async def _add_credential(world: World, user: User, mails: Sequence[NewMail]) -> None:
    await world.stores.credentials.add(_a_passkey(user), mails=mails)


async def _remove_credential(world: World, user: User, mails: Sequence[NewMail]) -> None:
    credentials = world.stores.credentials
    for passkey in await credentials.of_user(user.user_id):
        await credentials.remove(user.user_id, passkey.credential_id, mails=mails)


async def _set_password(world: World, user: User, mails: Sequence[NewMail]) -> None:
    await world.stores.credentials.set_password(user.user_id, "a hash", SignOutExemption(), mails=mails)


async def _replace_password(world: World, user: User, mails: Sequence[NewMail]) -> None:
    await world.stores.credentials.replace_temporary_password(user.user_id, user.epoch, "a hash", mails=mails)


async def _add_app(world: World, user: User, mails: Sequence[NewMail]) -> None:
    await world.stores.second_factors.add(user.user_id, A_NEW_APP, mails=mails)


async def _remove_app(world: World, user: User, mails: Sequence[NewMail]) -> None:
    await world.stores.second_factors.remove(user.user_id, mails=mails)


async def _reset_factors(world: World, user: User, mails: Sequence[NewMail]) -> None:
    await world.stores.second_factors.reset(user.user_id, mails=mails)


async def _replace_user(world: World, user: User, mails: Sequence[NewMail]) -> None:
    claims = {**user.claims, "email": f"{uuid4().hex}@new.example"}
    await world.stores.users.replace(replace(user, claims=claims), mails=mails)


async def _make_link(world: World, user: User, mails: Sequence[NewMail]) -> None:
    link = (user.user_id.bytes * 2, user.user_id, MINUTE, {"by": "mail"})
    await world.stores.recovery_links.add(*link, mails=mails)


async def _use_link(world: World, user: User, mails: Sequence[NewMail]) -> None:
    link_hash = user.user_id.bytes * 2
    await world.stores.recovery_links.set_password(
        link_hash, user.user_id, "a hash", SignOutExemption(), mails=mails
    )


async def _want_address(world: World, user: User, mails: Sequence[NewMail]) -> None:
    await world.stores.address_codes.put(user.user_id, "new@example.org", b"hash", MINUTE, mails=mails)


async def _sign_in(world: World, user: User, mails: Sequence[NewMail]) -> None:
    await world.stores.sessions.begin(a_session(user), None, {}, mails=mails)


async def _sign_in_again(world: World, user: User, mails: Sequence[NewMail]) -> None:
    """In the browser of a session, which another statement of the transaction may end."""
    other = await world.sign_in()
    await world.stores.sessions.begin(a_session(user), other.sid.bytes * 2, {}, mails=mails)


def _audited(event: str) -> str:
    return f"SELECT xmin::text AS made_by FROM audit WHERE user_id = $1 AND event = '{event}'"


@dataclass(frozen=True, slots=True)
class Cause:
    """What a mail tells of: the act, the rows that it commits, and what must have happened before."""

    act: Act
    rows: str
    before: Act | None = None


CAUSES = {
    "a new credential": Cause(_add_credential, _audited("credential_added")),
    "a removed credential": Cause(_remove_credential, _audited("credential_removed"), _add_credential),
    "a new password": Cause(_set_password, _audited("password_changed")),
    "a replaced password": Cause(_replace_password, _audited("password_changed")),
    "a new app": Cause(_add_app, _audited("credential_added")),
    "a removed app": Cause(_remove_app, _audited("credential_removed"), _add_app),
    "factors that are reset": Cause(_reset_factors, _audited("credential_removed"), _add_app),
    "new claims": Cause(_replace_user, _audited("user_claims_changed")),
    "a link": Cause(_make_link, _audited("recovery_link_made")),
    "a link that is used": Cause(_use_link, _audited("recovery_link_used"), _make_link),
    "a wanted address": Cause(
        _want_address, "SELECT xmin::text AS made_by FROM address_codes WHERE user_id = $1"
    ),
    "a sign-in": Cause(_sign_in, _audited("signed_in")),
    "a sign-in in a browser with a session": Cause(_sign_in_again, _audited("signed_in")),
}

each_cause = pytest.mark.parametrize("cause", CAUSES.values(), ids=CAUSES)


async def _prepared(world: World, cause: Cause) -> User:
    """A user for whom the act is possible."""
    user = await world.user()
    if cause.before:
        await cause.before(world, user, ())
    return user


async def _made_by(world: World, sql: str, user: User) -> list[str]:
    """The transactions that have written these rows."""
    return [row["made_by"] for row in await world.database.rows(sql, user.user_id)]


async def _waiting(world: World, user: User) -> list[str]:
    """The transactions that have queued mails to the user."""
    return await _made_by(world, "SELECT xmin::text AS made_by FROM mails WHERE user_id = $1", user)


@asynccontextmanager
async def _killing(world: World) -> AsyncIterator[None]:
    """Whoever queues a mail is killed by that."""
    await world.database.row("""
        CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$""")
    await world.database.row("CREATE TRIGGER die BEFORE INSERT ON mails FOR EACH ROW EXECUTE FUNCTION die()")
    try:
        yield
    finally:
        await world.database.row("DROP FUNCTION die CASCADE")


@planted(queues_afterwards)
@each_cause
async def test_mails_are_queued_in_the_transaction_of_their_cause(world: World, cause: Cause) -> None:
    """All of them, and encrypted for whom they are."""
    user = await _prepared(world, cause)
    await cause.act(world, user, MAILS)
    assert set(await _waiting(world, user)) == set(await _made_by(world, cause.rows, user))
    taken: Sequence[Mail] = await world.stores.mails.take(100, MINUTE, clock.now())
    assert {mail.contents.recipient for mail in taken if mail.user_id == user.user_id} == {
        mail.contents.recipient for mail in MAILS
    }


@planted(queues_afterwards)
@each_cause
async def test_a_crash_before_the_mail_undoes_its_cause(world: World, cause: Cause) -> None:
    """The backend is killed by the mail: nothing has happened, and repeating it does and tells it once."""
    user = await _prepared(world, cause)
    async with _killing(world):
        with pytest.raises(Unavailable):
            await cause.act(world, user, MAILS)
    assert await _made_by(world, cause.rows, user) == []
    assert await _waiting(world, user) == []
    await cause.act(world, user, MAILS)
    assert len(set(await _made_by(world, cause.rows, user))) == 1
    assert len(await _waiting(world, user)) == len(MAILS)


@planted(queues_afterwards)
async def test_nobody_is_told_of_what_has_not_happened(world: World) -> None:
    """As for a user who has been deleted in the meantime."""
    for cause in CAUSES.values():
        user = await _prepared(world, cause)
        await world.stores.users.delete(user.user_id)
        with suppress(Stale):
            await cause.act(world, user, MAILS)
        assert await _waiting(world, user) == []


async def test_the_state_counts_what_somebody_still_needs(world: World) -> None:
    """And since when the oldest of them has waited."""
    await world.database.row("TRUNCATE mails")
    assert await world.stores.mails.state() == MailsState(0, None)
    user = await world.user()
    for _ in range(2):
        await world.stores.credentials.add(_a_passkey(user), mails=MAILS[:1])
    await world.database.row("UPDATE mails SET created_at = now() - interval '1 hour'")
    await world.stores.credentials.add(_a_passkey(user), mails=MAILS)
    state = await world.stores.mails.state()
    assert state.waiting == 4
    assert state.oldest
    assert clock.now() - state.oldest >= timedelta(minutes=59)
    await world.database.row(
        "UPDATE mails SET expires_at = now() WHERE created_at < now() - interval '1 minute'"
    )
    assert (await world.stores.mails.state()).waiting == 2
