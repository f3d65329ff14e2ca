"""Mistakes in what clients may register themselves."""

from typing import Any

import pytest

from services.client_registry.registration import configure, register
from shared.oauth.client import faults, rules
from shared.oauth.client.record import Client
from shared.oauth.resource.registry import ResourceRegistry
from shared.store import Clients, UsedUp
from shared.store.postgres.clients import PostgresClients
from shared.store.postgres.initial_access_tokens import SPEND


def every_redirect_uri_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse a client for one redirect URI that it cannot have."""
    monkeypatch.setattr(rules, "_without_odd_redirects", lambda client: client)


def only_our_scopes_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Know no scope of an API at registration."""
    monkeypatch.setattr(ResourceRegistry, "api_scopes", property(lambda _: frozenset()))


def profiles_refuse_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a client of any profile have any value."""
    monkeypatch.setattr(faults, "refused_members", lambda _: ())


def spends_the_token_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the use of an initial access token before the client is added, in a statement of its own."""
    add: Any = PostgresClients.add

    async def spending(self: PostgresClients, client: Client, **options: Any) -> None:
        token_hash = options.pop("initial_access_token", None)
        if token_hash is not None and await self._database.row(SPEND, token_hash) is None:
            raise UsedUp
        await add(self, client, **options)

    monkeypatch.setattr(PostgresClients, "add", spending)


def reads_what_it_wrote(monkeypatch: pytest.MonkeyPatch) -> None:
    """Show no credential of a client that was written and cannot be read."""

    async def read(clients: Clients, client: Client) -> Client:
        return await clients.find(client.client_id) or client

    for module in (register, configure):
        monkeypatch.setattr(module, "as_stored", read)
