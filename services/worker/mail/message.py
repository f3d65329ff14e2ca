"""Renders mails: plain text and HTML, with the same words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from shared.browser.language_lookup import choose
from shared.browser.pages.catalogue import Catalogue
from shared.store import Mail

TEMPLATES = Path(__file__).parent / "templates"


def environment() -> Environment:
    """The templates of mails: those whose names end in `.html` escape values, the others do not."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(("html",)),
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@dataclass(frozen=True, slots=True)
class Messages:
    """Makes messages, in any of the languages that the pages have."""

    issuer: str
    sender: Address
    catalogues: Mapping[str, Catalogue]
    templates: Environment

    @classmethod
    def load(cls, issuer: str, sender: Address, locales: Sequence[str]) -> Self:
        """Read the texts and compile the templates. A broken one prevents the start."""
        templates = environment()
        for name in templates.list_templates():
            templates.get_template(name)
        return cls(issuer, sender, {locale: Catalogue.load(locale) for locale in locales}, templates)

    def message(self, mail: Mail, now: datetime) -> EmailMessage:
        """The message (RFC 5322). Raises ValueError if a value does not fit into a header field."""
        catalogue = self.catalogues[choose(tuple(self.catalogues), mail.contents.locale, None)]
        host = urlsplit(self.issuer).hostname or ""
        values = {"host": urlsplit(self.issuer).netloc, **mail.contents.values}
        message = EmailMessage(SMTP)
        message["From"] = self.sender
        message["To"] = Address(addr_spec=mail.contents.recipient)
        message["Subject"] = catalogue.plain(f"mail.{mail.kind}.subject", **values)
        message["Date"] = format_datetime(now)
        message["Message-ID"] = f"<{mail.mail_id}@{host}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody answers it by machine
        message["Content-Language"] = catalogue.locale
        kind = {"kind": mail.kind, "locale": catalogue.locale, "values": values}
        message.set_content(self.templates.get_template("mail.txt").render(t=catalogue.plain, **kind))
        html = self.templates.get_template("mail.html").render(t=catalogue, **kind)
        message.add_alternative(html, subtype="html")
        return message
