"""What goes on when the epoch of a user rises.

A statement raises the epoch of a locked user, and CARRY_ON takes what goes on over to the new one. Pending
codes and sign-ins, which no statement can see, keep the old epoch and become invalid.
"""

from uuid import UUID

from shared.store.ports.sessions import SignOutExemption
from shared.store.postgres.transport.transaction import Transaction

_CARRY_ON = """
WITH risen AS (SELECT epoch AS risen_to FROM users WHERE user_id = $1),
sessions_go_on AS (
  UPDATE sessions SET epoch = risen_to FROM risen
   WHERE user_id = $1 AND epoch = risen_to - 1 AND ended_at IS NULL AND ($2::uuid IS NULL OR sid = $2)),
tokens_go_on AS (
  UPDATE personal_access_tokens SET epoch = risen_to FROM risen
   WHERE user_id = $1 AND epoch = risen_to - 1 AND ($2::uuid IS NULL OR $3))
UPDATE grants SET epoch = risen_to FROM risen
 WHERE user_id = $1 AND epoch = risen_to - 1 AND revoked_at IS NULL
   AND ($2::uuid IS NULL OR sid = $2 OR $3 AND is_offline)"""


async def carry_on(connection: Transaction, user_id: UUID, exempt: SignOutExemption) -> None:
    """Let *exempt* go on, after the epoch of the locked user has risen by one."""
    await connection.execute(_CARRY_ON, user_id, exempt.sid, exempt.has_offline_grants)
