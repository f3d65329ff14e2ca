"""A client, and where its response goes, for people."""

import unicodedata
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from shared.browser.pages.security import https, source
from shared.config.loopback import is_loopback
from shared.oauth.client.account import is_account_client
from shared.oauth.client.record import Client


def visible(text: str, limit: int = 80) -> str:
    """*text* without control and formatting characters that disguise a name, cut at *limit*."""
    shown = "".join(c for c in text if c.isspace() or unicodedata.category(c)[0] != "C")
    shown = " ".join(shown.split())
    return shown if len(shown) <= limit else shown[: limit - 1].rstrip() + "…"


@dataclass(frozen=True, slots=True)
class ClientView:
    """A client's description of itself. URIs are shown if they are https."""

    client_id: str
    client_name: str | None = None
    logo_uri: str | None = None
    client_uri: str | None = None
    policy_uri: str | None = None
    tos_uri: str | None = None
    document_host: str | None = None
    """The host of its document, if nobody registered it: all that is known for certain."""
    is_own: bool = False
    """Whether it is the account pages of this server."""
    is_on_device: bool = False
    """Whether responses go to the user's device alone, where any program may pretend to be the client."""

    @classmethod
    def of(cls, client: Client) -> Self:
        is_document = client.document_hash is not None
        return cls(
            client.client_id,
            client.client_name,
            client.logo_uri,
            client.client_uri,
            client.policy_uri,
            client.tos_uri,
            urlsplit(client.client_id).netloc if is_document else None,
            is_own=is_account_client(client),
            is_on_device=is_document and not any(map(https, client.redirect_uris)),
        )

    @property
    def name(self) -> str:
        """Its name, or its identifier if it has no visible name."""
        return visible(self.client_name or "") or visible(self.client_id)

    @property
    def monogram(self) -> str:
        """The first letter of its name, shown if it has no logo."""
        return next((c for c in self.name if c.isalnum()), "?").upper()

    @property
    def logo(self) -> str | None:
        """Where its logo is (OpenID Connect Registration 1.0 §2). Pages show it from this server: `logos`."""
        return https(self.logo_uri)

    @property
    def policy(self) -> str | None:
        return https(self.policy_uri)

    @property
    def terms(self) -> str | None:
        return https(self.tos_uri)

    @property
    def home(self) -> str | None:
        return https(self.client_uri)


@dataclass(frozen=True, slots=True)
class Destination:
    """Where the response goes, for people: a host, or None if it stays on this device."""

    host: str | None

    @classmethod
    def of(cls, form_action: tuple[str, ...]) -> "Destination | None":
        """The destination of the first of *form_action*, or None if it is empty."""
        if not form_action or not (allowed := source(form_action[0])):
            return None
        host = urlsplit(allowed).netloc
        return cls(None if not host or is_loopback(urlsplit(allowed).hostname or "") else host)
