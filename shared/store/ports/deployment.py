"""Ports: the record of the deployment, stored with its data."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.model import Json


@dataclass(frozen=True, slots=True)
class EndedCounts:
    """The numbers of sessions, grants and personal access tokens that have ended."""

    sessions: int
    grants: int
    personal_access_tokens: int

    def __add__(self, other: "EndedCounts") -> "EndedCounts":
        return EndedCounts(
            self.sessions + other.sessions,
            self.grants + other.grants,
            self.personal_access_tokens + other.personal_access_tokens,
        )


NOTHING = EndedCounts(0, 0, 0)


@dataclass(frozen=True, slots=True)
class RecordedSettings:
    """The recorded settings of the running deployment. None: no process has started yet."""

    issuer: str | None
    settings: Json | None


class DeploymentRecord(Protocol):
    """The one record of the deployment. PostgreSQL."""

    async def recorded(self) -> RecordedSettings:
        """The issuer and the settings that processes have recorded."""

    async def note_settings(self, issuer: str, settings: Json) -> None:
        """Record the settings of a process. They are ignored if *issuer* is not the database's."""

    async def issuer(self, issuer: str) -> str:
        """The issuer of the database: *issuer*, if none was recorded before."""

    async def set_issuer(self, issuer: str) -> str | None:
        """Record another issuer, with an audit row. Returns the previous one."""

    async def note_restored(self, at: datetime) -> None:
        """The database was restored to its state at *at*, with an audit row.

        From now on a refresh token that is unknown to its family is refused without ending it, until the
        family is next rotated: it may have been issued after the backup.
        """

    async def end_made_before(self, at: datetime, limit: int) -> EndedCounts:
        """End at most *limit* each of live sessions, grants and personal access tokens from before *at*."""
