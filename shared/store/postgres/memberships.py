"""The groups and roles of a user, as a column of the statements that read users.

A name may be there several times, in any order: it is sorted out here rather than in PostgreSQL.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from shared.oauth.supported import MEMBERSHIP_SCOPES, MEMBERSHIPS
from shared.store.postgres.nesting import groups_above

_GROUPS_OF_USER = "(SELECT gm.group_id FROM group_members gm WHERE gm.user_id = u.user_id)"
_ROLES_OF_USER = "(SELECT ur.role_id FROM user_roles ur WHERE ur.user_id = u.user_id)"


def _names(groups: str, roles: str) -> str:
    return f"""jsonb_build_object(
    'groups', ARRAY(SELECT (SELECT gr.name FROM groups gr WHERE gr.group_id = g.group_id) FROM {groups} g),
    'roles', ARRAY(SELECT (SELECT r.name FROM roles r WHERE r.role_id = h.role_id) FROM {roles} h))"""


_ALL_ROLES = f"""({_ROLES_OF_USER}
    UNION ALL
    SELECT l.role_id FROM effective e CROSS JOIN LATERAL (
      SELECT gl.role_id FROM group_roles gl WHERE gl.group_id = e.group_id OFFSET 0) l)"""

MEMBERSHIPS_OF_USER = f"""(
  {groups_above(_GROUPS_OF_USER)}
  SELECT {_names("effective", _ALL_ROLES)})"""
"""What `u` is in and has, also through groups."""

DIRECT_MEMBERSHIPS_OF_USER = _names(_GROUPS_OF_USER, _ROLES_OF_USER)
"""What `u` is in and has without any other group."""


def asks_for_memberships(given: str, place: str) -> str:
    """Whether *given* is true, or the scope of the grant `g` or its claims for *place* ask for either."""
    scopes, claims = ",".join(MEMBERSHIP_SCOPES), ",".join(MEMBERSHIPS)
    return f"""{given}::boolean OR g.scope && '{{{scopes}}}'::text[]
            OR g.claims -> '{place}' ?| '{{{claims}}}'::text[]"""


class Memberships(NamedTuple):
    """The names of groups and roles, each sorted by code point. None: they have not been read."""

    groups: tuple[str, ...] | None = None
    roles: tuple[str, ...] | None = None


def memberships(column: Mapping[str, Sequence[str]] | None) -> Memberships:
    """What a column of this module says."""
    if column is None:
        return Memberships()
    return Memberships(tuple(sorted(column["groups"])), tuple(sorted(set(column["roles"]))))
