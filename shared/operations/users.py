"""The operators' functions for users, which sign-up uses too, over ports."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Any
from uuid import UUID

from shared.identity.password_rules import MAX_PASSWORD, MIN_PASSWORD, PasswordFault, password_fault
from shared.identity.username import has_ignorable
from shared.live.randomness import new_id
from shared.model import Author, Json, User
from shared.oauth.supported import GROUPS, MEMBERSHIPS, ROLES, SCOPE_CLAIMS, SERVER_CLAIMS
from shared.operations.groups import checked_names
from shared.operations.listing import every
from shared.operations.roles import checked_roles
from shared.process.operator_error import OperatorError
from shared.store import NewMail, Stale, Users
from shared.store.codecs.text import is_storable

MAX_NAME = 200
MAX_CLAIMS_DEPTH = 8
MAX_GROUPS = 1000  # among the claims of one user; as many roles


class NoSuchUser(OperatorError):
    """There is no user of that name."""

    template = "There is no user {}"


class BadUser(OperatorError):
    """The name, the claims or the password are invalid; the message says why."""


_RELEASED = frozenset(claim for claims in SCOPE_CLAIMS.values() for claim in claims)
_STRINGS = _RELEASED - {"address", "email_verified", "phone_number_verified", "updated_at", *MEMBERSHIPS}
_BOOLEANS = frozenset({"email_verified", "phone_number_verified"})


def _check_text(value: object, path: str, depth: int = 0) -> None:
    if depth > MAX_CLAIMS_DEPTH:
        raise BadUser(f"{path} is nested too deeply")
    match value:
        case str():
            if not is_storable(value):
                raise BadUser(f"{path} has a character that cannot be stored")
        case Mapping():
            for name, member in value.items():
                _check_text(name, path, depth + 1)
                _check_text(member, f"{path}.{name}", depth + 1)
        case list() | tuple():
            for member in value:
                _check_text(member, path, depth + 1)


def check_claims(claims: Json) -> None:
    """Check the types of *claims* (OpenID Connect Core 1.0 §5.1). Raises BadUser."""
    _check_text(claims, "claims")
    for name, value in claims.items():
        if name in SERVER_CLAIMS:
            raise BadUser(f"the claim {name} is the server's own")
        if name in _STRINGS and not isinstance(value, str):
            raise BadUser(f"the claim {name} must be a string")
        if name in _BOOLEANS and not isinstance(value, bool):
            raise BadUser(f"the claim {name} must be true or false")
        if name == "updated_at" and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise BadUser("the claim updated_at must be a number")
        if name == "address" and not _is_object_of_strings(value):
            raise BadUser("the claim address must be an object of strings")
        if name in MEMBERSHIPS and not _is_list_of_strings(value):
            raise BadUser(f"the claim {name} must be a list of strings")
    if "email" in claims and not _is_address(claims["email"]):
        raise BadUser("the claim email is not an e-mail address")


def _is_object_of_strings(value: object) -> bool:
    return isinstance(value, Mapping) and all(isinstance(member, str) for member in value.values())


def _is_list_of_strings(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(member, str) for member in value)


def _is_address(email: str) -> bool:
    local, at, domain = email.rpartition("@")
    return bool(local and at and domain) and not any(character.isspace() for character in email)


def check_username(username: str) -> None:
    """Raises BadUser if the name is empty or too long, or has invisible characters."""
    _check_text(username, "the user name")
    if not username.strip() or username != username.strip() or len(username) > MAX_NAME:
        raise BadUser(f"a user name has 1 to {MAX_NAME} characters and no spaces at its ends")
    if not username.isprintable() or has_ignorable(username):
        raise BadUser("a user name must have visible characters only")


PASSWORD_FAULTS: dict[PasswordFault, str] = {
    "length": f"a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters",
    "characters": "the password has a character that not every keyboard can type",
    "common": "the password is one of those that attackers try first: choose a longer, rarer one",
    "name": "the password is the user's own name or address",
}


def names_of(username: str, claims: Json) -> tuple[str, ...]:
    """What is known of a user and therefore guessed as their password."""
    known = (username, claims.get("email"), claims.get("name"))
    return tuple(name for name in known if isinstance(name, str))


def check_password(password: str, username: str, claims: Json) -> None:
    """Whether a user may have the password. Raises BadUser."""
    if fault := password_fault(password, names_of(username, claims)):
        raise BadUser(PASSWORD_FAULTS[fault])


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
        "claims": _without_memberships(user.claims),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class UserChanges:
    """Changes of a user. None leaves a value as it is; a claim that is None is removed."""

    username: str | None = None
    email: str | None = None
    is_email_verified: bool | None = None
    locale: str | None = None
    claims: Json = field(default_factory=dict)


def _without_memberships(claims: Json) -> dict[str, Any]:
    return {name: value for name, value in claims.items() if name not in MEMBERSHIPS}


def _names_in(claims: Json, member: str) -> Sequence[str] | None:
    if member not in claims:
        return None
    names: Sequence[str] = claims[member] or ()
    check_claims({member: names})
    if len(names) > MAX_GROUPS:
        raise BadUser(f"a user may get at most {MAX_GROUPS} {member} at once")
    return names


def groups_in(claims: Json) -> tuple[str, ...] | None:
    """The groups among the claims that an operator gives; null gives none. None: the claim is absent.

    Raises BadUser, BadGroup.
    """
    names = _names_in(claims, GROUPS)
    return None if names is None else checked_names(names)


def roles_in(claims: Json) -> tuple[str, ...] | None:
    """The roles among the claims, as `groups_in`. Raises BadUser, BadRole."""
    names = _names_in(claims, ROLES)
    return None if names is None else checked_roles(names)


def with_group(claims: Json, group: str) -> dict[str, Any]:
    """The claims that an operator gives, with another group. Raises BadUser, BadGroup."""
    return {**claims, GROUPS: [*(groups_in(claims) or ()), group]}


def changed_claims(claims: Json, changes: UserChanges) -> dict[str, Any]:
    """The claims after *changes*. A new address or phone number loses the verification of the old one.

    Raises BadUser.
    """
    members = {"email": changes.email, "email_verified": changes.is_email_verified, "locale": changes.locale}
    requested = {**changes.claims, **{name: value for name, value in members.items() if value is not None}}
    changed = {**claims, **requested}
    for name in ("email", "phone_number"):
        if changed.get(name) != claims.get(name) and f"{name}_verified" not in requested:
            changed.pop(f"{name}_verified", None)
    changed = {name: value for name, value in changed.items() if value is not None}
    if changes.is_email_verified is not None and "email" not in changed:
        raise BadUser("the user has no e-mail address to verify")
    check_claims(changed)
    return changed


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
        claims=_without_memberships(claims),
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
    of_record = replace(changes, claims=_without_memberships(changes.claims))
    claims = changed_claims(_without_memberships(user.claims), of_record)
    given = {name: changes.claims[name] for name in MEMBERSHIPS if name in changes.claims}
    return await replace_user(users, user, username, {**claims, **given})


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
    groups, roles, claims = groups_in(claims), roles_in(claims), _without_memberships(claims)
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
        claims = changed_claims(_without_memberships(user.claims), changes)
        try:
            await replace_user(users, user, user.username, claims, by=Author("itself"), mails=mails)
        except Stale:  # somebody else has changed another claim
            continue
        return


def every_user(users: Users) -> AsyncIterator[User]:
    """All users, by name."""
    return every(users.list, attrgetter("username"))
