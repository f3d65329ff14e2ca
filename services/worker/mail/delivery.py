"""Delivering the mails that wait. Every process takes due ones, each under a lease of its own."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage

import structlog

from services.worker.job import Job
from services.worker.mail.message import Messages
from services.worker.mail.transport import FolderTransport, NotSent, SmtpTransport, Transport
from services.worker.retries import AT_A_TIME, EVERY, LEASE, PATIENCE, next_try, until_nothing_is_due
from shared.config.mail_address import MailFolder, MailServer
from shared.config.settings import Settings
from shared.fetch.mail_server import mail_trust
from shared.live import clock
from shared.server.metrics import count_event
from shared.store import Mail, Mails, Unavailable

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class MailDelivery:
    """Sends the mails that wait."""

    mails: Mails
    messages: Messages
    transport: Transport

    async def deliver(self, now: datetime) -> int:
        """Try to send at most AT_A_TIME due mails. Returns their number. Raises Unavailable."""
        mails = await self.mails.take(AT_A_TIME, LEASE, now)
        await asyncio.gather(*(self._try(mail) for mail in mails))
        return len(mails)

    async def _try(self, mail: Mail) -> None:
        fields = {"kind": mail.kind, "user_id": str(mail.user_id), "tries": mail.tries}
        try:
            await self._send(mail, fields)
        except Unavailable as fault:  # the mail is due again when its lease ends
            logger.warning("mail_delayed", **fields, cause=str(fault))
        except Exception:  # a defect must not delay the other mails; this one is due again, too
            logger.exception("mail_defect", **fields)

    async def _send(self, mail: Mail, fields: Mapping[str, object]) -> None:
        try:
            await self.transport.send(self._message(mail), mail.contents.recipient)
        except NotSent as fault:
            await self._failed(mail, fault, {**fields, "cause": str(fault)})
            return
        await self.mails.settle(mail.mail_id)
        count_event("mail")
        logger.info("mail_sent", **fields)

    def _message(self, mail: Mail) -> EmailMessage:
        """Raises NotSent."""
        try:
            return self.messages.message(mail, clock.now())
        except ValueError:
            raise NotSent("a value does not fit into a header field", is_final=True) from None

    async def _failed(self, mail: Mail, fault: NotSent, fields: Mapping[str, object]) -> None:
        due_at = None if fault.is_final else next_try(mail.tries, mail.expires_at, clock.now())
        if due_at is not None and due_at < mail.expires_at:
            await self.mails.put_off(mail.mail_id, due_at)
            count_event("mail", "failed")
            logger.warning("mail_failed", **fields)
        else:
            await self.mails.give_up(mail.mail_id)
            count_event("mail", "given_up")
            logger.error("mail_given_up", **fields)


def transport_of(settings: Settings, server: MailServer | MailFolder) -> Transport:
    """The way out. The extra CA of the fetcher is trusted for the mail server, too."""
    if isinstance(server, MailFolder):
        return FolderTransport(server.path)
    return SmtpTransport(server, settings.sender.addr_spec, mail_trust(settings.fetch_ca_file))


def mail_delivery(mails: Mails, settings: Settings, server: MailServer | MailFolder) -> Job:
    """The job, which sends mails as they become due."""
    messages = Messages.load(settings.issuer, settings.sender, settings.ui_locales)
    delivery = MailDelivery(mails, messages, transport_of(settings, server))
    work = until_nothing_is_due(delivery.deliver)
    return Job(name="mail", work=work, every=EVERY, is_leased=False, patience=PATIENCE)
