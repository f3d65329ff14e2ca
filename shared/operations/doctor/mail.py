"""Whether the mail server takes mails from this deployment. None is sent."""

import asyncio

from aiosmtplib import SMTPException, SMTPResponseException

from shared.config.mail_address import MailFolder
from shared.config.settings import Settings
from shared.fetch.mail_server import mail_session, mail_trust
from shared.operations.doctor.findings import Finding, bad, good

SUBJECT = "Mail"
TIMEOUT = 10.0  # seconds


async def mail_finding(settings: Settings) -> Finding:
    """Whether it answers, with a certificate that is valid, and accepts the password."""
    server = settings.mail_server
    if server is None:
        return good(SUBJECT, "OSTIARY_SMTP_URL is not set: users get no mails, and cannot reset passwords")
    if isinstance(server, MailFolder):
        return good(SUBJECT, f"mails are written into {server.path}")
    place = f"{server.host}:{server.port}"
    try:
        async with (
            asyncio.timeout(TIMEOUT),
            mail_session(server, mail_trust(settings.fetch_ca_file), TIMEOUT) as session,
        ):
            await session.noop()
            is_encrypted = session.get_transport_info("sslcontext") is not None
    except SMTPResponseException as fault:
        return bad(SUBJECT, f"{place} answers {fault.code} to the sign-in: check OSTIARY_SMTP_URL")
    except (SMTPException, OSError) as fault:
        return bad(
            SUBJECT, f"{place} cannot be used ({fault or type(fault).__name__}): check OSTIARY_SMTP_URL"
        )
    encrypted = "encrypted" if is_encrypted else "not encrypted"
    return good(SUBJECT, f"{place} takes mails from {settings.sender.addr_spec}, {encrypted}")
