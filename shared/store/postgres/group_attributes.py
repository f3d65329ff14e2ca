"""The step after migration 0013: creates memberships from the users' claim `groups`.

The claim stays for the previous version, which may still run; this version ignores it. Values that are not
group names are skipped. Names are compared in Python, because PostgreSQL folds case by its own locale.
"""

from typing import Any, cast

import asyncpg

from shared.identity.group_name import prepared_group_name
from shared.store.postgres.groups import join_by_name
from shared.store.postgres.transport.connection import decode_json

_BATCH = 500
_USERS = """
SELECT user_id, claims -> 'groups' AS groups FROM users
 WHERE claims ? 'groups' AND ($1::uuid IS NULL OR user_id > $1) ORDER BY user_id LIMIT $2"""


def _names(value: object) -> list[str]:
    """The group names in a claim, which is a name or a list of names."""
    values = cast(list[object], value) if isinstance(value, list) else [value]
    prepared = (prepared_group_name(each) for each in values if isinstance(each, str))
    return [name for name in prepared if name is not None]


async def adopt_group_attributes(connection: asyncpg.Connection) -> None:
    """Create the memberships, in the transaction of the migration."""
    await decode_json(connection)
    after: Any = None
    while rows := await connection.fetch(_USERS, after, _BATCH):
        for row in rows:
            await join_by_name(connection, row["user_id"], _names(row["groups"]))
        after = rows[-1]["user_id"]
