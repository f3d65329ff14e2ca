"""Passkeys in PostgreSQL. They are added and removed as any credential, by `UserCredentials`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from shared.codec.base64url import base64url
from shared.identity.passkeys.passkey import Passkey, PasskeyUse
from shared.store.ports.credentials import UserPasskey
from shared.store.postgres.second_factors import SECOND_FACTORS, second_factors_of
from shared.store.postgres.transport.database import Database
from shared.store.postgres.users import USER_COLUMNS, user_record

_OF_USER = """
SELECT data FROM user_credentials WHERE user_id = $1 AND kind = 'passkey'
 ORDER BY created_at, credential_id"""

_COUNT_BY_RP_ID = """
SELECT data ->> 'rp_id' AS rp_id, count(*) AS number
  FROM user_credentials WHERE kind = 'passkey' GROUP BY 1"""

_IS_KNOWN = "SELECT FROM user_credentials WHERE kind = 'passkey' AND data ->> 'id' = $1"

_FIND = f"""
SELECT {USER_COLUMNS}, c.credential_id, c.data, {SECOND_FACTORS}
  FROM user_credentials c JOIN users u USING (user_id)
 WHERE c.kind = 'passkey' AND c.data ->> 'id' = $1 AND c.user_id = $2"""

# A counter never goes back in the record, so that a copy of the key is reported again at its next use.
_NOTE_USE = """
WITH used AS (
  UPDATE user_credentials
     SET data = data || jsonb_build_object(
           'sign_count', greatest((data ->> 'sign_count')::bigint, $2),
           'backed_up', $3::boolean,
           'user_verified', (data ->> 'user_verified')::boolean OR $4),
         last_used_at = $6
   WHERE credential_id = $1 AND kind = 'passkey'
  RETURNING credential_id, user_id),
noted AS (
  INSERT INTO audit (event, user_id, detail)
  SELECT 'passkey_counter_not_grown', user_id, jsonb_build_object('credential_id', credential_id)
    FROM used WHERE $5)
SELECT credential_id FROM used"""


class PostgresPasskeys:
    """`Passkeys` over PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_user(self, user_id: UUID) -> Sequence[Passkey]:
        return [Passkey.from_json(row["data"]) for row in await self._database.rows(_OF_USER, user_id)]

    async def count_by_rp_id(self) -> Mapping[str, int]:
        rows = await self._database.rows(_COUNT_BY_RP_ID)
        return {row["rp_id"]: row["number"] for row in rows if row["rp_id"]}

    async def is_known(self, passkey_id: bytes) -> bool:
        return await self._database.row(_IS_KNOWN, base64url(passkey_id)) is not None

    async def find(self, passkey_id: bytes, user_id: UUID) -> UserPasskey | None:
        row = await self._database.row(_FIND, base64url(passkey_id), user_id)
        if row is None:
            return None
        return UserPasskey(
            user=user_record(row),
            credential_id=row["credential_id"],
            passkey=Passkey.from_json(row["data"]),
            second_factors=second_factors_of(row),
            needs_second_factor=row["needs_second_factor"],
        )

    async def note_use(self, credential_id: UUID, use: PasskeyUse, now: datetime) -> bool:
        values = (use.sign_count, use.is_backed_up, use.is_user_verified, use.is_cloned, now)
        return await self._database.row(_NOTE_USE, credential_id, *values) is not None
