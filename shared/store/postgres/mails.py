"""Mails that wait, in PostgreSQL: one statement each.

Statements of other modules queue them, in the transaction of what a mail tells: a crash loses no mail of what
was committed, and nobody is told of what was rolled back.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from shared.store.codecs.sealed_values import SealedValues
from shared.store.ports.mails import Mail, MailContents, MailsState, NewMail
from shared.store.postgres.queue import put_off, settle, take_due
from shared.store.postgres.transport.connection import Row
from shared.store.postgres.transport.database import Database

MailColumns = tuple[Sequence[UUID], Sequence[str], Sequence[bytes], Sequence[timedelta]]
"""The arguments of the statements that queue mails: id, kind, contents and lifetime of each."""


def queueing(users: str, first: int) -> str:
    """A statement that queues mails, for a common table expression.

    *users*: where it finds the `user_id`, in no row if nothing has happened. *first*: the number of the first
    of its parameters, which are MailColumns. Running it again changes nothing.
    """
    columns = (
        f"${first}::uuid[]",
        f"${first + 1}::text[]",
        f"${first + 2}::bytea[]",
        f"${first + 3}::interval[]",
    )
    return f"""
  INSERT INTO mails (mail_id, user_id, kind, contents, expires_at)
  SELECT m.mail_id, u.user_id, m.kind, m.contents, now() + m.lifetime
    FROM (SELECT user_id FROM {users}) u,
         unnest({", ".join(columns)}) AS m (mail_id, kind, contents, lifetime)
  ON CONFLICT DO NOTHING"""


_COLUMNS = "mail_id, user_id, kind, contents, tries, created_at, expires_at"

_TAKE = take_due("mails", "mail_id", _COLUMNS, "expires_at > $1")

_STATE = "SELECT count(*) AS waiting, min(created_at) AS oldest FROM mails WHERE expires_at > now()"

_SETTLE = settle("mails", "mail_id")

_PUT_OFF = put_off("mails", "mail_id")

_GIVE_UP = """
WITH given_up AS (DELETE FROM mails WHERE mail_id = $1 RETURNING user_id, kind)
INSERT INTO audit (event, user_id, detail)
SELECT 'mail_given_up', user_id, jsonb_build_object('kind', kind) FROM given_up"""


class SealedMails:
    """Encrypts mails that are about to be queued."""

    def __init__(self, sealed: SealedValues[MailContents]) -> None:
        self._sealed = sealed

    def columns(self, mails: Sequence[NewMail]) -> MailColumns:
        """The mails as arguments. Raises Unavailable if there is no secret key."""
        ids = [uuid4() for _ in mails]
        contents = [
            self._sealed.write(mail_id, mail.contents) for mail_id, mail in zip(ids, mails, strict=True)
        ]
        return ids, [mail.kind for mail in mails], contents, [mail.lifetime for mail in mails]


class PostgresMails:
    """`Mails` over PostgreSQL."""

    def __init__(self, database: Database, sealed: SealedValues[MailContents]) -> None:
        self._database = database
        self._sealed = sealed

    async def take(self, limit: int, lease: timedelta, now: datetime) -> Sequence[Mail]:
        return list(self._readable(await self._database.rows(_TAKE, now, now + lease, limit)))

    def _readable(self, rows: Sequence[Row]) -> Iterator[Mail]:
        for row in rows:
            if contents := self._sealed.read(row["mail_id"], row["contents"]):
                yield Mail(**{**dict(row), "contents": contents})

    async def state(self) -> MailsState:
        row = await self._database.row(_STATE)
        assert row is not None
        return MailsState(row["waiting"], row["oldest"])

    async def settle(self, mail_id: UUID) -> None:
        await self._database.row_idempotent(_SETTLE, mail_id)

    async def put_off(self, mail_id: UUID, due_at: datetime) -> None:
        await self._database.row_idempotent(_PUT_OFF, mail_id, due_at)

    async def give_up(self, mail_id: UUID) -> None:
        await self._database.row_idempotent(_GIVE_UP, mail_id)
