"""Dovecot, whose users sign in to their mailboxes with an access token."""

import imaplib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.applications.client import AddedClient
from tests.applications.debian_root import in_root
from tests.applications.person import PERSON
from tests.applications.program import Program
from tests.applications.serving import needs_application, serving
from tests.flow.op import Op

NAME = "dovecot"
REDIRECT_URI = "http://127.0.0.1/callback"
SCOPE = "openid email"


@asynccontextmanager
async def dovecot(op: Op, client: AddedClient, folder: Path) -> AsyncIterator[int]:
    """Dovecot with the lines of the preset for its version; gives the port of IMAP."""
    _, lines, oauth2 = client.lines
    own = f"""
protocols = imap
ssl = no
disable_plaintext_auth = no
log_path = /dev/stderr
mail_location = maildir:/tmp/mail/%u
first_valid_uid = 1
service imap-login {{
  inet_listener imap {{
    address = 127.0.0.1
    port = {client.port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
userdb {{
  driver = static
  args = uid=mail gid=mail
}}
"""
    extension = folder / "dovecot-oauth2.conf.ext"
    extension.write_text(oauth2, "utf-8")
    placed = lines.replace(f"/etc/dovecot/{extension.name}", str(extension))
    (folder / "dovecot.conf").write_text(own + placed, "utf-8")
    command = ("dovecot", "-F", "-c", str(folder / "dovecot.conf"))
    argv = in_root(op, needs_application(NAME), folder, *command)
    async with serving(op, argv, folder, client.port, greeting=b"* OK"):
        yield client.port


def _mail_program(op: Op) -> Program:
    """A mail program that she lets sign in for her."""
    added = op.add_client(redirect_uris=[REDIRECT_URI], token_endpoint_auth_method="none", scope=SCOPE)
    return Program(op, added["client_id"], REDIRECT_URI, SCOPE)


def _sign_in(port: int, user: str, access_token: str) -> imaplib.IMAP4:
    """By XOAUTH2. Raises imaplib.IMAP4.error."""
    response = f"user={user}\1auth=Bearer {access_token}\1\1".encode()
    mailbox = imaplib.IMAP4("127.0.0.1", port)
    try:
        mailbox.authenticate("XOAUTH2", lambda challenge: b"" if challenge else response)
    except imaplib.IMAP4.error:
        mailbox.shutdown()
        raise
    return mailbox


async def test_a_person_reads_her_mail(provider: Op, tmp_path: Path) -> None:
    """Her mail program signs in by the access token that it has got for her, and logs out."""
    client = AddedClient.of_preset(provider, NAME)
    tokens = _mail_program(provider).sign_in()
    async with dovecot(provider, client, tmp_path) as port:
        mailbox = _sign_in(port, PERSON.email, tokens["access_token"])
        assert mailbox.select() == ("OK", [b"0"])
        assert mailbox.logout()[0] == "BYE"


async def test_a_token_opens_no_other_mailbox(provider: Op, tmp_path: Path) -> None:
    """Neither with her own token, nor with one that nobody has issued."""
    client = AddedClient.of_preset(provider, NAME)
    tokens = _mail_program(provider).sign_in()
    async with dovecot(provider, client, tmp_path) as port:
        for user, token in ((f"other.{PERSON.email}", tokens["access_token"]), (PERSON.email, "at_x")):
            with pytest.raises(imaplib.IMAP4.error):
                _sign_in(port, user, token)
