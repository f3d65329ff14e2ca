"""The contents of the pages where a flow ends: a program, a code to copy, or an error."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from shared.browser.pages.views.client import ClientView


@dataclass(frozen=True, slots=True)
class LeavingView:
    """Asks before opening a program on the user's device; `fields`, if any, are posted there."""

    client: ClientView
    href: str
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def scheme(self) -> str:
        """The scheme, which identifies the program."""
        return urlsplit(self.href).scheme


@dataclass(frozen=True, slots=True)
class OutOfBandView:
    """A code that the user copies into an application without a browser, or the error in its place."""

    code: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class ErrorView:
    """`error`: an OAuth error code or one of the catalogue's; `retry_after` in seconds.

    `back_href`: where the user can continue, at `client` if there is one, else on this server.
    """

    error: str
    description: str | None = None
    request_id: str | None = None
    retry_after: int | None = None
    back_href: str | None = None
    client: ClientView | None = None

    @property
    def host(self) -> str:
        """The host of the link, if it leads elsewhere."""
        return urlsplit(self.back_href or "").netloc
