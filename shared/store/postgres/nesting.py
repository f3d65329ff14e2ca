"""Nested groups in PostgreSQL: the groups above and below others, and the statements that change them.

Membership is transitive: whoever is in a group is in the groups that it is a member of, and in those that
these are members of. It is worked out in each statement that reads it. OFFSET 0 keeps the planner, which
cannot know how few groups there are, from reading a whole table: each is looked up through an index.

Groups are nested one at a time, so that two transactions cannot make a cycle together.
"""

from uuid import UUID

from shared.identity.username import canonical
from shared.model import Json
from shared.store import CyclicGroups, NestedTooDeeply, Stale, UserGroup
from shared.store.postgres.transport.transaction import Transaction

MAX_LEVELS = 10
"""The most groups in a chain of which each is a member of the next."""


def groups_above(start: str) -> str:
    """A WITH clause of `effective`: the groups that the query *start* selects, and all above them."""
    return f"""WITH RECURSIVE effective (group_id) AS (
    {start}
    UNION
    SELECT p.parent_id FROM effective e CROSS JOIN LATERAL (
      SELECT gp.parent_id FROM group_parents gp WHERE gp.group_id = e.group_id OFFSET 0) p)"""


def scopes_of(start: str) -> str:
    """A query of the administration scopes of groups that the query *start* selects, and of those above."""
    return f"""{groups_above(start)}
  SELECT DISTINCT s.scope FROM effective e CROSS JOIN LATERAL (
    SELECT unnest(gr.scopes) AS scope FROM groups gr WHERE gr.group_id = e.group_id OFFSET 0) s"""


def groups_below(start: str) -> str:
    """A WITH clause of `below`: the groups that the query *start* selects, and all below them."""
    return f"""WITH RECURSIVE below (group_id) AS (
    {start}
    UNION
    SELECT m.group_id FROM below b CROSS JOIN LATERAL (
      SELECT gp.group_id FROM group_parents gp WHERE gp.parent_id = b.group_id OFFSET 0) m)"""


MEMBERS_OF_BELOW = """(
  SELECT DISTINCT m.user_id FROM below b CROSS JOIN LATERAL (
    SELECT gm.user_id FROM group_members gm WHERE gm.group_id = b.group_id OFFSET 0) m)"""
"""The users in `below`."""

LOCK_NESTING = "SELECT pg_advisory_xact_lock(hashtext('ostiary nested groups'))"
"""One transaction at a time changes who is in which group through groups."""

_EXAMINE = f"""
WITH RECURSIVE parent AS (
  SELECT group_id FROM groups WHERE name_key = $1 AND version = $3 FOR NO KEY UPDATE),
member AS (SELECT group_id FROM groups WHERE name_key = $2 FOR NO KEY UPDATE),
above (group_id, level) AS (
  SELECT group_id, 1 FROM parent
  UNION
  SELECT gp.parent_id, a.level + 1 FROM above a JOIN group_parents gp USING (group_id)
   WHERE a.level <= {MAX_LEVELS}),
below (group_id, level) AS (
  SELECT group_id, 1 FROM member
  UNION
  SELECT gp.group_id, b.level + 1 FROM below b JOIN group_parents gp ON gp.parent_id = b.group_id
   WHERE b.level <= {MAX_LEVELS})
SELECT p.group_id AS parent_id, m.group_id,
       EXISTS (SELECT FROM above a WHERE a.group_id = m.group_id) AS is_cyclic,
       (SELECT max(level) FROM above) + (SELECT max(level) FROM below) AS levels
  FROM parent p, member m"""

_NEST = """
WITH nested AS (
  INSERT INTO group_parents (group_id, parent_id) VALUES ($1, $2) ON CONFLICT DO NOTHING
  RETURNING group_id, parent_id),
noted AS (
  UPDATE groups gr SET version = version + 1 FROM nested n WHERE gr.group_id IN (n.group_id, n.parent_id))
INSERT INTO audit (event, detail)
SELECT 'group_nested', jsonb_build_object('group', p.name, 'member', m.name) || $3::jsonb
  FROM nested n JOIN groups m USING (group_id) JOIN groups p ON p.group_id = n.parent_id"""

_UNNEST = """
WITH ended AS (
  DELETE FROM group_parents gp USING groups m, groups p
   WHERE m.name_key = $2 AND p.name_key = $1 AND gp.group_id = m.group_id AND gp.parent_id = p.group_id
  RETURNING m.group_id, m.name AS member, p.group_id AS parent_id, p.name AS parent),
noted AS (
  UPDATE groups gr SET version = version + 1 FROM ended e WHERE gr.group_id IN (e.group_id, e.parent_id)),
audited AS (
  INSERT INTO audit (event, detail)
  SELECT 'group_unnested', jsonb_build_object('group', parent, 'member', member) || $3::jsonb FROM ended)
SELECT group_id FROM ended"""

NOTE_CHANGE = """
UPDATE users SET claims_version = claims_version + 1, updated_at = now() WHERE user_id = ANY($1::uuid[])"""


async def nest(connection: Transaction, parent: UserGroup, member: str, detail: Json) -> None:
    """Make the group named *member* a member of a group of this version, unless it is one.

    Raises Stale, CyclicGroups, NestedTooDeeply.
    """
    await connection.execute(LOCK_NESTING)
    pair = await connection.fetchrow(_EXAMINE, canonical(parent.name), canonical(member), parent.version)
    if pair is None:
        raise Stale(parent.name)
    if pair["is_cyclic"]:
        raise CyclicGroups(parent.name, member)
    if pair["levels"] > MAX_LEVELS:
        raise NestedTooDeeply(MAX_LEVELS)
    await connection.execute(_NEST, pair["group_id"], pair["parent_id"], detail)


async def unnest(connection: Transaction, parent: str, member: str, detail: Json) -> UUID | None:
    """End the membership of a group in a group. Returns the group that was a member; None: it was not."""
    await connection.execute(LOCK_NESTING)
    ended = await connection.fetchrow(_UNNEST, canonical(parent), canonical(member), detail)
    return ended["group_id"] if ended else None
