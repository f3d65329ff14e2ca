"""Ports: links by which somebody who cannot sign in sets a new password, and the requests for them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from shared.model import Json, User
from shared.store.ports.mails import NewMail
from shared.store.ports.sessions import SignOutExemption

HOLD = timedelta(hours=24)
"""How long the addresses and credentials of a recovered administrator stay as they are.

Whoever reads the mail of an administrator can recover the account. Within a day its owner has read the mail
about it, or cannot sign in any more, and recovers it before somebody else has made it theirs for good.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveLink:
    """A link that works, and its user.

    `browser_hash`: of the browser that asked for it. None: an operator or an administrator made it.
    `issued_by`: the name of the administrator. `password_hash`: of the password that the link replaces, in
    the PHC string format. None: the user has no password.
    """

    user: User
    browser_hash: bytes | None
    issued_by: str | None = None
    password_hash: str | None = field(default=None, repr=False)


class RecoveryLinks(Protocol):
    """Recovery links, by the digests of their handles. PostgreSQL.

    A link works once, and no longer than its user keeps their epoch: not after a change of the password, and
    not for a user who is disabled or was deleted. Making and using one is audited. *mails* to the user are
    queued in the transaction of what happens, if it does.
    """

    async def add(
        self,
        link_hash: bytes,
        user_id: UUID,
        lifetime: timedelta,
        detail: Json,
        browser_hash: bytes | None = None,
        *,
        issued_by: str | None = None,
        mails: Sequence[NewMail] = (),
    ) -> bool:
        """Add a link; *detail* is for the audit row. False: the user is disabled, or does not exist."""

    async def find(self, link_hash: bytes) -> LiveLink | None:
        """A link that works. Nothing is spent."""

    async def set_password(
        self,
        link_hash: bytes,
        user_id: UUID,
        password_hash: str,
        exempt: SignOutExemption | None = None,
        *,
        mails: Sequence[NewMail] = (),
    ) -> bool:
        """Spend a link of the user, and set their password as `UserCredentials` does, in one transaction.

        A hold of an administrator begins. False: the link does not work any more, and nothing has changed.
        """

    async def held_until(self, user_id: UUID) -> datetime | None:
        """Until when the addresses and credentials of a user stay as they are. None: there is no hold.

        A user is held for HOLD after a link was used, while a group gives them administration scopes.
        """

    async def lift_hold(self, user_id: UUID, detail: Json) -> None:
        """End the hold of a user, if there is one; *detail* is for the audit row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryContents:
    """What somebody typed who has forgotten their password: a user name or an address, of whomever.

    `browser_hash`: the digest of a handle of their browser, in hexadecimal digits; `locale`: its language.
    """

    name: str = field(repr=False)
    browser_hash: str
    locale: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryRequest:
    """A request that waits."""

    request_id: UUID
    contents: RecoveryContents


class RecoveryRequests(Protocol):
    """Requests for recovery links that wait, encrypted. PostgreSQL."""

    async def add(self, contents: RecoveryContents) -> None: ...

    async def take(self, limit: int, lease: timedelta, now: datetime) -> Sequence[RecoveryRequest]:
        """Take due requests, for this caller alone until the lease ends. Then they are due again.

        One that no secret key decrypts is left to expire.
        """

    async def settle(self, request_id: UUID) -> None:
        """Remove a request that was handled."""
