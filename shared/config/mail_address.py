"""The value of `OSTIARY_SMTP_URL`: a mail server, or a folder for development; and the sender's address."""

from dataclasses import dataclass, field
from email.headerregistry import Address
from email.utils import parseaddr
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl, unquote, urlsplit

Tls = Literal["implicit", "required", "opportunistic"]

_FORM = (
    "must look like smtp://user:password@mail.example.org:587?starttls=required or smtps://mail.example.org"
)
_PORTS = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """A server that accepts mails (RFC 6409), and how to authenticate there."""

    host: str
    port: int
    tls: Tls
    username: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class MailFolder:
    """A folder into which mails are written instead."""

    path: Path


def parse_mail_address(url: str) -> MailServer | MailFolder:
    """The server or the folder of *url*. Raises ValueError, without the password."""
    try:
        parts = urlsplit(url)
        port, options = parts.port, dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    except ValueError:
        raise ValueError(_FORM) from None
    if parts.scheme == "file" and parts.path.startswith("/") and not parts.netloc and not options:
        return MailFolder(Path(unquote(parts.path)))
    starttls = options.pop("starttls", None)
    if parts.scheme not in _PORTS or not parts.hostname or parts.path.strip("/") or options:
        raise ValueError(_FORM)
    if starttls not in (None, "required") or (starttls and parts.scheme == "smtps"):
        raise ValueError("starttls can only be `required`, with smtp://")
    tls: Tls = "implicit" if parts.scheme == "smtps" else "required" if starttls else "opportunistic"
    if parts.username and tls == "opportunistic":
        raise ValueError("a password needs TLS: add ?starttls=required, or use smtps://")
    return MailServer(
        host=parts.hostname,
        port=port or _PORTS[parts.scheme],
        tls=tls,
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
    )


def parse_sender(value: str) -> Address:
    """The address that mails come from, with or without a name: `Example <id@example.org>`.

    Raises ValueError.
    """
    name, address = parseaddr(value)
    if not value.isprintable() or "@" not in address:
        raise ValueError("must be an address such as Example <id@example.org>")
    try:
        return Address(display_name=name, addr_spec=address)
    except (ValueError, IndexError, UnicodeError):
        raise ValueError("must be an address such as Example <id@example.org>") from None
