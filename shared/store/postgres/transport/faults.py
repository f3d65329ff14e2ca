"""What a fault of PostgreSQL means to a caller: nothing happened, the outcome is unknown, or a defect."""

from types import TracebackType

import asyncpg

from shared.store import Misconfigured, OutcomeUnknown, Unavailable
from shared.store.postgres.transport.pool import BROKEN

# Classes of SQLSTATE that concern the server's state, not the statement: connection exception, transaction
# rollback, insufficient resources, operator intervention, system error.
_OPERATIONAL = ("08", "40", "53", "57", "58", "XX")
_MOMENTARY = (
    "25006",  # read only, after a failover
    "55P03",  # lock not available
    "23503",  # a row that is referred to was deleted at this moment: the next attempt is told so
)
_MISCONFIGURED = ("28", "3D", "42501")  # password or role, database, privilege
_NOT_RUN = ("25P03", "57P05", "57P03", "53300")
"""The session had ended before the statement arrived, or was never let in: certain although FATAL."""


class Dependency:
    """For `with`: faults of the server or the network become Unavailable, those of a statement do not.

    *may_commit*: the block sends a statement that commits. Its faults are OutcomeUnknown, except for an
    ERROR, by which the server says that it rolled back. FATAL and a lost connection may follow the commit.
    """

    def __init__(self, *, may_commit: bool) -> None:
        self._may_commit = may_commit

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if error is None:
            return
        if isinstance(error, asyncpg.ConnectionDoesNotExistError):
            cause = error.__cause__  # what the server said before it closed the connection
            state = cause.sqlstate if isinstance(cause, asyncpg.PostgresError) else None
            raise self._fault(f"{type(error).__name__} {error}", state in _NOT_RUN) from error
        if isinstance(error, asyncpg.PostgresError):
            state = error.sqlstate or ""
            if state.startswith(_MISCONFIGURED):
                raise Misconfigured(f"PostgreSQL: {state} {error}") from error
            if state.startswith(_OPERATIONAL) or state in (*_MOMENTARY, *_NOT_RUN):
                is_certain = error.severity_en == "ERROR" or state in _NOT_RUN
                raise self._fault(f"{state} {error}", is_certain) from error
        elif isinstance(error, BROKEN):
            raise self._fault(f"{type(error).__name__} {error}", is_certain=False) from error

    def _fault(self, cause: str, is_certain: bool) -> Unavailable:
        fault = OutcomeUnknown if self._may_commit and not is_certain else Unavailable
        return fault(f"PostgreSQL: {cause}")


DEPENDENCY = Dependency(may_commit=False)
COMMITTING = Dependency(may_commit=True)


def may_repeat(fault: Unavailable) -> bool:
    """Whether it makes sense to send an idempotent statement once more at once.

    After a lost connection and a deadlock it does. A server that was silent for as long as a caller waits is
    not asked again, and neither is one whose standby does not confirm.
    """
    cause = fault.__cause__
    if isinstance(cause, asyncpg.TransactionRollbackError):
        return True
    return isinstance(fault, OutcomeUnknown) and cause is not None and not isinstance(cause, TimeoutError)


def unconfirmed() -> OutcomeUnknown:
    """The commit was made on the primary, and nobody can say whether a standby has it."""
    return OutcomeUnknown("PostgreSQL: the synchronous standby has not confirmed the commit")
