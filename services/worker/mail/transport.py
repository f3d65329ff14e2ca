"""Where messages go: a mail server (RFC 5321, RFC 6409), or a folder."""

import asyncio
import os
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol

from aiosmtplib import (
    SMTPDataError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPRecipientsRefused,
    SMTPResponseException,
)

from shared.config.mail_address import MailServer
from shared.fetch.mail_server import mail_session

LIMIT = 20.0  # seconds for a message, from the connection to the server's last answer


class NotSent(Exception):
    """The message was not accepted; *is_final*: it never will be."""

    def __init__(self, cause: str, *, is_final: bool = False) -> None:
        super().__init__(cause)
        self.is_final = is_final


class Transport(Protocol):
    """Accepts messages."""

    async def send(self, message: EmailMessage, recipient: str) -> None:
        """Hand over a message. Raises NotSent, whose text names nobody."""


@dataclass(frozen=True, slots=True)
class SmtpTransport:
    """Hands messages to a mail server, each over a connection of its own."""

    server: MailServer
    sender: str
    trust: ssl.SSLContext

    async def send(self, message: EmailMessage, recipient: str) -> None:
        try:
            async with asyncio.timeout(LIMIT):
                await self._send(message, recipient)
        except (SMTPRecipientRefused, SMTPRecipientsRefused, SMTPDataError) as fault:
            codes = _codes(fault)
            is_final = all(code >= 500 for code in codes)  # RFC 5321 §4.2.1: permanent
            raise NotSent(f"refused with {', '.join(map(str, codes))}", is_final=is_final) from None
        except SMTPResponseException as fault:
            raise NotSent(f"{type(fault).__name__}: answered {fault.code}") from None
        except (SMTPException, OSError) as fault:
            raise NotSent(type(fault).__name__) from None

    async def _send(self, message: EmailMessage, recipient: str) -> None:
        async with mail_session(self.server, self.trust, LIMIT) as session:
            await session.send_message(message, sender=self.sender, recipients=[recipient])


def _codes(fault: SMTPRecipientRefused | SMTPRecipientsRefused | SMTPDataError) -> Sequence[int]:
    if isinstance(fault, SMTPRecipientsRefused):
        return [refused.code for refused in fault.recipients]
    return [fault.code]


@dataclass(frozen=True, slots=True)
class FolderTransport:
    """Writes each message into a file that only its owner may read."""

    folder: Path

    async def send(self, message: EmailMessage, recipient: str) -> None:
        try:
            await asyncio.to_thread(self._write, message)
        except OSError as fault:
            raise NotSent(f"{type(fault).__name__}: {fault.strerror}") from None

    def _write(self, message: EmailMessage) -> None:
        self.folder.mkdir(mode=0o700, exist_ok=True)
        path = self.folder / f"{message['Message-ID'].strip('<>').partition('@')[0]}.eml"
        new = path.with_suffix(".new")
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(message.as_bytes())
        new.replace(path)
