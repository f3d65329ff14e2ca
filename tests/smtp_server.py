"""A mail server for tests: it speaks SMTP (RFC 5321) with STARTTLS and AUTH, and answers as it is told."""

import asyncio
import ssl
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from socket import AF_INET


@dataclass(frozen=True)
class Received:
    """A message as it arrived, with its envelope."""

    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage
    login: str | None
    is_encrypted: bool


@dataclass
class MailHost:
    """The server. `answers`: what it says to a command (`RCPT`, `DATA`, …) in place of accepting it."""

    port: int = 0
    tls: ssl.SSLContext | None = None
    answers: dict[str, str] = field(default_factory=dict)
    is_silent: bool = False
    received: asyncio.Queue[Received] = field(default_factory=asyncio.Queue)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until it ends."""
        self.writers.append(writer)
        if self.is_silent:
            return
        sender, recipients, login, is_encrypted = "", list[str](), None, False
        say(writer, self.answers.get("CONNECT", "220 mail.test ESMTP"))
        while line := (await reader.readline()).decode().rstrip("\r\n"):
            verb, _, rest = line.partition(" ")
            answer = self.answers.get(verb.upper())
            match verb.upper():
                case "EHLO":
                    offered = ["mail.test", *(["STARTTLS"] if self.tls and not is_encrypted else [])]
                    offered += ["AUTH PLAIN"] if is_encrypted else []
                    for name in offered:
                        say(writer, f"250-{name}")
                    say(writer, "250 8BITMIME")
                case "STARTTLS" if self.tls and not answer:
                    say(writer, "220 go on")
                    if not await is_encrypted_by(writer, self.tls):
                        return
                    is_encrypted = True
                case "AUTH" if not answer:
                    login = b64decode(rest.removeprefix("PLAIN ")).decode()
                    say(writer, "235 welcome")
                case "MAIL" if not answer:
                    sender, recipients = rest.partition("<")[2].partition(">")[0], []
                    say(writer, "250 OK")
                case "RCPT" if not answer:
                    recipients.append(rest.partition("<")[2].partition(">")[0])
                    say(writer, "250 OK")
                case "DATA" if not answer:
                    say(writer, "354 go on")
                    message = message_from_bytes(await _data(reader), EmailMessage, policy=default)
                    say(writer, "250 OK")
                    self.received.put_nowait(
                        Received(sender, tuple(recipients), message, login, is_encrypted)
                    )
                case "QUIT":
                    say(writer, "221 bye")
                    break
                case _:
                    say(writer, answer or "250 OK")
        writer.close()


async def is_encrypted_by(writer: asyncio.StreamWriter, tls: ssl.SSLContext) -> bool:
    """Start TLS. False: the client has hung up, as it does not trust the certificate."""
    plain = writer.transport
    try:
        await writer.start_tls(tls)
    except (OSError, AttributeError):  # the latter is asyncio's own: it has lost the transport
        return False
    finally:
        if writer.transport is None:
            writer._transport = plain  # otherwise deleting the writer raises
    return True


def say(writer: asyncio.StreamWriter, line: str) -> None:
    writer.write(f"{line}\r\n".encode())


async def _data(reader: asyncio.StreamReader) -> bytes:
    lines = []
    while (line := await reader.readline()) != b".\r\n":
        lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
    return b"".join(lines)


@asynccontextmanager
async def mail_host(
    tls: ssl.SSLContext | None = None, *, is_implicit: bool = False
) -> AsyncIterator[MailHost]:
    """A mail server on a free port, with STARTTLS, or with TLS from the first byte."""
    host = MailHost(tls=None if is_implicit else tls)
    server = await asyncio.start_server(
        host.converse, "localhost", 0, ssl=tls if is_implicit else None, family=AF_INET
    )
    host.port = server.sockets[0].getsockname()[1]
    async with server:
        yield host
        for writer in host.writers:
            writer.transport.abort()
