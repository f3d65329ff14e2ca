"""The contents of the start page."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from shared.browser.pages.ago import Ago
from shared.browser.pages.views.client import ClientView


@dataclass(frozen=True, slots=True)
class ApplicationView:
    """A client at which a login can be started; `href` is shown if it is https."""

    client: ClientView
    href: str

    @property
    def host(self) -> str:
        """The host of the link."""
        return urlsplit(self.href).netloc


@dataclass(frozen=True, slots=True)
class PresetView:
    """An application that Ostiary knows: the command that registers its client, and its documentation."""

    title: str
    command: str
    documentation: str

    @property
    def host(self) -> str:
        """The host of the documentation."""
        return urlsplit(self.documentation).netloc


@dataclass(frozen=True, slots=True)
class SentMailView:
    """A mail that was written into a folder: the lines of its plain text, some of which are URIs."""

    subject: str
    recipient: str
    at: Ago
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StartView:
    """The start page.

    `try_href`: an authorization request of the demo client; `credentials_file` contains the password.
    `applications` are clients that a login can be started at; `presets` are applications to connect.
    `mails_href`: the page of mails that are not sent.
    """

    issuer: str
    username: str | None = None
    client_id: str | None = None
    credentials_file: str | None = None
    try_href: str | None = None
    applications: tuple[ApplicationView, ...] = ()
    presets: tuple[PresetView, ...] = ()
    mails_href: str | None = None
