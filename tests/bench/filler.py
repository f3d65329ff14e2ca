"""Rows that fill the tables: users, clients, grants, groups and records no request of the benchmark names.

PostgreSQL makes them itself, a million in a minute or two. They are as such rows are in production: random
identifiers, a family of refresh tokens for each grant, and a session and a consent for each user.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import asyncpg

CHUNK = 100_000
"""Rows a statement."""


@dataclass(frozen=True, slots=True)
class Filling:
    """How many rows."""

    users: int = 0
    clients: int = 0
    grants: int = 0
    groups: int = 0
    records: int = 0  # audit rows, and as many personal access tokens


_USER, _CLIENT = "md5('user ' || {n})::uuid", "'filler-' || {n}"
_N_USER, _N_CLIENT = "(1 + n % greatest($3, 1))", "(1 + n % greatest($4, 1))"
_EXPIRES = "now() + interval '30 days' + n % 1000 * interval '1 minute'"

_OF_USERS = (
    """
INSERT INTO users (user_id, username, username_key, claims)
SELECT {user}, 'filler-' || n, 'filler-' || n,
       jsonb_build_object('name', 'Filler ' || n, 'given_name', 'Filler', 'family_name', n::text,
                          'email', 'filler-' || n || '@example.org')
  FROM {numbers}""",
    """
INSERT INTO user_names (name_key, user_id)
SELECT name, {user}
  FROM {numbers}, unnest(ARRAY['filler-' || n, 'filler-' || n || '@example.org']) AS name""",
    """
INSERT INTO user_credentials (user_id, kind, data)
SELECT {user}, 'password', jsonb_build_object('hash', repeat('x', 97)) FROM {numbers}""",
    """
INSERT INTO sessions (session_key, sid, user_id, epoch, expires_at)
SELECT sha256(('session ' || n)::bytea), md5('session ' || n)::uuid, {user}, 0, {expires} FROM {numbers}""",
    """
INSERT INTO consents (user_id, client_id, scope)
SELECT {user}, {client}, '{{openid,profile,email}}' FROM {numbers} WHERE $4 > 0""",
)
_OF_CLIENTS = (
    """
INSERT INTO clients (client_id, metadata, secrets, is_dynamically_registered, used_at)
SELECT {own_client}, jsonb_build_object('client_id', {own_client}, 'client_name', 'Filler ' || n,
       'redirect_uris', jsonb_build_array('https://filler-' || n || '.example/callback')),
       jsonb_build_array(jsonb_build_object('hash', repeat('0', 64), 'expires_at', NULL)), n % 2 = 0, now()
  FROM {numbers}""",
)
_OF_GRANTS = (
    """
INSERT INTO grants (grant_id, code_hash, client_id, redirect_uri, user_id, sid, is_offline, scope, claims,
                    epoch, expires_at)
SELECT md5('grant ' || n)::uuid, sha256(('code ' || n)::bytea), {client}, 'https://app.example/callback',
       {of_user}, md5('session ' || {n_user})::uuid, true, '{{openid,profile,email,offline_access}}',
       '{{"authentication": {{"acr": "urn:ostiary:acr:pwd", "amr": ["pwd"], "auth_time": 1700000000}}}}',
       0, {expires}
  FROM {numbers}""",
    """
INSERT INTO refresh_families (family_hash, grant_id, client_id, current_hash, idle, expires_at)
SELECT sha256(('family ' || n)::bytea), md5('grant ' || n)::uuid, {client}, sha256(('token ' || n)::bytea),
       interval '30 days', {expires} FROM {numbers}""",
)
_OF_GROUPS = (
    """
INSERT INTO groups (group_id, name, name_key)
SELECT {own_group}, 'filler-' || n, 'filler-' || n FROM {numbers}""",
    """
INSERT INTO group_members (user_id, group_id) SELECT {of_user}, {own_group} FROM {numbers} WHERE $3 > 0""",
    """
INSERT INTO group_parents (group_id, parent_id)
SELECT {own_group}, {group_above} FROM {numbers} WHERE n > 1""",
    """
INSERT INTO roles (role_id, name, name_key)
SELECT {own_role}, 'filler-' || n, 'filler-' || n FROM {numbers}""",
    """
INSERT INTO user_roles (user_id, role_id) SELECT {of_user}, {own_role} FROM {numbers} WHERE $3 > 0""",
    """
INSERT INTO group_roles (group_id, role_id) SELECT {own_group}, {own_role} FROM {numbers}""",
)
_OF_RECORDS = (
    """
INSERT INTO audit (at, event, user_id, client_id)
SELECT now() - (1 + $2 - n) * interval '1 second', 'event_' || n % 60, {of_user}, {client} FROM {numbers}""",
    """
INSERT INTO personal_access_tokens (token_id, token_hash, user_id, name, scope, epoch, created_at, expires_at)
SELECT md5('token ' || n)::uuid, sha256(('token ' || n)::bytea), {of_user}, 'Filler ' || n, '{{openid}}', 0,
       now(), {expires}
  FROM {numbers} WHERE $3 > 0""",
)
_NAMES: Mapping[str, str] = {
    "numbers": "generate_series($1::bigint, $2::bigint) AS n",
    "user": _USER.format(n="n"),
    "of_user": _USER.format(n=_N_USER),
    "n_user": _N_USER,
    "own_client": _CLIENT.format(n="n"),
    "client": _CLIENT.format(n=_N_CLIENT),
    "own_role": "md5('role ' || n)::uuid",
    "own_group": "md5('group ' || n)::uuid",
    "group_above": "md5('group ' || n / 8 + 1)::uuid",
    "expires": _EXPIRES,
}


async def fill(url: str, filling: Filling) -> None:
    """Add the rows to a migrated database that has none of them, and tell the planner."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SET synchronous_commit = off")
        for statements, count in (
            (_OF_CLIENTS, filling.clients),
            (_OF_USERS, filling.users),
            (_OF_GRANTS, filling.grants),
            (_OF_GROUPS, filling.groups),
            (_OF_RECORDS, filling.records),
        ):
            for first in range(1, count + 1, CHUNK):
                for statement in statements:
                    await _add(connection, statement, first, min(first + CHUNK - 1, count), filling)
        await connection.execute("ANALYZE")
    finally:
        await connection.close()


async def _add(
    connection: asyncpg.Connection, statement: str, first: int, last: int, filling: Filling
) -> None:
    # Every statement takes the same four parameters, whether it needs them or not.
    typed = f"WITH given AS (SELECT $3::bigint, $4::bigint) {statement.format(**_NAMES)}"
    await connection.execute(typed, first, last, filling.users, filling.clients)
