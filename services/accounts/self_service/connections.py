"""The page of the clients that have access to the user's data: disconnect one."""

from dataclasses import dataclass

from aiohttp import web

from services.accounts.visit.done import done_uri
from services.accounts.visit.visit import Visit
from shared.browser.pages import ClientView
from shared.browser.pages.account_pages import AccountPages
from shared.browser.pages.ago import Ago
from shared.browser.pages.views.account.connections import ConnectedClient, ConnectionsView
from shared.live import clock
from shared.live.client_cache import ClientCache
from shared.oauth.client.record import Client
from shared.oauth.consent import claims_in, resources_in, scopes_in
from shared.oauth.parameters import Parameters
from shared.store import ClientAccess, Consents
from shared.web.answers import see_other

CLIENT_ID = "client_id"


@dataclass(frozen=True, slots=True)
class ConnectionsPage:
    """The collaborators of the page."""

    consents: Consents
    clients: ClientCache
    pages: AccountPages

    async def get(self, visit: Visit) -> web.Response:
        """Show the clients, with what they may do and when they last did it."""
        listed = [
            (access, await self.clients.find(access.client_id))
            for access in await self.consents.of_user(visit.user_id)
        ]
        shown = tuple(connection(access, client) for access, client in listed if client)
        view = ConnectionsView(visit.page.path, shown, visit.done, visit.fields)
        return self.pages.connections(view, visit.locale)

    async def post(self, visit: Visit, fields: Parameters) -> web.Response:
        """End every grant of a client, and forget the consent. The user stays signed in here."""
        client_id = fields.unique(CLIENT_ID)
        connected = {access.client_id for access in await self.consents.of_user(visit.user_id)}
        if client_id in connected:
            await self.consents.revoke(visit.user_id, client_id)
            visit.log_change("disconnected")
        return see_other(done_uri(visit.page, "connection"))


def connection(access: ClientAccess, client: Client) -> ConnectedClient:
    """What the client may do: the scopes that it has or need not ask for again, claims and APIs."""
    allowed = tuple(dict.fromkeys((*access.scope, *access.granted)))
    return ConnectedClient(
        ClientView.of(client),
        scopes=scopes_in(allowed),
        claims=claims_in(allowed),
        apis=resources_in(allowed),
        used=Ago.of(access.last_used_at, clock.now()) if access.last_used_at else None,
    )
