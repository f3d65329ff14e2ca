"""Wanted addresses in PostgreSQL. An attempt is counted before the code is compared, whoever else tries."""

import hmac
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from shared.store.ports.address_codes import MAX_TRIES
from shared.store.ports.mails import NewMail
from shared.store.postgres.mails import SealedMails, queueing
from shared.store.postgres.transport.database import Database

_PUT = f"""
WITH wanted AS (
  INSERT INTO address_codes (user_id, address, code_hash, epoch, expires_at)
  SELECT user_id, $2, $3, epoch, now() + $4::interval FROM users WHERE user_id = $1
  ON CONFLICT (user_id) DO UPDATE SET address = excluded.address, code_hash = excluded.code_hash,
         epoch = excluded.epoch, expires_at = excluded.expires_at, tries = 0
  RETURNING user_id)
{queueing("wanted", 5)}"""

_IS_LIVE = f"""
 a.user_id = $1 AND a.expires_at > now() AND a.tries < {MAX_TRIES}
   AND a.epoch = (SELECT u.epoch FROM users u WHERE u.user_id = a.user_id)"""

_WANTED = f"SELECT address FROM address_codes a WHERE {_IS_LIVE}"

_COUNT = f"UPDATE address_codes a SET tries = tries + 1 WHERE {_IS_LIVE} RETURNING code_hash, address"

_FORGET = "DELETE FROM address_codes WHERE user_id = $1 AND code_hash = $2"


class PostgresAddressCodes:
    """`AddressCodes` over PostgreSQL."""

    def __init__(self, database: Database, sealed_mails: SealedMails) -> None:
        self._database = database
        self._sealed_mails = sealed_mails

    async def put(
        self,
        user_id: UUID,
        address: str,
        code_hash: bytes,
        lifetime: timedelta,
        *,
        mails: Sequence[NewMail] = (),
    ) -> None:
        columns = self._sealed_mails.columns(mails)
        await self._database.row(_PUT, user_id, address, code_hash, lifetime, *columns)

    async def pending_address(self, user_id: UUID) -> str | None:
        row = await self._database.row(_WANTED, user_id)
        return row["address"] if row else None

    async def check(self, user_id: UUID, code_hash: bytes) -> str | None:
        row = await self._database.row(_COUNT, user_id)
        is_right = row is not None and hmac.compare_digest(row["code_hash"], code_hash)
        return row["address"] if row and is_right else None

    async def forget(self, user_id: UUID, code_hash: bytes) -> None:
        await self._database.row(_FORGET, user_id, code_hash)
