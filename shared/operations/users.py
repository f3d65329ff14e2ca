"""The operators' functions for users, which sign-up uses too, over ports."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Any
from uuid import UUID

from shared.live.randomness import new_id
from shared.model import Author, Json, User
from shared.oauth.supported import MEMBERSHIPS
from shared.operations.listing import every
from shared.operations.user_rules.changes import UserChanges, changed_claims
from shared.operations.user_rules.claims import check_claims
from shared.operations.user_rules.memberships import groups_in, roles_in, without_memberships
from shared.operations.user_rules.names import check_username
from shared.process.operator_error import OperatorError
from shared.store import NewMail, Stale, Users


class NoSuchUser(OperatorError):
    """There is no user of that name."""

    template = "There is no user {}"


def shown(user: User) -> dict[str, Any]:
    """A user as operators see them."""
    return {
        "sub": str(user.user_id),
        "username": user.username,
        "is_disabled": user.disabled_at is not None,
        "created_at": user.created_at.isoformat() if user.created_at else None,
        "groups": list(user.direct_groups or ()),
        "effective_groups": list(user.groups or ()),
        "roles": list(user.direct_roles or ()),
        "effective_roles": list(user.roles or ()),
        "claims": without_memberships(user.claims),
    }


async def get_by_id(users: Users, user_id: UUID) -> User:
    """Raises NoSuchUser."""
    if user := await users.find(user_id):
        return user
    raise NoSuchUser(str(user_id))


async def get(users: Users, name: str) -> User:
    """The user with this user name or e-mail address. Raises NoSuchUser."""
    if user := await users.find_by_name(name):
        return user
    raise NoSuchUser(name)


async def add_user(
    users: Users,
    username: str,
    claims: Json,
    password_hash: str | None,
    *,
    user_id: UUID | None = None,
    is_temporary: bool = False,
    detail: Json | None = None,
    is_distinct: bool = False,
    by: Author | None = None,
) -> User:
    """Add a user, under a new id unless one is given; *detail* is for the audit row.

    A password that *is_temporary* is replaced at the first sign-in with it.

    `groups` among the claims become memberships, and `roles` the user's roles; missing ones are added. Raises
    BadUser, BadGroup, BadRole, and Taken, with *is_distinct* also if the name only looks like another user's.
    """
    check_username(username)
    check_claims(claims)
    user = User(
        user_id=user_id or new_id(),
        username=username,
        claims=without_memberships(claims),
        groups=groups_in(claims),
        roles=roles_in(claims),
    )
    return await users.add(
        user, password_hash, detail, is_temporary=is_temporary, is_distinct=is_distinct, by=by
    )


async def update_user(users: Users, name: str, changes: UserChanges) -> User:
    """Change a user. Sessions and grants continue, unless the user leaves a group or loses a role.

    `groups` among the claims become the user's only groups, and missing groups are added; likewise `roles`.
    Raises NoSuchUser, BadUser, BadGroup, BadRole, Taken, Stale.
    """
    user = await get(users, name)
    username = user.username if changes.username is None else changes.username
    of_record = replace(changes, claims=without_memberships(changes.claims))
    claims = changed_claims(without_memberships(user.claims), of_record)
    memberships = {name: changes.claims[name] for name in MEMBERSHIPS if name in changes.claims}
    return await replace_user(users, user, username, {**claims, **memberships})


async def replace_user(
    users: Users,
    user: User,
    username: str,
    claims: Json,
    *,
    by: Author | None = None,
    mails: Sequence[NewMail] = (),
) -> User:
    """Replace the name and the claims of a user of this version, and queue *mails* with that.

    `groups` and `roles` among the claims are as for `update_user`. Raises BadUser, BadGroup, BadRole, Taken,
    Stale.
    """
    groups, roles, claims = groups_in(claims), roles_in(claims), without_memberships(claims)
    check_username(username)
    check_claims(claims)
    changed = replace(user, username=username, claims=claims)
    return await users.replace(changed, groups, roles, by=by, mails=mails)


async def set_verified_address(
    users: Users, user_id: UUID, email: str, mails: Sequence[NewMail] = ()
) -> None:
    """Give a user the address that they have confirmed. Raises NoSuchUser, BadUser, Taken."""
    while True:
        user = await get_by_id(users, user_id)
        changes = UserChanges(email=email, is_email_verified=True)
        claims = changed_claims(without_memberships(user.claims), changes)
        try:
            await replace_user(users, user, user.username, claims, by=Author("itself"), mails=mails)
        except Stale:  # somebody else has changed another claim
            continue
        return


def every_user(users: Users) -> AsyncIterator[User]:
    """All users, by name."""
    return every(users.list, attrgetter("username"))
