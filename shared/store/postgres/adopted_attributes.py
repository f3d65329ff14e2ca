"""The steps after migrations 0013 and 0111: memberships and roles from users' claims `groups` and `roles`.

The claims stay for the previous version, which may still run; this version ignores them. Values that are not
names are skipped. Names are compared in Python, because PostgreSQL folds case by its own locale.
"""

from collections.abc import Awaitable, Callable
from typing import Any, cast
from uuid import UUID

import asyncpg

from shared.identity.group_name import prepared_group_name
from shared.store.postgres import assigned_names
from shared.store.postgres.transport.connection import decode_json

_BATCH = 500
_USERS = """
SELECT user_id, claims -> $3 AS names FROM users
 WHERE claims ? $3 AND ($1::uuid IS NULL OR user_id > $1) ORDER BY user_id LIMIT $2"""

_Adopt = Callable[[asyncpg.Connection, UUID, list[str]], Awaitable[None]]


def _names(value: object) -> list[str]:
    """The names in a claim, which is a name or a list of names."""
    values = cast(list[object], value) if isinstance(value, list) else [value]
    prepared = (prepared_group_name(each) for each in values if isinstance(each, str))
    return [name for name in prepared if name is not None]


async def _adopt_each(connection: asyncpg.Connection, claim: str, adopt: _Adopt) -> None:
    await decode_json(connection)
    after: Any = None
    while rows := await connection.fetch(_USERS, after, _BATCH, claim):
        for row in rows:
            await adopt(connection, row["user_id"], _names(row["names"]))
        after = rows[-1]["user_id"]


async def adopt_group_attributes(connection: asyncpg.Connection) -> None:
    """Create the memberships, in the transaction of the migration."""
    await _adopt_each(connection, "groups", assigned_names.GROUPS.assign_each)


async def adopt_role_attributes(connection: asyncpg.Connection) -> None:
    """Give the roles, in the transaction of the migration."""
    await _adopt_each(connection, "roles", assigned_names.ROLES.assign_each)
