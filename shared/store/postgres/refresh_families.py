"""Refresh families in PostgreSQL. Rotation is strict, but forgives a lost answer within a window."""

from datetime import timedelta

from shared.model import Scope
from shared.store import (
    NO_RESOURCES,
    GrantedResources,
    RefreshableGrant,
    Rotated,
    Rotation,
    Unavailable,
)
from shared.store.codecs.authorizations import restored
from shared.store.postgres.deployment import MAY_BE_NEWER_THAN_BACKUP
from shared.store.postgres.live_grants import GRANT, GRANT_STANDS
from shared.store.postgres.memberships import asks_for_memberships
from shared.store.postgres.outages import OUTAGE
from shared.store.postgres.redemption import IN_TIME, IS_LATE
from shared.store.postgres.transport.connection import Row
from shared.store.postgres.transport.database import Database
from shared.store.postgres.user_rows import user_of, user_with_groups

_FAMILY_STANDS = f"""
      f.revoked_at IS NULL AND f.expires_at > now() AND f.rotated_at + f.idle > now()
  AND g.grant_id = f.grant_id AND {GRANT_STANDS}"""

_GRANT = "g.grant_id, g.client_id, g.client_epoch, g.sid, g.scope, g.claims, f.jkt"


def _grant_and_user(with_groups: str) -> str:
    """The columns of a grant and its user, with their groups and roles if the ID token needs them.

    *with_groups*: an expression that is true if the client's record asks for them.
    """
    return f"{_GRANT}, {user_with_groups(asks_for_memberships(with_groups, 'id_token'))}"


def _is_sender(key: str) -> str:
    """Whether the family is unbound, or bound to the key that the request proved."""
    return f"(f.jkt IS NULL OR f.jkt = {key})"


def _is_for(keys: str, are_named: str, may_have_none: str) -> str:
    """Whether the grant matches the resources of a `GrantedResources`."""
    granted = "g.claims -> 'resources'"
    return f"""CASE WHEN NOT g.claims ? 'resources' THEN {may_have_none}::boolean
          WHEN {are_named}::boolean THEN {granted} @> to_jsonb({keys}::text[])
          ELSE jsonb_array_length({granted}) = 1 AND {granted} <@ to_jsonb({keys}::text[]) END"""


def _is_forgiven(presented: str, window: str) -> str:
    """Whether the token is the predecessor, within the window. The outages are read only after the window."""
    return f"""f.previous_hash = {presented} AND f.rotated_at > now() - {window}::interval - CASE
       WHEN f.rotated_at > now() - {window}::interval THEN interval '0' ELSE {OUTAGE} END"""


# Every assignment is a CASE: after waiting for another rotation, PostgreSQL re-evaluates the UPDATE on the
# newest row, while a SELECT of the same row in this statement would still see the old one.
_ROTATE = f"""
WITH family AS (
  UPDATE refresh_families f SET
     previous_hash    = CASE WHEN f.current_hash = $2 THEN f.current_hash ELSE f.previous_hash END,
     sealed_successor = CASE WHEN f.current_hash = $2 THEN $5 ELSE f.sealed_successor END,
     rotated_at       = CASE WHEN f.current_hash = $2 THEN now() ELSE f.rotated_at END,
     generation       = f.generation + (f.current_hash = $2)::int,
     revoked_at       = CASE WHEN f.current_hash = $2 OR {_is_forgiven("$2", "$6")} THEN NULL
                             ELSE now() END,
     current_hash     = CASE WHEN f.current_hash = $2 THEN $4 ELSE f.current_hash END
    FROM {GRANT}
   WHERE f.family_hash = $1 AND f.client_id = $3 AND {_is_sender("$9::text")}
     AND (f.current_hash = $2 OR f.previous_hash = $2 OR NOT {MAY_BE_NEWER_THAN_BACKUP})
     AND ($7::text[] IS NULL OR $7 <@ g.scope) AND {_is_for("$11", "$12", "$13")} AND {_FAMILY_STANDS}
     AND {IN_TIME.format(deadline="$8::timestamptz")}
  RETURNING f.sealed_successor, f.idle, f.expires_at, {_grant_and_user("$10")},
            CASE WHEN f.revoked_at IS NOT NULL THEN 'spent' WHEN f.current_hash = $4 THEN 'now'
                 ELSE 'again' END AS verdict),
ended AS (
  UPDATE grants g SET revoked_at = now() FROM family
   WHERE g.grant_id = family.grant_id AND family.verdict = 'spent'),
audited AS (
  INSERT INTO audit (event, user_id, client_id, detail)
  SELECT 'refresh_token_reused', user_id, client_id, jsonb_build_object('grant_id', grant_id)
    FROM family WHERE verdict = 'spent')
SELECT family.*, {IS_LATE.format(deadline="$8")} FROM (SELECT) AS once LEFT JOIN family ON true"""


def _family(with_groups: str) -> str:
    return f"""
SELECT {_grant_and_user(with_groups)}, f.rotated_at, f.idle, f.expires_at
  FROM refresh_families f, {GRANT}
 WHERE f.family_hash = $1 AND {_FAMILY_STANDS}"""


_FIND = f"""{_family("false")}
   AND (f.current_hash = $2 OR {_is_forgiven("$2", "$3")})"""

_USE = f"""
WITH family AS ({_family("$6")} AND f.current_hash = $2 AND f.client_id = $3 AND {_is_sender("$5::text")}
   AND ($7 OR f.jkt IS NOT NULL) AND ($4::text[] IS NULL OR $4 <@ g.scope)
   AND {_is_for("$8", "$9", "$10")}),
noted AS (
  UPDATE refresh_families f SET rotated_at = now() FROM family
   WHERE f.family_hash = $1 AND f.rotated_at < now() - interval '1 minute')
SELECT * FROM family"""

_REVOKE = """
WITH revoked AS (
  UPDATE grants g SET revoked_at = now() FROM refresh_families f
   WHERE f.family_hash = $1 AND f.client_id = $2 AND g.grant_id = f.grant_id AND g.revoked_at IS NULL
  RETURNING g.grant_id, g.user_id, g.client_id)
INSERT INTO audit (event, user_id, client_id, detail)
SELECT 'grant_revoked', user_id, client_id, jsonb_build_object('grant_id', grant_id, 'reason', $3::text)
  FROM revoked
RETURNING event"""


def _grant(row: Row) -> RefreshableGrant:
    return RefreshableGrant(
        grant_id=row["grant_id"],
        authorization=restored(
            row["client_id"],
            row["user_id"],
            row["sid"],
            tuple(row["scope"]),
            row["claims"],
            client_epoch=row["client_epoch"],
        ),
        user=user_of(row),
        idle=row["idle"],
        expires_at=row["expires_at"],
        sender_key=row["jkt"],
    )


class PostgresRefreshFamilies:
    """`RefreshFamilies` over PostgreSQL: one statement each."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def rotate(self, rotation: Rotation) -> Rotated | None:
        row = await self._database.row_idempotent(
            _ROTATE,
            rotation.family_hash,
            rotation.presented_hash,
            rotation.client_id,
            rotation.candidate_hash,
            rotation.candidate_sealed,
            rotation.reuse_window,
            rotation.scope,
            self._database.clock.deadline(rotation.deadline),
            rotation.sender_key,
            rotation.with_groups,
            *rotation.resources,
        )
        assert row is not None
        if row["is_late"]:
            raise Unavailable("PostgreSQL: the statement arrived after the deadline of its request")
        if row["verdict"] is None:
            return None
        return Rotated(verdict=row["verdict"], sealed_successor=row["sealed_successor"], grant=_grant(row))

    async def use(
        self,
        family_hash: bytes,
        presented_hash: bytes,
        client_id: str,
        scope: Scope | None,
        sender_key: str | None = None,
        *,
        resources: GrantedResources = NO_RESOURCES,
        with_groups: bool = False,
        may_be_unbound: bool = True,
    ) -> RefreshableGrant | None:
        row = await self._database.row_idempotent(
            _USE,
            family_hash,
            presented_hash,
            client_id,
            scope,
            sender_key,
            with_groups,
            may_be_unbound,
            *resources,
        )
        return _grant(row) if row else None

    async def find(
        self, family_hash: bytes, presented_hash: bytes, reuse_window: timedelta
    ) -> RefreshableGrant | None:
        row = await self._database.row(_FIND, family_hash, presented_hash, reuse_window)
        return _grant(row) if row else None

    async def revoke(self, family_hash: bytes, client_id: str, reason: str) -> None:
        await self._database.end(_REVOKE, family_hash, client_id, reason)
