"""Ports: mails to users that the worker has to send."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, Protocol
from uuid import UUID

MailKind = Literal[
    "password_changed", "password_forgotten", "confirm_address", "address_changed", "passkey_added",
    "passkey_removed", "app_added", "app_removed", "factors_removed", "account_recovered", "new_browser",
]  # fmt: skip
"""What a mail is about: the texts of its kind are in the catalogues, under `mail`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailContents:
    """What a mail says, to whom and in which language.

    `values`: those of the placeholders in its texts, among them `link`, where its button leads.
    """

    recipient: str
    locale: str
    values: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMail:
    """A mail to a user, for the transaction of what it tells. Its delivery is tried for *lifetime*."""

    kind: MailKind
    contents: MailContents
    lifetime: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail that waits. After `expires_at` it would be of no use."""

    mail_id: UUID  # its Message-ID, at every attempt
    user_id: UUID
    kind: MailKind
    contents: MailContents
    created_at: datetime
    expires_at: datetime
    tries: int = 0


@dataclass(frozen=True, slots=True)
class MailsState:
    """How many mails wait, and since when the oldest has waited."""

    waiting: int
    oldest: datetime | None


class Mails(Protocol):
    """Mails that wait, encrypted. PostgreSQL. Other stores queue them with the change that they tell of."""

    async def take(self, limit: int, lease: timedelta, now: datetime) -> Sequence[Mail]:
        """Take due mails, for this caller alone until the lease ends. Then they are due again.

        One that no secret key decrypts is left to expire.
        """

    async def state(self) -> MailsState:
        """Those that somebody still needs."""

    async def settle(self, mail_id: UUID) -> None:
        """Remove a mail that was sent."""

    async def put_off(self, mail_id: UUID, due_at: datetime) -> None: ...

    async def give_up(self, mail_id: UUID) -> None:
        """Remove a mail that cannot be sent, with an audit row."""
