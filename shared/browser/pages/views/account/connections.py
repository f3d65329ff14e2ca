"""The page of the clients that have access."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.browser.pages.ago import Ago
from shared.browser.pages.views.account.done import Done
from shared.browser.pages.views.client import ClientView


@dataclass(frozen=True, slots=True)
class ConnectedClient:
    """A client that has access to the user's data: its scopes and claims by their names, and its APIs."""

    client: ClientView
    scopes: tuple[str, ...]
    claims: tuple[str, ...]
    apis: tuple[str, ...]
    used: Ago | None


@dataclass(frozen=True, slots=True)
class ConnectionsView:
    """The clients that have access to the user's data."""

    action: str
    connections: tuple[ConnectedClient, ...]
    done: Done | None = None
    hidden: Mapping[str, str] = field(default_factory=dict)
