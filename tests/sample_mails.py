"""Every kind of mail, with invented content."""

from datetime import timedelta
from typing import get_args
from uuid import UUID

from services.worker.mail.message import Messages
from shared.live import clock
from shared.store import Mail, MailContents, MailKind

VALUES = {
    "username": "amelie.laurent",
    "link": "https://id.example.org/oidc/account",
    "code": "204718",
    "address": "amelie@files.example.org",
    "device": "Firefox · Linux",
}
"""What the texts of any kind name."""


def html_bodies(messages: Messages, locale: str) -> dict[str, str]:
    """The HTML of a mail of each kind."""
    return {f"mail-{kind}": _html(messages, kind, locale) for kind in get_args(MailKind)}


def _html(messages: Messages, kind: MailKind, locale: str) -> str:
    now = clock.now()
    values = {name: value for name, value in VALUES.items() if name != "code" or kind == "confirm_address"}
    if kind == "new_browser":
        values["address"] = "2001:db8::17"
    contents = MailContents(recipient="amelie@example.org", locale=locale, values=values)
    mail = Mail(
        mail_id=UUID(int=1),
        user_id=UUID(int=2),
        kind=kind,
        contents=contents,
        created_at=now,
        expires_at=now + timedelta(days=1),
    )
    body = messages.message(mail, now).get_body(("html",))
    assert body
    return str(body.get_content())
