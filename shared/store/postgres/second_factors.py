"""Second factors in PostgreSQL: one statement decides each time whether a code is spent."""

from collections.abc import Sequence
from uuid import UUID, uuid4

import asyncpg

from shared.oauth.authentication_methods import SecondFactor
from shared.store.codecs.totp_secrets import TotpSecrets
from shared.store.ports.credentials import (
    PASSKEY,
    RECOVERY,
    REMEMBERED,
    REMEMBERED_FOR,
    TOTP,
    NewPasskey,
    NewSecondFactor,
)
from shared.store.ports.faults import Stale, Taken
from shared.store.ports.mails import NewMail
from shared.store.postgres.groups import NEEDS_SECOND_FACTOR
from shared.store.postgres.mails import SealedMails, queueing
from shared.store.postgres.transport.connection import Row
from shared.store.postgres.transport.database import Database

SECOND_FACTORS = f"""
       ARRAY(SELECT DISTINCT f.kind FROM user_credentials f
              WHERE f.user_id = u.user_id
                AND (f.kind IN ('totp', 'passkey') OR f.kind = 'recovery' AND f.data -> 'hashes' <> '[]'))
         AS second_factors,
       {NEEDS_SECOND_FACTOR} AS needs_second_factor"""
"""Two columns for statements that read `users u`; `second_factors_of` reads the first."""

_OF_USER = f"SELECT {SECOND_FACTORS} FROM users u WHERE u.user_id = $1"

_IS_ASKED_FOR = f"""
SELECT FROM users u
 WHERE u.user_id = $1
   AND ({NEEDS_SECOND_FACTOR}
        OR EXISTS (SELECT FROM user_credentials f WHERE f.user_id = u.user_id AND f.kind = 'totp'))"""

_SECRET = "SELECT credential_id, data FROM user_credentials WHERE user_id = $1 AND kind = 'totp'"

_RENEWED = """renewed AS (
  INSERT INTO user_credentials (user_id, kind, data)
  SELECT user_id, 'recovery', jsonb_build_object('hashes', to_jsonb($2::text[])) FROM owner
  ON CONFLICT (user_id) WHERE kind = 'recovery'
  DO UPDATE SET data = excluded.data, created_at = now(), last_used_at = NULL
  RETURNING credential_id, user_id)"""
"""A member of a WITH clause: recovery codes $2 of the user in `owner`, in place of those that are left."""

_ADD = f"""
WITH owner AS (
  INSERT INTO user_credentials (credential_id, user_id, kind, data, last_used_at)
  SELECT $3, user_id, $4, $5, now() FROM users WHERE user_id = $1
  RETURNING user_id),
{_RENEWED},
mailed AS ({queueing("owner", 6)})
INSERT INTO audit (event, user_id, detail)
SELECT 'credential_added', user_id, jsonb_build_object('credential_id', $3::uuid, 'kind', $4::text) FROM owner
RETURNING event"""

# Other changes of the same user's first second factor wait here. A later statement sees what they did.
_LOCK = "SELECT FROM users WHERE user_id = $1 AND epoch = $2 AND disabled_at IS NULL FOR NO KEY UPDATE"
_HAS_ONE = "SELECT FROM user_credentials WHERE user_id = $1 AND kind IN ('totp', 'passkey') LIMIT 1"


def _spent(is_unspent: str) -> str:
    """Notes for which session a code is spent, as a new member of `data`."""
    return f"""jsonb_build_object('spent', jsonb_build_object(
           'code', $2, 'session', encode($3, 'hex'), 'is_repeated', NOT ({is_unspent})))"""


_WAS_SPENT_FOR_IT = """data -> 'spent' ->> 'code' = $2::text
          AND data -> 'spent' ->> 'session' = encode($3, 'hex')
          AND NOT EXISTS (SELECT FROM sessions WHERE session_key = $3 AND ended_at IS NOT NULL)"""
"""Whether the last code was this one, for the same session, which has not ended: it may not have begun."""

# The row is locked and compared at its newest version: of two sessions one gets the code.
_IS_NEW_STEP = "(data ->> 'last_step')::bigint < $2"
_SPEND_STEP = f"""
UPDATE user_credentials
   SET data = data || jsonb_build_object('last_step', $2::bigint) || {_spent(_IS_NEW_STEP)},
       last_used_at = now()
 WHERE user_id = $1 AND kind = 'totp' AND ({_IS_NEW_STEP} OR {_WAS_SPENT_FOR_IT})
RETURNING user_id"""

_IS_LEFT = "data -> 'hashes' ? $2"
_SPEND_RECOVERY_CODE = f"""
WITH spent AS (
  UPDATE user_credentials
     SET data = jsonb_set(data, '{{hashes}}', (data -> 'hashes') - $2::text) || {_spent(_IS_LEFT)},
         last_used_at = now()
   WHERE user_id = $1 AND kind = 'recovery' AND ({_IS_LEFT} OR {_WAS_SPENT_FOR_IT})
  RETURNING user_id, jsonb_array_length(data -> 'hashes') AS remaining,
            (data -> 'spent' ->> 'is_repeated')::boolean AS is_repeated),
noted AS (
  INSERT INTO audit (event, user_id, detail)
  SELECT 'recovery_code_used', user_id, jsonb_build_object('remaining', remaining)
    FROM spent WHERE NOT is_repeated)
SELECT remaining FROM spent"""

_REMOVE = f"""
WITH removed AS (
  DELETE FROM user_credentials
   WHERE user_id = $1 AND kind = ANY($2::text[])
     AND (kind <> 'recovery' OR 'passkey' = ANY($2)
          OR NOT EXISTS (SELECT FROM user_credentials o WHERE o.user_id = $1 AND o.kind = 'passkey'))
  RETURNING credential_id, user_id, kind),
mailed AS ({queueing("removed", 3)})
INSERT INTO audit (event, user_id, detail)
SELECT 'credential_removed', user_id, jsonb_build_object('credential_id', credential_id, 'kind', kind)
  FROM removed
RETURNING event"""

_REPLACE_RECOVERY_CODES = f"""
WITH owner AS (
  SELECT user_id FROM users
   WHERE user_id = $1 AND EXISTS (
         SELECT FROM user_credentials f WHERE f.user_id = $1 AND f.kind IN ('totp', 'passkey'))),
{_RENEWED}
INSERT INTO audit (event, user_id, detail)
SELECT 'recovery_codes_replaced', user_id, jsonb_build_object('credential_id', credential_id) FROM renewed
RETURNING event"""

_REMEMBER_BROWSER = """
WITH replaced AS (
  DELETE FROM user_credentials
   WHERE user_id = $1 AND kind = 'remembered'
     AND (data ->> 'browser' = $2 OR created_at < now() - $3::interval)),
added AS (
  INSERT INTO user_credentials (user_id, kind, data)
  SELECT user_id, 'remembered', jsonb_build_object('browser', $2::text, 'epoch', epoch)
    FROM users WHERE user_id = $1
  RETURNING credential_id, user_id, kind)
INSERT INTO audit (event, user_id, detail)
SELECT 'credential_added', user_id, jsonb_build_object('credential_id', credential_id, 'kind', kind)
  FROM added
RETURNING event"""

_IS_REMEMBERED = """
SELECT FROM user_credentials c JOIN users u USING (user_id)
 WHERE c.user_id = $1 AND c.kind = 'remembered' AND c.data ->> 'browser' = $2
   AND (c.data ->> 'epoch')::bigint = u.epoch AND c.created_at > now() - $3::interval"""

_ALL = "SELECT credential_id, data ->> 'secret' AS secret FROM user_credentials WHERE kind = 'totp'"

_REWRAP = """
UPDATE user_credentials SET data = jsonb_set(data, '{secret}', to_jsonb($3::text))
 WHERE credential_id = $1 AND data ->> 'secret' = $2
RETURNING user_id"""


def second_factors_of(row: Row) -> frozenset[SecondFactor]:
    """The value of the column SECOND_FACTORS."""
    return frozenset(SecondFactor(kind) for kind in row["second_factors"])


class PostgresSecondFactors:
    """`SecondFactors` over PostgreSQL."""

    def __init__(self, database: Database, secrets: TotpSecrets, sealed_mails: SealedMails) -> None:
        self._database = database
        self._secrets = secrets
        self._sealed_mails = sealed_mails

    async def of_user(self, user_id: UUID) -> frozenset[SecondFactor]:
        row = await self._database.row(_OF_USER, user_id)
        return second_factors_of(row) if row else frozenset()

    async def is_asked_for(self, user_id: UUID) -> bool:
        return await self._database.row(_IS_ASKED_FOR, user_id) is not None

    async def secret(self, user_id: UUID) -> bytes | None:
        row = await self._database.row(_SECRET, user_id)
        return self._secrets.read(row["credential_id"], row["data"]["secret"]) if row else None

    async def add(self, user_id: UUID, new: NewSecondFactor, *, mails: Sequence[NewMail] = ()) -> None:
        try:
            await self._database.row(_ADD, user_id, *self._addition(new, mails))
        except asyncpg.UniqueViolationError:
            raise Taken(TOTP) from None

    async def add_first(
        self,
        user_id: UUID,
        epoch: int,
        new: NewSecondFactor | NewPasskey,
        *,
        mails: Sequence[NewMail] = (),
    ) -> None:
        try:
            async with self._database.transaction() as connection:
                if await connection.fetchrow(_LOCK, user_id, epoch) is None:
                    raise Stale(str(user_id))
                if await connection.fetchrow(_HAS_ONE, user_id) is not None:
                    raise Taken(str(user_id))
                await connection.execute(_ADD, user_id, *self._addition(new, mails))
        except asyncpg.UniqueViolationError:
            raise Taken(PASSKEY) from None

    def _addition(self, new: NewSecondFactor | NewPasskey, mails: Sequence[NewMail]) -> tuple[object, ...]:
        """The arguments of _ADD after the user."""
        credential_id, columns = uuid4(), self._sealed_mails.columns(mails)
        if isinstance(new, NewPasskey):
            kind, data = PASSKEY, new.passkey.to_json()
        else:
            secret = self._secrets.write(credential_id, new.secret)
            kind, data = TOTP, {"secret": secret, "last_step": new.step}
        return list(new.recovery_hashes), credential_id, kind, data, *columns

    async def spend_step(self, user_id: UUID, step: int, session_key: bytes) -> bool:
        return await self._database.row(_SPEND_STEP, user_id, step, session_key) is not None

    async def spend_recovery_code(self, user_id: UUID, code_hash: str, session_key: bytes) -> bool:
        return await self._database.row(_SPEND_RECOVERY_CODE, user_id, code_hash, session_key) is not None

    async def replace_recovery_codes(self, user_id: UUID, hashes: Sequence[str]) -> bool:
        return await self._database.row(_REPLACE_RECOVERY_CODES, user_id, list(hashes)) is not None

    async def remove(self, user_id: UUID, *, mails: Sequence[NewMail] = ()) -> bool:
        return await self._remove(user_id, [TOTP, RECOVERY, REMEMBERED], mails=mails)

    async def reset(self, user_id: UUID, *, mails: Sequence[NewMail] = ()) -> bool:
        return await self._remove(user_id, [TOTP, RECOVERY, REMEMBERED, PASSKEY], mails=mails)

    async def remember_browser(self, user_id: UUID, browser_hash: bytes) -> None:
        await self._database.row(_REMEMBER_BROWSER, user_id, browser_hash.hex(), REMEMBERED_FOR)

    async def is_remembered(self, user_id: UUID, browser_hash: bytes) -> bool:
        values = (user_id, browser_hash.hex(), REMEMBERED_FOR)
        return await self._database.row(_IS_REMEMBERED, *values) is not None

    async def forget_browsers(self, user_id: UUID) -> None:
        await self._remove(user_id, [REMEMBERED])

    async def _remove(self, user_id: UUID, kinds: Sequence[str], *, mails: Sequence[NewMail] = ()) -> bool:
        """False: the user has nothing of these kinds."""
        return (
            await self._database.row(_REMOVE, user_id, kinds, *self._sealed_mails.columns(mails)) is not None
        )

    async def rewrap(self) -> int:
        rewrapped = 0
        for row in await self._database.rows(_ALL):
            credential_id, secret = row["credential_id"], row["secret"]
            if not self._secrets.is_under_first(credential_id, secret):
                new = self._secrets.write(credential_id, self._secrets.read(credential_id, secret))
                rewrapped += await self._database.row(_REWRAP, credential_id, secret, new) is not None
        return rewrapped
