"""Users in PostgreSQL. Every change writes its audit row in the same transaction."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from uuid import UUID

import asyncpg

from shared.identity.lookalikes import skeleton, skeleton_sql
from shared.identity.username import canonical
from shared.model import Author, Json, User
from shared.store import EVERY_USER, NewMail, SignOutExemption, Stale, Taken, UserFilter
from shared.store.codecs.authors import author_detail
from shared.store.codecs.text import is_storable
from shared.store.postgres import assigned_names
from shared.store.postgres.mails import SealedMails, queueing
from shared.store.postgres.memberships import (
    DIRECT_MEMBERSHIPS_OF_USER,
    MEMBERSHIPS_OF_USER,
    memberships,
)
from shared.store.postgres.nesting import MEMBERS_OF_BELOW, groups_below
from shared.store.postgres.outbox import end_sessions, end_sessions_of
from shared.store.postgres.transport.database import Database
from shared.store.postgres.transport.transaction import Transaction

_FIELDS = (
    "user_id",
    "username",
    "claims",
    "epoch",
    "claims_version",
    "disabled_at",
    "created_at",
    "updated_at",
)
USER_COLUMNS = ", ".join(f"u.{field}" for field in _FIELDS)
"""The columns of a user's row, without their groups and roles."""

_USER = f"""{USER_COLUMNS}, {MEMBERSHIPS_OF_USER} AS memberships, {DIRECT_MEMBERSHIPS_OF_USER} AS direct"""
_FIND = f"SELECT {_USER} FROM users u WHERE u.user_id = $1"
_FIND_BY_NAME = f"""
SELECT {_USER} FROM user_names n JOIN users u USING (user_id) WHERE n.name_key = $1"""
_PAGE = "ORDER BY u.username_key LIMIT $2"
_LIST = f"SELECT {_USER} FROM users u WHERE u.username_key > $1 {_PAGE}"
_LIST_ENABLED = f"""
SELECT {_USER} FROM users u WHERE u.username_key > $1 AND u.disabled_at IS NULL {_PAGE}"""
_LIST_DISABLED = f"""
SELECT {_USER} FROM users u WHERE u.username_key > $1 AND u.disabled_at IS NOT NULL {_PAGE}"""
_LIST_OF_GROUP = f"""
{groups_below("SELECT group_id FROM groups WHERE name_key = $3")}
SELECT {_USER} FROM users u
 WHERE u.user_id = ANY(ARRAY{MEMBERS_OF_BELOW}) AND u.username_key > $1
   AND ($4::boolean IS NULL OR (u.disabled_at IS NOT NULL) = $4) {_PAGE}"""

_LISTS = {None: _LIST, False: _LIST_ENABLED, True: _LIST_DISABLED}

_ABSENT_CLAIMS = """
SELECT name FROM unnest($1::text[]) name WHERE NOT EXISTS (SELECT FROM users u WHERE u.claims ? name)"""

_LOCK_SKELETON = "SELECT pg_advisory_xact_lock(hashtextextended('username:' || $1, 0))"
"""Serializes the adding of names that look alike. The lock ends with the transaction."""

_LOOKS_ALIKE = f"SELECT true FROM users WHERE {skeleton_sql('username_key')} = $1 LIMIT 1"
_ADD = "INSERT INTO users (user_id, username, username_key, claims) VALUES ($1, $2, $3, $4)"
_ADD_NAMES = "INSERT INTO user_names (name_key, user_id) SELECT unnest($1::text[]), $2"
_ADD_PASSWORD = """
INSERT INTO user_credentials (user_id, kind, data, is_temporary)
VALUES ($1, 'password', jsonb_build_object('hash', $2::text), $3)"""
_AUDIT = "INSERT INTO audit (event, user_id, detail) VALUES ($1, $2, $3)"

_LOCK_NAME = """
SELECT username, claims -> 'email' AS email FROM users
 WHERE user_id = $1 AND claims_version = $2 FOR UPDATE"""
_FORGET_RECOVERY_LINKS = "DELETE FROM recovery_links WHERE user_id = $1"
"""They were sent to an address that is not the user's any more."""

_DELETE_NAMES = "DELETE FROM user_names WHERE user_id = $1"
_REPLACE = f"""
WITH replaced AS (
  UPDATE users SET username = $2, username_key = $3, claims = $4, claims_version = claims_version + 1,
         updated_at = now() WHERE user_id = $1 RETURNING user_id)
{queueing("replaced", 5)}"""


def _audited(change: str, event: str) -> str:
    """A statement that makes *change*, an UPDATE or DELETE of a user, and audits *event* with detail $2."""
    return f"""
WITH changed AS ({change} RETURNING user_id)
INSERT INTO audit (event, user_id, detail) SELECT '{event}', user_id, $2::jsonb FROM changed"""


_DISABLE = _audited(
    "UPDATE users SET disabled_at = now(), epoch = epoch + 1, claims_version = claims_version + 1,"
    " updated_at = now()"
    " WHERE user_id = $1 AND disabled_at IS NULL",
    "user_disabled",
)
_ENABLE = _audited(
    "UPDATE users SET disabled_at = NULL, claims_version = claims_version + 1, updated_at = now()"
    " WHERE user_id = $1 AND disabled_at IS NOT NULL",
    "user_enabled",
)
_END_ALL = """
WITH changed AS (UPDATE users SET epoch = epoch + 1, updated_at = now() WHERE user_id = $1 RETURNING user_id)
INSERT INTO audit (event, user_id, detail)
SELECT 'user_logged_out', user_id, jsonb_strip_nulls(jsonb_build_object('kept_sid', $2::uuid)) || $3::jsonb
  FROM changed"""
_LOCK = """
SELECT FROM users WHERE user_id = $1 AND ($2::integer IS NULL OR claims_version = $2) FOR UPDATE"""
_DELETE = _audited("DELETE FROM users WHERE user_id = $1", "user_deleted")


def names(username: str, claims: Json) -> list[str]:
    """The canonical names that a user may sign in with: the user name, and the e-mail address if any.

    An address that is marked unverified is not among them, as it may be somebody else's.
    """
    email = claims.get("email") if claims.get("email_verified") is not False else None
    return sorted({canonical(username), *([canonical(email)] if isinstance(email, str) and email else [])})


def user_record(row: asyncpg.Record) -> User:
    """The user in a row of USER_COLUMNS."""
    return User(**{name: row[name] for name in _FIELDS})


def _user(row: asyncpg.Record) -> User:
    """The user in a row of _USER."""
    groups, roles = memberships(row["memberships"])
    direct_groups, direct_roles = memberships(row["direct"])
    return replace(
        user_record(row), groups=groups, direct_groups=direct_groups, roles=roles, direct_roles=direct_roles
    )


async def _read(connection: Transaction, user_id: UUID) -> User:
    """The user whom this transaction has written."""
    row = await connection.fetchrow(_FIND, user_id)
    assert row is not None
    return _user(row)


class PostgresUsers:
    """`Users` over PostgreSQL."""

    def __init__(self, database: Database, sealed_mails: SealedMails) -> None:
        self._database = database
        self._sealed_mails = sealed_mails

    async def find(self, user_id: UUID) -> User | None:
        row = await self._database.row(_FIND, user_id)
        return _user(row) if row else None

    async def find_by_name(self, name: str) -> User | None:
        key = canonical(name)
        row = await self._database.row(_FIND_BY_NAME, key) if is_storable(key) else None
        return _user(row) if row else None

    async def list(self, after: str | None, limit: int, matching: UserFilter = EVERY_USER) -> Sequence[User]:
        key, is_disabled = canonical(after or ""), matching.is_disabled
        if matching.group is not None:
            group = canonical(matching.group)
            rows = await self._database.rows(_LIST_OF_GROUP, key, limit, group, is_disabled)
        else:
            rows = await self._database.rows(_LISTS[is_disabled], key, limit)
        return [_user(row) for row in rows]

    async def add(
        self,
        user: User,
        password_hash: str | None,
        detail: Json | None = None,
        *,
        is_temporary: bool = False,
        is_distinct: bool = False,
        by: Author | None = None,
    ) -> User:
        key = canonical(user.username)
        try:
            async with self._database.transaction() as connection:
                if is_distinct:
                    await connection.execute(_LOCK_SKELETON, skeleton(key))
                    if await connection.fetchval(_LOOKS_ALIKE, skeleton(key)):
                        raise Taken(user.username)
                await connection.execute(_ADD, user.user_id, user.username, key, user.claims)
                await connection.execute(_ADD_NAMES, names(user.username, user.claims), user.user_id)
                if password_hash is not None:
                    await connection.execute(_ADD_PASSWORD, user.user_id, password_hash, is_temporary)
                await connection.execute(
                    _AUDIT, "user_added", user.user_id, {**(detail or {}), **author_detail(by)}
                )
                if user.groups:
                    await assigned_names.GROUPS.assign_each(connection, user.user_id, user.groups, by)
                if user.roles:
                    await assigned_names.ROLES.assign_each(connection, user.user_id, user.roles, by)
                return await _read(connection, user.user_id)
        except asyncpg.UniqueViolationError:
            raise Taken(user.username) from None

    async def replace(
        self,
        user: User,
        groups: Collection[str] | None = None,
        roles: Collection[str] | None = None,
        *,
        by: Author | None = None,
        mails: Sequence[NewMail] = (),
    ) -> User:
        user_id, username, claims = user.user_id, user.username, user.claims
        values = (username, canonical(username), claims, *self._sealed_mails.columns(mails))
        try:
            async with self._database.transaction() as connection:
                former = await connection.fetchrow(_LOCK_NAME, user_id, user.claims_version)
                if former is None:
                    raise Stale(username)
                if former["email"] != claims.get("email"):
                    await connection.execute(_FORGET_RECOVERY_LINKS, user_id)
                await connection.execute(_DELETE_NAMES, user_id)
                await connection.execute(_ADD_NAMES, names(username, claims), user_id)
                await connection.execute(_REPLACE, user_id, *values)
                detail = {} if former["username"] == username else {"former_username": former["username"]}
                await connection.execute(
                    _AUDIT, "user_claims_changed", user_id, {**detail, **author_detail(by)}
                )
                if groups is not None:
                    await assigned_names.GROUPS.replace(connection, user_id, groups, by)
                if roles is not None:
                    await assigned_names.ROLES.replace(connection, user_id, roles, by)
                return await _read(connection, user_id)
        except asyncpg.UniqueViolationError:
            raise Taken(f"{username} or {claims.get('email')}" if "email" in claims else username) from None

    async def absent_claims(self, names: Collection[str]) -> frozenset[str]:
        storable = [name for name in names if is_storable(name)]
        rows = await self._database.rows(_ABSENT_CLAIMS, storable) if storable else []
        return frozenset(names) - frozenset(storable) | {row["name"] for row in rows}

    async def disable(self, user_id: UUID, *, by: Author | None = None) -> None:
        async with end_sessions(self._database, user_id) as connection:
            await connection.execute(_DISABLE, user_id, author_detail(by))

    async def enable(self, user_id: UUID, *, by: Author | None = None) -> None:
        await self._database.row(_ENABLE, user_id, author_detail(by))

    async def end_all(
        self, user_id: UUID, exempt: SignOutExemption | None = None, *, by: Author | None = None
    ) -> None:
        async with end_sessions(self._database, user_id, exempt) as connection:
            await connection.execute(_END_ALL, user_id, exempt and exempt.sid, author_detail(by))

    async def delete(self, user_id: UUID, *, version: int | None = None, by: Author | None = None) -> bool:
        async with self._database.transaction() as connection:
            if await connection.fetchrow(_LOCK, user_id, version) is None:
                await connection.confirm()
                return False
            await end_sessions_of(connection, [user_id])
            await connection.execute(_DELETE, user_id, author_detail(by))
            return True
