"""Which client ID metadata documents count: the operator's policy. Pure."""

from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from shared.config.settings import Settings
from shared.oauth.fetch_target import target_fault

SCHEME = "https://"
MAX_CLIENT_ID = 1000
"""Characters of a client_id that is a URL."""


@dataclass(frozen=True, slots=True)
class DocumentPolicy:
    """`listed`: URLs and hosts, with `*.` for every host below one.

    `fetch`: `host:port`s that may be private.
    """

    mode: str
    listed: tuple[str, ...] = ()
    fetch: tuple[str, ...] = ()

    @classmethod
    def of(cls, settings: Settings) -> Self:
        return cls(settings.client_id_metadata, settings.client_id_metadata_list, settings.fetch_allow)

    @property
    def needs_approval(self) -> bool:
        """Whether an operator approves the first use of each document."""
        return self.mode == "ask"

    def names_a_document(self, client_id: str) -> bool:
        """Whether *client_id* is the URL of a document, where there are such clients."""
        return self.mode != "off" and client_id.startswith(SCHEME)

    def fault(self, client_id: str) -> str | None:
        """Why the document at *client_id* must not be fetched, as the end of a sentence."""
        if fault := url_fault(client_id, self.fetch):
            return fault
        return "is not on this server's list" if self.mode == "list" and not self._lists(client_id) else None

    def _lists(self, client_id: str) -> bool:
        host = (urlsplit(client_id).hostname or "").lower()
        for entry in self.listed:
            if entry in (client_id, host):
                return True
            if entry.startswith("*.") and host.endswith(entry[1:]):
                return True
        return False


def url_fault(client_id: str, fetch: tuple[str, ...] = ()) -> str | None:
    """What is wrong with *client_id* as the URL of a document. It is never normalized."""
    if len(client_id) > MAX_CLIENT_ID:
        return f"is longer than {MAX_CLIENT_ID} characters"
    if fault := target_fault(client_id, fetch):
        return fault
    return None if urlsplit(client_id).path else "has no path"
