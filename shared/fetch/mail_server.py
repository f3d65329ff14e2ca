"""Connections to the mail server of the settings. Operators name it, so it may be anywhere."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiosmtplib import SMTP

from shared.config.mail_address import MailServer

_START_TLS = {"implicit": False, "required": True, "opportunistic": None}


def mail_trust(ca_file: Path | None) -> ssl.SSLContext:
    """The authorities whose certificates a mail server may have: the system's, and that of *ca_file*."""
    context = ssl.create_default_context()
    if ca_file:
        context.load_verify_locations(ca_file)
    return context


@asynccontextmanager
async def mail_session(server: MailServer, trust: ssl.SSLContext, patience: float) -> AsyncIterator[SMTP]:
    """A session (RFC 5321 §3), encrypted and authenticated as *server* says.

    *patience*: the seconds that each answer may take. Raises SMTPException, OSError.
    """
    session = SMTP(
        hostname=server.host,
        port=server.port,
        username=server.username,
        password=server.password,
        use_tls=server.tls == "implicit",
        start_tls=_START_TLS[server.tls],
        tls_context=trust,
        timeout=patience,
    )
    async with session:
        yield session
